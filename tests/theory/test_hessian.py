"""Sharpness against 50-digit spectra and Hessians from automatic differentiation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dmf import theory

RTOL = 1e-12
ALWAYS_SAME = settings(deadline=None, derandomize=True, max_examples=60)
# widths, rank of the target
CASES = [
    ([3, 3, 3], 3),
    ([4, 5, 3], 2),
    ([3, 3, 3, 3], 3),
    ([4, 5, 4, 3], 3),
    ([2, 4, 3, 4, 3], 2),
    ([3, 2, 4, 2], 1),
    ([2, 2, 2, 2, 2, 2], 2),
    ([1, 3, 4], 1),
    ([4, 1, 2, 1], 1),
    ([1, 1, 1, 1, 1], 1),
    ([2, 2, 2, 2, 2, 2, 2], 2),
    ([1, 2, 3, 1], 1),
]


def dense_hessian(layers, target, lam):
    """Hessian of eq. 2 over all parameters, shape (N, N), by automatic differentiation in torch."""
    import torch

    torch.set_num_threads(1)
    shapes = [layer.shape for layer in layers]
    sizes = [layer.size for layer in layers]
    target = torch.tensor(np.asarray(target, dtype=float))

    def loss(theta):
        weights = [p.reshape(s) for p, s in zip(torch.split(theta, sizes), shapes, strict=True)]
        product = weights[0]
        for weight in weights[1:]:
            product = weight @ product
        return ((target - product) ** 2).sum() + lam * (theta**2).sum()

    theta = torch.tensor(np.concatenate([layer.ravel() for layer in layers]))
    # reverse over reverse: forward mode makes torch import code that warns of its own deprecation
    return torch.func.jacrev(torch.func.grad(loss))(theta).numpy()


def assert_same_spectrum(computed, expected, rtol=1e-13):
    assert computed.shape == expected.shape
    np.testing.assert_allclose(computed, expected, rtol=0, atol=rtol * np.abs(expected).max())


def test_matrix_sharpness_equals_the_50_digit_oracle(oracle):
    for case in oracle["matrix"]:
        target, widths, lam = np.array(case["target"], dtype=float), case["widths"], float(case["lam"])
        trace = theory.minimizer_hessian_trace(target, widths, lam)
        assert trace == pytest.approx(float(case["hessian_trace"]), rel=RTOL)
        bound = theory.trace_lower_bound(target, widths, lam)
        assert bound == pytest.approx(float(case["trace_lower_bound"]), rel=RTOL)
        exact = np.array(case["hessian_spectrum"], dtype=float)
        assert_same_spectrum(theory.hessian_spectrum(target, widths, lam), exact)


@pytest.mark.parametrize("depth", [2, 3, 4, 7])
@pytest.mark.parametrize("m", [0.0, 0.05, -0.3, 1.5, -4.0])
@pytest.mark.parametrize("lam", [0.02, 0.5])
def test_scalar_spectrum_equals_autograd_at_minimizers_of_any_sign_pattern(depth, m, lam):
    x = float(theory.scalar_minimizer(m, depth, lam))
    signs = np.where(np.arange(depth) % 2 == 0, 1.0, -1.0)
    signs[-1] *= np.prod(signs) * (np.sign(x) if x else 1.0)  # so that the product is x
    layers = [np.array([[sign * abs(x) ** (1 / depth)]]) for sign in signs]
    expected = np.linalg.eigvalsh(dense_hessian(layers, [[m]], lam))
    assert_same_spectrum(theory.scalar_hessian_spectrum(m, depth, lam), expected)


@pytest.mark.parametrize("depth", [2, 3, 6, 20])
@pytest.mark.parametrize("m", [0.01, 0.9, 40.0])
def test_the_matrix_spectrum_of_a_one_by_one_problem_is_the_scalar_one(depth, m):
    scalar = theory.scalar_hessian_spectrum(m, depth, 0.03)
    assert_same_spectrum(theory.hessian_spectrum([[m]], [1] * (depth + 1), 0.03), scalar)


@pytest.mark.parametrize(("depth", "m"), [(3, 2.0), (5, 0.7), (8, 30.0)])
def test_vanishing_regularization_leaves_the_known_sharpness_of_the_flattest_solution(depth, m):
    """2 L m^{2 - 2/L} (Mulayoff and Michaeli 2020), in the convention without 1/2."""
    sharpest = theory.scalar_hessian_spectrum(m, depth, 1e-12)[-1]
    assert sharpest == pytest.approx(2 * depth * m ** (2 - 2 / depth), rel=1e-10)


@ALWAYS_SAME
@given(seed=st.integers(0, 10**6), case=st.sampled_from(CASES), lam=st.floats(1e-6, 10))
def test_hessian_trace_equals_autograd_at_any_point(draw_target, seed, case, lam):
    widths, rank = case
    rng, target = np.random.default_rng(seed), draw_target(widths, rank, seed)
    layers = [rng.standard_normal((widths[k + 1], widths[k])) for k in range(len(widths) - 1)]
    expected = np.trace(dense_hessian(layers, target, lam))
    assert theory.hessian_trace(layers, lam) == pytest.approx(expected, rel=RTOL)


def test_hessian_trace_holds_for_hidden_widths_below_the_end_widths():
    """eq. 90-92 need no reachable X."""
    rng = np.random.default_rng(1)
    layers = [rng.standard_normal((1, 3)), rng.standard_normal((4, 1)), rng.standard_normal((3, 4))]
    expected = np.trace(dense_hessian(layers, rng.standard_normal((3, 3)), 0.4))
    assert theory.hessian_trace(layers, 0.4) == pytest.approx(expected, rel=RTOL)


@pytest.mark.parametrize(("widths", "rank"), CASES, ids=str)
@pytest.mark.parametrize("lam", [0.01, 0.4, 20.0])
def test_spectrum_equals_autograd_at_every_level_saddles_included(draw_target, aligned_layers, widths, rank, lam):
    target, depth = draw_target(widths, rank), len(widths) - 1
    sigma = np.linalg.svd(target, compute_uv=False)
    for kept in range(theory.max_kept(target, depth, lam) + 1):
        x = theory.level_singular_values(sigma, depth, lam, kept)
        expected = np.linalg.eigvalsh(dense_hessian(aligned_layers(target, widths, x), target, lam))
        computed = theory.hessian_spectrum(target, widths, lam, kept)
        assert_same_spectrum(computed, expected)
        largest = expected[-1]
        assert np.count_nonzero(computed < -1e-9 * largest) == np.count_nonzero(expected < -1e-9 * largest)


@pytest.mark.parametrize(("widths", "rank"), CASES, ids=str)
@pytest.mark.parametrize("lam", [0.01, 0.4, 20.0])
def test_spectrum_is_that_of_a_randomly_gauged_minimizer(draw_target, widths, rank, lam):
    target = draw_target(widths, rank, seed=3)
    layers = theory.sample_minimizer(target, widths, lam, np.random.default_rng(4))
    expected = np.linalg.eigvalsh(dense_hessian(layers, target, lam))
    computed = theory.hessian_spectrum(target, widths, lam)
    assert_same_spectrum(computed, expected)
    assert computed[0] >= -1e-13 * computed[-1]
    trace = theory.minimizer_hessian_trace(target, widths, lam)
    assert trace == pytest.approx(theory.hessian_trace(layers, lam), rel=RTOL)
    assert trace == pytest.approx(computed.sum(), rel=RTOL)


@pytest.mark.parametrize("widths", [[3, 3, 3], [3, 4, 3, 3], [3, 3, 3, 3, 3]], ids=str)
def test_spectrum_holds_for_repeated_singular_values(widths):
    target, lam = np.diag([2.0, 2.0, 0.9]), 0.05
    layers = theory.sample_minimizer(target, widths, lam, np.random.default_rng(5))
    expected = np.linalg.eigvalsh(dense_hessian(layers, target, lam))
    assert_same_spectrum(theory.hessian_spectrum(target, widths, lam), expected)


def test_levels_of_depth_three_are_local_minima_and_those_of_depth_two_are_saddles():
    target, lam = np.diag([3.0, 2.0, 1.0]), 0.05
    for kept in range(4):
        deep = theory.hessian_spectrum(target, [3, 3, 3, 3], lam, kept)
        assert deep[0] >= -1e-13 * deep[-1]
        shallow = theory.hessian_spectrum(target, [3, 3, 3], lam, kept)
        # every missing value adds descent directions, one for each of the hidden coordinates that are free
        assert np.count_nonzero(shallow < -1e-9) == (3 - kept) ** 2


@pytest.mark.parametrize(("widths", "rank"), CASES, ids=str)
@pytest.mark.parametrize("lam", [1e-4, 0.05, 0.4])
def test_zero_eigenvalues_count_the_dimension_of_the_orbit_of_minimizers(draw_target, widths, rank, lam):
    target, depth = draw_target(widths, rank, seed=6), len(widths) - 1
    spectrum = theory.hessian_spectrum(target, widths, lam)
    orbit = theory.zero_modes(widths, theory.kept_at_minimum(target, depth, lam))
    smallest = theory.smallest_positive_eigenvalue(spectrum)
    assert np.count_nonzero(spectrum < smallest) == orbit
    np.testing.assert_allclose(spectrum[:orbit], 0, atol=1e-13 * spectrum[-1])


def test_orbit_dimension_is_that_of_products_of_stiefel_manifolds(draw_target):
    """The tangent space at a minimizer is the image of skew A_l under W_l -> A_l W_l - W_l A_{l-1}."""
    widths, lam = [3, 4, 5, 3], 0.05
    target = draw_target(widths, 2)
    layers = theory.sample_minimizer(target, widths, lam, np.random.default_rng(7))
    tangents = []
    for hidden in (1, 2):
        for i in range(widths[hidden]):
            for j in range(i):
                skew = np.zeros((widths[hidden], widths[hidden]))
                skew[i, j], skew[j, i] = 1, -1
                moves = [np.zeros_like(layer) for layer in layers]
                moves[hidden - 1], moves[hidden] = skew @ layers[hidden - 1], -layers[hidden] @ skew
                tangents.append(np.concatenate([move.ravel() for move in moves]))
    assert np.linalg.matrix_rank(np.array(tangents)) == theory.zero_modes(widths, 2)


def test_zero_modes_of_small_cases():
    assert theory.zero_modes([3, 3, 3], 3) == 3  # O(3)
    assert theory.zero_modes([1, 4, 1], 1) == 3  # the sphere in four dimensions
    assert theory.zero_modes([1, 1, 1, 1], 1) == 0  # signs only
    assert theory.zero_modes([5, 6, 7, 5], 0) == 0


def test_smallest_positive_eigenvalue_passes_over_rounding_and_negative_values():
    assert theory.smallest_positive_eigenvalue([-3.0, -1e-16, 2e-16, 1e-9, 5.0]) == 1e-9
    assert theory.smallest_positive_eigenvalue(np.array([4.0])) == 4.0


@ALWAYS_SAME
@given(seed=st.integers(0, 10**6), case=st.sampled_from(CASES), lam=st.floats(1e-4, 5))
def test_trace_is_above_its_lower_bound(draw_target, seed, case, lam):
    widths, rank = case
    target = draw_target(widths, rank, seed)
    trace, bound = (
        theory.minimizer_hessian_trace(target, widths, lam),
        theory.trace_lower_bound(target, widths, lam),
    )
    assert trace >= bound * (1 - 1e-13)
    kept = theory.kept_at_minimum(target, len(widths) - 1, lam)
    attained = kept == 0 or (kept == 1 and widths[0] == widths[-1] == 1)
    assert (trace <= bound * (1 + 1e-12)) == attained


def test_the_smallest_positive_eigenvalue_bounds_the_distance_to_the_minimizers(draw_target):
    """||grad F|| is at least mu times the distance, to first order, in every direction across the orbit."""
    widths, lam = [3, 3, 3, 3], 0.1
    target, rng = draw_target(widths, 3), np.random.default_rng(8)
    layers = theory.sample_minimizer(target, widths, lam, rng)
    hessian = dense_hessian(layers, target, lam)
    values, vectors = np.linalg.eigh(hessian)
    mu = theory.smallest_positive_eigenvalue(theory.hessian_spectrum(target, widths, lam))
    across = vectors[:, values > mu / 2]
    ratios = [
        np.linalg.norm(hessian @ (across @ d)) / np.linalg.norm(d) for d in rng.standard_normal((50, across.shape[1]))
    ]
    assert min(ratios) >= mu * (1 - 1e-10)
    assert np.linalg.norm(hessian @ across[:, 0]) == pytest.approx(mu, rel=1e-9)


def test_rounding_does_not_blur_zero_modes_of_deep_or_weakly_regularized_problems():
    rng = np.random.default_rng(9)
    for depth, lam in [(2, 1e-6), (3, 1e-6), (6, 1e-5), (20, 1e-3), (40, 1e-2)]:
        target, widths = rng.standard_normal((4, 5)), [5] * depth + [4]
        spectrum = theory.hessian_spectrum(target, widths, lam)
        orbit = theory.zero_modes(widths, theory.kept_at_minimum(target, depth, lam))
        assert np.count_nonzero(np.abs(spectrum) < 1e-13 * spectrum[-1]) == orbit
        assert theory.smallest_positive_eigenvalue(spectrum) > 1e-10 * spectrum[-1]


def test_a_hundred_thousand_parameters_have_the_exact_trace_and_number_of_zero_modes():
    """Too large for a dense Hessian: its trace and zero modes are known in closed form."""
    rng = np.random.default_rng(10)
    target, widths, lam = rng.standard_normal((150, 160)), [160, 170, 150, 160, 150], 0.05
    spectrum = theory.hessian_spectrum(target, widths, lam)
    assert spectrum.size == theory.parameter_count(widths) == 100_700
    assert math.fsum(spectrum) == pytest.approx(theory.minimizer_hessian_trace(target, widths, lam), rel=1e-11)
    orbit = theory.zero_modes(widths, theory.kept_at_minimum(target, 4, lam))
    assert np.count_nonzero(np.abs(spectrum) < 1e-12 * spectrum[-1]) == orbit


@pytest.mark.parametrize("kept", [(), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)], ids=str)
@pytest.mark.parametrize("depth", [3, 4])
def test_negative_eigenvalues_at_any_critical_point_count_what_was_kept_wrongly(aligned_layers, kept, depth):
    """Large roots on any set, L >= 3: one for each dropped value larger than a kept one, so prefixes are minima."""
    sigma, lam, widths = np.array([3.0, 2.0, 1.0]), 0.05, [3] * (depth + 1)
    x = np.where(np.isin(np.arange(3), kept), theory.large_root(sigma, depth, lam), 0.0)
    target = np.diag(sigma)
    values = np.linalg.eigvalsh(dense_hessian(aligned_layers(target, widths, x), target, lam))
    wrong = sum(1 for i in kept for j in range(3) if j not in kept and sigma[j] > sigma[i])
    assert np.count_nonzero(values < -1e-9) == wrong


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_two_eigenvalues_belong_to_every_critical_point(draw_target, depth):
    """W_l S_{l-1} - S_l W_l has eigenvalue 4 lam for symmetric S, 0 for skew S, whatever gauge the layers are in."""
    widths, lam = [3, *[4, 5, 3, 4][: depth - 1], 3], 0.07
    target, rng = draw_target(widths), np.random.default_rng(11)
    layers = theory.sample_minimizer(target, widths, lam, rng)
    hessian = dense_hessian(layers, target, lam)
    for sign, eigenvalue in [(1, 4 * lam), (-1, 0.0)]:
        blocks = [np.zeros((3, 3)), *[rng.standard_normal((width, width)) for width in widths[1:-1]], np.zeros((3, 3))]
        blocks = [block + sign * block.T for block in blocks]
        moves = [layer @ blocks[k] - blocks[k + 1] @ layer for k, layer in enumerate(layers)]
        move = np.concatenate([move.ravel() for move in moves])
        np.testing.assert_allclose(hessian @ move, eigenvalue * move, atol=1e-12 * np.abs(hessian).max())
