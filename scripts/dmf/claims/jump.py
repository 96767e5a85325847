"""Corollary 14 and Fig. 3: at lambda_c the minimizer jumps by x_J for L >= 3, and does not jump for L = 2."""

import xarray as xr

from dmf.claims.threshold import pretend_exhaustive
from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import everywhere, is_certified


def jump_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Below: distance of the largest singular value from x_J over its tolerance. Above: that value, which is 0."""
    predicted = evidence["predicted_jump"].where(evidence["end"] == "below", 0.0)
    away: xr.DataArray = abs(evidence["jump"] - predicted) / evidence["jump_tolerance"]
    return away.transpose("cell", "start")


CLAIM = Claim(
    order=14,
    title="The collapse is a jump of height x_J, and continuous only for two layers",
    source="Corollary 14, Fig. 3",
    statement=(
        r"As $\lambda$ rises through $\lambda_c$ the largest singular value of $X^*$ falls from $x_J = \frac{L-2}{L-1}"
        r"\sigma_1$ to $0$: discontinuously for $L \geq 3$, continuously for $L = 2$."
    ),
    statistic=(
        r"largest distance from $x_J$ of the largest singular value of the lowest trained run just below the measured "
        "threshold, in units of tolerance"
    ),
    tolerance=(
        r"$\frac{L}{(L-1)^2}\sigma_1$ times the relative width of the bracket, how far $x^*$ moves within it, and what "
        "the gradient norm allows"
    ),
    refuted_by="another height at the threshold, or a height at two layers that does not vanish with the bracket",
    control="the bracket of the search with small starts only, declared exhaustive: its jump is another one",
    scope=everywhere,
    ratio=jump_ratio,
    counterexample=pretend_exhaustive,
    study="thresholds",
    eligible=is_certified,
)
