"""Which runs are eligible, and which cells meet the hypothesis that the paper's statements share."""

from __future__ import annotations

import numpy as np
import xarray as xr

from dmf.evidence.fields import Evidence
from dmf.theory.certificate import RESOLUTION

# Schemes that draw a start from a density, which almost never lies on the way into a strict saddle. The others, whose
# layers are exactly balanced, may be kept on it by a symmetry of F (see the claim levels).
DENSE = ("gaussian", "identity")


BRACKET = 1e-6  # relative width to which a threshold in lambda must be bracketed before it counts


def is_eligible(evidence: xr.Dataset) -> xr.DataArray:
    """Certified runs at the minimum whose certificate bounds their distance to the minimizers, (cell, start)."""
    runs = Evidence(evidence)
    eligible: xr.DataArray = (runs.minimal == 1) & np.isfinite(runs.radius)
    return eligible.transpose("cell", "start")


def is_certified(evidence: xr.Dataset) -> xr.DataArray:
    """Runs or cases whose certificate holds, wherever they ended, (cell, start)."""
    certified: xr.DataArray = Evidence(evidence).certified == 1
    return certified.transpose("cell", "start")


def is_minimal(evidence: xr.Dataset) -> xr.DataArray:
    """Certified runs at the global minimum, (cell, start)."""
    minimal: xr.DataArray = Evidence(evidence).minimal == 1
    return minimal.transpose("cell", "start")


def everywhere(evidence: xr.Dataset) -> xr.DataArray:
    """Every cell: the scope of a statement without hypotheses, (cell,)."""
    return xr.DataArray(np.ones(evidence.sizes["cell"], dtype=np.bool_), dims="cell")


def outside_exceptional_set(evidence: xr.Dataset) -> xr.DataArray:
    """Cells where no singular value of the target is at m*, the hypothesis of Theorem 10, (cell,)."""
    return Evidence(evidence).exceptional_distance > RESOLUTION


def larger(one: xr.DataArray, other: xr.DataArray) -> xr.DataArray:
    """The larger of two ratios, NaN where either is: what a claim that measures two things says of a run."""
    found: xr.DataArray = xr.apply_ufunc(np.maximum, one, other)
    return found
