"""Extension: for any non-decreasing penalty the minimizer is unique off an exceptional set, which is countable."""

import numpy as np
import xarray as xr

from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import everywhere, is_certified


def penalty_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The worst of: misfit of minimizer and value, rounding over the lowest minimum's lead, and the jumps' errors."""
    off = evidence["exceptional"] == 0
    cases = [
        abs(evidence["found"] - evidence["predicted"]) / evidence["x_tolerance"],
        abs(evidence["value"] - evidence["predicted_value"]) / evidence["value_tolerance"],
        (evidence["value_tolerance"] / evidence["gap"]),
    ]
    worst = xr.concat(cases, "part").max("part", skipna=False).where(off, 0)
    missed = evidence["jump_error"].where(evidence["jumps"] == evidence["known_jumps"], np.inf)
    ratio: xr.DataArray = xr.concat([worst, missed.broadcast_like(worst)], "part").max("part", skipna=False)
    return ratio.transpose("cell", "start")


def pretend_unexceptional(controls: xr.Dataset) -> xr.Dataset:
    """Exceptional scalars, declared not to be."""
    return controls.assign(exceptional=xr.zeros_like(controls["exceptional"]))


CLAIM = Claim(
    order=30,
    title="Any non-decreasing penalty has a unique minimizer off a countable set",
    source="Extension of Theorems 5 and 10, eq. 97-99",
    statement=(
        r"For $g$ non-decreasing and lower semicontinuous with $g(0) = 0$, $\|M - X\|_F^2 + \sum_i g(\sigma_i(X))$ has "
        r"one minimizer iff no $\sigma_i(M)$ is in a countable set, where $(m - x)^2 + g(x)$ has several. For powers, "
        "logarithm, Geman's, MCP and SCAD penalties it has one positive element at most; a concave $g$ may have more."
    ),
    statistic=(
        "the largest of: departure of the lowest minimum and of its value from the closed form, rounding in units of "
        "its lead over the next one; and departure of every exceptional scalar and its two minimizers, found as edges "
        "of a convex hull, in units of rounding; infinite where their number differs"
    ),
    tolerance=(
        r"$64\epsilon$ times $m^2$ for values, and $m$ over the curvature $1 + g''(x)/2$ for minimizers; an "
        "exceptional scalar errs by the rounding of values over twice the distance of its minimizers"
    ),
    refuted_by=(
        "two minima of one value at a scalar that is not exceptional, to $10^{-9}$ of it; a jump that the closed form "
        "does not have, or one that the search does not find"
    ),
    control="scalars on the exceptional set, declared to be off it",
    scope=everywhere,
    ratio=penalty_ratio,
    counterexample=pretend_unexceptional,
    study="penalties",
    eligible=is_certified,
)
