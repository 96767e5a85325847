"""Problems are what they are called; steps against autograd, theory, duality, and one another."""

import numpy as np
import pytest
import torch

from dmf import theory
from dmf.studies._measurements import (
    COMPLETION,
    SENSING,
    Method,
    Point,
    descend,
    draw,
    lipschitz,
    objective,
    proximal_step,
    slope,
)
from dmf.studies.recovery import degrees_of_freedom, lower_bound, stack

EPS = float(np.finfo(float).eps)


def general(count: int = 3, rows: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Operators and measurements of 4 x 5 matrices, without any structure."""
    rng = np.random.default_rng(count)
    return rng.standard_normal((count, rows, 20)), rng.standard_normal((count, rows))


def test_the_slope_is_that_of_autograd_and_the_lipschitz_constant_the_largest_curvature():
    operators, measurements = general()
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((3, 4, 5))).requires_grad_()
    gap = torch.einsum("bnk,bk->bn", torch.from_numpy(operators), x.flatten(1)) - torch.from_numpy(measurements)
    gap.square().sum().backward()
    np.testing.assert_allclose(slope(operators, measurements, x.detach().numpy()), x.grad.numpy(), rtol=1e-11)
    curvature = [np.linalg.eigvalsh(2 * a.T @ a)[-1] for a in operators]
    np.testing.assert_allclose(lipschitz(operators), curvature, rtol=1e-12)


@pytest.mark.parametrize("penalty", [theory.Power(0.7, 0.5), theory.Log(0.5, 0.2), theory.Scad(0.4, 3.0)])
def test_a_step_minimizes_what_it_is_made_of(penalty):
    """X_{k+1} is below every point near and far in sum g + <grad f, X - X_k> + mu/2 ||X - X_k||^2 (eq. 97)."""
    operators, measurements = general(1)
    rng = np.random.default_rng(4)
    x, mu = rng.standard_normal((4, 5)), 1.5 * float(lipschitz(operators)[0])
    gradient = slope(operators, measurements, x[None])[0]

    def model(y: np.ndarray) -> float:
        values = np.linalg.svd(y, compute_uv=False)
        values[values < 1e-13] = 0
        return float(np.sum(penalty(values)) + np.sum(gradient * (y - x)) + mu / 2 * np.sum((y - x) ** 2))

    new = proximal_step(operators, measurements, penalty, mu, x[None])
    at = model(new.matrix[0])
    np.testing.assert_allclose(np.linalg.svd(new.matrix[0], compute_uv=False), new.singular_values[0], atol=1e-14)
    for size in np.geomspace(1e-4, 3, 400):
        assert at <= model(new.matrix[0] + size * rng.standard_normal((4, 5))) + 1e-12
    for factor in np.linspace(0, 2, 41):
        assert at <= model(factor * new.matrix[0]) + 1e-12


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_with_every_entry_measured_one_step_at_mu_two_ends_at_the_theory(depth):
    target = np.random.default_rng(depth).standard_normal((4, 5))
    operators, measurements = np.eye(20)[None], target.reshape(1, -1)
    lam = 0.3 * float(theory.critical_lambda(np.linalg.norm(target, 2), depth))
    penalty = theory.Power.of_depth(depth, lam)
    start = np.random.default_rng(9).standard_normal((1, 4, 5))
    point = proximal_step(operators, measurements, penalty, 2.0, start)
    np.testing.assert_allclose(point.matrix[0], theory.end_to_end_minimizer(target, depth, lam), atol=1e-14)
    value = float(objective(operators, measurements, penalty, point)[0])
    assert value == pytest.approx(theory.minimum_value(target, depth, lam), rel=1e-13)


@pytest.mark.parametrize("accelerated", [False, True])
def test_the_convex_problem_is_minimized_as_duality_confirms(accelerated):
    rng = np.random.default_rng(7)
    problem = stack([draw(SENSING, (5, 6), rank, count, rng) for rank, count in ((1, 14), (2, 20), (3, 30))])
    lam = 0.02
    penalties = [theory.Power.of_depth(2, 10 * lam), theory.Power.of_depth(2, lam)]
    operators, measurements = problem.operators, problem.measurements
    start = rng.standard_normal((3, 5, 6))
    end = descend(operators, measurements, penalties, start, Method(2.1, 1e-12, 20_000, accelerated))
    assert (end.step <= 1e-12).all()
    value = objective(operators, measurements, penalties[-1], end.point)
    below = lower_bound(operators, measurements, np.full(3, lam), end.point.matrix)
    assert (value - below <= 1e-10 * value).all()
    assert (value - below >= -16 * EPS * value).all()


def test_momentum_that_is_restarted_takes_a_quarter_of_the_steps():
    """Without restarts it turns around its goal, and takes as many as no momentum."""
    rng = np.random.default_rng(7)
    problem = stack([draw(SENSING, (5, 6), rank, count, rng) for rank, count in ((1, 14), (2, 20))])
    given = problem.operators, problem.measurements, [theory.Power.of_depth(2, 0.02)]
    start = rng.standard_normal((2, 5, 6))
    plain, fast = (descend(*given, start, Method(2.1, 1e-12, 20_000, one)).steps for one in (False, True))
    assert (fast < plain / 4).all()


def test_runs_end_on_their_own_and_a_limit_leaves_them_with_a_long_step():
    rng = np.random.default_rng(1)
    problem = stack([draw(SENSING, (4, 4), 1, 12, rng) for _ in range(3)])
    operators, measurements = problem.operators, problem.measurements
    penalties, start = [theory.Power.of_depth(3, 0.02)], rng.standard_normal((3, 4, 4))
    whole = descend(operators, measurements, penalties, start, Method(2.05, 1e-10, 5000))
    assert (whole.step <= 1e-10).all()
    assert len(set(whole.steps.tolist())) > 1
    for run in range(3):
        one = slice(run, run + 1)
        alone = descend(operators[one], measurements[one], penalties, start[one], Method(2.05, 1e-10, 5000))
        np.testing.assert_allclose(alone.point.matrix[0], whole.point.matrix[run], atol=1e-9)
        assert abs(alone.steps[0] - whole.steps[run]) <= 1
    cut = descend(operators, measurements, penalties, start, Method(2.05, 1e-10, 5))
    assert cut.steps.tolist() == [5, 5, 5]
    assert (cut.step > 1e-10).all()


def test_early_penalties_only_lead_the_way():
    problem = stack([draw(SENSING, (4, 4), 1, 12, np.random.default_rng(1))])
    operators, measurements = problem.operators, problem.measurements
    light, heavy = theory.Power.of_depth(3, 0.02), theory.Power.of_depth(3, 2.0)
    led = descend(operators, measurements, [heavy, light], np.ones((1, 4, 4)), Method(2.05, 1e-9, 5000))
    from_zero = descend(operators, measurements, [light], np.zeros((1, 4, 4)), Method(2.05, 1e-9, 5000))
    only_heavy = descend(operators, measurements, [heavy], np.ones((1, 4, 4)), Method(2.05, 1e-9, 5000))
    assert (only_heavy.point.matrix == 0).all()
    np.testing.assert_array_equal(led.point.matrix, from_zero.point.matrix)
    assert led.steps > from_zero.steps


def test_a_point_keeps_exact_zeros_that_an_svd_would_lose():
    operators, measurements = general(2)
    point = proximal_step(operators, measurements, theory.Power(3.0, 0.5), 50.0, np.zeros((2, 4, 5)))
    again = Point.at(point.matrix).singular_values
    assert (point.singular_values == 0).any()
    assert (point.singular_values > 0).any()
    np.testing.assert_allclose(again, point.singular_values, atol=1e-14)


@pytest.mark.parametrize("kind", [SENSING, COMPLETION])
@pytest.mark.parametrize(("shape", "rank", "count"), [((4, 6), 2, 9), ((5, 5), 5, 25), ((3, 1), 1, 1)])
def test_a_truth_has_its_rank_and_norm_and_rows_are_orthonormal(kind, shape, rank, count):
    truth, operator = draw(kind, shape, rank, count, np.random.default_rng(1))
    values = np.linalg.svd(truth, compute_uv=False)
    assert values[0] == pytest.approx(1)
    assert np.count_nonzero(values > 1e-12) == rank
    np.testing.assert_allclose(operator @ operator.T, np.eye(count), atol=1e-14)


def test_completion_sees_single_entries_row_by_row():
    truth, operator = draw(COMPLETION, (4, 6), 2, 10, np.random.default_rng(1))
    assert ((operator == 0) | (operator == 1)).all()
    assert (operator.sum(1) == 1).all()
    place = operator.argmax(1)
    np.testing.assert_array_equal(operator @ truth.ravel(), truth[place // 6, place % 6])


def test_short_operators_are_filled_up_with_rows_that_measure_nothing():
    rng = np.random.default_rng(2)
    drawn = [draw(SENSING, (3, 4), 1, count, rng) for count in (5, 8)]
    problem = stack(drawn)
    assert problem.operators.shape == (2, 8, 12)
    assert (problem.operators[0, 5:] == 0).all()
    for (truth, operator), found in zip(drawn, problem.measurements, strict=True):
        np.testing.assert_allclose(found[: len(operator)], operator @ truth.ravel(), rtol=1e-13)
        assert (found[len(operator) :] == 0).all()


@pytest.mark.parametrize(("shape", "rank"), [((8, 8), 1), ((8, 8), 3), ((4, 7), 2), ((3, 5), 3)])
def test_degrees_of_freedom_are_the_rank_of_the_map_from_factors_to_matrices(shape, rank):
    rng = np.random.default_rng(3)
    left, right = rng.standard_normal((shape[0], rank)), rng.standard_normal((rank, shape[1]))
    columns = [np.outer(e, right[k]).ravel() for k in range(rank) for e in np.eye(shape[0])]
    columns += [np.outer(left[:, k], e).ravel() for k in range(rank) for e in np.eye(shape[1])]
    assert np.linalg.matrix_rank(np.array(columns)) == degrees_of_freedom(shape, rank)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((SENSING, (3, 4), 4, 5), "rank 4, measurements 5: expected at most 3 and 12"),
        ((SENSING, (3, 4), 2, 13), "rank 2, measurements 13"),
        (("denoising", (3, 4), 2, 5), "kind 'denoising': expected sensing or completion"),
    ],
)
def test_impossible_problems_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        draw(*arguments, np.random.default_rng(0))
