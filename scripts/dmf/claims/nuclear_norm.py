"""Theorem 3 with measurements in place of a target: two layers with weight decay are the nuclear norm."""

import numpy as np
import xarray as xr

from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import is_certified, larger

WIDE, NARROW = "factorization", "factorization, width 1"


def two_wide_layers(evidence: xr.Dataset) -> xr.DataArray:
    """Factorizations with two layers as wide as the matrix, (cell,)."""
    return (evidence["method"] == WIDE) & (evidence["depth"] == 2)


def excess_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance from the convex minimum in units of what gradient or duality allows, (cell, start)."""
    return larger(evidence["excess"] / evidence["excess_most"], -evidence["excess"] / evidence["excess_least"])


def pretend_wide(controls: xr.Dataset) -> xr.Dataset:
    """Layers of one hidden unit, declared wide."""
    cells = controls.isel(cell=(controls["method"] == NARROW).values)
    return cells.assign_coords(method=("cell", np.full(cells.sizes["cell"], WIDE, dtype=object)))


CLAIM = Claim(
    order=42,
    title="Two layers with weight decay minimize the nuclear norm's problem",
    source="Theorem 3 with a linear map in the fit (Section 4)",
    statement=(
        r"For $L = 2$ and hidden widths of at least $\min(d_0, d_L)$, a local minimum of $\|A(W_2 W_1) - b\|^2 + "
        r"\lambda (\|W_1\|_F^2 + \|W_2\|_F^2)$ has the value $\min_X \|A(X) - b\|^2 + 2 \lambda \|X\|_*$."
    ),
    statistic=(
        "difference between the trained objective and the one that soft thresholding finds, in units of tolerance"
    ),
    tolerance=(
        r"above: $\|\nabla F\| \left(\frac{\|\theta\|}{2} + \frac{F}{2 \lambda s}\right)$, $s$ the smallest singular "
        "value that the layers keep; below: the duality gap of the other point; and rounding"
    ),
    refuted_by="a certified pair of wide layers with another value",
    control="layers with one hidden unit, declared wide",
    scope=two_wide_layers,
    ratio=excess_ratio,
    counterexample=pretend_wide,
    study="recovery",
    eligible=is_certified,
)
