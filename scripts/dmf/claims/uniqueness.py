"""Theorem 10, Lemma 11, Corollary 13: one product, one layer norm, and how rare the exceptions are."""

import numpy as np
import xarray as xr

from dmf.evidence.claim import Claim
from dmf.evidence.controls import EXCEPTIONAL, declared, where
from dmf.evidence.eligibility import everywhere, is_certified, larger, outside_exceptional_set
from dmf.evidence.fields import Evidence

SLOPE_TOLERANCE = 0.05


def distance_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The larger of ||X - X*||_F and the misalignment of singular vectors, over their tolerance, (cell, start)."""
    runs = Evidence(evidence)
    return larger(runs.distance, runs.misalignment) / runs.distance_tolerance


UNIQUENESS = Claim(
    title="The end-to-end minimizer is unique",
    source="Theorem 10",
    statements=("Theorem 10",),
    statement=(
        r"If no singular value of $M$ equals the threshold $m^*(L, \lambda)$, then every minimizer of $F$ has the "
        r"same product $X = W_L \cdots W_1$, which has the singular vectors of $M$: $X = \sum_i x_i u_i v_i^T$."
    ),
    statistic=(
        r"largest $\|X - X^*\|_F$ over all certified minimizers, in units of the tolerance of each run; and, "
        r"in the same units, the misalignment $\max(\|X M^T - M X^T\|_F, \|X^T M - M^T X\|_F) / "
        r"(2\sigma_1)$. It is zero iff $X$ and $M$ share bases of singular vectors, uses no closed form and no gap, "
        r"so that repeated singular values need no care, and is at most $\|X - X^*\|_F$ if $X^*$ shares them"
    ),
    tolerance=(
        r"$\sqrt{L}\,(s_1 + \delta)^{L-1} \delta$ with $\delta = 2\|\nabla F\| / \mu$, $\mu$ the smallest positive "
        "Hessian eigenvalue and $s_1^L$ the spectral norm of $X^*$"
    ),
    refuted_by="two certified minimizers of one target whose products differ by more than their certificates allow",
    control=(
        r"a $3 \times 3$ target with $\sigma_2 = m^*$, trained to both of its minimizers and declared unexceptional"
    ),
    scope=outside_exceptional_set,
    ratio=distance_ratio,
    counterexample=declared(where(target=EXCEPTIONAL), exceptional_distance=np.inf),
)


def slope_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The end of the slope's interval that is farther from 1, over what is allowed, (cell, start)."""
    above, below = abs(evidence["slope_high"] - 1), abs(1 - evidence["slope_low"])
    return above.where(above > below, below) / SLOPE_TOLERANCE


MEASURE_ZERO = Claim(
    title="Random targets miss the exceptional set",
    source="Lemma 11, Remark 12",
    statements=("Lemma 11, Remark 12",),
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
    counterexample=declared(),
    study="measure_zero",
    eligible=is_certified,
)


def layer_norm_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The layer farthest from alpha^2, over its tolerance, (cell, start)."""
    runs = Evidence(evidence)
    alpha_sq = runs.predicted_layer_norm_sq
    above, below = runs.layer_norm_sq_max - alpha_sq, alpha_sq - runs.layer_norm_sq_min
    return above.where(above > below, below) / runs.layer_norm_tolerance


LAYER_NORMS = Claim(
    title="Layer norms are the same at all minimizers",
    source="Corollary 13",
    statements=("Corollary 13",),
    statement=(
        r"If no singular value of $M$ equals $m^*(L, \lambda)$, then $\|W_l\|_F^2 = \alpha^2$ with one $\alpha$ for "
        r"every layer of every minimizer."
    ),
    statistic=r"largest $|\,\|W_l\|_F^2 - \alpha^2|$ over layers of certified minimizers, in units of tolerance",
    tolerance=r"$2\alpha\delta + \delta^2$ with $\delta = 2\|\nabla F\| / \mu$",
    refuted_by="a certified minimizer with a layer norm that differs from alpha by more than its certificate allows",
    control=r"the $3 \times 3$ target with $\sigma_2 = m^*$: its two minimizers have different $\alpha$",
    scope=outside_exceptional_set,
    ratio=layer_norm_ratio,
    counterexample=declared(where(target=EXCEPTIONAL), exceptional_distance=np.inf),
)
