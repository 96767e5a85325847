"""Beyond the paper: one fit and one norm of all layers at the global minimizers of almost any regularized problem."""

import numpy as np
import xarray as xr

from dmf.evidence.claim import Arm, Claim
from dmf.evidence.controls import Declared, Off, Value, ValueOf, declared, where
from dmf.evidence.eligibility import everywhere


def fit_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of fits over their tolerance, (cell, start)."""
    return evidence["fit_gap"] / evidence["fit_tolerance"]


def weight_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of end-to-end matrices over their tolerance, (cell, start)."""
    return evidence["weight_gap"] / evidence["weight_tolerance"]


def norm_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Difference of layer norms over their tolerance, (cell, start)."""
    return evidence["norm_gap"] / evidence["norm_tolerance"]


def closed_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of circular W_L ... W_1 from the closed form over their tolerance, (cell, start)."""
    return evidence["closed_gap"] / evidence["weight_tolerance"]


def spread_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Difference of the norms of two layers over what the gradient allows, (cell, start)."""
    return evidence["norm_spread"] / evidence["spread_tolerance"]


def is_critical(evidence: xr.Dataset) -> xr.DataArray:
    """Runs with a gradient norm within tolerance, at minima or at saddles, (cell, start)."""
    return (evidence["critical"] == 1).transpose("cell", "start")


def is_full(evidence: xr.Dataset) -> xr.DataArray:
    """Circular convolutions with kernels as long as the signal, (cell,)."""
    return evidence["full"] == 1


def is_global(evidence: xr.Dataset) -> xr.DataArray:
    """Certified runs at a global minimum, or at the lowest value where nothing tells, (cell, start)."""
    return ((evidence["minimal"] == 1) & np.isfinite(evidence["radius"])).transpose("cell", "start")


def almost_all(evidence: xr.Dataset) -> xr.DataArray:
    """Cells whose labels are not on a null set by design, (cell,)."""
    return evidence["unique"] == 1


def is_linear(evidence: xr.Dataset) -> xr.DataArray:
    """Networks with an end-to-end matrix, (cell,)."""
    return evidence["weight_tolerance"].notnull().any("start")


def on_the_set(**fields: Value) -> Declared:
    """A target with a singular value at m*, declared to be almost any."""
    return declared(where(problem="exceptional"), unique=1, **fields)


ANY_MODEL = Claim(
    title="One fit and one norm of all layers at global minimizers of almost any regularized problem",
    source="Beyond Theorem 10 and Corollary 13",
    statements=("Beyond the paper: any model",),
    statement=(
        r"For almost every target all global minimizers of $\|Y - f(\theta)\|^2 + \lambda \sum_l \|W_l\|_F^2$ have one "
        r"fit $f(\theta)$; of layers that can be rescaled against each other all have one norm. So for linear networks "
        r"on any inputs, whose $W_L \cdots W_1$ is unique too, for ReLU networks without bias, and for cross-entropy "
        "with soft labels. Of circular convolutions with full kernels the fit is in closed form, on any inputs."
    ),
    statistic=(
        "over runs at the global minimum, the largest distance of fits, of end-to-end matrices and of squared layer "
        "norms from those of the lowest run, and of circular convolutions from the closed form, in units of tolerance"
    ),
    tolerance=(
        r"the radii $2\|\nabla F\|/\mu$ of both runs, each $\mu$ of that run's Hessian, times twice the norm of the "
        "derivative of the fit; and rounding. Two layers have a dual certificate that a minimum is global, circular "
        "convolutions a closed form, others have the lowest value found"
    ),
    refuted_by="two global minimizers at random data with different fits, or with different norms of layers",
    control=(
        r"a target with a singular value at $m^*$, declared to be almost any; ReLU networks whose bias is left out of "
        "the norm of its layer; and circular convolutions with short kernels, declared to be full"
    ),
    scope=almost_all,
    arms=(
        Arm("fit", fit_ratio, on_the_set(), on_the_set(fit_gap=Off(0, {"1": 2e-12}))),
        Arm("W", weight_ratio, on_the_set(), on_the_set(weight_gap=Off(0, {"1": 1e-12})), concerns=is_linear),
        Arm(
            "closed form",
            closed_ratio,
            declared(where(problem="circular, narrow"), full=1),
            declared(where(problem="circular, narrow"), full=1, closed_gap=Off(0, {"norm_mean*norm_mean": 8e-12})),
            concerns=is_full,
        ),
        Arm(
            "layer norms",
            norm_ratio,
            on_the_set() + declared(where(problem="relu, biased"), norm_gap=ValueOf("norm_gap_without_bias")),
            on_the_set(norm_gap=Off(0, {"1": 1e-12})),
        ),
    ),
    study="any_model",
    eligible=is_global,
)

EQUAL_NORMS = Claim(
    title="Layers that can be rescaled against each other have one norm at every critical point",
    source="Beyond Corollary 13",
    statements=("Beyond the paper: any model",),
    statement=(
        r"At every critical point of $\ell(f(\theta)) + \lambda \sum_l \|w_l\|^2$ all $\|w_l\|$ are equal, for any "
        "loss, if multiplying one layer's weights by $c > 0$ and another's by $1/c$ leaves $f$ alone: linear layers, "
        "convolutions and ReLU without bias."
    ),
    statistic="largest difference of the squared norms of two layers, in units of what the gradient allows",
    tolerance=(
        r"$\langle w_l, G_l\rangle - \langle w_k, G_k\rangle = 2\lambda(\|w_l\|^2 - \|w_k\|^2)$ at any point, "
        "$G_l$ the gradient: both norms' share of the gradient norm; and rounding of gradient and norms"
    ),
    refuted_by="a trained network of such layers with different norms",
    control="ReLU networks whose bias is left out of the norm of its layer",
    scope=everywhere,
    arms=(
        Arm(
            "norms",
            spread_ratio,
            declared(where(problem="relu, biased"), norm_spread=ValueOf("spread_without_bias")),
            declared(where(problem="exceptional"), norm_spread=Off(0, {"norm_mean": 6e-13})),
        ),
    ),
    study="any_model",
    eligible=is_critical,
    basis="identity",
)
