"""Theorem 9: von Neumann's trace inequality."""

import xarray as xr

from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import is_certified

NAME = "von Neumann"


def pairs(evidence: xr.Dataset) -> xr.DataArray:
    """Pairs of matrices whose singular values are paired in non-increasing order, (cell,)."""
    return (evidence["inequality"] == NAME) & (evidence["hypothesis"] == 1)


def excess_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """How far the smaller side is above the larger one, over what rounding allows; negative below it, (cell, start)."""
    return -evidence["gap"] / evidence["gap_tolerance"]


def pretend_ordered(controls: xr.Dataset) -> xr.Dataset:
    """Pairs that share singular vectors, the values of one taken in increasing order and declared non-increasing."""
    cells = controls.isel(cell=(controls["kind"] == "increasing order").values)
    return cells.assign(hypothesis=xr.ones_like(cells["hypothesis"]))


CLAIM = Claim(
    order=9,
    title="Von Neumann's trace inequality",
    source="Theorem 9, Remark 32",
    statement=r"$\langle A, B\rangle \leq \sum_i \sigma_i(A)\,\sigma_i(B)$, singular values in non-increasing order.",
    statistic=r"largest $\langle A, B\rangle - \sum_i \sigma_i(A)\,\sigma_i(B)$ over pairs, in units of tolerance",
    tolerance=(
        r"rounding of two SVDs and one inner product of $n$ by $n$ matrices: "
        r"$8 n \epsilon\,(\sigma_1(A) \sum_i \sigma_i(B) + \sigma_1(B) \sum_i \sigma_i(A))$, $\epsilon = 2^{-52}$"
    ),
    refuted_by="a pair of matrices whose inner product is above the sum by more than rounding",
    control="pairs with shared singular vectors, the values of one taken in increasing order and declared ordered",
    scope=pairs,
    ratio=excess_ratio,
    counterexample=pretend_ordered,
    study="inequalities",
    eligible=is_certified,
)
