"""Theorem 5: the minimizer of the scalar problem is the one of the formula, by brute force."""

import numpy as np
import xarray as xr

from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import is_certified, outside_exceptional_set


def formula_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of the minimizer and of the minimum from the formula's, the larger over its tolerance, (cell, start)."""
    place = abs(evidence["farthest"] - evidence["predicted"]) / evidence["x_tolerance"]
    value = abs(evidence["value"] - evidence["predicted_value"]) / evidence["value_tolerance"]
    return place.where(place > value, value)


def pretend_unexceptional(controls: xr.Dataset) -> xr.Dataset:
    """Scalars at +-m*, declared not to be there."""
    return controls.assign(exceptional_distance=xr.full_like(controls["exceptional_distance"], np.inf))


CLAIM = Claim(
    order=5,
    title="The scalar minimizer is the formula's",
    source="Theorem 5, eq. 13-27",
    statement=(
        r"For $|m| \neq m^*(L, \lambda)$ the minimizer of $g(x) = (m - x)^2 + \lambda L |x|^{2/L}$ is $0$ if "
        r"$|m| < m^*$, and the larger root of $x + \lambda x^{2/L - 1} = |m|$, with the sign of $m$, if $|m| > m^*$."
    ),
    statistic=(
        "largest distance of the global minimizer, and of the minimum, found by brute force from those of the formula, "
        "in units of rounding"
    ),
    tolerance=(
        r"rounding: powers make $\lambda x^{2/L-1}$ wrong by $\epsilon = (8 + |\ln\lambda| + |\ln|m||)\,2^{-52}$ of "
        r"itself, which moves a minimizer by at most $\epsilon\,|m| / (1 - 1/L)$, since $g''/2 \geq 1 - 1/L$ there, "
        r"and a minimum by $2\epsilon\,m^2$"
    ),
    refuted_by="a point with a lower objective than the formula's, or a global minimizer elsewhere",
    control=r"scalars at $\pm m^*$, declared not to be there: the minimizer that the formula leaves out is found",
    scope=outside_exceptional_set,
    ratio=formula_ratio,
    counterexample=pretend_unexceptional,
    study="scalar",
    eligible=is_certified,
)
