"""The matrix problem against 50-digit values, direct minimization and variational inequalities."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dmf import theory

RTOL = 1e-12
ALWAYS_SAME = settings(deadline=None, derandomize=True, max_examples=60)
# d_0, ..., d_L: square, rectangular either way, wide hidden layers, one row, one column, one entry
SHAPES = [
    [3, 3, 3],
    [4, 5, 4, 3],
    [2, 4, 3, 4, 3],
    [5, 3, 3],
    [1, 2, 4],
    [4, 2, 1, 1],
    [1, 1, 1, 1],
    [2, 9, 2],
]


def gradient_norm(layers, target, lam):
    """Norm of the gradient of eq. 2 by reverse-mode differentiation in torch."""
    import torch

    torch.set_num_threads(1)
    weights = [torch.tensor(layer, requires_grad=True) for layer in layers]
    product = weights[0]
    for weight in weights[1:]:
        product = weight @ product
    loss = ((torch.tensor(target) - product) ** 2).sum() + lam * sum((w**2).sum() for w in weights)
    loss.backward()
    return math.sqrt(sum(float((w.grad**2).sum()) for w in weights))


def with_singular_values(sigma, rows, columns, seed=0):
    rng = np.random.default_rng(seed)
    left = np.linalg.qr(rng.standard_normal((rows, rows)))[0][:, : len(sigma)]
    right = np.linalg.qr(rng.standard_normal((columns, columns)))[0][:, : len(sigma)]
    return (left * np.asarray(sigma)) @ right.T


def test_matrix_quantities_equal_the_50_digit_oracle(oracle):
    for case in oracle["matrix"]:
        target, depth, lam = (
            np.array(case["target"], dtype=float),
            len(case["widths"]) - 1,
            float(case["lam"]),
        )
        exact_x = np.array(case["end_to_end"], dtype=float)
        x = theory.end_to_end_minimizer(target, depth, lam)
        np.testing.assert_allclose(x, exact_x, rtol=0, atol=RTOL * np.abs(exact_x).max(initial=1e-300))
        assert theory.minimum_value(target, depth, lam) == pytest.approx(float(case["objective"]), rel=RTOL)
        assert theory.layer_norm_sq(target, depth, lam) == pytest.approx(float(case["layer_norm_sq"]), rel=RTOL)
        kept = sum(float(value) > 0 for value in case["x_star"])
        assert theory.kept_at_minimum(target, depth, lam) == kept
        sigma = np.array(case["singular_values"], dtype=float)
        levels = theory.level_singular_values(sigma, depth, lam, kept)
        np.testing.assert_allclose(levels, np.array(case["x_star"], dtype=float), rtol=RTOL, atol=0)


@pytest.mark.parametrize("widths", SHAPES, ids=str)
@pytest.mark.parametrize("lam", [1e-3, 0.3, 50.0])
def test_sampled_minimizers_are_critical_and_attain_every_closed_form(draw_target, widths, lam):
    target, depth = draw_target(widths), len(widths) - 1
    layers = theory.sample_minimizer(target, widths, lam, np.random.default_rng(1))
    assert [layer.shape for layer in layers] == [(widths[k + 1], widths[k]) for k in range(depth)]
    scale = np.linalg.norm(target)
    x = theory.end_to_end_minimizer(target, depth, lam)
    np.testing.assert_allclose(theory.end_to_end(layers), x, rtol=0, atol=1e-13 * scale)
    assert theory.objective(layers, target, lam) == pytest.approx(theory.minimum_value(target, depth, lam), rel=RTOL)
    assert theory.schatten_objective(x, target, depth, lam) == pytest.approx(
        theory.minimum_value(target, depth, lam), rel=1e-10
    )
    alpha_sq = theory.layer_norm_sq(target, depth, lam)
    for layer in layers:
        assert np.sum(layer**2) == pytest.approx(alpha_sq, rel=RTOL, abs=0)
    for below, above in pairwise(layers):
        np.testing.assert_allclose(above.T @ above, below @ below.T, atol=1e-13 * (1 + alpha_sq))
    assert gradient_norm(layers, target, lam) <= 1e-12 * (1 + scale) ** 2 * (1 + lam)


def test_two_draws_differ_in_gauge_only(draw_target):
    widths, lam = [3, 4, 5, 3], 0.2
    target, rng = draw_target(widths), np.random.default_rng(2)
    first, second = (theory.sample_minimizer(target, widths, lam, rng) for _ in range(2))
    assert np.abs(first[0] - second[0]).max() > 0.1
    np.testing.assert_allclose(theory.end_to_end(first), theory.end_to_end(second), atol=1e-13)


def test_sampled_gauge_is_uniform():
    """One kept direction in a hidden width of 3: its mean is 0 and its covariance I/3 over draws."""
    rng, target = np.random.default_rng(3), np.array([[2.0]])
    draws = np.array([theory.sample_minimizer(target, [1, 3, 1], 0.5, rng)[0][:, 0] for _ in range(4000)])
    directions = draws / np.linalg.norm(draws, axis=1, keepdims=True)
    np.testing.assert_allclose(directions.mean(axis=0), 0, atol=0.04)
    np.testing.assert_allclose(directions.T @ directions / len(directions), np.eye(3) / 3, atol=0.03)


@pytest.mark.parametrize("widths", [[2, 2, 2], [2, 2, 2, 2], [3, 2, 2, 2], [2, 3, 2, 2, 2], [1, 2, 2]], ids=str)
@pytest.mark.parametrize("lam", [0.05, 0.6])
def test_direct_minimization_from_many_starts_finds_no_lower_value_and_reaches_the_minimum(draw_target, widths, lam):
    import torch

    target, depth = draw_target(widths, seed=5), len(widths) - 1
    goal = torch.from_numpy(target)
    rng = np.random.default_rng(6)

    def lowest_value():
        layers = [torch.from_numpy(rng.standard_normal(shape[::-1])).requires_grad_() for shape in pairwise(widths)]
        search = torch.optim.LBFGS(layers, max_iter=300, tolerance_change=0, line_search_fn="strong_wolfe")

        def value():
            search.zero_grad()
            product = torch.linalg.multi_dot(layers[::-1])
            loss = ((goal - product) ** 2).sum() + lam * sum((layer**2).sum() for layer in layers)
            loss.backward()
            return loss

        search.step(value)
        return value().item()

    found = [lowest_value() for _ in range(6)]
    minimum = theory.minimum_value(target, depth, lam)
    assert min(found) >= minimum * (1 - 1e-12)
    assert min(found) <= minimum * (1 + 1e-5)


@ALWAYS_SAME
@given(seed=st.integers(0, 10**6), shape=st.sampled_from(SHAPES), lam=st.floats(1e-4, 10))
def test_objective_is_above_the_schatten_objective_which_is_above_the_minimum(draw_target, seed, shape, lam):
    """Theorem 3: the Schatten term is the least layer cost of a product."""
    rng, target, depth = np.random.default_rng(seed), draw_target(shape, seed=seed), len(shape) - 1
    layers = [rng.standard_normal((shape[k + 1], shape[k])) for k in range(depth)]
    schatten = theory.schatten_objective(theory.end_to_end(layers), target, depth, lam)
    assert theory.objective(layers, target, lam) >= schatten * (1 - 1e-12)
    assert schatten >= theory.minimum_value(target, depth, lam) * (1 - 1e-12)


@ALWAYS_SAME
@given(seed=st.integers(0, 10**6), depth=st.integers(2, 8), lam=st.floats(1e-3, 3), size=st.floats(-8, 0))
def test_small_moves_away_from_the_minimizer_never_lower_the_schatten_objective(draw_target, seed, depth, lam, size):
    rng, target = np.random.default_rng(seed), draw_target([3, 4, 4], seed=seed)
    minimum = theory.minimum_value(target, depth, lam)
    moved = theory.end_to_end_minimizer(target, depth, lam) + 10.0**size * rng.standard_normal(target.shape)
    assert theory.schatten_objective(moved, target, depth, lam) >= minimum * (1 - 1e-13)


def test_schatten_objective_ignores_singular_values_made_of_rounding():
    rng = np.random.default_rng(0)
    x = np.outer(rng.standard_normal(5), rng.standard_normal(4))
    norm = np.linalg.norm(x)
    for depth in (2, 6, 40):
        assert theory.schatten_objective(x, x, depth, 0.3) == pytest.approx(
            0.3 * depth * norm ** (2 / depth), rel=1e-12
        )


@pytest.mark.parametrize("depth", [2, 3, 4, 6])
def test_repeated_singular_values_of_a_multiple_of_the_identity(depth):
    lam, size = 0.1, 5
    x = float(theory.scalar_minimizer(2.0, depth, lam))
    np.testing.assert_allclose(theory.end_to_end_minimizer(2 * np.eye(size), depth, lam), x * np.eye(size), atol=1e-15)
    single = float(theory.scalar_objective(x, 2.0, depth, lam))
    assert theory.minimum_value(2 * np.eye(size), depth, lam) == pytest.approx(size * single, rel=1e-14)
    assert theory.kept_at_minimum(2 * np.eye(size), depth, lam) == size


@pytest.mark.parametrize("depth", [2, 3, 5, 40])
def test_rank_deficient_targets_keep_no_more_than_their_rank(draw_target, depth):
    target = draw_target([6, 6, 5], rank=2)
    for kept in (theory.kept_at_minimum, theory.max_kept):
        assert kept(target, depth, 1e-6) == 2
    assert theory.kept_at_minimum(np.zeros((3, 2)), depth, 1e-6) == 0
    np.testing.assert_array_equal(theory.end_to_end_minimizer(np.zeros((3, 2)), depth, 1e-6), np.zeros((3, 2)))


@pytest.mark.parametrize("depth", [2, 3, 7])
def test_the_minimizer_collapses_exactly_at_lambda_c_of_the_largest_singular_value(draw_target, depth):
    target = draw_target([4, 4, 3])
    lambda_c = float(theory.critical_lambda(np.linalg.norm(target, 2), depth))
    assert np.any(theory.end_to_end_minimizer(target, depth, lambda_c * (1 - 1e-9)))
    assert not np.any(theory.end_to_end_minimizer(target, depth, lambda_c * (1 + 1e-9)))
    assert theory.layer_norm_sq(target, depth, lambda_c * (1 + 1e-9)) == 0
    lambda_s = float(theory.branch_lambda(np.linalg.norm(target, 2), depth))
    assert theory.max_kept(target, depth, lambda_s * (1 - 1e-9)) == 1
    assert theory.max_kept(target, depth, lambda_s * (1 + 1e-9)) == 0


def test_a_singular_value_at_m_star_gives_two_minimizers_of_one_value():
    """The exceptional set of Remark 12: the control in which uniqueness is false."""
    depth, lam = 3, 0.2
    m_star, x_jump = float(theory.collapse_threshold(depth, lam)), float(theory.jump(depth, lam))
    target = np.diag([3.0, m_star])
    assert theory.exceptional_distance(target, depth, lam) <= 1e-15
    kept = float(theory.scalar_minimizer(3.0, depth, lam))
    collapsed, jumped = np.diag([kept, 0.0]), np.diag([kept, x_jump])
    values = [theory.schatten_objective(x, target, depth, lam) for x in (collapsed, jumped)]
    np.testing.assert_allclose(values, theory.minimum_value(target, depth, lam), rtol=1e-14)


def test_exceptional_distance_is_relative_to_m_star_and_infinite_for_depth_two():
    m_star = float(theory.collapse_threshold(4, 0.1))
    target = with_singular_values([3 * m_star, 1.25 * m_star, 0.5 * m_star], 4, 3)
    assert theory.exceptional_distance(target, 4, 0.1) == pytest.approx(0.25, rel=1e-12)
    assert theory.exceptional_distance(np.array([[0.1]]), 2, 0.1) == math.inf


@pytest.mark.parametrize("widths", [[3, 3, 3], [3, 4, 3, 3], [4, 3, 5, 3, 3], [3, 3, 4, 4, 4, 4]], ids=str)
@pytest.mark.parametrize("lam", [0.01, 0.2])
def test_levels_are_critical_points_with_the_listed_objectives(aligned_layers, widths, lam):
    target, depth = with_singular_values([3.0, 1.8, 0.9], widths[-1], widths[0]), len(widths) - 1
    levels = theory.critical_levels(target, depth, lam)
    assert levels.shape == (theory.max_kept(target, depth, lam) + 1,)
    assert levels[0] == pytest.approx(np.sum(target**2), rel=1e-14)
    sigma = np.linalg.svd(target, compute_uv=False)
    for kept, level in enumerate(levels):
        layers = aligned_layers(target, widths, theory.level_singular_values(sigma, depth, lam, kept))
        assert gradient_norm(layers, target, lam) < 1e-12
        assert theory.objective(layers, target, lam) == pytest.approx(level, rel=RTOL)
    assert np.argmin(levels) == theory.kept_at_minimum(target, depth, lam)
    assert levels.min() == pytest.approx(theory.minimum_value(target, depth, lam), rel=1e-14)


def test_between_the_two_thresholds_the_deepest_level_is_spurious():
    m_star, m_loc = (float(t(3, 0.2)) for t in (theory.collapse_threshold, theory.branch_threshold))
    target = np.diag([3.0, (m_star + m_loc) / 2])
    assert (theory.kept_at_minimum(target, 3, 0.2), theory.max_kept(target, 3, 0.2)) == (1, 2)
    levels = theory.critical_levels(target, 3, 0.2)
    assert levels[2] > levels[1]


def test_small_levels_keep_their_digits_next_to_a_large_target():
    """Keeping three of four costs about lam L sum x^{2/L}, 10^-12 of ||M||_F^2 here."""
    sigma, depth, lam = np.array([1e3, 10.0, 1.0, 1e-6]), 4, 1e-8
    levels = theory.critical_levels(np.diag(sigma), depth, lam)
    assert len(levels) == 4
    for kept, level in enumerate(levels):
        x = theory.scalar_minimizer(sigma[:kept], depth, lam)
        # sigma - x = lam x^{-1/2} at a critical point
        exact = math.fsum([*(lam * x**-0.5) ** 2, *(lam * depth * np.sqrt(x)), *sigma[kept:] ** 2])
        assert level == pytest.approx(exact, rel=1e-12)
    assert theory.minimum_value(np.diag(sigma), depth, lam) == pytest.approx(exact, rel=1e-12)


def test_depth_two_equals_nuclear_norm_shrinkage(draw_target):
    """2 lam ||X||_* + ||M - X||_F^2 has the soft-thresholded SVD as its minimizer."""
    target = draw_target([5, 5, 4])
    left, sigma, right_t = np.linalg.svd(target, full_matrices=False)
    shrunk = np.maximum(sigma - 0.4, 0)
    np.testing.assert_allclose(theory.end_to_end_minimizer(target, 2, 0.4), (left * shrunk) @ right_t, atol=1e-14)
    expected = np.sum((target - (left * shrunk) @ right_t) ** 2) + 0.8 * shrunk.sum()
    assert theory.minimum_value(target, 2, 0.4) == pytest.approx(expected, rel=1e-13)


def test_parameters_are_counted_over_all_layers():
    assert theory.parameter_count([4, 5, 4, 3]) == 4 * 5 + 5 * 4 + 4 * 3
