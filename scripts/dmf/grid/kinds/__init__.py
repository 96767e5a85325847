"""The kinds of targets: drawn at random, or made of data. A new kind is a class here, and in the union below."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dmf.grid.kinds._contract import Built, TargetSpec
from dmf.grid.kinds.data import DatasetTarget, FileTarget, NetworkTarget
from dmf.grid.kinds.drawn import GaussianTarget, SpectrumTarget, with_spectrum

Target = Annotated[
    GaussianTarget | SpectrumTarget | FileTarget | DatasetTarget | NetworkTarget, Field(discriminator="kind")
]

__all__ = [
    "Built",
    "DatasetTarget",
    "FileTarget",
    "GaussianTarget",
    "NetworkTarget",
    "SpectrumTarget",
    "Target",
    "TargetSpec",
    "with_spectrum",
]
