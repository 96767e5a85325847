"""The negative controls: cells in which the paper's statements are false. What they are; training is apart."""

from __future__ import annotations

import numpy as np
import xarray as xr

EXCEPTIONAL = "exceptional"
EXCEPTIONAL_SCALAR = "exceptional-scalar"
ORDINARY = "ordinary"


def control_cells(controls: xr.Dataset, name: str) -> xr.Dataset:
    """The evidence of one control target."""
    return controls.isel(cell=np.flatnonzero(controls["target"].values == name))
