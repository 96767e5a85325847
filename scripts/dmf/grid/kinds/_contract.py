"""What every kind of target has in common, and what it makes of itself."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field

from dmf.grid import standard
from dmf.grid.fields import Label, Model, Name
from dmf.grid.labelled import Floats, LabelledMatrix


@dataclass(frozen=True)
class Built:
    """A target's matrix, and where it came from.

    `definition` is the JSON value that fixes its numbers, given the seed of the grid; `origin` and `standardisation`
    say in words which data it was made of and how, empty where neither applies.
    """

    matrix: LabelledMatrix
    definition: dict[str, Any]
    origin: str = ""
    standardisation: str = ""


class TargetSpec(Model, ABC):
    """One target as a user writes it."""

    name: Name = Field(description="Short name; part of every run's key, so renaming draws new random numbers.")
    label: Label | None = Field(None, description="Its name in the report; changes no number.")

    @property
    def place(self) -> str:
        """Where its data are, for a complaint; empty where it has none."""
        return ""

    @abstractmethod
    def build(self, seed: int) -> Built:
        """The matrix, finite and real, given the seed of the grid. Raises UserError."""


class DataTarget(TargetSpec):
    """A target made of data, standardised or not."""

    center: standard.Center = Field("none", description="Subtract the means of rows, columns or both.")
    scale: standard.Scale = Field(
        "none", description="Divide by the Frobenius or spectral norm, or each row or column by its norm."
    )

    def standardised(
        self, data: LabelledMatrix, origin: str, map: standard.Map, outcome: LabelledMatrix | None = None
    ) -> Built:
        """What `data` become, and `outcome` with them by the map "cross". Raises UserError."""
        steps = (map, self.center, self.scale)
        sources = [data] if outcome is None else [data, outcome]
        # By the data, not by what was made of them: the last bits of that may differ from machine to machine.
        definition = {"name": self.name, "data": [values_digest(source.values) for source in sources], "steps": steps}
        made = standard.standardised(data, outcome, *steps)
        return Built(made, definition, origin, standard.in_words(*steps))


def values_digest(values: Floats) -> str:
    """SHA-256 of shape and values, the same on every machine and for every file format."""
    ordered = np.ascontiguousarray(values, dtype="<f8")
    return hashlib.sha256(f"{values.shape}".encode() + ordered.tobytes()).hexdigest()
