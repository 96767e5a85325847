"""What singular values of a noisy matrix say: published constants, scipy's quadrature, and simulation."""

import numpy as np
import pytest
from scipy.integrate import quad

from dmf.theory import critical_lambda, scalar_minimizer
from dmf.theory import denoising as d

BETAS = [1.0, 0.7, 0.25, 0.01]
THETA = np.linspace(0.01, 60, 60_000)


def density(y: float, beta: float) -> float:
    """Marchenko and Pastur's of a singular value, as their law is written."""
    low, high = (1 - np.sqrt(beta)) ** 2, (1 + np.sqrt(beta)) ** 2
    return np.sqrt(max((high - y**2) * (y**2 - low), 0)) / (np.pi * beta * y)


@pytest.mark.parametrize("beta", BETAS)
def test_the_law_of_noise_is_the_integral_of_its_density(beta):
    high = 1 + np.sqrt(beta)
    for y in np.linspace(1 - np.sqrt(beta), high, 7)[1:-1]:
        assert d.bulk_tail(y, beta) == pytest.approx(quad(density, y, high, args=(beta,), limit=200)[0], abs=1e-9)
    assert d.bulk_tail(high + 1e-9, beta) == 0
    assert d.bulk_tail(1 - np.sqrt(beta) if beta < 1 else 0.0, beta) == pytest.approx(1, abs=1e-12)
    assert quad(density, d.bulk_median(beta), high, args=(beta,), limit=200)[0] == pytest.approx(0.5, abs=1e-9)


@pytest.mark.parametrize(
    ("beta", "known", "unknown"),
    # Gavish and Donoho (2014), tables of lambda_*(beta) and omega(beta)
    [(1.0, 2.3094, 2.8582), (0.5, 1.9786, 2.1711), (0.25, 1.7580, 1.8314), (0.05, 1.5066, 1.5194)],
)
def test_thresholds_are_those_of_the_tables(beta, known, unknown):
    assert d.optimal_threshold(beta) == pytest.approx(known, abs=6e-5)
    assert d.optimal_threshold(beta) / d.bulk_median(beta) == pytest.approx(unknown, abs=6e-3)
    assert d.optimal_threshold(1.0) == pytest.approx(4 / np.sqrt(3), rel=1e-15)
    assert d.optimal_threshold(1.0) / d.bulk_median(1.0) == pytest.approx(2.858, abs=5e-4)


@pytest.mark.parametrize("shape", [(300, 300), (400, 200), (200, 800)])
def test_the_noise_level_is_found_under_a_signal_of_low_rank(shape):
    rng = np.random.default_rng(1)
    noisy = 0.3 * rng.standard_normal(shape)
    sigma = np.linalg.svd(noisy, compute_uv=False)
    assert d.noise_level(sigma, shape) == pytest.approx(0.3, rel=0.01)
    left, right = (np.linalg.qr(rng.standard_normal((size, 5)))[0] for size in shape)
    sigma = np.linalg.svd(noisy + 50 * left @ right.T, compute_uv=False)
    assert d.noise_level(sigma, shape) == pytest.approx(0.3, rel=0.04)
    # Where it must fail: most values are signal.
    left, right = (np.linalg.qr(rng.standard_normal((size, min(shape) * 3 // 4)))[0] for size in shape)
    sigma = np.linalg.svd(noisy + 50 * left @ right.T, compute_uv=False)
    assert d.noise_level(sigma, shape) > 0.6


def test_pure_noise_passes_the_edge_as_often_as_is_said():
    rng, shape = np.random.default_rng(2), (30, 50)
    largest = np.array([np.linalg.norm(rng.standard_normal(shape), 2) for _ in range(6000)])
    at = d.noise_edge(shape, 1.0, d.ONE_PERCENT)
    share = np.mean(largest > at)
    assert abs(share - 0.01) < 4 * np.sqrt(0.01 * 0.99 / 6000)
    assert 0.1 < np.mean(largest > d.noise_edge(shape, 1.0)) < 0.25  # the asymptotic edge alone is passed often
    assert d.noise_edge(shape, 2.0, d.ONE_PERCENT) == pytest.approx(2 * at, rel=1e-15)
    assert d.noise_edge((50, 30), 1.0, 1.0) == d.noise_edge((30, 50), 1.0, 1.0)


@pytest.mark.parametrize("depth", [2, 3, 4, 7])
@pytest.mark.parametrize("shape", [(400, 400), (100, 400)])
def test_lambda_at_the_edge_is_the_published_power_of_the_noise(depth, shape):
    noise, big = 0.07, max(shape)
    b = 1 + np.sqrt(min(shape) / big)
    unit = noise * np.sqrt(big)
    expected = b * unit if depth == 2 else (b * (depth - 2) / (depth - 1) * unit) ** (2 - 2 / depth) / (depth - 2)
    assert d.edge_lambda(shape, noise, depth) == pytest.approx(expected, rel=1e-13)
    if (depth, shape) == (3, (400, 400)):
        assert d.edge_lambda(shape, noise, depth) == pytest.approx(unit ** (4 / 3), rel=1e-13)


@pytest.mark.parametrize("shape", [(900, 900), (300, 1200), (1200, 300)])
def test_a_spike_is_seen_where_and_as_turned_as_is_said(shape):
    rng, beta, big = np.random.default_rng(3), min(shape) / max(shape), max(shape)
    thetas = np.array([3.0, 1.6])
    noise = rng.standard_normal(shape) / np.sqrt(big)
    left, right = (np.linalg.qr(rng.standard_normal((size, 2)))[0] for size in shape)
    u, sigma, v_t = np.linalg.svd((left * thetas) @ right.T + noise, full_matrices=False)
    np.testing.assert_allclose(sigma[:2], d.seen_value(thetas, beta), atol=4 / np.sqrt(big))
    np.testing.assert_allclose(d.spike_of(d.seen_value(thetas, beta), beta), thetas, rtol=1e-12)
    cosines = np.diag(u[:, :2].T @ left) * np.diag(v_t[:2] @ right)
    np.testing.assert_allclose(cosines, d.alignment(thetas, beta), atol=5 / np.sqrt(big))
    assert d.spike_of(1 + np.sqrt(beta), beta) == 0
    assert d.alignment(beta**0.25, beta) == 0
    assert d.seen_value(0.0, beta) == pytest.approx(1 + np.sqrt(beta), rel=1e-14)


@pytest.mark.parametrize("beta", BETAS)
def test_the_optimal_shrinkage_is_the_best_of_a_grid_and_the_threshold_a_tie(beta):
    for theta in (0.9 * beta**0.25, 1.1 * beta**0.25, 1.5, 4.0):
        y = d.seen_value(theta, beta)
        grid = np.linspace(0, 6, 60_001)
        best = grid[np.argmin(d.spike_risk(theta, grid, beta))]
        assert d.optimal_shrinkage(y, beta) == pytest.approx(best, abs=1e-4)
    at = d.optimal_threshold(beta)
    theta = d.spike_of(at, beta)
    assert d.spike_risk(theta, at, beta) == pytest.approx(float(theta) ** 2, rel=1e-12)


@pytest.mark.parametrize(
    ("beta", "worst"),
    [
        # Gavish and Donoho (2014, 2017): 1 + beta, and 3 for the hard threshold of square matrices
        (1.0, {"optimum": 2.0, "hard": 3.0, 3: 2.072, 4: 2.0065}),
        (0.25, {"optimum": 1.25, 3: 1.284, 4: 1.252}),
    ],
)
def test_depths_3_and_4_are_nearly_minimax(beta, worst):
    y = d.seen_value(THETA, beta)
    found = {"optimum": d.spike_risk(THETA, d.optimal_shrinkage(y, beta), beta).max()}
    at = d.optimal_threshold(beta)
    found["hard"] = d.spike_risk(THETA, np.where(y > at, y, 0), beta).max()
    edges = (1 + np.sqrt(beta)) * np.linspace(1, 1.3, 31)
    for depth in (2, 3, 4):
        found[depth] = min(d.shrinkage_risk(THETA, beta, depth, edge).max() for edge in edges)
    for name, expected in worst.items():
        assert found[name] == pytest.approx(expected, abs=1e-3), name
    # Soft thresholding at the edge pays b^2 for every strong spike: 1 + beta + b^2 in the limit.
    limit = 1 + beta + (1 + np.sqrt(beta)) ** 2
    assert 0.95 * limit < found[2] < limit


@pytest.mark.parametrize("depth", [2, 3, 4, 6])
def test_the_risk_of_a_large_matrix_is_the_asymptotic_one(depth):
    shape, noise, thetas = (400, 300), 0.2, np.array([4.0, 2.0, 1.5])
    beta, unit = 300 / 400, 0.2 * 20
    lam = float(critical_lambda(1.05 * (1 + np.sqrt(beta)) * unit, depth))
    rng, losses = np.random.default_rng(depth), []
    for _ in range(8):
        left, right = (np.linalg.qr(rng.standard_normal((size, 3)))[0] for size in shape)
        m = unit * (left * thetas) @ right.T
        u, sigma, v_t = np.linalg.svd(m + noise * rng.standard_normal(shape), full_matrices=False)
        losses.append(np.sum(((u * scalar_minimizer(sigma, depth, lam)) @ v_t - m) ** 2) / unit**2)
    expected = d.shrinkage_risk(thetas, beta, depth, 1.05 * (1 + np.sqrt(beta))).sum()
    assert np.mean(losses) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: d.bulk_tail(1.0, 1.5), "beta = 1.5: expected at most 1"),
        (lambda: d.bulk_tail(1.0, 0.0), "beta = 0.0: expected a number > 0"),
        (lambda: d.noise_level([1.0, 0.5], (3, 4)), "sigma: got 2 values, expected 3"),
        (lambda: d.noise_level([1.0, 0.0, 0.0], (3, 4)), "half of the singular values are zero"),
        (lambda: d.noise_edge((3, 4), 0.0), "noise = 0.0: expected a number > 0"),
        (lambda: d.noise_edge((3, 4), np.inf), "expected a finite number"),
        (lambda: d.noise_edge((3,), 1.0), "expected two sizes"),
        (lambda: d.edge_lambda((3, 4), 1e300, 6), "leaves float64's range"),
        (lambda: d.edge_lambda((3, 4), 1e-300, 6), "leaves float64's range"),
        (lambda: d.edge_lambda((3, 4), 1.0, 1), "depth = 1"),
    ],
)
def test_wrong_input_is_one_line(call, line):
    with pytest.raises(ValueError, match=line):
        call()
