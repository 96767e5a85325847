"""Corollary 14 and Fig. 3: the measured threshold of the global minimum is lambda_c."""

import xarray as xr

from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import BRACKET, everywhere, is_certified
from dmf.theory.certificate import ROUNDING


def end_ratio(evidence: xr.Dataset, measured: str, predicted: str) -> xr.DataArray:
    """How far the closed form lies inside an end, over BRACKET, or outside it, over ROUNDING, (cell, start)."""
    inward = (evidence[predicted] - evidence[measured]) / evidence[predicted]
    inward = inward.where(evidence["end"] == "below", -inward).transpose("cell", "start")
    return (inward / BRACKET).where(inward >= 0, -inward / ROUNDING)


def threshold_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """`end_ratio` of lambda_c."""
    return end_ratio(evidence, "global", "lambda_c")


def pretend_exhaustive(controls: xr.Dataset) -> xr.Dataset:
    """Searches that trained from small starts only, declared exhaustive."""
    return controls


CLAIM = Claim(
    order=14,
    title="The measured threshold is λc",
    source="Corollary 14, Fig. 3",
    statement=(
        r"The lowest trained run is zero above $\lambda_c(\sigma_1, L) = \frac{1}{L-2}\left(\frac{L-2}{L-1}\sigma_1"
        r"\right)^{2(L-1)/L}$ ($\sigma_1$ for $L = 2$), and is not zero below it."
    ),
    statistic=(
        r"distance of an end of the measured bracket from $\lambda_c$ in units of $10^{-6}\lambda_c$, the largest over "
        r"targets and depths; an end on the wrong side counts in units of rounding"
    ),
    tolerance=(
        r"the bracket: narrower than $10^{-6}$ of $\lambda$, found by training at every $\lambda$ from the last "
        "minimizer, its leading parts of every rank, and cold starts; no closed form enters the search"
    ),
    refuted_by=r"a bracket that does not contain $\lambda_c$",
    control="the same search with small starts only, which reach the spurious zero, declared exhaustive",
    scope=everywhere,
    ratio=threshold_ratio,
    counterexample=pretend_exhaustive,
    study="thresholds",
    eligible=is_certified,
)
