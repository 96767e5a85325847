"""Beyond the paper: layers with other norms, and depths that are no whole numbers."""

import numpy as np
import xarray as xr

from dmf.evidence.claim import Arm, Claim
from dmf.evidence.controls import Off, ValueOf, declared
from dmf.evidence.eligibility import everywhere, is_certified


def value_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of the minimum from the closed form over its tolerance, (cell, start)."""
    return abs(evidence["value_gap"]) / evidence["value_tolerance"]


def product_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of X from the closed form over its tolerance, (cell, start)."""
    return evidence["distance"] / evidence["distance_tolerance"]


def energy_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of the layers' powers of norms from the closed form over its tolerance, (cell, start)."""
    return evidence["energy_gap"] / evidence["energy_tolerance"]


def balance_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Imbalance of powers over its tolerance, (cell, start)."""
    return evidence["imbalance"] / evidence["imbalance_tolerance"]


def is_minimal(evidence: xr.Dataset) -> xr.DataArray:
    """Certified runs at the minimum, (cell, start)."""
    return ((evidence["minimal"] == 1) & np.isfinite(evidence["radius"])).transpose("cell", "start")


MIXED_NORMS = Claim(
    title="A layer of Schatten norm p counts as 2/p layers: closed forms at real depth",
    source="Beyond Theorems 3, 10 and 22",
    statements=("Beyond the paper: real depth",),
    statement=(
        r"$\|M - W_n \cdots W_1\|_F^2 + 2\lambda \sum_l \|W_l\|_{p_l}^{p_l} / p_l$ with Schatten norms has minimum and "
        r"end-to-end minimizer of eq. 2 at the real depth $L = \sum_l 2 / p_l$. Its layers are balanced as "
        r"$|W_{l+1}|^{p_{l+1}} = |W_l^\top|^{p_l}$, and $\|W_l\|_{p_l}^{p_l}$ is one number."
    ),
    statistic=(
        "over runs at the minimum, the largest departure of the objective, of $X$ and of each layer's power of its "
        "norm from the closed form at real depth, and of neighbours from balance, in units of tolerance"
    ),
    tolerance=(
        r"the radius $2\|\nabla F\|/\mu$, $\mu$ of the run's own Hessian, and rounding; for balance what the gradient "
        "allows at any point"
    ),
    refuted_by="a minimum, a product or a layer other than the closed form at real depth",
    control="the same runs held against depth as the number of layers, and Frobenius norms and balance of all layers",
    scope=everywhere,
    arms=(
        Arm(
            "F",
            value_ratio,
            declared(value_gap=ValueOf("value_gap_counted")),
            declared(value_gap=Off(0, {"1": 1e-12})),
        ),
        Arm(
            "X",
            product_ratio,
            declared(distance=ValueOf("distance_counted")),
            declared(distance=Off(0, {"1": 1e-12})),
        ),
        Arm(
            "norms",
            energy_ratio,
            declared(energy_gap=ValueOf("frobenius_gap")),
            declared(energy_gap=Off(0, {"1": 1e-11})),
        ),
        Arm(
            "balance",
            balance_ratio,
            declared(imbalance=ValueOf("plain_imbalance")),
            declared(imbalance=Off(0, {"1": 2e-12})),
        ),
    ),
    study="mixed_norms",
    eligible=is_minimal,
)


def minimizer_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of the proximal map from the search over its tolerance, (cell, start)."""
    return abs(evidence["found"] - evidence["predicted"]) / evidence["minimizer_tolerance"]


def tie_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of the threshold from its bracket over its tolerance, (cell, start)."""
    ratio = abs(evidence["found_tie"] - evidence["predicted_tie"]) / evidence["tie_tolerance"]
    return ratio.broadcast_like(evidence["found"]).transpose("cell", "start")


REAL_DEPTH = Claim(
    title="The proximal map of every Schatten-p is that of eq. 2 at depth 2/p",
    source="Beyond Theorem 5",
    statements=("Beyond the paper: real depth",),
    statement=(
        r"For $0 < p \leq 1$ the minimizer of $(m - x)^2 + \lambda L |x|^p$ is that of Theorem 5 at the real depth "
        r"$L = 2/p$: zero up to $m^*(L, \lambda)$, the large root of $h(x) = m$ beyond it."
    ),
    statistic=(
        "the largest departure of the minimizer, and of the threshold, from a search at 50 digits that knows no root, "
        "in units of tolerance"
    ),
    tolerance="rounding of powers in float64, for the minimizer over the curvature there",
    refuted_by="another minimizer or another threshold at some exponent",
    control="the closed forms at the nearest whole depth, declared to be those at real depth",
    scope=everywhere,
    arms=(
        Arm(
            "minimizer",
            minimizer_ratio,
            declared(predicted=ValueOf("whole")),
            declared(predicted=Off("found", {"m": 1e-13})),
        ),
        Arm(
            "threshold",
            tie_ratio,
            declared(predicted_tie=ValueOf("whole_tie")),
            declared(predicted_tie=Off("found_tie", {"found_tie": 1e-13})),
        ),
    ),
    study="real_depth",
    eligible=is_certified,
    basis="formula",
)
