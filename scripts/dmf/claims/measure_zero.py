"""Lemma 11 and Remark 12: how often random targets lie near the exceptional set falls in proportion to the distance."""

import xarray as xr

from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import everywhere, is_certified

TOLERANCE = 0.05


def slope_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The end of the slope's interval that is farther from 1, over what is allowed, (cell, start)."""
    above, below = abs(evidence["slope_high"] - 1), abs(1 - evidence["slope_low"])
    return above.where(above > below, below) / TOLERANCE


def pretend_random(controls: xr.Dataset) -> xr.Dataset:
    """Targets sampled on the set, declared to be sampled at random."""
    return controls


CLAIM = Claim(
    order=11,
    title="Random targets miss the exceptional set",
    source="Lemma 11, Remark 12",
    statement=(
        r"The targets with some $\sigma_i = m^*(L, \lambda)$ have measure zero: for a Gaussian target the probability "
        r"$P(\varepsilon)$ of $\min_i |\sigma_i - m^*| < \varepsilon m^*$ falls in proportion to $\varepsilon$."
    ),
    statistic=(
        r"the end of the 99 % interval of a slope of $\log P$ against $\log \varepsilon$ that is farther from 1, in "
        r"units of 0.05: over four decades of $\varepsilon$, and over each of them"
    ),
    tolerance=(
        "0.05, and the whole interval must lie within it. The interval is a bootstrap over 32 batches of targets that "
        "share no random number"
    ),
    refuted_by=r"a slope whose interval leaves $1 \pm 0.05$: 0 for a set of positive measure, 2 at codimension 2",
    control=r"Gaussian targets with their last singular value put to $m^*$: $P$ does not fall",
    scope=everywhere,
    ratio=slope_ratio,
    counterexample=pretend_random,
    study="measure_zero",
    eligible=is_certified,
)
