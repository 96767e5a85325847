"""Beyond the paper: parallel branches, where the product is determined, and layer norms and flatness are not."""

import numpy as np
import xarray as xr

from dmf.evidence.claim import Arm, Claim
from dmf.evidence.controls import Declared, Off, Value, declared, where
from dmf.evidence.eligibility import everywhere


def value_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of F from the minimum of one chain over its tolerance, (cell, start)."""
    return abs(evidence["value_gap"]) / evidence["value_tolerance"]


def product_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of X from that of one chain over its tolerance, (cell, start)."""
    return evidence["distance"] / evidence["distance_tolerance"]


def split_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """How much of a direction is in another branch than its own, over its tolerance, (cell, start)."""
    return evidence["split"] / evidence["split_tolerance"]


def norm_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of layer norms from those of the allotment over its tolerance, (cell, start)."""
    return evidence["norm_gap"] / evidence["norm_tolerance"]


def trace_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of the trace from that of the allotment over its tolerance, (cell, start)."""
    return abs(evidence["trace_gap"]) / evidence["trace_tolerance"]


def flatness_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """What may be the error of a trace, in units of how far apart the traces of minimizers are, (cell, start)."""
    return 2 * evidence["trace_tolerance"] / evidence["trace_spread"]


def norms_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """What may be the error of a layer norm, in units of how far apart those of minimizers are, (cell, start)."""
    return 2 * evidence["norm_tolerance"] / evidence["norm_spread"]


def is_minimal(evidence: xr.Dataset) -> xr.DataArray:
    """Certified runs at the minimum whose distance from a minimizer is bounded, (cell, start)."""
    return ((evidence["minimal"] == 1) & np.isfinite(evidence["radius"])).transpose("cell", "start")


def has_middle(evidence: xr.Dataset) -> xr.DataArray:
    """Cells of depth 3 or more, (cell,)."""
    return evidence["middle"] == 1


def two_layers(**fields: Value) -> Declared:
    """Branches of two layers, declared to have more."""
    return declared(where(kind="two layers"), middle=1, **fields)


def on_a_level(**fields: Value) -> Declared:
    """Runs wherever they ended, declared to be global minimizers."""
    return declared(where(kind="levels"), minimal=1, **fields)


BRANCHES = Claim(
    title="Parallel branches: one product, and minimizers that are not equally flat",
    source="Beyond Theorem 10 and Corollary 13",
    statements=("Beyond the paper: branches",),
    statement=(
        r"For $X = \sum_k W_L^k \cdots W_1^k$ minimum and $X^*$ are those of one chain. For $L \geq 3$ and distinct "
        r"$\sigma_i$ each kept direction is in one branch, $\|W_l^k\|_F^2$ is the sum of its branch's $s_i^2$, and the "
        r"trace of the Hessian depends on which directions share a branch: the flattest minimizers spread them out."
    ),
    statistic=(
        "over runs at the minimum, the largest departure, in units of tolerance, of $F$, of $X$, of layer norms and of "
        "the trace from the closed form of the run's own allotment, and of a direction in a second branch; and twice "
        "the tolerance of traces and of norms in units of how far apart those of the minimizers are"
    ),
    tolerance=(
        r"the radius $2\|\nabla F\|/\mu$ and rounding, with $\mu$ of the run's own Hessian: branches are a chain of "
        "block diagonal layers, so that all bounds for a chain hold"
    ),
    refuted_by="a minimizer with another product, a direction in two branches, or minimizers that are all equally flat",
    control=(
        "branches of two layers, declared to have more: their minimizers are a continuum, equally flat, that divides "
        "directions among branches; and runs on lower levels, declared to be minimizers"
    ),
    scope=everywhere,
    arms=(
        Arm("F", value_ratio, on_a_level(), on_a_level(value_gap=Off(0, {"1": 1e-12}))),
        Arm("X", product_ratio, on_a_level(), on_a_level(distance=Off(0, {"1": 2e-12}))),
        Arm("own branch", split_ratio, two_layers(), two_layers(split=Off(0, {"1": 1e-12})), concerns=has_middle),
        Arm("layer norms", norm_ratio, two_layers(), two_layers(norm_gap=Off(0, {"1": 5e-12})), concerns=has_middle),
        Arm("trace", trace_ratio, on_a_level(), on_a_level(trace_gap=Off(0, {"1": 5e-10})), concerns=has_middle),
        Arm(
            "flatness differs",
            flatness_ratio,
            two_layers(trace_spread=0),
            two_layers(trace_spread=Off(0, {"1": 2e-12})),
            concerns=has_middle,
        ),
        Arm(
            "norms differ",
            norms_ratio,
            two_layers(norm_spread=0),
            two_layers(norm_spread=Off(0, {"1": 2e-14})),
            concerns=has_middle,
        ),
    ),
    study="branches",
    eligible=is_minimal,
)
