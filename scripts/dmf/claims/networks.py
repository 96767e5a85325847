"""Section 1 and beyond it: deep linear networks on white inputs and on any inputs."""

from collections.abc import Mapping

import xarray as xr

from dmf.claims.balancedness import product_ratio as imbalance_ratio
from dmf.claims.balancedness import spectrum_ratio
from dmf.claims.levels import away_from_degenerate, level_ratio
from dmf.claims.uniqueness import misalignment_ratio, norm_above_ratio, norm_below_ratio, product_ratio
from dmf.evidence.claim import Arm, Claim
from dmf.evidence.controls import CRITICAL, Beyond, Declared, Off, Value, declared, where
from dmf.evidence.eligibility import everywhere, is_certified, is_eligible, outside_exceptional_set

GAPS = {
    "norm_gap": "norm_gap_tolerance",
    "off_span": "off_span_tolerance",
    "residual_gap": "residual_tolerance",
}


def white(evidence: xr.Dataset) -> xr.DataArray:
    """Cells with white inputs whose Y X^T meets the hypotheses on levels and minimizers, (cell,)."""
    return (evidence["white"] == 1) & away_from_degenerate(evidence) & outside_exceptional_set(evidence)


def correlated(**fields: Value) -> Declared:
    """Runs on correlated inputs, declared white."""
    return declared(where(inputs="correlated"), white=1, **fields)


# What near controls are off by: a radius is some ten gradient norms here, F depends on its square, and twelve digits of
# a target are to be seen.
SEEN: Mapping[str, float] = {"gradient_norm": 100, "sigma_1": 1e-12}
LOWER: Mapping[str, float] = {scale: -part for scale, part in SEEN.items()}
HIGHER: Mapping[str, float] = {"gradient_norm*gradient_norm": 100, "sigma_1*sigma_1": 3e-13}

WHITE_INPUTS = Claim(
    title="On white inputs a deep linear network factorizes the correlation of outputs and inputs",
    source="Section 1",
    statements=("Section 1",),
    statement=(
        r"If $X X^\top = I$, then $\|Y - W_L \cdots W_1 X\|_F^2 + \lambda \sum_l \|W_l\|_F^2$ is the objective of "
        r"factorizing $M = Y X^\top$, plus $\|Y\|_F^2 - \|M\|_F^2$. So every run on the data ends on a level of $M$, "
        r"and at the minimum its product is $X^*(M)$ and the norm of all its layers is $\alpha(M)$."
    ),
    statistic=(
        r"over runs trained on $(X, Y)$, which never see $M$: $|F - F_k|$ for the nearest level $k$ of $M$, and at the "
        r"minimum the distance and misalignment of the product and the farthest layer norm, each in units of its "
        "tolerance; the largest"
    ),
    tolerance=(
        r"those of the claims on levels, uniqueness and layer norms, with $\|\nabla F\|$ on the data, and in it what "
        r"sums over $n$ samples may round away, $8\,(n + d_0 + 2)\,\epsilon \sqrt{L}\, s^{L-1} \|X\|_2 (\|Y\|_F + s^L "
        r"\|X\|_2)$, $s$ the largest spectral norm of a layer"
    ),
    refuted_by=r"a run on white inputs that ends elsewhere than a factorization of $Y X^\top$ can",
    control=r"runs on correlated inputs with the same $Y X^\top$, declared white, and their smallest layer norm zero",
    scope=white,
    arms=(
        Arm("level", level_ratio, correlated(), correlated(level_gap=Off(0, HIGHER))),
        Arm("product", product_ratio, correlated(), correlated(distance=Off(0, SEEN)), concerns=is_eligible),
        Arm(
            "misalignment",
            misalignment_ratio,
            correlated(),
            correlated(misalignment=Off(0, SEEN)),
            concerns=is_eligible,
        ),
        Arm(
            "layer norms above",
            norm_above_ratio,
            correlated(),
            correlated(layer_norm_sq_max=Off("predicted_layer_norm_sq", SEEN)),
            concerns=is_eligible,
        ),
        Arm(
            "layer norms below",
            norm_below_ratio,
            correlated(layer_norm_sq_min=0),
            correlated(layer_norm_sq_min=Off("predicted_layer_norm_sq", LOWER)),
            concerns=is_eligible,
        ),
    ),
    study="networks",
    eligible=is_certified,
)


def gap_ratio(evidence: xr.Dataset, gap: str) -> xr.DataArray:
    """One of GAPS over what the gradient norm allows for it, (cell, start)."""
    return evidence[gap] / evidence[GAPS[gap]]


def norms_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The difference of two squared layer norms over its tolerance, (cell, start)."""
    return gap_ratio(evidence, "norm_gap")


def span_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The norm of W_1 outside the inputs' span over its tolerance, (cell, start)."""
    return gap_ratio(evidence, "off_span")


def residual_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The misfit of the residual's equations over its tolerance, (cell, start)."""
    return gap_ratio(evidence, "residual_gap")


def in_proportion(cells: xr.Dataset, allowed: xr.DataArray) -> xr.DataArray:
    """what the declared gradient norm would allow, (cell, start)."""
    return allowed * cells["gradient_tolerance"] / cells["gradient_norm"]


def stopped_early(**fields: Value) -> Declared:
    """Runs stopped early, declared to have reached a critical point."""
    proportional: Mapping[str, Value] = dict.fromkeys(GAPS.values(), in_proportion)
    return declared(where(inputs="stopped"), **{**CRITICAL, **proportional, **fields})


def off_by(part: float) -> Off:
    """A gap of so many gradient norms."""
    return Off(0, {"gradient_tolerance": part})


ANY_INPUTS = Claim(
    title="On any inputs layers are balanced, of one norm, and aligned with the residual",
    source="Beyond Theorem 2",
    statements=("Beyond the paper: any inputs",),
    statement=(
        r"At every critical point of $\|Y - W_L \cdots W_1 X\|_F^2 + \lambda \sum_l \|W_l\|_F^2$, for any $X$ and $Y$: "
        r"$W_{l+1}^\top W_{l+1} = W_l W_l^\top$; all layers have one Frobenius norm; $W_1$ vanishes outside the span "
        r"of the inputs; and with $W = W_L \cdots W_1$ and the residual's correlation $R = (Y - W X) X^\top$, "
        r"$R W^\top = \lambda W_L W_L^\top$ and $W^\top R = \lambda W_1^\top W_1$: $W$ has the singular vectors of "
        r"$R$, which belong to $\lambda s_i^{2-L}$ there, $s_i$ the singular values of the layers. Unless $X$ is white "
        r"they are, in general, not those of $Y X^\top$: the study measures by how much."
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
    arms=(
        Arm("imbalance", imbalance_ratio, stopped_early(), stopped_early(imbalance=off_by(50))),
        Arm("singular values", spectrum_ratio, stopped_early(), stopped_early(singular_value_gap=off_by(50))),
        Arm("layer norms", norms_ratio, stopped_early(), stopped_early(norm_gap=off_by(50))),
        # Gradient descent from a start in the span stays in it.
        Arm(
            "span",
            span_ratio,
            declared(where(inputs="stopped"), certified=1, off_span=Beyond("off_span_tolerance")),
            stopped_early(off_span=off_by(50)),
        ),
        Arm("residual", residual_ratio, stopped_early(), stopped_early(residual_gap=off_by(10))),
    ),
    study="networks",
    eligible=is_certified,
    basis="identity",
)
