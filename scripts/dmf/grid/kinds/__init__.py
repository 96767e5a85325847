"""The kinds of targets, one file each. A new kind is a new file here, and its class in the union below."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dmf.grid.kinds._contract import Built, TargetSpec
from dmf.grid.kinds.dataset import DatasetTarget
from dmf.grid.kinds.file import FileTarget
from dmf.grid.kinds.gaussian import GaussianTarget
from dmf.grid.kinds.network import NetworkTarget
from dmf.grid.kinds.spectrum import SpectrumTarget, with_spectrum

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
