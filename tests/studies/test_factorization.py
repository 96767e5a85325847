"""Factorizations on measurements against autograd, the engine on targets, and the theory."""

import ast
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from dmf import theory
from dmf.studies import _factorization
from dmf.studies._factorization import evaluate, train_factorizations
from dmf.studies._measurements import SENSING, draw
from dmf.studies.recovery import excess_allowed, lower_bound, stack
from dmf.training.engine import train
from dmf.training.settings import Lbfgs, Status
from dmf.training.tasks import Execution, Tasks


def layers_of(widths: tuple[int, ...], count: int, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((count, m, n)) / np.sqrt(n) for n, m in pairwise(widths)]


@pytest.mark.parametrize("widths", [(3, 4, 2), (2, 5, 3, 4), (3, 3, 3, 3, 3)])
def test_value_and_gradient_are_those_of_autograd(widths):
    rng = np.random.default_rng(0)
    layers = layers_of(widths, 4, 1)
    operators, measurements = rng.standard_normal((4, 7, widths[0] * widths[-1])), rng.standard_normal((4, 7))
    lams = np.array([0.1, 1e-3, 2.0, 0.5])
    value, gradient, end_to_end = evaluate(operators, measurements, lams, layers)
    tensors = [torch.from_numpy(layer).requires_grad_() for layer in layers]
    product = tensors[0]
    for layer in tensors[1:]:
        product = layer @ product
    gap = torch.einsum("bnk,bk->bn", torch.from_numpy(operators), product.flatten(1)) - torch.from_numpy(measurements)
    cost = gap.square().sum(1) + torch.from_numpy(lams) * sum(layer.square().sum((1, 2)) for layer in tensors)
    cost.sum().backward()
    np.testing.assert_allclose(value, cost.detach().numpy(), rtol=1e-13)
    np.testing.assert_allclose(end_to_end, product.detach().numpy(), rtol=1e-12, atol=1e-14)
    expected = np.concatenate([layer.grad.numpy().reshape(4, -1) for layer in tensors], axis=1)
    np.testing.assert_allclose(gradient, expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_with_every_entry_measured_runs_are_those_of_the_engine_on_the_target(depth):
    targets = np.random.default_rng(depth).standard_normal((5, 4, 4))
    lams, tolerance = np.full(5, 0.05), np.full(5, 1e-9)
    starts = layers_of((4,) * (depth + 1), 5, 3)
    operators = np.repeat(np.eye(16)[None], 5, axis=0)
    run = train_factorizations(operators, targets.reshape(5, -1), lams, starts, tolerance)
    method = Lbfgs(name="lbfgs", memory=_factorization.MEMORY)
    other = train(Tasks(targets, lams, tolerance), starts, method, on=Execution("torch"))
    assert (run.status == Status.CONVERGED).all()
    assert (run.gradient_norm <= 1.01 * tolerance).all()
    np.testing.assert_allclose(run.objective, other.objective, rtol=1e-12)
    np.testing.assert_allclose(run.end_to_end, other.end_to_end, atol=1e-7)
    levels = [theory.critical_levels(target, depth, 0.05) for target in targets]
    for value, known in zip(run.objective, levels, strict=True):
        assert np.abs(known / value - 1).min() < 1e-12


def test_rows_of_zeros_change_nothing():
    rng = np.random.default_rng(5)
    problem = stack([draw(SENSING, (3, 4), 1, 9, rng), draw(SENSING, (3, 4), 1, 12, rng)])
    lams, tolerance, starts = np.full(2, 0.01), np.full(2, 1e-9), layers_of((4, 4, 3), 2, 6)
    both = train_factorizations(problem.operators, problem.measurements, lams, starts, tolerance)
    operators, measurements = problem.operators[:1, :9], problem.measurements[:1, :9]
    one = train_factorizations(operators, measurements, lams[:1], [layer[:1] for layer in starts], tolerance[:1])
    np.testing.assert_allclose(one.objective[0], both.objective[0], rtol=1e-12)
    np.testing.assert_allclose(one.end_to_end[0], both.end_to_end[0], atol=1e-7)


def test_a_limit_of_iterations_is_said_and_a_start_that_is_not_finite_diverges():
    problem = stack([draw(SENSING, (3, 4), 1, 9, np.random.default_rng(5))] * 2)
    starts = layers_of((4, 4, 3), 2, 6)
    starts[0][1] = np.nan
    run = train_factorizations(
        problem.operators, problem.measurements, np.full(2, 0.01), starts, np.full(2, 1e-12), max_iterations=3
    )
    assert run.status.tolist() == [Status.ITERATION_LIMIT, Status.DIVERGED]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"operators": np.ones((2, 5, 11))}, r"operators: shape \(2, 5, 11\), expected \(2, 5, 12\)"),
        ({"measurements": np.ones((1, 5))}, r"measurements: shape \(1, 5\), expected \(2, 5\)"),
        ({"lams": np.ones(3)}, r"lams: shape \(3,\), expected \(2,\)"),
    ],
)
def test_shapes_that_do_not_fit_are_named(change, message):
    given = {"operators": np.ones((2, 5, 12)), "measurements": np.ones((2, 5)), "lams": np.ones(2)} | change
    with pytest.raises(ValueError, match=message):
        train_factorizations(**given, starts=layers_of((4, 4, 3), 2, 6), gradient_tolerance=np.ones(2))


def test_training_on_measurements_knows_no_theory():
    tree = ast.parse(Path(_factorization.__file__).read_text(encoding="utf-8"))
    names = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert names
    assert not [name for name in names if name.startswith("dmf.theory")]


def test_what_two_layers_may_miss_the_minimum_by_holds_where_it_is_known():
    """With every entry measured the minimum is closed form: near minimizers the bound covers, and it shrinks."""
    rng = np.random.default_rng(8)
    target, lams = rng.standard_normal((4, 4)), np.array([0.6])
    operators, measurements = np.eye(16)[None], target.reshape(1, -1)
    minimum = theory.minimum_value(target, 2, 0.6)
    best = theory.end_to_end_minimizer(target, 2, 0.6)
    below = lower_bound(operators, measurements, lams, best[None])
    assert float(below[0]) == pytest.approx(minimum, rel=1e-13)
    for size in np.geomspace(1e-1, 1e-7, 25):
        layers = theory.sample_minimizer(target, (4, 4, 4), 0.6, rng)
        moved = [(layer + size * rng.standard_normal((4, 4)))[None] for layer in layers]
        value, gradient, product = evaluate(operators, measurements, lams, moved)
        allowed = float(excess_allowed(lams, moved, np.linalg.norm(gradient, axis=1), value)[0])
        assert 0 <= value[0] - minimum <= allowed
        assert float(lower_bound(operators, measurements, lams, product)[0]) <= minimum * (1 + 1e-14)
    assert allowed < 1e-3
