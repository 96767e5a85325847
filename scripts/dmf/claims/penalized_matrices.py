"""Extension: the theorem on other penalties for matrices, against a search over all singular vectors."""

import xarray as xr

from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import is_certified, larger


def hypothesis(evidence: xr.Dataset) -> xr.DataArray:
    """Cells with no exceptional singular value and a penalty that does not decrease, (cell,)."""
    return evidence["hypothesis"] == 1


def matrix_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The largest of: departure of the minimum, of the best matrix, and of equally good ones from it, (cell, start)."""
    value = abs(evidence["value_gap"]) / evidence["value_tolerance"]
    place = larger(evidence["distance"], evidence["spread"]) / evidence["distance_tolerance"]
    return larger(value, place).transpose("cell", "start")


def pretend_regular(controls: xr.Dataset) -> xr.Dataset:
    """Exceptional singular values and a decreasing penalty, declared to meet the hypotheses."""
    return controls.assign(hypothesis=xr.ones_like(controls["hypothesis"]))


CLAIM = Claim(
    order=31,
    title="Other penalties of matrices: the target's singular vectors, each value minimized for itself",
    source="Extension of Theorem 10, eq. 97-99",
    statement=(
        r"For non-decreasing $g$ the minimizer of $\|M - X\|_F^2 + \sum_i g(\sigma_i(X))$ is $\sum_i x_i u_i v_i^\top$ "
        r"with $x_i$ the minimizer of $(\sigma_i - x)^2 + g(x)$, and unique where no $\sigma_i$ is exceptional."
    ),
    statistic=(
        r"over $2 \times 2$ targets, for the best matrix of a search over all singular vectors: departure of its "
        "objective and of itself from the closed form, and the largest distance of an equally good one, in units of "
        "tolerance"
    ),
    tolerance=(
        r"$64\epsilon\,\|M\|_F^2$ for the objective; for matrices what an objective that close allows, $\propto "
        r"\sqrt{\epsilon}$, by the remainder of von Neumann's inequality"
    ),
    refuted_by=(
        "a matrix with other singular vectors and an objective as low, or two different matrices of the same one"
    ),
    control=(
        r"targets with $\sigma_2$ on the exceptional set, and $g(x) = -x/2$, which decreases, on a target of rank 1; "
        "declared to meet the hypotheses"
    ),
    scope=hypothesis,
    ratio=matrix_ratio,
    counterexample=pretend_regular,
    study="penalized_matrices",
    eligible=is_certified,
)
