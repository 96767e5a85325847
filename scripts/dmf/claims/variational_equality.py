"""Theorem 22, the equality case: the least cost is attained exactly at balanced factorizations."""

import xarray as xr

from dmf.claims.variational import factorizations
from dmf.claims.von_neumann_equality import equality_ratio
from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import is_certified


def pretend_balanced(controls: xr.Dataset) -> xr.Dataset:
    """Factorizations whose neighbouring layers are sheared against each other, declared balanced."""
    cells = controls.isel(cell=(controls["kind"] == "sheared apart").values)
    return cells.assign(equality=xr.ones_like(cells["equality"]))


CLAIM = Claim(
    order=4,
    title="The quasi-norm is attained exactly at balanced factorizations",
    source="Theorem 22 (Appendix A, eq. 136-138)",
    statement=(
        r"$\frac{1}{L} \sum_l \|W_l\|_F^2 = \|W_L \cdots W_1\|_{S_{2/L}}^{2/L}$ if and only if "
        r"$W_{l+1}^\top W_{l+1} = W_l W_l^\top$ for all $l$."
    ),
    statistic=(
        "balanced layers: largest gap in units of tolerance; others, from scaled and sheared to unrelated ones: "
        "largest tolerance in units of the gap"
    ),
    tolerance="the one of the inequality; shears go down to 0.0001, whose square is far above it",
    refuted_by="a gap of unbalanced layers that rounding explains, or one of balanced layers that it does not",
    control="factorizations with two layers sheared against each other, declared balanced",
    scope=factorizations,
    ratio=equality_ratio,
    counterexample=pretend_balanced,
    study="inequalities",
    eligible=is_certified,
)
