"""What every kind of target has in common, and what it makes of itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from dmf.grid.fields import Label, Model, Name
from dmf.grid.labelled import LabelledMatrix


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
    label: Label | None = Field(None, description="How the report calls it; changes no number.")

    @property
    def place(self) -> str:
        """Where its data are, for a complaint; empty where it has none."""
        return ""

    @abstractmethod
    def build(self, seed: int) -> Built:
        """The matrix, finite and real, given the seed of the grid. Raises UserError."""
