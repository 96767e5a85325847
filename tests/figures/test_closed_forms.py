"""The curves and minima that figures draw, against brute force and the paper's numbers."""

import numpy as np
import pytest

from dmf.figures._curves import branches
from dmf.figures.scalar_objective import scalar_minima


def brute_force_minimizer(m: float, depth: int, lam: float) -> float:
    x = np.linspace(0, m, 400_001)
    return float(x[np.argmin((m - x) ** 2 + lam * depth * x ** (2 / depth))])


@pytest.mark.parametrize("depth", [3, 4, 6])
def test_the_curve_is_the_minimizer_up_to_its_jump_and_zero_after_it(depth: int) -> None:
    sigma_1 = 2.0
    (x, y), (u, v) = branches(np.array([sigma_1]), depth, "predicted_norm", 0.3, 1.4)
    assert y[-1] == pytest.approx(sigma_1 * (depth - 2) / (depth - 1))  # x_J where m* = sigma_1
    assert (x[0], x[-1], u[0], u[-1]) == (0.3, 1.0, 1.0, 1.4)
    assert not v.any()
    lambda_c = (sigma_1 * (depth - 2) / (depth - 1)) ** (2 * (depth - 1) / depth) / (depth - 2)
    for ratio, value in list(zip(x, y, strict=True))[:-1:10]:
        assert value == pytest.approx(brute_force_minimizer(sigma_1, depth, ratio * lambda_c), abs=1e-4)


def test_layer_norms_are_powers_of_the_singular_values() -> None:
    norm, layer = (
        branches(np.array([2.0]), 4, field, 0.3, 0.9)[0][1] for field in ("predicted_norm", "predicted_layer_norm_sq")
    )
    np.testing.assert_allclose(layer**2, norm)  # alpha^2 = x^(2/L), L = 4


def test_curves_break_where_a_singular_value_is_lost() -> None:
    pieces = branches(np.array([3.0, 2.0, 2.0]), 3, "predicted_norm", 0.1, 1.2)
    # lambda_c grows with sigma^(2(L-1)/L) = sigma^(4/3)
    np.testing.assert_allclose([piece[0][0] for piece in pieces], [0.1, (2 / 3) ** (4 / 3), 1.0])
    before, after = pieces[0][1][-1], pieces[1][1][0]
    assert before == pytest.approx(np.sqrt(after**2 + 2 * 1.0**2))  # two values drop from x_J = sigma / 2 = 1


def test_depth_two_reaches_zero_at_lambda_c_without_a_jump() -> None:
    pieces = branches(np.array([3.0, 2.0]), 2, "predicted_norm", 0.5, 1.5)
    assert pieces[0][1][0] == pytest.approx(np.hypot(1.5, 0.5))  # soft thresholds at lambda = 1.5
    assert pieces[0][1][-1] == pytest.approx(pieces[1][1][0])
    assert pieces[1][1][-1] == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize("depth", [2, 3, 4, 6])
@pytest.mark.parametrize("strength", [0.5, 0.9, 1.1])
def test_marked_minima_are_those_of_the_curve(depth: int, strength: float) -> None:
    lam = 1.0
    m_star = lam if depth == 2 else (lam * (depth - 2)) ** (depth / (2 * (depth - 1))) * (depth - 1) / (depth - 2)
    m = strength * m_star
    x = np.linspace(-0.5, 2 * m, 200_001)
    g = (m - x) ** 2 + lam * depth * np.abs(x) ** (2 / depth)
    valleys = np.flatnonzero((g[1:-1] < g[:-2]) & (g[1:-1] < g[2:])) + 1
    places, lowest = scalar_minima(m, depth, lam)
    np.testing.assert_allclose(places, x[valleys], atol=2 * (x[1] - x[0]))
    assert places[lowest] == pytest.approx([x[np.argmin(g)]], abs=2 * (x[1] - x[0]))


def test_at_the_threshold_both_minima_are_global() -> None:
    places, lowest = scalar_minima(2 * 0.5**0.75, 3, 0.5)
    assert lowest.all()
    assert places == pytest.approx([0, 0.5**0.75])
