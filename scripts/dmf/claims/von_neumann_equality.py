"""Theorem 9, its second half: equality only for shared singular vectors."""

import xarray as xr

from dmf.claims.von_neumann import pairs
from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import is_certified


def equality_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """At equality the gap over its tolerance; elsewhere the tolerance over the gap, or what lacks to its lower bound.

    Shape (cell, start).
    """
    gap, tolerance = evidence["gap"], evidence["gap_tolerance"]
    strict = tolerance / gap.where(gap > 0, 0.0)
    short = (evidence["least_gap"] - gap) / tolerance
    apart = strict.where(strict > short, short)
    return apart.where(evidence["equality"] == 0, gap.where(gap > 0, -gap) / tolerance)


def pretend_shared(controls: xr.Dataset) -> xr.Dataset:
    """Pairs whose singular vectors are tilted against each other, declared to share them."""
    cells = controls.isel(cell=(controls["kind"] == "tilted").values)
    return cells.assign(equality=xr.ones_like(cells["equality"]))


CLAIM = Claim(
    order=9,
    title="Von Neumann's inequality is an equality only for shared singular vectors",
    source="Theorem 9, Appendix C",
    statement=(
        r"$\sum_i \sigma_i(A)\,\sigma_i(B) - \langle A, B\rangle$ is zero if $A$ and $B$ have the same singular "
        r"vectors, in the same order, and else at least $\frac{1}{2} \sum_k (\sigma_k(A) - \sigma_{k+1}(A))"
        r"(\sigma_k(B) - \sigma_{k+1}(B))\,(\|\sin\Theta_k\|_F^2 + \|\sin\Phi_k\|_F^2)$, $\Theta_k$ and $\Phi_k$ the "
        r"angles between the spaces of the $k$ leading left and right singular vectors."
    ),
    statistic=(
        "shared vectors: largest gap in units of tolerance; else: largest tolerance in units of the gap, and what the "
        "gap lacks to its lower bound in units of tolerance"
    ),
    tolerance="the one of Theorem 9; angles go down to 0.0001, whose square is far above it",
    refuted_by="a gap without shared vectors that rounding explains, or one with shared vectors that it does not",
    control="pairs whose singular vectors are tilted against each other, declared to share them",
    scope=pairs,
    ratio=equality_ratio,
    counterexample=pretend_shared,
    study="inequalities",
    eligible=is_certified,
)
