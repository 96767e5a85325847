"""Where depth 2 can end above its minimum, and why: strict saddles that a symmetry of F makes attractive."""

from copy import deepcopy
from typing import Any

import numpy as np
import pytest

from dmf import theory
from dmf.claims import load_claim
from dmf.dataset.train import train_block
from dmf.evidence.cases import cell_table
from dmf.evidence.certify import certify
from dmf.evidence.judge import finding
from dmf.grid.cells import group_of, lambda_labels, series_of
from dmf.grid.config import validate
from dmf.grid.targets import build_targets
from dmf.training.engine import train
from dmf.training.result import Runs
from dmf.training.settings import GradientDescent, Lbfgs
from dmf.training.starts import draw_start
from dmf.training.tasks import Tasks

TARGET = np.diag([2.0, 1.0])  # det > 0
LAM = 0.3
LBFGS, DESCENT = Lbfgs(name="lbfgs"), GradientDescent(name="gd", step=0.05)


def trained(scheme: str, optimizer: Lbfgs | GradientDescent, tolerance: float, count: int) -> tuple[np.ndarray, Runs]:
    """Sign of det X at the start, and the runs."""
    rng = np.random.default_rng(8)
    starts = [draw_start(scheme, (2, 2, 2), rng) for _ in range(count)]
    layers = [np.stack(layer) for layer in zip(*starts, strict=True)]
    targets = np.repeat(TARGET[None], count, axis=0)
    runs = train(Tasks(targets, np.full(count, LAM), np.full(count, tolerance)), layers, optimizer)
    assert (runs.gradient_norm <= tolerance).all()
    return np.sign(np.linalg.det(layers[1] @ layers[0])), runs


def kept(runs: Runs) -> np.ndarray:
    return np.sum(runs.singular_values > 0.05, axis=1)


@pytest.mark.parametrize(("optimizer", "tolerance"), [(LBFGS, 1e-10), (DESCENT, 1e-3)], ids=["lbfgs", "gd"])
def test_orthogonal_starts_of_the_wrong_determinant_go_to_the_strict_saddle(
    optimizer: Lbfgs | GradientDescent, tolerance: float
) -> None:
    sign, runs = trained("orthogonal", optimizer, tolerance, 40)
    assert min((sign > 0).sum(), (sign < 0).sum()) >= 10
    np.testing.assert_array_equal(kept(runs), np.where(sign > 0, 2, 1))
    # the level k = 1 of depth 2: F is (2 - 1.7)^2 + 2 lam 1.7 + 1, with curvature 2 lam - 2 sigma_2 along the way out
    np.testing.assert_allclose(runs.objective[sign < 0], 0.09 + 1.02 + 1, atol=10 * tolerance)
    assert theory.hessian_spectrum(TARGET, [2, 2, 2], LAM, kept=1)[0] == pytest.approx(2 * LAM - 2)


def test_gradient_descent_is_slow_enough_for_rounding_to_break_the_symmetry() -> None:
    sign, runs = trained("orthogonal", DESCENT, 1e-10, 40)
    assert (sign < 0).sum() >= 10
    assert (kept(runs) == 2).all()


@pytest.mark.parametrize("scheme", ["gaussian", "identity"])
def test_starts_with_a_density_end_at_the_minimum(scheme: str) -> None:
    sign, runs = trained(scheme, LBFGS, 1e-10, 60)
    assert scheme == "identity" or (sign < 0).sum() >= 10
    assert (kept(runs) == 2).all()


SMALL_STARTS = {
    "grid": "saddle",
    "seed": 1,
    "targets": [{"name": "one", "kind": "spectrum", "shape": [1, 1], "singular_values": [1.0]}],
    "depths": [3],
    "lambdas": {"relative": [1e-4]},
    "starts": {"scales": [1e-4], "count": 60},
}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"seed": 7},
        {"certificate": {"gradient_norm": 1e-6}},
        {"depths": [4]},
        {"starts": {"scales": [1], "count": 60}},
    ],
    ids=str,
)
def test_runs_that_stop_beside_a_saddle_at_small_lambda_violate_nothing(change: dict[str, Any]) -> None:
    grid = validate({**deepcopy(SMALL_STARTS), **change}, "saddle")
    (target,) = build_targets(grid, "saddle")
    group = group_of(target.shape, grid.depths[0], grid.hidden_widths, "saddle")
    spans = dict.fromkeys(series_of(grid), range(grid.starts.count))
    evidence = certify([train_block(group, [target], lambda_labels(grid.lambdas), spans, grid)])
    verdict = finding(cell_table(load_claim("levels"), [evidence], grid.certificate), grid.certificate)
    assert verdict.word != "violated", verdict.statistic
