"""Theorem 3: the factorized problem and the Schatten problem have one minimum, reached from both sides."""

import xarray as xr

from dmf.evidence.claim import Claim
from dmf.evidence.controls import UNBALANCED, control_cells, declared_critical
from dmf.evidence.eligibility import everywhere, is_certified, is_eligible, larger


def schatten_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The worst of the three comparisons that concern a run, each over its tolerance, (cell, start)."""
    excess = evidence["objective"] - evidence["schatten"]
    above = evidence["schatten"] - evidence["minimum"]
    equality = larger(abs(excess), abs(above)) / evidence["minimum_tolerance"]
    inequality = -excess / evidence["schatten_rounding"]
    value = abs(evidence["factorized"] - evidence["minimum"]) / evidence["minimum_tolerance"]
    gradient = evidence["factorized_gradient"] / evidence["factorized_tolerance"]
    return larger(equality.where(is_eligible(evidence), inequality), larger(value, gradient))


def pretend_minimal(controls: xr.Dataset) -> xr.Dataset:
    """Factorizations of X* by unbalanced layers, declared to be minimizers."""
    cells = declared_critical(control_cells(controls, UNBALANCED))
    return cells.assign(minimal=xr.ones_like(cells["minimal"]))


CLAIM = Claim(
    order=3,
    title="Deep factorization minimizes a Schatten quasi-norm",
    source="Theorem 3",
    statement=(
        r"$\min_{W_1, \ldots, W_L} F = \min_X S(X)$ with $S(X) = \|M - X\|_F^2 + \lambda L\, \|X\|_{S_{2/L}}^{2/L}$. "
        "The product $X$ of a minimizer of $F$ minimizes $S$; a minimizer of $S$ factorizes into one of $F$; and $F "
        r"\geq S(X)$ at every point (the variational form)."
    ),
    statistic=(
        r"the largest of: $|F - S(X)|$ and $|S(X) - \min S|$ at trained minimizers; $S(X) - F$ at all other certified "
        r"runs; and, the other way, $|F - \min S|$ and $\|\nabla F\|$ at layers $W_l = U_l\, "
        r"\mathrm{diag}(x_i^{1/L})\, U_{l-1}^T$ made from $X^*$ with random $U_1, \ldots, U_{L-1}$, one in each cell; "
        "each in units of its tolerance"
    ),
    tolerance=(
        r"$\min S \leq S(X) \leq F \leq \min F + 2\tau^2/\mu$ with $\tau$ the largest certified $\|\nabla F\|$, so "
        r"the steep powers of small singular values do no harm; for the rest rounding: $L (d + 2) \epsilon\, "
        r"(\|M\|_F^2 + F)$ for values with $d$ the largest width, and for the gradient of made layers $\|\nabla^2 "
        r"F\|$ times the rounding of the layers"
    ),
    refuted_by=(
        "a trained point below the Schatten objective of its own product, a certified minimizer that differs from it "
        "or from its minimum, or a factorization of $X^*$ that is no critical point"
    ),
    control=(
        "trained minimizers with $W_1$ doubled and $W_L$ halved, which leaves every bit of $X$, declared to be "
        "minimizers"
    ),
    scope=everywhere,
    ratio=schatten_ratio,
    counterexample=pretend_minimal,
    eligible=is_certified,
)
