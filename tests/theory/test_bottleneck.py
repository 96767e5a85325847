"""Bottlenecks by brute force over which directions to keep, by autograd's Hessian, and on both exceptional sets."""

from itertools import combinations

import numpy as np
import pytest
import torch

from dmf import theory

WIDTHS = [[3, 2, 3], [4, 1, 3], [3, 2, 2, 3], [4, 3, 2, 3, 5], [3, 3, 3, 3]]


def draw(widths, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((widths[-1], widths[0]))


def aligned(matrix, widths, x):
    """Layers with singular values x^{1/L} in the singular bases of a matrix."""
    depth, cut = len(widths) - 1, min(widths)
    left, _, right_t = np.linalg.svd(matrix)
    layers = [np.zeros((widths[k + 1], widths[k])) for k in range(depth)]
    for layer in layers:
        np.fill_diagonal(layer[:cut, :cut], x[:cut] ** (1 / depth))
    layers[0], layers[-1] = layers[0] @ right_t, left @ layers[-1]
    return layers


@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize("share", [0.05, 0.3, 0.8, 1.1])
def test_no_other_choice_of_directions_is_lower(widths, share):
    matrix, depth = draw(widths), len(widths) - 1
    sigma = np.linalg.svd(matrix, compute_uv=False)
    lam = share * float(theory.critical_lambda(sigma[0], depth))
    values = {
        kept: sum(
            theory.scalar_objective(theory.scalar_minimizer(s, depth, lam) * (i in kept), s, depth, lam)
            for i, s in enumerate(sigma)
        )
        for count in range(min(widths) + 1)
        for kept in combinations(range(sigma.size), count)
    }
    assert theory.bottleneck_minimum(matrix, widths, lam) == pytest.approx(min(values.values()), rel=1e-13)
    x = theory.bottleneck_singular_values(sigma, depth, lam, min(widths))
    layers = aligned(matrix, widths, x)
    np.testing.assert_allclose(theory.end_to_end(layers), theory.bottleneck_minimizer(matrix, widths, lam), atol=1e-13)
    assert theory.objective(layers, matrix, lam) == pytest.approx(min(values.values()), rel=1e-12)


@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize("tied", [False, True])
def test_the_spectrum_is_that_of_autograd(widths, tied):
    matrix, depth = draw(widths, 3), len(widths) - 1
    left, sigma, right_t = np.linalg.svd(matrix, full_matrices=False)
    cut = min(widths)
    if tied and cut < sigma.size:
        sigma[cut] = sigma[cut - 1]
    matrix = (left * sigma) @ right_t
    lam = 0.1 * float(theory.critical_lambda(sigma[0], depth))
    layers = aligned(matrix, widths, theory.bottleneck_singular_values(sigma, depth, lam, min(widths)))
    sizes, shapes = [layer.size for layer in layers], [layer.shape for layer in layers]

    def value(theta):
        product = torch.eye(widths[0], dtype=torch.float64)
        for part, shape in zip(torch.split(theta, sizes), shapes, strict=True):
            product = part.reshape(shape) @ product
        return ((torch.from_numpy(matrix) - product) ** 2).sum() + lam * (theta**2).sum()

    theta = torch.from_numpy(np.concatenate([layer.ravel() for layer in layers]))
    expected = np.linalg.eigvalsh(torch.autograd.functional.hessian(value, theta).numpy())
    found = theory.bottleneck_spectrum(matrix, widths, lam)
    np.testing.assert_allclose(found, expected, atol=1e-12 * expected.max())


def test_a_tie_at_the_cut_adds_a_zero_for_each_pair_of_a_kept_and_a_dropped_direction():
    def zeros(sigma, width):
        return int(np.sum(np.abs(theory.bottleneck_spectrum(np.diag(sigma), [3, width, 3, 3], 0.1)) < 1e-13))

    assert zeros([2.0, 1.0, 1.0], 2) == zeros([2.0, 1.0, 0.9], 2) + 1
    assert zeros([1.0, 1.0, 1.0], 1) == zeros([1.0, 0.9, 0.8], 1) + 2
    assert zeros([1.0, 1.0, 1.0], 2) == zeros([1.0, 0.9, 0.8], 2) + 2
    assert zeros([1.0, 1.0, 0.9], 2) == zeros([1.0, 0.95, 0.9], 2), "a tie within what is kept is no choice"


def test_distances_are_zero_on_the_two_sets_and_nowhere_else():
    depth, m_star = 3, 0.5
    lam = float(theory.critical_lambda(m_star, depth))
    at = {
        (2.0, 1.0, 1.0): (1.0, 0.0),
        (2.0, 1.0, m_star): (1.0, np.inf),  # below the cut: m* decides nothing
        (2.0, m_star, 0.2): (0.0, np.inf),
        (2.0, 0.4, 0.4): (0.2, np.inf),  # the tie does not pay
        (2.0, 2.0, 1.0): (3.0, 0.5),
    }
    for sigma, expected in at.items():
        assert theory.bottleneck_distances(sigma, depth, lam, 2) == pytest.approx(expected, abs=1e-14)
    assert theory.bottleneck_distances([1.0, 1.0], 2, 0.1, 1) == (np.inf, 0.0)
    assert theory.bottleneck_distances([1.0, 1.0], 2, 0.1, 2) == (np.inf, np.inf)


def test_the_second_set_has_codimension_two():
    """Gaussian targets within eps of a tie: their number falls as eps^2, that of targets near m* as eps."""
    sigma = np.linalg.svd(np.random.default_rng(0).standard_normal((200_000, 2, 2)), compute_uv=False)
    eps = np.array([0.02, 0.2])
    tied = [np.mean(sigma[:, 0] - sigma[:, 1] < e) for e in eps]
    near = [np.mean(np.abs(sigma - 1.0).min(axis=1) < e) for e in eps]
    assert np.log10(tied[1] / tied[0]) == pytest.approx(2, abs=0.1)
    assert np.log10(near[1] / near[0]) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("width", "words"), [(0, "width = 0: expected an integer >= 1"), (1.5, "width = 1.5: expected an integer >= 1")]
)
def test_bad_widths_are_refused(width, words):
    with pytest.raises(ValueError, match=words):
        theory.bottleneck_singular_values([1.0, 0.5], 3, 0.1, width)
    with pytest.raises(ValueError, match=r"widths = \[3, 2, 4\]: expected d_0 = 3 and d_L = 3"):
        theory.bottleneck_minimizer(np.eye(3), [3, 2, 4], 0.1)
    with pytest.raises(ValueError, match="second exceptional set"):
        theory.hessian_spectrum(np.eye(3), [3, 2, 3], 0.1)
