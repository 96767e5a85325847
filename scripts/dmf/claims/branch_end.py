"""Beyond Corollary 14: the last nonzero local minimum ends at lambda_s, above lambda_c."""

import xarray as xr

from dmf.claims.threshold import end_ratio, pretend_exhaustive
from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import everywhere, is_certified


def branch_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """`end_ratio` of lambda_s."""
    return end_ratio(evidence, "branch", "lambda_s")


CLAIM = Claim(
    order=14,
    title="The last nonzero local minimum ends at λs",
    source="Fig. 3, eq. 79",
    statement=(
        r"Nonzero local minima exist up to $\lambda_s = \frac{L\sigma_1}{2(L-1)} \left(\frac{(L-2)\sigma_1}{2(L-1)}"
        r"\right)^{(L-2)/L} \geq \lambda_c$ and not above it; $\lambda_s = \lambda_c = \sigma_1$ for $L = 2$."
    ),
    statistic=(
        r"distance of an end of the measured bracket from $\lambda_s$ in units of $10^{-6}\lambda_s$, the largest over "
        r"targets and depths; an end on the wrong side counts in units of rounding"
    ),
    tolerance=(
        r"the bracket: narrower than $10^{-6}$ of $\lambda$, found by following the branch. It ends in a fold, so "
        "starts lie between minimum and saddle, from where a step cannot leap over both; the upper end is widened by "
        "the tenth of the bracket that the spacing of starts can miss"
    ),
    refuted_by=r"a bracket that does not contain $\lambda_s$",
    control="a search with small starts only, which fall off the branch, declared to follow it",
    scope=everywhere,
    ratio=branch_ratio,
    counterexample=pretend_exhaustive,
    study="thresholds",
    eligible=is_certified,
)
