"""Targets of independent normal entries."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dmf.grid.fields import Dimension, Positive
from dmf.grid.kinds._contract import Built, TargetSpec
from dmf.grid.labelled import LabelledMatrix
from dmf.grid.seeds import generator


class GaussianTarget(TargetSpec):
    """Independent normal entries."""

    kind: Literal["gaussian"]
    shape: tuple[Dimension, Dimension] = Field(description="Rows d_L and columns d_0.")
    scale: Positive = Field(1.0, description="Standard deviation of an entry.")

    def build(self, seed: int) -> Built:
        """Drawn from the seed and the name alone."""
        values = self.scale * generator(["target", seed, self.name]).standard_normal(self.shape)
        return Built(LabelledMatrix(values), self.model_dump(exclude={"label"}))
