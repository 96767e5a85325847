"""Corollary 14: above a critical lambda the end-to-end minimizer is zero, below it is not."""

import xarray as xr

from dmf.evidence.claim import Claim
from dmf.evidence.controls import ORDINARY, control_cells
from dmf.evidence.eligibility import outside_exceptional_set


def collapse_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Above lambda_c: ||X||_F over its tolerance. Below: the tolerance over ||X||_F. Shape (cell, start)."""
    ratio = evidence["end_to_end_norm"] / evidence["distance_tolerance"]
    return ratio.where(evidence["relative"] > 1, 1 / ratio)


def pretend_above(controls: xr.Dataset) -> xr.Dataset:
    """Minimizers trained below lambda_c, declared to lie above it."""
    cells = control_cells(controls, ORDINARY)
    return cells.assign(relative=1 / cells["relative"])


CLAIM = Claim(
    order=14,
    title="Above a critical λ everything collapses to zero",
    source="Corollary 14",
    statement=(
        r"$X^* = 0$ if $\lambda > \lambda_c(\sigma_1, L)$, where "
        r"$\lambda_c = \frac{1}{L-2}\left(\frac{L-2}{L-1}\sigma_1\right)^{2(L-1)/L}$ "
        r"($\lambda_c = \sigma_1$ for $L = 2$), and $X^* \neq 0$ if $\lambda < \lambda_c$."
    ),
    statistic=(
        r"above $\lambda_c$: largest $\|X\|_F$ in units of tolerance; below it: largest tolerance in units of "
        r"$\|X\|_F$"
    ),
    tolerance=r"the one of Theorem 10 for $\|X - X^*\|_F$",
    refuted_by=r"a certified minimizer that is not zero above $\lambda_c$, or is zero below it",
    control=r"minimizers trained at $0.8\,\lambda_c$, declared to lie at $1.25\,\lambda_c$",
    scope=outside_exceptional_set,
    ratio=collapse_ratio,
    counterexample=pretend_above,
)
