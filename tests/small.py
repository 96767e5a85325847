"""A small grid with every kind of cell that counts: two shapes, two depths, both sides of the collapse."""

from dataclasses import dataclass
from typing import Any

import xarray as xr

from dmf.dataset.project import Project
from dmf.grid.cells import Group

SMALL: dict[str, Any] = {
    "grid": "small",
    "seed": 3,
    "targets": [
        {"name": "a", "kind": "gaussian", "shape": [3, 4]},
        {"name": "b", "kind": "spectrum", "shape": [2, 2], "singular_values": [2, 1]},
    ],
    "depths": [2, 3],
    "lambdas": {"relative": [0.3, 1.2]},
    "starts": {"scales": [0.5, 2], "count": 4},
}


@dataclass(frozen=True)
class Trained:
    """A project, its tiles in one file each, its groups assembled from them, and its evidence."""

    project: Project
    tiles: dict[str, xr.Dataset]
    groups: dict[Group, xr.Dataset]
    evidence: xr.Dataset
