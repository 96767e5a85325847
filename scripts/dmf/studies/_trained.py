"""Cells of a study trained and certified like those of a grid, layers kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf.dataset.train import train_block
from dmf.evidence.certify import certify
from dmf.grid.cells import Group, Series, group_of
from dmf.grid.config import Grid, validate
from dmf.grid.targets import build_targets
from dmf.studies import Settings
from dmf.training.settings import Lbfgs, Optimizer

Floats = NDArray[np.float64]
LBFGS = Lbfgs(name="lbfgs")


@dataclass(frozen=True)
class Cell:
    """One target at one depth and lambda; `values` are its singular values, None for Gaussian entries."""

    name: str
    shape: tuple[int, int]
    values: Sequence[float] | None
    depth: int
    lam: str
    hidden: str | int | Sequence[int] = "same"

    @property
    def group(self) -> Group:
        """Depth and widths."""
        return group_of(self.shape, self.depth, self.hidden, f"study: {self.name}")


@dataclass(frozen=True)
class TrainedCell:
    """The end points of one cell's runs: parameters (start, N), for a target (d_L, d_0)."""

    cell: Cell
    target: Floats
    lam: float
    parameters: Floats


def train_cells(
    cells: Sequence[Cell],
    series: Mapping[Series, range],
    settings: Settings,
    optimizer: Optimizer = LBFGS,
) -> tuple[xr.Dataset, list[TrainedCell]]:
    """Train each cell from the same starts, to the certificate's gradient norm; their evidence, in the same order.

    Starts belong to a cell: every optimizer gets the same ones.
    """
    specs = [
        {"name": cell.name, "shape": list(cell.shape)}
        | ({"kind": "gaussian"} if cell.values is None else {"kind": "spectrum", "singular_values": list(cell.values)})
        for cell in cells
    ]
    grid = training_grid(settings, optimizer, specs)
    runs, trained = [], []
    for cell, target in zip(cells, build_targets(grid, "study"), strict=True):
        runs.append(train_block(cell.group, [target], [cell.lam], dict(series), grid))
        layers = [runs[-1][f"layer_{number}"].values[0, 0] for number in range(1, cell.depth + 1)]
        parameters = np.concatenate([layer.reshape(len(layer), -1) for layer in layers], axis=1)
        trained.append(TrainedCell(cell, target.values, float(runs[-1]["lam"].values[0, 0]), parameters))
    return certify(runs), trained


def training_grid(settings: Settings, optimizer: Optimizer, targets: Sequence[Mapping[str, object]]) -> Grid:
    """Settings of training as the grid's own functions take them; its depths and lambdas are not used."""
    return validate(
        {
            "grid": "study",
            "seed": settings.seed,
            "targets": targets,
            "depths": [2],
            "lambdas": {"relative": [1]},
            "optimizer": optimizer.model_dump(),
            "certificate": {"gradient_norm": settings.gradient_norm},
            "keep": {"layers": True},
        },
        "study",
    )
