"""Equation 98: where proximal gradient steps end is critical, for the penalized problem and for the factorization."""

import numpy as np
import xarray as xr

from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import is_certified


def ended(evidence: xr.Dataset) -> xr.DataArray:
    """Cells whose walks went on until a step was small, (cell,)."""
    return evidence["fixed"] == 1


def critical_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The largest departure from a critical point, over what the last step allows, (cell, start)."""
    allowed = evidence["per_step"] * evidence["step"] + evidence["floor"]
    layered = (evidence["layered"] / evidence["layered_factor"]).where(np.isfinite(evidence["layered_factor"]), -np.inf)
    parts = xr.concat([evidence["stationarity"], evidence["beyond"], layered], "part")
    return parts.max("part", skipna=False) / allowed


def pretend_ended(controls: xr.Dataset) -> xr.Dataset:
    """Walks stopped after a few steps, declared to have come to rest."""
    cells = controls.isel(cell=(controls["run"] == "stopped early").values)
    yes = xr.ones_like(cells["certified"])
    return cells.assign(step=1e-9 * yes, certified=yes, fixed=xr.ones_like(cells["fixed"]))


CLAIM = Claim(
    order=41,
    title="Proximal gradient steps come to rest at critical points",
    source="Equations 97-99 (Lu et al., 2014); Theorems 2 and 3",
    statement=(
        r"A fixed point $X = U \operatorname{diag}(\sigma) V^\top$ has $\nabla f = -U \operatorname{diag}(g'(\sigma)) "
        r"V^\top$ on the matrices that share its row or column space, and $\|\nabla f\|_2$ beyond these is at most "
        r"$\mu$ times the threshold. For $g = \lambda L \sigma^{2/L}$, $L$ balanced layers of $X$ are critical for "
        r"$\|A(W_L \cdots W_1) - b\|^2 + \lambda \sum_l \|W_l\|_F^2$."
    ),
    statistic="largest of the three departures, in units of tolerance",
    tolerance=(
        r"what the last step allows, $(\mu + \ell) \|X_{k+1} - X_k\|_F$, and rounding, "
        r"$64\,\epsilon\,(\|b\| + \ell \|X\|_F)$; of layers, $\sqrt{L}\,\sigma_1^{(L-1)/L}$ times that"
    ),
    refuted_by="a walk that came to rest at a point that is not critical, or whose layers are not",
    control="walks stopped after six steps, declared to have come to rest",
    scope=ended,
    ratio=critical_ratio,
    counterexample=pretend_ended,
    study="proximal_gradient",
    eligible=is_certified,
)
