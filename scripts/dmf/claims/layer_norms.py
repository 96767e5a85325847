"""Corollary 13: the Frobenius norm of every layer is the same at all minimizers."""

import xarray as xr

from dmf.claims.uniqueness import pretend_unexceptional
from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import outside_exceptional_set


def layer_norm_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The layer farthest from alpha^2, over its tolerance, (cell, start)."""
    alpha_sq = evidence["predicted_layer_norm_sq"]
    above, below = evidence["layer_norm_sq_max"] - alpha_sq, alpha_sq - evidence["layer_norm_sq_min"]
    return above.where(above > below, below) / evidence["layer_norm_tolerance"]


CLAIM = Claim(
    order=13,
    title="Layer norms are the same at all minimizers",
    source="Corollary 13",
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
    counterexample=pretend_unexceptional,
)
