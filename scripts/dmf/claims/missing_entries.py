"""Beyond the paper: factorizations of matrices with missing entries."""

import numpy as np
import xarray as xr

from dmf.evidence.claim import Arm, Claim
from dmf.evidence.controls import Declared, Off, Value, ValueOf, declared, where
from dmf.evidence.eligibility import everywhere


def observed_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of observed entries over its tolerance, (cell, start)."""
    return evidence["observed_gap"] / evidence["observed_tolerance"]


def norm_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Difference of layer norms over its tolerance, (cell, start)."""
    return evidence["norm_gap"] / evidence["norm_tolerance"]


def flip_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Change of F by the flipped signs over its tolerance, (cell, start)."""
    return evidence["flip_gap"] / evidence["flip_tolerance"]


def moved_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """What may be the error of X, in units of how far flipped signs move it, (cell, start)."""
    return evidence["moved_tolerance"] / evidence["moved"]


def count_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """How many minimizers fewer than the least number there are, in quarters, (cell, start)."""
    fewer = (evidence["predicted_count"] - evidence["count"]) / evidence["count_tolerance"]
    return fewer.broadcast_like(evidence["certified"]).transpose("cell", "start")


def is_lowest(evidence: xr.Dataset) -> xr.DataArray:
    """Certified runs at the lowest value of their cell, (cell, start)."""
    return ((evidence["minimal"] == 1) & np.isfinite(evidence["radius"])).transpose("cell", "start")


def is_linked(evidence: xr.Dataset) -> xr.DataArray:
    """Runs whose X has entries between components, (cell, start)."""
    return evidence["linked"] == 1


def blocks(**fields: Value) -> Declared:
    """Two observed blocks, with fields declared otherwise."""
    return declared(where(problem="two blocks"), **fields)


def diagonal(**fields: Value) -> Declared:
    """An observed diagonal, with fields declared otherwise."""
    return declared(where(problem="diagonal"), **fields)


MISSING_ENTRIES = Claim(
    title="Where entries are missing, observed ones and norms are determined, and signs of components are free",
    source="Beyond Theorem 10",
    statements=("Beyond the paper: missing entries",),
    statement=(
        r"For almost all observed entries all global minimizers of $\sum_\Omega (M_{ij} - X_{ij})^2 + \lambda \sum_l "
        r"\|W_l\|_F^2$ agree in $X_{ij}$ on $\Omega$ and in $\|W_l\|_F$. Flipping the signs of a component of the "
        r"graph of observations gives another one, so that $c$ components have at least $2^{c-1}$, unless $X$ is zero "
        "between components."
    ),
    statistic=(
        "over runs at the lowest value of their cell, the largest of: distance of observed entries, difference of "
        "layer norms, and change of $F$ by flipped signs, in units of tolerance; the tolerance of $X$ in units of how "
        "far these move it; and how many minimizers are too few, in quarters"
    ),
    tolerance=(
        r"the radii $2\|\nabla F\|/\mu$ of both runs, each $\mu$ of that run's Hessian, and rounding; a quarter for "
        "numbers of minimizers"
    ),
    refuted_by="lowest runs that differ where entries are observed, or flipped signs that change $F$",
    control=(
        "unobserved entries, declared to be observed; runs that ended at zero, declared to be lowest; signs of a part "
        "of a component; a component that is not kept, declared to be linked to another; and a connected graph, "
        "declared to have two components"
    ),
    scope=everywhere,
    arms=(
        Arm(
            "observed",
            observed_ratio,
            blocks(observed_gap=ValueOf("full_gap")),
            diagonal(observed_gap=Off(0, {"1": 2e-12})),
        ),
        Arm(
            "layer norms",
            norm_ratio,
            blocks(minimal=ValueOf("certified")),
            diagonal(norm_gap=Off(0, {"1": 2e-12})),
        ),
        Arm("flip", flip_ratio, blocks(flip_gap=ValueOf("broken_gap")), diagonal(flip_gap=Off(0, {"1": 1e-12}))),
        Arm(
            "another X",
            moved_ratio,
            declared(where(kind="small entry"), linked=1),
            diagonal(moved=Off(0, {"1": 5e-14})),
            concerns=is_linked,
        ),
        Arm(
            "number",
            count_ratio,
            declared(where(problem="connected"), predicted_count=2, linked=1),
            diagonal(count=Off("predicted_count", {"1": -1})),
            concerns=is_linked,
        ),
    ),
    study="missing_entries",
    eligible=is_lowest,
)
