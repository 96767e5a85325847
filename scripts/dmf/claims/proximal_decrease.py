"""Lu et al. 2014 on equation 98: every proximal gradient step decreases the objective."""

import xarray as xr

from dmf.evidence.claim import Claim


def short_enough(evidence: xr.Dataset) -> xr.DataArray:
    """Cells whose mu is above the Lipschitz constant of grad f, (cell,)."""
    return evidence["mu"] > 1


def every_walk(evidence: xr.Dataset) -> xr.DataArray:
    """All of them, (cell, start): a step needs no certificate."""
    return xr.ones_like(evidence["certified"]) == 1


def shortfall_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The worst step's missing decrease, in units of rounding, (cell, start)."""
    return evidence["shortfall"]


def pretend_short(controls: xr.Dataset) -> xr.Dataset:
    """Walks with mu below half of the Lipschitz constant, declared to be above it."""
    cells = controls.isel(cell=(controls["run"] == "too long steps").values)
    return cells.assign(mu=1.05 + 0 * cells["mu"])


CLAIM = Claim(
    order=40,
    title="Every proximal gradient step decreases the objective",
    source="Equations 97-99 (Lu et al., 2014)",
    statement=(
        r"With $\mu > \ell$, the Lipschitz constant of $\nabla f$, every step of $X_{k+1} = "
        r"\operatorname{GSVT}(X_k - \nabla f(X_k) / \mu)$ lowers $H = f + \sum_i g(\sigma_i)$ by at least "
        r"$\frac{\mu - \ell}{2} \|X_{k+1} - X_k\|_F^2$."
    ),
    statistic=(
        r"largest $\frac{\mu - \ell}{2} \|X_{k+1} - X_k\|_F^2 - (H(X_k) - H(X_{k+1}))$ over all steps of a walk, in "
        "units of tolerance"
    ),
    tolerance=(
        r"rounding of two values of $H$: $16\,\epsilon\,(\|b\|^2 + \ell \|X\|_F^2 + \sum_i g(\sigma_i))$ each, "
        r"$\epsilon = 2^{-52}$"
    ),
    refuted_by="a step that lowers the objective by less, beyond rounding",
    control=r"steps of $\mu = 0.4\,\ell$, declared to have $\mu > \ell$",
    scope=short_enough,
    ratio=shortfall_ratio,
    counterexample=pretend_short,
    study="proximal_gradient",
    eligible=every_walk,
)
