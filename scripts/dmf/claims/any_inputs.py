"""Beyond the paper: what survives at critical points of a deep linear network on any inputs, white or not."""

import xarray as xr

from dmf.claims.balancedness import imbalance_ratio
from dmf.evidence.claim import Claim
from dmf.evidence.controls import declared_critical
from dmf.evidence.eligibility import everywhere, is_certified

GAPS = {
    "norm_gap": "norm_gap_tolerance",
    "off_span": "off_span_tolerance",
    "residual_gap": "residual_tolerance",
}


def survivors_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The largest of imbalance and GAPS, each over what the gradient norm allows for it, (cell, start)."""
    parts = [imbalance_ratio(evidence), *(evidence[gap] / evidence[allowed] for gap, allowed in GAPS.items())]
    ratio: xr.DataArray = xr.concat(parts, "part").max("part", skipna=False)
    return ratio


def pretend_critical(controls: xr.Dataset) -> xr.Dataset:
    """Gradient descent stopped early, declared to have reached critical points, its tolerances with it."""
    cells = controls.isel(cell=(controls["inputs"] == "stopped").values)
    shrunk = {
        allowed: cells[allowed] * cells["gradient_tolerance"] / cells["gradient_norm"] for allowed in GAPS.values()
    }
    return declared_critical(cells).assign(shrunk)


CLAIM = Claim(
    order=51,
    title="On any inputs layers are balanced, of one norm, and aligned with the residual",
    source="Beyond Theorem 2",
    statement=(
        r"At every critical point of $\|Y - W_L \cdots W_1 X\|_F^2 + \lambda \sum_l \|W_l\|_F^2$, for any $X$ and $Y$: "
        r"$W_{l+1}^\top W_{l+1} = W_l W_l^\top$; all layers have one Frobenius norm; $W_1$ vanishes outside the span "
        r"of the inputs; and with $W = W_L \cdots W_1$ and the residual's correlation $R = (Y - W X) X^\top$, "
        r"$R W^\top = \lambda W_L W_L^\top$ and $W^\top R = \lambda W_1^\top W_1$: $W$ has the singular vectors of "
        r"$R$, which belong to $\lambda s_i^{2-L}$ there, $s_i$ the singular values of the layers. Unless $X$ is white "
        r"they are, in general, not those of $Y X^\top$: by how much is measured, beside the claim."
    ),
    statistic=(
        r"the largest of: imbalance; difference of two squared layer norms; norm of $W_1$ outside the span; misfit of "
        "the two equations of the residual; each in units of tolerance, over certified runs wherever they ended"
    ),
    tolerance=(
        r"with $G_l = \partial F / \partial W_l$: for the imbalance as in Theorem 2; $\langle W_l, G_l\rangle - "
        r"2\lambda\|W_l\|_F^2$ is the same for all $l$, so squared norms differ by at most $\sqrt{2}\, \max_l "
        r"\|W_l\|_F\, \|\nabla F\| / (2\lambda)$; outside the span $G_1 = 2\lambda W_1$; and $R W^\top - \lambda W_L "
        r"W_L^\top = -G_L W_L^\top / 2$. $\|\nabla F\|$ is the run's own, plus rounding"
    ),
    refuted_by="a certified run, at a minimum or at a saddle, farther from any of these than its gradient norm allows",
    control="gradient descent on correlated inputs stopped after 100 steps, declared to have reached a critical point",
    scope=everywhere,
    ratio=survivors_ratio,
    counterexample=pretend_critical,
    study="networks",
    eligible=is_certified,
)
