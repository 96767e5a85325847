"""Tolerances and measures of runs at points that no optimizer chose."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import xarray as xr

from dmf.dataset.schema import Block, runs_dataset
from dmf.evidence.certify import certify
from dmf.evidence.train_controls import NO_STEP
from dmf.grid.cells import Group, Series
from dmf.grid.targets import TargetMatrix
from dmf.training.engine import train
from dmf.training.tasks import Tasks


def evidence_at(layers: Sequence[np.ndarray], target: np.ndarray, lam: float) -> xr.Dataset:
    """Evidence of points given as layers (B, d_l, d_{l-1}), one target and lambda."""
    count = len(layers[0])
    tasks = Tasks(np.repeat(target[None], count, axis=0), np.full(count, lam), np.full(count, 1e-10))
    runs = train(tasks, layers, NO_STEP)
    widths = (target.shape[1], *(layer.shape[1] for layer in layers))
    starts = [(Series("gaussian", 1.0), i) for i in range(count)]
    targets = [TargetMatrix("t", "t", "drawn", "f", target)]
    block = Block(Group(widths), targets, ["x"], np.array([[lam]]), np.array([1e-10]), starts)
    return certify([runs_dataset(block, runs)]).isel(cell=0)


@pytest.mark.parametrize("widths", [(1, 1, 1, 1), (2, 2, 2), (3, 5, 4, 2), (3, 3, 3, 3, 3)])
@pytest.mark.parametrize("lam", [1e-3, 1.0, 30.0])
def test_the_gradient_norm_bounds_the_imbalance_at_any_point(widths: tuple[int, ...], lam: float) -> None:
    """Theorem 2 in the form that needs no critical point: the data terms cancel, for any layers."""
    rng = np.random.default_rng(2)
    layers = [rng.standard_normal((60, m, n)) for n, m in pairwise(widths)]
    run = evidence_at(layers, rng.standard_normal((widths[-1], widths[0])), lam)
    allowed = run["imbalance_slope"] * run["gradient_norm"] + run["imbalance_floor"]
    assert (run["imbalance"] <= allowed).all()
    assert (run["singular_value_gap"] <= run["imbalance"] * (1 + 1e-12)).all()
    # where regularization is most of the gradient, little is given away
    assert float((run["imbalance"] / allowed).max()) > (0.1 if lam > 10 else 0)


def shared_bases(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A 4 x 3 target with a repeated singular value, and its bases turned inside that value's space."""
    left, right = (np.linalg.qr(rng.standard_normal((size, 3)))[0] for size in (4, 3))
    target = (left * np.array([3.0, 2.0, 2.0])) @ right.T
    angle = rng.uniform(0, 2 * np.pi)
    turn = np.eye(3)
    turn[1:, 1:] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return target, left @ turn, right @ turn


def test_misalignment_vanishes_for_shared_singular_vectors_in_any_basis_of_a_repeated_value() -> None:
    rng = np.random.default_rng(3)
    target, left, right = shared_bases(rng)
    x = (left * np.array([2.0, 1.0, 0.2])) @ right.T
    run = evidence_at([np.repeat(right.T[None], 2, axis=0), np.repeat(x[None] @ right, 2, axis=0)], target, 0.1)
    assert run["misalignment"].values.max() < 1e-14


def test_misalignment_is_the_angle_for_a_small_turn_and_no_more_than_the_distance() -> None:
    rng = np.random.default_rng(4)
    target, left, right = shared_bases(rng)
    angle = 1e-4
    turn = np.eye(3)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    x = (left @ turn * np.array([2.0, 1.0, 0.2])) @ right.T
    run = evidence_at([np.repeat(right.T[None], 2, axis=0), np.repeat(x[None] @ right, 2, axis=0)], target, 0.1)
    # X M^T in the left basis: entry (1, 2) is -angle x_2 sigma_2, entry (2, 1) is angle x_1 sigma_1
    expected = np.sqrt(2) * angle * (2 * 3 + 1 * 2) / (2 * 3)
    mixed = np.sqrt(2) * angle * abs(2 * 2 + 1 * 3) / (2 * 3)
    assert run["misalignment"].values[0] == pytest.approx(max(expected, mixed), rel=1e-6)


def test_the_schatten_objective_drops_what_rounding_makes_of_zero() -> None:
    """A rank-one product in 5 x 5 at depth 6: rounding of 1e-17 would add lam L (1e-17)^(1/3) = 1e-5 for each."""
    rng = np.random.default_rng(6)
    vectors = np.linalg.qr(rng.standard_normal((5, 5)))[0][:, :1]
    layer = np.repeat((vectors @ vectors.T)[None], 2, axis=0)
    target = rng.standard_normal((5, 5))
    run: Any = evidence_at([layer] * 6, target, 0.5)
    truth = np.sum((target - vectors @ vectors.T) ** 2) + 0.5 * 6
    np.testing.assert_allclose(run["schatten"].values, truth, rtol=1e-12)
    np.testing.assert_allclose(run["objective"].values, truth, rtol=1e-12)
