"""Theorem 6: the Hessian spectrum at the scalar problem's minimizers is the closed form."""

import numpy as np
import xarray as xr

from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import is_minimal, outside_exceptional_set


def spectrum_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The eigenvalue farthest from its closed form, over its tolerance, (cell, start)."""
    return abs(evidence["spectrum"] - evidence["predicted"]).max("eigen") / evidence["tolerance"]


def pretend_unexceptional(controls: xr.Dataset) -> xr.Dataset:
    """Scalars at +-m*, trained to both kinds of minimizers, declared not to be there."""
    cells = controls.isel(cell=np.flatnonzero(controls["kind"].values == "pair"))
    return cells.assign(exceptional_distance=xr.full_like(cells["exceptional_distance"], np.inf))


CLAIM = Claim(
    order=6,
    title="The scalar problem's Hessian spectrum is the closed form",
    source="Theorem 6, eq. 29-30",
    statement=(
        r"For $|m| \neq m^*$, at every minimizer: $4\lambda$ ($L - 1$ times) and $2Lw^{2L-2} - 2\lambda(L-2)$ if $w = "
        r"|x^*|^{1/L} > 0$; if $x^* = 0$, $2\lambda$ ($L$ times), or $2\lambda \pm 2|m|$ for $L = 2$."
    ),
    statistic="largest distance of an eigenvalue at a trained minimizer from its closed form, in units of tolerance",
    tolerance=(
        r"Weyl: $L\,(4(u^{2L-2} - w^{2L-2}) + 2|m|(u^{L-2} - w^{L-2}))$ with $u = w + 2\|\nabla F\| / \mu$, how far "
        r"the Hessian can differ from that at the nearest minimizer, and $4L^2\,2^{-52}$ of its entries for rounding"
    ),
    refuted_by="a trained minimizer, of any signs of its factors, with another eigenvalue",
    control=r"scalars at $\pm m^*$, declared not to be there: the minimizers away from zero have another spectrum",
    scope=outside_exceptional_set,
    ratio=spectrum_ratio,
    counterexample=pretend_unexceptional,
    study="scalar_hessian",
    eligible=is_minimal,
)
