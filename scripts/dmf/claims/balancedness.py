"""Theorem 2: neighbouring layers are balanced at every critical point."""

import xarray as xr

from dmf.evidence.claim import Arm, Claim
from dmf.evidence.controls import CRITICAL, STOPPED, declared, where
from dmf.evidence.eligibility import everywhere, is_certified, larger
from dmf.evidence.fields import Evidence


def imbalance_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The larger of imbalance and singular value gap, over what the gradient norm allows for both, (cell, start)."""
    return larger(product_ratio(evidence), spectrum_ratio(evidence))


def product_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The imbalance of two layers over what the gradient norm allows for it, (cell, start)."""
    return Evidence(evidence).imbalance / _allowed(evidence)


def spectrum_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The distance of two layers' squared singular values, over what the gradient norm allows for it, (cell, start)."""
    return Evidence(evidence).singular_value_gap / _allowed(evidence)


def _allowed(evidence: xr.Dataset) -> xr.DataArray:
    runs = Evidence(evidence)
    return runs.imbalance_slope * runs.gradient_norm + runs.imbalance_floor


STOPPED_EARLY = declared(where(kind=STOPPED), **CRITICAL)
SCALED = declared(where(kind="near: imbalance"))


BALANCEDNESS = Claim(
    title="Layers are balanced at every critical point",
    source="Theorem 2",
    statements=("Theorem 2",),
    statement=(
        "At every critical point, minimizer or not, $W_{l+1}^T W_{l+1} = W_l W_l^T$ for all $l$: all layers have the "
        "same nonzero singular values, and the right singular vectors of $W_{l+1}$ are the left ones of $W_l$."
    ),
    statistic=(
        r"the larger of $\max_l \|D_l\|_F$, $D_l = W_{l+1}^T W_{l+1} - W_l W_l^T$, and of the distance $\max_l "
        r"(\sum_i (a_i - b_i)^2)^{1/2}$ between the squared singular values $a_i$ of $W_{l+1}$ and $b_i$ of $W_l$, "
        "from the layers' own decompositions, over all certified runs wherever they ended, in units of tolerance. "
        r"With singular vectors $v_i$ of $W_{l+1}$ and $u_j$ of $W_l$ between them, $\|D_l\|_F^2 = \sum_{i,j} (a_i - "
        "b_j)^2 (v_i^T u_j)^2$: vectors that belong to different singular values are orthogonal as far as "
        r"$\|D_l\|_F$ is small, which needs no gap and holds for repeated singular values"
    ),
    tolerance=(
        r"at any point, with $G_l = \partial F / \partial W_l$, the data terms cancel in $W_{l+1}^T G_{l+1} - G_l "
        r"W_l^T = 2\lambda D_l$, so $\|D_l\|_F \leq (\|W_l\|_F^2 + \|W_{l+1}\|_F^2)^{1/2}\, \|\nabla F\| / "
        r"(2\lambda)$, and by Mirsky's inequality the distance of the squared singular values is no larger; $\|\nabla "
        r"F\|$ is the run's own, plus its rounding"
    ),
    refuted_by="a certified run, at a minimum or at a saddle, with layers less balanced than its gradient norm allows",
    control=(
        r"gradient descent stopped after 200 steps at $0.8\,\lambda_c$, declared to have reached a critical point; "
        "near the edge, a minimizer with its last layer enlarged"
    ),
    scope=everywhere,
    arms=(
        Arm("imbalance", product_ratio, STOPPED_EARLY, SCALED),
        Arm("singular values", spectrum_ratio, STOPPED_EARLY, SCALED),
    ),
    eligible=is_certified,
    basis="identity",
)
