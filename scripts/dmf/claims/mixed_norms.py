"""Beyond the paper: layers with other norms, and depths that are no whole numbers."""

import numpy as np
import xarray as xr

from dmf.evidence.claim import Arm, Claim
from dmf.evidence.controls import Off, ValueOf, declared
from dmf.evidence.eligibility import everywhere


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
