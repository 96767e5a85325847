"""Separate evidence for statements that the grid's runs cannot reach, one file a study.

A new study is a new file here that defines STUDY, and its test. Claims and figures name the study they read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

    from dmf.grid.config import Grid


# Studies that `studies: all` leaves out, because their statements go beyond the paper's problem. A grid names them, as
# config/grids/frontier.yaml does.
FRONTIER = (
    "branches",
    "flow",
    "descent",
    "slow_points",
    "components",
    "merge_tree",
    "any_model",
    "relu_layers",
    "sweeps",
    "sensitivity",
    "denoising",
    "missing_entries",
    "mixed_norms",
    "real_depth",
    "any_loss",
    "basins",
    "gaussian_starts",
    "counterexamples",
)


@dataclass(frozen=True)
class Settings:
    """What a study may depend on; only these make it run again. `gradient_norm` is the certificate's (see config)."""

    seed: int
    gradient_norm: float

    @classmethod
    def of(cls, grid: Grid) -> Settings:
        """The settings of a grid."""
        return cls(grid.seed, grid.certificate.gradient_norm)


@dataclass(frozen=True)
class Study:
    """A study: what it makes, and how.

    `make` gives a dataset that keeps the contract of `dmf.studies.contract`, from Settings or, where `of_grid` is true,
    from the whole grid. `summary` may hold LaTeX between dollar signs.
    """

    title: str
    summary: str
    make: Callable[[Any], xr.Dataset]
    of_grid: bool = False

    def make_for(self, grid: Grid) -> xr.Dataset:
        """The dataset with the settings of a grid."""
        return self.make(grid if self.of_grid else Settings.of(grid))


def study_names() -> list[str]:
    """Names of all studies: the files of this folder that define one. Imports none of them."""
    return sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py") if path.stem != "contract")


def load_study(name: str) -> Study:
    """The study of that name. Raises KeyError naming the known ones."""
    if name not in study_names():
        raise KeyError(f"no study {name!r}; known studies: {', '.join(study_names()) or 'none'}")
    study: Study = import_module(f"dmf.studies.{name}").STUDY
    return study
