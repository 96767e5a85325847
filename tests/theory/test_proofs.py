"""The formulas of docs/theory.md at points where they could fail: any point, any roots, any distance."""

from itertools import pairwise, product

import numpy as np
import pytest
import torch

from dmf import theory
from dmf.theory.spectrum import aligned_spectrum

WIDTHS = [[3, 3, 3], [2, 4, 3], [4, 5, 4, 3], [3, 3, 3, 3, 3], [2, 3, 4, 2, 3, 2]]


def loss(target, lam):
    target = torch.tensor(target)

    def value(layers):
        whole = layers[0]
        for layer in layers[1:]:
            whole = layer @ whole
        return ((target - whole) ** 2).sum() + lam * sum((layer**2).sum() for layer in layers)

    return value


def gradient(layers, target, lam):
    weights = [torch.tensor(layer, requires_grad=True) for layer in layers]
    loss(target, lam)(weights).backward()
    return [weight.grad.numpy() for weight in weights]


def hessian(layers, target, lam):
    """Dense, (N, N), by reverse over reverse."""
    shapes, sizes = [layer.shape for layer in layers], [layer.size for layer in layers]
    value = loss(target, lam)

    def of_vector(theta):
        return value([part.reshape(shape) for part, shape in zip(torch.split(theta, sizes), shapes, strict=True)])

    theta = torch.tensor(np.concatenate([layer.ravel() for layer in layers]))
    return torch.func.jacrev(torch.func.grad(of_vector))(theta).numpy()


def norm(layers):
    return float(np.sqrt(sum(np.sum(layer**2) for layer in layers)))


def random_layers(widths, rng):
    return [rng.standard_normal(shape[::-1]) for shape in pairwise(widths)]


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_section_1_the_balancedness_identity_holds_at_every_point_and_bounds_the_imbalance(widths):
    rng, lam = np.random.default_rng(0), 0.3
    layers, target = random_layers(widths, rng), rng.standard_normal((widths[-1], widths[0]))
    slopes = gradient(layers, target, lam)
    for (below, above), (slope_below, slope_above) in zip(pairwise(layers), pairwise(slopes), strict=True):
        imbalance = above.T @ above - below @ below.T
        left = above.T @ slope_above - slope_below @ below.T
        np.testing.assert_allclose(left, 2 * lam * imbalance, atol=1e-12 * np.abs(left).max())
        bound = np.linalg.norm(above, 2) * np.linalg.norm(slope_above)
        bound += np.linalg.norm(below, 2) * np.linalg.norm(slope_below)
        assert 0 < np.linalg.norm(imbalance) <= bound / (2 * lam)


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
@pytest.mark.parametrize("rank", [1, 2])
def test_section_2_orthogonal_matrices_carry_one_minimizer_to_another(draw_target, widths, rank):
    rng, target, lam = np.random.default_rng(1), draw_target(widths, rank), 0.05
    first, second = (theory.sample_minimizer(target, widths, lam, rng) for _ in range(2))
    below = np.eye(widths[0])
    for start, goal in zip(first[:-1], second[:-1], strict=True):
        moved = start @ below.T
        left, _, right_t = np.linalg.svd(goal @ moved.T)  # the orthogonal Q nearest to Q moved = goal
        below = left @ right_t
        np.testing.assert_allclose(below @ moved, goal, atol=1e-13)
    np.testing.assert_allclose(first[-1] @ below.T, second[-1], atol=1e-13)


def roots(sigma, depth, lam):
    return [0.0, float(theory.small_root(sigma, depth, lam)), float(theory.large_root(sigma, depth, lam))]


def listed(sigma, x, widths, lam):
    """The table of section 5 for L >= 3, literally: sigma and x in the order of the singular vectors, x_i = 0 last."""
    depth, r = len(widths) - 1, int(np.count_nonzero(x))
    s, hidden = x ** (1 / depth), widths[1:-1]
    values = [0.0] * sum(d * r - r * (r + 1) // 2 for d in hidden)
    values += [4 * lam] * sum(d * r - r * (r - 1) // 2 for d in hidden)
    for i in range(r):
        values.append(2 * depth * s[i] ** (2 * depth - 2) - 2 * lam * (depth - 2))
        values += [2 * s[i] ** (depth - 2) * sigma[i]] * abs(widths[0] - widths[-1])
        for j in range(i + 1, len(sigma)):
            if j < r:
                apart = s[i] ** 2 - s[j] ** 2
                values.append(2 * (sigma[i] - sigma[j]) * (x[i] + x[j]) / apart)
                values.append(2 * (sigma[i] + sigma[j]) * (x[i] - x[j]) / apart)
            else:
                values += [2 * s[i] ** (depth - 2) * (sigma[i] + sign * sigma[j]) for sign in (-1, 1)]
    count = theory.parameter_count(widths)
    return np.sort([*values, *[2 * lam] * (count - len(values))])


def index(sigma, x, depth, lam):
    """Negative eigenvalues by (i), (ii) and (iii) of section 6."""
    kept, dropped = np.flatnonzero(x), np.flatnonzero(x == 0)
    small = sum(x[i] == roots(sigma[i], depth, lam)[1] for i in kept)
    reversed_pairs = sum((sigma[i] - sigma[j]) * (x[i] - x[j]) < 0 for i in kept for j in kept if i < j)
    return small + reversed_pairs + sum(sigma[j] > sigma[i] for i in kept for j in dropped)


@pytest.mark.parametrize("widths", [[3, 3, 3, 3], [4, 5, 3, 3], [3, 3, 4, 3, 3]], ids=str)
def test_sections_5_and_6_spectrum_and_index_of_every_combination_of_roots(aligned_layers, widths):
    lam, depth, sigma = 0.06, len(widths) - 1, np.array([2.0, 1.3, 0.8])
    target = np.eye(widths[-1], widths[0])
    target[range(3), range(3)] = sigma
    for choice in product(range(3), repeat=3):
        x = np.array([roots(value, depth, lam)[pick] for value, pick in zip(sigma, choice, strict=True)])
        computed = np.linalg.eigvalsh(hessian(aligned_layers(target, widths, x), target, lam))
        order = np.argsort(x == 0, kind="stable")
        table = listed(sigma[order], x[order], widths, lam)
        np.testing.assert_allclose(computed, table, atol=1e-13 * computed[-1])
        packaged = aligned_spectrum(x[order], sigma[order], np.count_nonzero(x), tuple(widths), lam)
        np.testing.assert_allclose(packaged, table, atol=1e-14 * computed[-1])
        assert np.count_nonzero(computed < -1e-9) == index(sigma, x, depth, lam)
        assert (computed[0] > -1e-9) == (list(choice) in [[0, 0, 0], [2, 0, 0], [2, 2, 0], [2, 2, 2]])


def test_section_6_weak_regularization_makes_mu_at_most_four_lambda(draw_target):
    for lam in (1e-6, 1e-3, 0.1):
        spectrum = theory.hessian_spectrum(draw_target([3, 4, 3, 3]), [3, 4, 3, 3], lam)
        assert theory.smallest_positive_eigenvalue(spectrum) <= 4 * lam


def moved(layers, distance, rng):
    """Layers at that distance in a random direction."""
    move = [rng.standard_normal(layer.shape) for layer in layers]
    size = norm(move)
    return [layer + distance / size * one for layer, one in zip(layers, move, strict=True)]


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
@pytest.mark.parametrize("distance", [1e-6, 1e-3, 0.1, 1.0])
def test_section_8_no_point_within_delta_exceeds_the_tolerances(draw_target, widths, distance):
    rng, target, lam, depth = np.random.default_rng(2), draw_target(widths), 0.1, len(widths) - 1
    layers = theory.sample_minimizer(target, widths, lam, rng)
    x_star = theory.end_to_end_minimizer(target, depth, lam)
    top = np.linalg.norm(x_star, 2) ** (1 / depth)
    alpha_sq = theory.layer_norm_sq(target, depth, lam)
    trace = theory.minimizer_hessian_trace(target, widths, lam)
    # along the layers themselves every product grows together: the worst direction, besides random ones
    outward = [layer * (1 + distance / norm(layers)) for layer in layers]
    for near in [outward, *(moved(layers, distance, rng) for _ in range(20))]:
        off = np.linalg.norm(theory.end_to_end(near) - x_star)
        assert off <= np.sqrt(depth) * (top + distance) ** (depth - 1) * distance * (1 + 1e-12) + 1e-13
        for layer in near:
            assert abs(np.sum(layer**2) - alpha_sq) <= 2 * np.sqrt(alpha_sq) * distance + distance**2 + 1e-13
        power = 2 * depth - 2
        allowed = 2 * depth * max(widths) ** 2 * ((top + distance) ** power - top**power)
        assert abs(theory.hessian_trace(near, lam) - trace) <= allowed + 1e-12 * trace


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_section_8_twice_the_gradient_over_mu_bounds_the_distance_within_mu_over_c(draw_target, widths):
    rng, target, lam, depth = np.random.default_rng(3), draw_target(widths), 0.1, len(widths) - 1
    layers = theory.sample_minimizer(target, widths, lam, rng)
    mu = theory.smallest_positive_eigenvalue(theory.hessian_spectrum(target, widths, lam))
    values, vectors = np.linalg.eigh(hessian(layers, target, lam))
    top = np.linalg.norm(theory.end_to_end_minimizer(target, depth, lam), 2) ** (1 / depth) * 1.01
    rho = mu / theory.hessian_lipschitz(depth, top, np.linalg.norm(target - theory.end_to_end(layers), 2))
    minimum = theory.minimum_value(target, depth, lam)
    sizes = np.cumsum([0, *(layer.size for layer in layers)])
    across = np.flatnonzero(values > mu / 2)
    for column in [across[0], across[-1], *rng.choice(across, 20)]:
        step = rho * vectors[:, column]
        near = [layer + step[a:b].reshape(layer.shape) for layer, (a, b) in zip(layers, pairwise(sizes), strict=True)]
        assert max(np.linalg.norm(layer, 2) for layer in near) <= top
        slope = norm(gradient(near, target, lam))
        assert rho <= 2 * slope / mu
        assert theory.objective(near, target, lam) - minimum <= 4 * slope**2 / (2 * mu) + 1e-13
    # the slowest direction needs the whole of 1 / mu
    first = vectors[:, across[0]] * 1e-7
    near = [layer + first[a:b].reshape(layer.shape) for layer, (a, b) in zip(layers, pairwise(sizes), strict=True)]
    assert norm(gradient(near, target, lam)) == pytest.approx(mu * 1e-7, rel=1e-3)
