"""The scalar problem against 50-digit values, closed forms for depths 3 and 4, grids and its symmetries."""

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dmf import theory

RTOL = 1e-12
DEPTHS = (2, 3, 4, 5, 7, 12, 25, 40)
LAMBDAS = (1e-8, 1e-5, 0.03, 1.0, 70.0, 1e4)
ALWAYS_SAME = settings(deadline=None, derandomize=True, max_examples=150)
depths = st.integers(2, 40)
lambdas = st.floats(-8, 4).map(lambda e: 10.0**e)
scales = st.floats(-4, 4).map(lambda e: 10.0**e)  # of m, in units of m*


def exact_g(x, m, depth, lam):
    return (mp.mpf(m) - x) ** 2 + mp.mpf(lam) * depth * mp.power(x, mp.mpf(2) / depth)


def exact_h(x, depth, lam):
    return x + mp.mpf(lam) * mp.power(x, mp.mpf(2) / depth - 1)


def exact_turning_point(depth, lam):
    """x where h'(x) = 1 - lam (1 - 2/L) x^{2/L - 2} vanishes."""
    return mp.power(mp.mpf(lam) * (1 - mp.mpf(2) / depth), 1 / (2 - mp.mpf(2) / depth))


def exact_root(m, depth, lam, low, high):
    """Root of h = m between two points by bisecting log x to 40 digits: no derivative, no starting guess."""
    above_at_low = exact_h(low, depth, lam) > m
    y_low, y_high = mp.log(low), mp.log(high)
    while y_high - y_low > mp.mpf(10) ** -40:
        middle = (y_low + y_high) / 2
        if (exact_h(mp.exp(middle), depth, lam) > m) == above_at_low:
            y_low = middle
        else:
            y_high = middle
    return mp.exp(y_low)


def exact_minimizer(m, depth, lam):
    m = mp.mpf(m)
    if depth == 2:
        return max(m - mp.mpf(lam), mp.mpf(0))
    turn = exact_turning_point(depth, lam)
    if m <= turn or exact_h(turn, depth, lam) >= m:
        return mp.mpf(0)
    root = exact_root(m, depth, lam, turn, m)
    return root if exact_g(root, m, depth, lam) < m**2 else mp.mpf(0)


@pytest.fixture(autouse=True)
def fifty_digits():
    with mp.workdps(50):
        yield


def test_all_scalar_quantities_equal_the_50_digit_oracle(oracle):
    for case in oracle["scalar"]:
        m, depth, lam = float(case["m"]), case["depth"], float(case["lam"])
        computed = {
            "x_star": theory.scalar_minimizer(m, depth, lam),
            "m_star": theory.collapse_threshold(depth, lam),
            "m_loc": theory.branch_threshold(depth, lam),
            "x_jump": theory.jump(depth, lam),
            "lambda_c": theory.critical_lambda(m, depth),
            "lambda_s": theory.branch_lambda(m, depth),
        }
        for name, value in computed.items():
            assert float(value) == pytest.approx(float(case[name]), rel=RTOL, abs=0), (name, case)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("lam", LAMBDAS)
def test_minimizer_over_eight_decades_equals_50_digits(depth, lam):
    factors = [1e-4, 0.5, 0.97, 1.03, 1.5, 4.0, 1e2, 1e4]
    m = float(theory.collapse_threshold(depth, lam)) * np.array(factors)
    exact = [float(exact_minimizer(value, depth, lam)) for value in m]
    np.testing.assert_allclose(theory.scalar_minimizer(m, depth, lam), exact, rtol=RTOL, atol=0)


@pytest.mark.parametrize("depth", [3, 4, 9, 40])
@pytest.mark.parametrize("lam", LAMBDAS)
@pytest.mark.parametrize("offset", [-1e-9, -1e-13, 1e-13, 1e-9])
def test_minimizer_next_to_the_jump_is_on_the_right_side_and_accurate(depth, lam, offset):
    m = float(theory.collapse_threshold(depth, lam)) * (1 + offset)
    exact = exact_minimizer(m, depth, lam)
    assert (exact > 0) == (offset > 0)
    assert float(theory.scalar_minimizer(m, depth, lam)) == pytest.approx(float(exact), rel=RTOL, abs=0)


@pytest.mark.parametrize("depth", [3, 4, 6, 15, 40])
@pytest.mark.parametrize("lam", LAMBDAS)
@pytest.mark.parametrize("factor", [1.001, 1.2, 3.0, 100.0])
def test_both_roots_equal_50_digits(depth, lam, factor):
    m = float(theory.branch_threshold(depth, lam)) * factor
    turn = exact_turning_point(depth, lam)
    large = exact_root(m, depth, lam, turn, mp.mpf(m))
    small = exact_root(m, depth, lam, turn * mp.mpf(10) ** -12, turn)
    assert float(theory.large_root(m, depth, lam)) == pytest.approx(float(large), rel=RTOL, abs=0)
    assert float(theory.small_root(m, depth, lam)) == pytest.approx(float(small), rel=RTOL, abs=0)


@pytest.mark.parametrize("depth", [3, 4, 6, 40])
@pytest.mark.parametrize("excess", [1e-14, 1e-10, 1e-6])
def test_roots_near_their_merging_are_as_accurate_as_the_input_allows(depth, excess):
    lam = 0.3
    m = float(theory.branch_threshold(depth, lam)) * (1 + excess)
    turn = exact_turning_point(depth, lam)
    allowed = 10 * np.finfo(float).eps / math.sqrt(excess)
    large = float(exact_root(m, depth, lam, turn, mp.mpf(m)))
    small = float(exact_root(m, depth, lam, turn / 10, turn))
    assert float(theory.large_root(m, depth, lam)) == pytest.approx(large, rel=allowed, abs=0)
    assert float(theory.small_root(m, depth, lam)) == pytest.approx(small, rel=allowed, abs=0)


@pytest.mark.parametrize("depth", [3, 4, 6, 40])
def test_the_two_roots_merge_at_the_turning_point_of_h(depth):
    m_loc = theory.branch_threshold(depth, 0.3)
    turn = float(exact_turning_point(depth, 0.3))
    assert float(theory.large_root(m_loc, depth, 0.3)) == pytest.approx(turn, rel=1e-7)
    assert float(theory.small_root(m_loc, depth, 0.3)) == pytest.approx(turn, rel=1e-7)
    assert np.isnan(theory.large_root(m_loc * (1 - 1e-12), depth, 0.3))
    assert np.isnan(theory.small_root(m_loc * (1 - 1e-12), depth, 0.3))


@pytest.mark.parametrize("depth", [3, 4, 9, 40])
@pytest.mark.parametrize("lam", LAMBDAS)
def test_thresholds_satisfy_their_defining_equations(depth, lam):
    x_jump, m_star = (
        mp.mpf(float(theory.jump(depth, lam))),
        mp.mpf(float(theory.collapse_threshold(depth, lam))),
    )
    # at m* the point x_J is critical and ties with zero
    assert float(exact_h(x_jump, depth, lam) / m_star) == pytest.approx(1, rel=1e-14)
    assert float(exact_g(x_jump, m_star, depth, lam) / m_star**2) == pytest.approx(1, rel=1e-14)
    lowest = exact_h(exact_turning_point(depth, lam), depth, lam)
    assert float(theory.branch_threshold(depth, lam)) == pytest.approx(float(lowest), rel=1e-14)


@ALWAYS_SAME
@given(depth=depths, lam=lambdas)
def test_lambda_thresholds_invert_the_thresholds_on_sigma_and_are_ordered(depth, lam):
    m_star, m_loc = theory.collapse_threshold(depth, lam), theory.branch_threshold(depth, lam)
    assert float(theory.critical_lambda(m_star, depth)) == pytest.approx(lam, rel=RTOL)
    assert float(theory.branch_lambda(m_loc, depth)) == pytest.approx(lam, rel=RTOL)
    assert m_loc < m_star if depth > 2 else m_loc == m_star == lam


def two_thirds_prox(m, weight):
    """Closed-form nonzero minimizer of (x - m)^2 + weight |x|^{2/3}, m > 0 (Cao, Sun, Xu 2013)."""
    phi = np.arccosh(27 * m**2 / (16 * weight**1.5))
    a = 2 / np.sqrt(3) * weight**0.25 * np.sqrt(np.cosh(phi / 3))
    return ((a + np.sqrt(2 * m / a - a**2)) / 2) ** 3


def one_half_prox(m, weight):
    """Closed-form nonzero minimizer of (x - m)^2 + weight |x|^{1/2}, m > 0 (Xu et al. 2012)."""
    phi = np.arccos(weight / 8 * (m / 3) ** -1.5)
    return 2 / 3 * m * (1 + np.cos(2 * np.pi / 3 - 2 * phi / 3))


@pytest.mark.parametrize(("depth", "closed_form"), [(3, two_thirds_prox), (4, one_half_prox)])
@pytest.mark.parametrize("lam", [1e-3, 0.2, 5.0])
def test_depths_three_and_four_equal_the_closed_form_proximal_operators(depth, closed_form, lam):
    m = float(theory.collapse_threshold(depth, lam)) * np.linspace(1.0001, 6, 200)
    np.testing.assert_allclose(theory.scalar_minimizer(m, depth, lam), closed_form(m, depth * lam), rtol=1e-12)


def test_depth_two_is_the_soft_threshold():
    m = np.linspace(-3, 3, 61)
    expected = np.sign(m) * np.maximum(np.abs(m) - 0.7, 0)
    np.testing.assert_allclose(theory.scalar_minimizer(m, 2, 0.7), expected, rtol=1e-15, atol=0)
    np.testing.assert_array_equal(np.isnan(theory.large_root(m, 2, 0.7)), m <= 0.7)
    assert np.isnan(theory.small_root(m, 2, 0.7)).all()
    assert float(theory.jump(2, 0.7)) == 0
    # continuous at the threshold
    assert float(theory.scalar_minimizer(0.7 * (1 + 1e-9), 2, 0.7)) == pytest.approx(0.7e-9, rel=1e-6)


@pytest.mark.parametrize("depth", [2, 3, 5, 20])
@pytest.mark.parametrize("lam", [1e-3, 0.4, 30.0])
def test_no_grid_point_is_below_the_minimizer(depth, lam):
    threshold = float(theory.collapse_threshold(depth, lam))
    for m in threshold * np.array([-5.0, -1.01, -0.5, 0.0, 0.9, 0.999, 1.001, 2.0, 30.0]):
        grid = np.linspace(-1.5, 1.5, 200_001) * max(abs(m), threshold)
        on_grid = theory.scalar_objective(grid, m, depth, lam)
        x = theory.scalar_minimizer(m, depth, lam)
        at_minimizer = float(theory.scalar_objective(x, m, depth, lam))
        assert at_minimizer <= on_grid.min() * (1 + 1e-14)
        assert on_grid.min() <= at_minimizer * (1 + 1e-6)
        assert abs(grid[on_grid.argmin()] - float(x)) <= 2 * (grid[1] - grid[0])


@pytest.mark.parametrize("depth", [3, 4, 9])
def test_large_root_is_a_local_minimum_and_small_root_a_local_maximum(depth):
    lam = 0.2
    m = float(theory.branch_threshold(depth, lam)) * 1.1
    for root, sign in [(theory.large_root(m, depth, lam), 1), (theory.small_root(m, depth, lam), -1)]:
        around = theory.scalar_objective(float(root) * np.array([0.999, 1.0, 1.001]), m, depth, lam)
        assert sign * (around[0] - around[1]) > 0
        assert sign * (around[2] - around[1]) > 0


@pytest.mark.parametrize("depth", [3, 6, 40])
def test_at_the_exceptional_scalar_zero_is_returned_and_ties_with_the_jump(depth):
    m_star, x_jump = theory.collapse_threshold(depth, 0.2), theory.jump(depth, 0.2)
    assert float(theory.scalar_minimizer(m_star, depth, 0.2)) == 0
    assert float(theory.scalar_minimizer(-m_star, depth, 0.2)) == 0
    tie = theory.scalar_objective(np.array([0.0, float(x_jump)]), m_star, depth, 0.2)
    assert tie[0] == pytest.approx(tie[1], rel=1e-14)
    assert float(theory.large_root(m_star, depth, 0.2)) == pytest.approx(float(x_jump), rel=1e-13)


@ALWAYS_SAME
@given(depth=depths, lam=lambdas, scale=scales, stretch=st.floats(1.0, 3.0))
def test_minimizer_is_odd_shrinks_and_grows_with_m(depth, lam, scale, stretch):
    m = float(theory.collapse_threshold(depth, lam)) * scale
    x, further = theory.scalar_minimizer(np.array([m, m * stretch]), depth, lam)
    assert float(theory.scalar_minimizer(-m, depth, lam)) == -x
    assert 0 <= x <= m
    assert x <= further


@ALWAYS_SAME
@given(depth=depths, lam=lambdas, scale=scales, unit=st.floats(0.01, 100))
def test_a_change_of_unit_scales_the_minimizer(depth, lam, scale, unit):
    m = float(theory.collapse_threshold(depth, lam)) * scale
    if abs(scale - 1) < 1e-9:
        return  # rounding of the two thresholds may put the two problems on different sides of the jump
    scaled = theory.scalar_minimizer(unit * m, depth, unit ** (2 - 2 / depth) * lam)
    assert float(scaled) == pytest.approx(unit * float(theory.scalar_minimizer(m, depth, lam)), rel=RTOL, abs=0)


def test_m_and_lam_broadcast_to_elementwise_results():
    m, lam = np.linspace(-4, 4, 7)[:, None], np.array([0.05, 0.5, 5.0])
    for function in (theory.scalar_minimizer, theory.large_root, theory.small_root):
        together = function(m, 4, lam)
        assert together.shape == (7, 3)
        single = [[float(function(a, 4, b)) for b in lam] for a in m[:, 0]]
        np.testing.assert_array_equal(together, single)
    assert theory.scalar_minimizer(np.empty(0), 4, 0.1).shape == (0,)
    assert theory.scalar_objective(m, m, 4, lam).shape == (7, 3)
    assert theory.collapse_threshold(4, lam).shape == (3,)


@pytest.mark.parametrize("depth", [2, 3, 40])
def test_extreme_magnitudes_neither_overflow_nor_warn(depth):
    m = np.array([0.0, 1e-300, 1e-150, 1.0, 1e140, -1e140])
    x = theory.scalar_minimizer(m, depth, 1e-8)
    np.testing.assert_array_equal(x[:2], 0)
    np.testing.assert_array_equal(x[-2:], m[-2:])
    assert np.all(np.isnan(theory.small_root(m[:2], depth, 1e4)))
