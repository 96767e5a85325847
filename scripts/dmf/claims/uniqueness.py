"""Theorem 10, Lemma 11, Corollary 13: one product, one layer norm, and how rare the exceptions are."""

import numpy as np
import xarray as xr

from dmf.evidence.claim import ONE_ORBIT, Arm, Claim
from dmf.evidence.controls import EXCEPTIONAL, Declared, Value, declared, where
from dmf.evidence.eligibility import everywhere, is_certified, larger, outside_exceptional_set
from dmf.evidence.fields import Evidence

SLOPE_TOLERANCE = 0.05


def distance_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The larger of ||X - X*||_F and the misalignment of singular vectors, over their tolerance, (cell, start)."""
    return larger(product_ratio(evidence), misalignment_ratio(evidence))


def product_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """||X - X*||_F over its tolerance, (cell, start)."""
    runs = Evidence(evidence)
    return runs.distance / runs.distance_tolerance


def misalignment_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The misalignment of singular vectors over the tolerance of ||X - X*||_F, (cell, start)."""
    runs = Evidence(evidence)
    return runs.misalignment / runs.distance_tolerance


# Of two layers no target is exceptional: there, and everywhere, layers a tenth too large.
TWO_MINIMIZERS = declared(where(kind=EXCEPTIONAL), exceptional_distance=np.inf)
ENLARGED = declared(where(kind="larger layers"), minimal=1)


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
        r"targets with $\sigma_2 = m^*$ (scalars with $\sigma_1 = m^*$), trained to both of their minimizers and "
        "declared unexceptional; minimizers enlarged, and turned out of the target's bases, by a tenth; near the edge, "
        "both by little more than the tolerance"
    ),
    scope=outside_exceptional_set,
    arms=(
        Arm("distance", product_ratio, TWO_MINIMIZERS + ENLARGED, declared(where(kind="near: distance"))),
        Arm(
            "misalignment",
            misalignment_ratio,
            declared(where(kind="turned")),
            declared(where(kind="near: misalignment")),
        ),
    ),
    fact=ONE_ORBIT,
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
    arms=(
        # A slope of 1.15 is what P would have on a set of dimension 0.85: too far from 1 to be told as 1.
        Arm("slope", slope_ratio, declared(), declared(slope_low=1, slope_high=1.15)),
    ),
    study="measure_zero",
    eligible=is_certified,
    basis="formula",
)


def layer_norm_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The layer farthest from alpha^2, over its tolerance, (cell, start)."""
    return larger(norm_above_ratio(evidence), norm_below_ratio(evidence))


def norm_above_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """How far the largest layer is above alpha^2, over its tolerance, (cell, start)."""
    runs = Evidence(evidence)
    return (runs.layer_norm_sq_max - runs.predicted_layer_norm_sq) / runs.layer_norm_tolerance


def norm_below_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """How far the smallest layer is below alpha^2, over its tolerance, (cell, start)."""
    runs = Evidence(evidence)
    return (runs.predicted_layer_norm_sq - runs.layer_norm_sq_min) / runs.layer_norm_tolerance


def least_found(cells: xr.Dataset, field: xr.DataArray) -> xr.DataArray:
    """the least that a minimizer of theirs has."""
    return cells["layer_norm_sq_min"].where(cells["minimal"] == 1).min("start").transpose(*field.dims)


def largest_found(cells: xr.Dataset, field: xr.DataArray) -> xr.DataArray:
    """the largest that a minimizer of theirs has."""
    return cells["layer_norm_sq_max"].where(cells["minimal"] == 1).max("start").transpose(*field.dims)


def one_of_two(alpha_sq: Value) -> Declared:
    """Targets with two minimizers, declared to have one: that with this layer norm."""
    return declared(where(kind=EXCEPTIONAL), exceptional_distance=np.inf, predicted_layer_norm_sq=alpha_sq)


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
    control=(
        r"targets with $\sigma_2 = m^*$ (scalars with $\sigma_1 = m^*$): their two minimizers have different $\alpha$; "
        "minimizers enlarged and shrunk by a tenth; near the edge, with the last layer enlarged, or the first shrunk, "
        "by little more than the tolerance"
    ),
    scope=outside_exceptional_set,
    arms=(
        Arm("above", norm_above_ratio, one_of_two(least_found) + ENLARGED, declared(where(kind="near: larger norm"))),
        Arm(
            "below",
            norm_below_ratio,
            one_of_two(largest_found) + declared(where(kind="smaller layers"), minimal=1),
            declared(where(kind="near: smaller norm")),
        ),
    ),
    fact=ONE_ORBIT,
)
