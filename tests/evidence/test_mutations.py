"""Tolerances that are too loose, and numbers that are wrong, are noticed by a verdict: each is broken on purpose."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import xarray as xr

from dmf import theory
from dmf.claims import load_claims
from dmf.dataset.train import train_block
from dmf.evidence import cases, cells, runs, train_controls
from dmf.evidence.certify import certify
from dmf.evidence.claim import Claim
from dmf.evidence.judge import detections, find
from dmf.grid.cells import Group, Series
from dmf.grid.config import Certificate, Grid, validate
from dmf.grid.targets import TargetMatrix
from dmf.theory import certificate
from small import SMALL

CLAIMS = {name: claim for name, claim in load_claims().items() if claim.study == "runs"}
Break = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def grid() -> Grid:
    return validate(deepcopy(SMALL), "small")


@pytest.fixture(scope="module")
def scalar(grid: Grid) -> xr.Dataset:
    """Runs of a 1 x 1 target, where Theorem 15 is an equality: what such a target in a grid is for."""
    target = TargetMatrix("scalar", "scalar", "gaussian", "f", np.array([[1.3]]))
    spans = {Series("gaussian", 1.0): range(4)}
    return train_block(Group((1, 1, 1, 1)), [target], ["0.5c"], spans, grid)


@pytest.fixture
def few_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of the controls, for speed: these are made again for every break."""
    monkeypatch.setattr(train_controls, "DEPTHS", (2, 4))
    monkeypatch.setattr(train_controls, "SHAPES", train_controls.SHAPES[:2])


def times(module: Any, name: str, factor: float) -> Break:
    """What a function returns, multiplied."""
    kept = getattr(module, name)

    def apply(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(module, name, lambda *args, **kwargs: factor * kept(*args, **kwargs))

    return apply


def put(module: Any, name: str, value: Any) -> Break:
    def apply(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(module, name, value)

    return apply


def imbalance_times_100(patch: pytest.MonkeyPatch) -> None:
    kept = certificate.imbalance_tolerance
    patch.setattr(certificate, "imbalance_tolerance", lambda *args: tuple(100 * part for part in kept(*args)))


def not_a_number_is_zero(patch: pytest.MonkeyPatch) -> None:
    kept = Claim.ratio
    patch.setattr(Claim, "ratio", lambda claim, evidence: kept(claim, evidence).fillna(0))


def first_layer_only(patch: pytest.MonkeyPatch) -> None:
    kept = runs._distances

    def distances(cell: runs.Arrays, *rest: Any) -> dict[str, Any]:
        return kept(cell, *rest) | {"layer_norm_sq_max": cell["layer_norm_sq"][..., 0]}

    patch.setattr(runs, "_distances", distances)


def below_the_minimum_dropped(patch: pytest.MonkeyPatch) -> None:
    kept = runs.certificates

    def certificates(*args: Any) -> tuple[Any, Any]:
        certified, minimal = kept(*args)
        low = args[1] < args[4].value - 1e-9
        return certified & ~low, minimal & ~low

    patch.setattr(runs, "certificates", certificates)


# What is broken, and a claim that has to notice it.
BROKEN: dict[str, tuple[Break, str]] = {
    "the radius is 100 times too large": (times(certificate, "radius", 100), "uniqueness"),
    "mu is 100 times too small": (times(cells, "minimizer_curvature", 0.01), "layer_norms"),
    "a factor 3 in place of 2 in the radius": (put(certificate, "SAFETY", 3.0), "uniqueness"),
    "the gap tolerance is a million times too large": (times(runs, "gap_tolerance", 1e6), "levels"),
    "the imbalance tolerance is 100 times too large": (imbalance_times_100, "balancedness"),
    "rounding is 100 times too large": (put(certificate, "ROUNDING", 100 * certificate.ROUNDING), "levels"),
    "the distance tolerance is twice as large": (times(certificate, "distance_tolerance", 2), "collapse"),
    "the trace tolerance is twice as large": (times(certificate, "trace_tolerance", 2), "trace_bound"),
    "the edge is at 10": (put(cases, "EDGE", 10.0), "uniqueness"),
    "no number counts as zero": (not_a_number_is_zero, "uniqueness"),
    "only the first layer's norm is looked at": (first_layer_only, "layer_norms"),
    "runs below the theory's minimum are dropped": (below_the_minimum_dropped, "schatten"),
}  # fmt: skip


@pytest.mark.usefixtures("few_shapes")
@pytest.mark.parametrize("name", BROKEN)
def test_a_control_is_missed_where(name: str, grid: Grid, monkeypatch: pytest.MonkeyPatch) -> None:
    apply, claim = BROKEN[name]
    apply(monkeypatch)
    missed = [
        control.name for control in detections(CLAIMS[claim], train_controls.train_controls(grid)) if control.missed
    ]
    assert missed


@pytest.mark.usefixtures("few_shapes")
def test_no_control_is_missed_where_nothing_is_broken(grid: Grid) -> None:
    controls = train_controls.train_controls(grid)
    assert [c.name for claim in CLAIMS.values() for c in detections(claim, controls) if c.missed] == []


@pytest.mark.parametrize("factor", [2.3, 1 + 1e-6])
def test_a_scalar_target_notices_a_constant_of_theorem_15_that_is_too_large(
    factor: float, scalar: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = CLAIMS["trace_bound"]
    assert find(claim, certify([scalar]), Certificate()).word == "confirmed"
    kept = theory.trace_lower_bound

    def bound(target: Any, widths: Any, lam: float) -> float:
        rest = 2 * lam * theory.parameter_count(widths)
        return factor * (kept(target, widths, lam) - rest) + rest

    monkeypatch.setattr(theory, "trace_lower_bound", bound)
    assert find(claim, certify([scalar]), Certificate()).word == "violated"
