"""Extension: a lambda for each layer has the minimizers of their geometric mean."""

import xarray as xr

from dmf.claims._extensions import departure, is_lowest
from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import larger


def unequal(evidence: xr.Dataset) -> xr.DataArray:
    """Cells whose layers have different weights, (cell,)."""
    return evidence["unequal"] == 1


def layers_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure from the closed form, or of weighted layer norms from each other, the larger, (cell, start)."""
    return larger(departure(evidence), evidence["spread"] / evidence["spread_tolerance"])


def pretend_arithmetic(controls: xr.Dataset) -> xr.Dataset:
    """Runs held against the minimizer at the arithmetic mean."""
    return controls.assign(distance=controls["distance_read"])


CLAIM = Claim(
    order=26,
    title="A λ for each layer acts as their geometric mean",
    source="Extension of Theorem 10",
    statement=(
        r"$\|M - X\|_F^2 + \sum_l \lambda_l \|W_l\|_F^2$ has the end-to-end minimizer of eq. 2 at $\lambda = "
        r"(\lambda_1 \cdots \lambda_L)^{1/L}$, and $\lambda_l \|W_l\|_F^2$ is the same for every layer."
    ),
    statistic=(
        r"over the lowest trained runs, the largest departure of $X$, of the objective, of $\lambda_l \|W_l\|_F^2$ "
        "from the closed form and from each other, in units of tolerance"
    ),
    tolerance=(
        r"$\delta = 2\|\nabla F\|/\mu$ at the rescaled layers, as for the claims on runs; between neighbouring layers "
        r"$\frac{1}{2} \sum \|W_l\|_F \|G_l\|_F$, with $G_l$ the gradient, which holds at any point and is sharp; and "
        "rounding"
    ),
    refuted_by="trained layers whose product is another, or whose weighted norms differ",
    control="runs held against the minimizer at the arithmetic mean",
    scope=unequal,
    ratio=layers_ratio,
    counterexample=pretend_arithmetic,
    study="weights",
    eligible=is_lowest,
)
