"""Theorem 22: no factorization costs less than the Schatten quasi-norm of its product."""

import xarray as xr

from dmf.claims.von_neumann import excess_ratio
from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import is_certified

NAME = "variational"


def factorizations(evidence: xr.Dataset) -> xr.DataArray:
    """Factorizations whose layers are wide enough for their product, (cell,)."""
    return (evidence["inequality"] == NAME) & (evidence["hypothesis"] == 1)


def pretend_wide_enough(controls: xr.Dataset) -> xr.Dataset:
    """Layers that a hidden width keeps from multiplying to X, declared to be a factorization of it."""
    cells = controls.isel(cell=(controls["kind"] == "too narrow").values)
    declared = {name: xr.ones_like(cells[name]) for name in ("hypothesis", "certified")}
    return cells.assign(declared)


CLAIM = Claim(
    order=4,
    title="No factorization costs less than the Schatten quasi-norm",
    source="Theorem 22 (Appendix A, eq. 131)",
    statement=(
        r"$\|X\|_{S_{2/L}}^{2/L} \leq \frac{1}{L} \sum_l \|W_l\|_F^2$ for all layers with $W_L \cdots W_1 = X$ and "
        r"hidden widths of at least $\operatorname{rank} X$."
    ),
    statistic="largest excess of the quasi-norm over the mean layer cost, in units of tolerance",
    tolerance=(
        r"rounding of a product and an SVD: $\sum_i \frac{2}{L} \sigma_i^{2/L - 1} \cdot 4 n L \epsilon "
        r"\prod_l \|W_l\|_2 + 4 n \epsilon \cdot \frac{1}{L} \sum_l \|W_l\|_F^2$, $\epsilon = 2^{-52}$"
    ),
    refuted_by="layers that multiply to a matrix and cost less than its quasi-norm by more than rounding",
    control="layers too narrow to multiply to $X$, declared to be a factorization of it",
    scope=factorizations,
    ratio=excess_ratio,
    counterexample=pretend_wide_enough,
    study="inequalities",
    eligible=is_certified,
)
