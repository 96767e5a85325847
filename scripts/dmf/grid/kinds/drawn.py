"""Targets drawn at random: independent normal entries, or prescribed singular values between random bases."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from dmf.grid.fields import Dimension, Finite, Positive
from dmf.grid.kinds._contract import Built, TargetSpec
from dmf.grid.labelled import Floats, LabelledMatrix
from dmf.grid.limits import LARGEST_DIMENSION
from dmf.grid.seeds import generator
from dmf.theory import haar


class GaussianTarget(TargetSpec):
    """Independent normal entries."""

    kind: Literal["gaussian"]
    shape: tuple[Dimension, Dimension] = Field(description="Rows d_L and columns d_0.")
    scale: Positive = Field(1.0, description="Standard deviation of an entry.")

    def build(self, seed: int) -> Built:
        """Drawn from the seed and the name alone."""
        values = self.scale * generator(["target", seed, self.name]).standard_normal(self.shape)
        return Built(LabelledMatrix(values), self.model_dump(exclude={"label"}))


class SpectrumTarget(TargetSpec):
    """Given singular values between two random orthonormal bases."""

    kind: Literal["spectrum"]
    shape: tuple[Dimension, Dimension] = Field(description="Rows d_L and columns d_0.")
    singular_values: list[Annotated[Finite, Field(ge=0)]] = Field(
        min_length=1, max_length=LARGEST_DIMENSION, description="At most min(shape) values; zeros fill the rest."
    )

    @model_validator(mode="after")
    def _fits(self) -> SpectrumTarget:
        if len(self.singular_values) > min(self.shape):
            raise ValueError(
                f"singular_values: got {len(self.singular_values)}, but shape {list(self.shape)} has at most "
                f"{min(self.shape)}"
            )
        if max(self.singular_values) == 0:
            raise ValueError("singular_values: all are zero; lambda_c is not defined for a zero target")
        return self

    def build(self, seed: int) -> Built:
        """Drawn from the seed and the name alone."""
        values = with_spectrum(self, generator(["target", seed, self.name]))
        return Built(LabelledMatrix(values), self.model_dump(exclude={"label"}))


def with_spectrum(spec: SpectrumTarget, rng: np.random.Generator) -> Floats:
    """U diag(singular_values) V^T with U, V uniform (Haar) orthonormal bases."""
    rows, columns = spec.shape
    rank = len(spec.singular_values)
    left, right = (haar.frame(size, rank, rng) for size in (rows, columns))
    matrix: Floats = (left * np.array(spec.singular_values)) @ right.T
    return matrix
