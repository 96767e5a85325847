"""Theorem 5: the scalar problem has one global minimizer, except at two scalars."""

import xarray as xr

from dmf.claims.scalar_formula import pretend_unexceptional
from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import is_certified, outside_exceptional_set


def tie_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Rounding of g over the gap between its two lowest minima, 0 where there is one minimum only, (cell, start)."""
    return evidence["value_tolerance"] / evidence["gap"]


CLAIM = Claim(
    order=5,
    title="The scalar minimizer is unique except at two scalars",
    source="Theorem 5",
    statement=r"For $|m| \neq m^*(L, \lambda)$ the scalar problem has one end-to-end minimizer.",
    statistic="rounding of the objective in units of the gap between its two lowest minima, the largest of all scalars",
    tolerance=(
        r"$2\epsilon\,m^2$ with $\epsilon = (8 + |\ln\lambda| + |\ln|m||)\,2^{-52}$: rounding of $g$, and of $m^*$ "
        "where $m$ is made from it; the objectives of two minimizers would differ by no more"
    ),
    refuted_by=r"two minima of one value at some $|m| \neq m^*$, however near to $m^*$: they are tried to $10^{-9}$",
    control=r"scalars at $\pm m^*$, declared not to be there: two minima of one value are found at each",
    scope=outside_exceptional_set,
    ratio=tie_ratio,
    counterexample=pretend_unexceptional,
    study="scalar",
    eligible=is_certified,
)
