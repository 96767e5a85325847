"""The negative controls: cells in which the paper's statements are false. What they are; training is apart."""

from __future__ import annotations

import numpy as np
import xarray as xr

EXCEPTIONAL = "exceptional"
EXCEPTIONAL_SCALAR = "exceptional-scalar"
ORDINARY = "ordinary"
DEGENERATE = "degenerate"
STOPPED = "stopped"
UNBALANCED = "unbalanced"


def control_cells(controls: xr.Dataset, name: str) -> xr.Dataset:
    """The evidence of one control target."""
    return controls.isel(cell=np.flatnonzero(controls["target"].values == name))


def declared_critical(cells: xr.Dataset) -> xr.Dataset:
    """The runs of `cells` with the hypothesis that they lack declared met: certified, at the largest gradient norm."""
    largest = xr.ones_like(cells["gradient_norm"]) * cells["gradient_tolerance"]
    return cells.assign(certified=xr.ones_like(cells["certified"]), gradient_norm=largest)
