"""Proximal maps against 50 digits, brute force and closed forms; ties; singular value thresholding against matrices."""

from collections.abc import Callable

import mpmath as mp
import numpy as np
import pytest
from scipy import optimize

from dmf import theory

EPS = float(np.finfo(float).eps)
MUS = (0.1, 0.5, 2.0, 30.0)


def mp_scad(x: mp.mpf, weight: float, shape: float) -> mp.mpf:
    """The integral of its slope, piece by piece."""
    weight, shape = mp.mpf(weight), mp.mpf(shape)
    if x <= weight:
        return weight * x
    if x <= shape * weight:
        return (2 * shape * weight * x - x**2 - weight**2) / (2 * (shape - 1))
    return weight**2 * (shape + 1) / 2


def mp_mcp(x: mp.mpf, weight: float, shape: float) -> mp.mpf:
    weight, shape = mp.mpf(weight), mp.mpf(shape)
    return weight * x - x**2 / (2 * shape) if x <= shape * weight else shape * weight**2 / 2


# each penalty and its definition in 50 digits
CASES: list[tuple[theory.Penalty, Callable[[mp.mpf], mp.mpf]]] = [
    (theory.Power(0.7, 0.5), lambda x: mp.mpf(0.7) * mp.sqrt(x)),
    (theory.Power(1.5, 0.13), lambda x: mp.mpf(1.5) * mp.power(x, mp.mpf(0.13))),
    (theory.Power(2.0, 0.9), lambda x: 2 * mp.power(x, mp.mpf(0.9))),
    (theory.Power(0.3, 1.0), lambda x: mp.mpf(0.3) * x),
    (theory.Log(1.0, 0.1), lambda x: mp.log(1 + x / mp.mpf(0.1))),
    (theory.Log(0.4, 3.0), lambda x: mp.mpf(0.4) * mp.log(1 + x / 3)),
    (theory.Log(2.0, 1.41), lambda x: 2 * mp.log(1 + x / mp.mpf(1.41))),
    (theory.Geman(1.0, 0.2), lambda x: x / (x + mp.mpf(0.2))),
    (theory.Geman(0.6, 4.0), lambda x: mp.mpf(0.6) * x / (x + 4)),
    (theory.Mcp(0.8, 0.3), lambda x: mp_mcp(x, 0.8, 0.3)),
    (theory.Mcp(1.2, 3.0), lambda x: mp_mcp(x, 1.2, 3.0)),
    (theory.Scad(0.9, 1.2), lambda x: mp_scad(x, 0.9, 1.2)),
    (theory.Scad(1.0, 3.7), lambda x: mp_scad(x, 1.0, 3.7)),
]
NAMES = [str(case[0]) for case in CASES]
PENALTIES = [case[0] for case in CASES]
each_case = pytest.mark.parametrize(("penalty", "exact"), CASES, ids=NAMES)
each_penalty = pytest.mark.parametrize("penalty", PENALTIES, ids=NAMES)
each_mu = pytest.mark.parametrize("mu", MUS)


def test_every_kind_of_penalty_is_tried() -> None:
    assert {type(penalty) for penalty in PENALTIES} == set(theory.Penalty.__subclasses__())


@each_case
def test_values_and_slopes_are_those_of_the_definition(
    penalty: theory.Penalty, exact: Callable[[mp.mpf], mp.mpf]
) -> None:
    x = np.array([1e-6, 0.03, 0.55, 0.95, 1.7, 2.9, 5.0, 40.0])
    with mp.workdps(50):
        values = [float(exact(mp.mpf(v))) for v in x]
        slopes = [float(mp.diff(exact, mp.mpf(v), h=mp.mpf(10) ** -20)) for v in x]
    np.testing.assert_allclose(penalty(x), values, rtol=8 * EPS)
    np.testing.assert_allclose(penalty(-x), values, rtol=8 * EPS)
    np.testing.assert_allclose(penalty.slope(x), slopes, rtol=1e-12, atol=1e-15)
    assert float(penalty(0.0)) == 0


@each_mu
@each_case
def test_the_prox_equals_the_50_digit_minimum_next_to_the_lowest_point_of_a_grid(
    penalty: theory.Penalty, exact: Callable[[mp.mpf], mp.mpf], mu: float
) -> None:
    at = penalty.tie(mu).at
    m = at * np.array([0.3, 0.8, 1 - 1e-6, 1 + 1e-6, 1.05, 1.3, 2.0, 7.0])
    for one, found in zip(m, penalty.prox(m, mu), strict=True):
        grid = np.append(0.0, np.geomspace(1e-9, 1.2, 20_001) * one)
        values = penalty(grid) + mu / 2 * (grid * (grid - 2 * one))  # without mu/2 m^2, so that zero is no rounding
        place = int(values.argmin())
        with mp.workdps(50):
            true, bend = minimum(exact, mp.mpf(one), mp.mpf(mu), *grid[[max(place - 1, 0), min(place + 1, 20_001)]])
            # what a rounded m, and a rounded slope at it, do to a minimum of curvature `bend`
            allowed = 8 * EPS * (one * mu / bend + true)
            assert abs(float(true) - found) <= allowed, (one, true, found)


def minimum(exact: Callable[[mp.mpf], mp.mpf], m: mp.mpf, mu: mp.mpf, low: float, high: float) -> tuple[mp.mpf, mp.mpf]:
    """The minimum of g(x) + mu/2 (x - m)^2 within a bracket, and the curvature there: the slope's sign bisected."""

    def slope(x: mp.mpf) -> mp.mpf:
        tiny = mp.mpf(10) ** -22
        return (exact(x + tiny) - exact(x - tiny)) / (2 * tiny) + mu * (x - m)

    a, b = mp.mpf(low), mp.mpf(high)
    if a == 0 and slope(mp.mpf(10) ** -20) > 0:
        return mp.mpf(0), mp.inf
    while b - a > mp.mpf(10) ** -20 * b:
        middle = (a + b) / 2
        a, b = (middle, b) if slope(middle) < 0 else (a, middle)
    step = b * mp.mpf(10) ** -6
    return b, min(mu, abs(slope(b + step) - slope(b - step)) / (2 * step))


@each_mu
@each_penalty
def test_both_branches_tie_where_they_meet_and_nowhere_else(penalty: theory.Penalty, mu: float) -> None:
    tie = penalty.tie(mu)

    def value(x: float, m: float) -> float:
        return float(penalty(x)) + mu / 2 * x * (x - 2 * m)

    scale = mu * tie.at**2
    assert value(tie.low, tie.at) == pytest.approx(value(tie.high, tie.at), rel=0, abs=8 * EPS * scale)
    grid = np.linspace(0, 2 * tie.at, 100_001)
    lowest = float((penalty(grid) + mu / 2 * grid * (grid - 2 * tie.at)).min())
    assert value(tie.low, tie.at) <= lowest + 8 * EPS * scale
    near = penalty.prox(tie.at * (1 + np.array([-1e-7, 0, 1e-7])), mu)
    jump = tie.high - tie.low
    assert float(penalty.prox(tie.at, mu)) == pytest.approx(tie.low, rel=1e-15)
    np.testing.assert_allclose(near, [tie.low, tie.low, tie.high], rtol=0, atol=2e-3 * (tie.at if tie.unique else jump))
    assert tie.unique == (jump == 0)


@each_mu
@each_penalty
def test_the_prox_is_odd_monotone_and_shrinks(penalty: theory.Penalty, mu: float) -> None:
    m = np.linspace(0, 4, 1001) * penalty.tie(mu).at
    x = penalty.prox(m, mu)
    np.testing.assert_array_equal(penalty.prox(-m, mu), -x)
    assert (np.diff(x) >= 0).all()
    assert ((x >= 0) & (x <= m)).all()


def test_at_the_edge_of_a_flat_stretch_all_of_it_minimizes() -> None:
    for penalty, low, high in ((theory.Mcp(0.8, 0.5), 0.0, 0.4), (theory.Scad(0.8, 1.5), 0.8, 1.2)):
        tie = penalty.tie(2.0)
        assert (tie.low, tie.high) == pytest.approx((low, high))
        x = np.linspace(low, high, 11)
        values = penalty(x) + (x - tie.at) ** 2
        np.testing.assert_allclose(values, values[0], rtol=8 * EPS)
        assert float(penalty(high * 1.01) + (high * 1.01 - tie.at) ** 2) > values[0]


@pytest.mark.parametrize("start", [1.0 + 1e-9, 1.0 + 1e-4, 1.3, 40.0])
def test_the_jump_of_the_logarithm_is_accurate_from_its_birth_on(start: float) -> None:
    """It is born at weight = mu scale^2; the equation that gives it, solved with 50 digits."""
    tie = theory.Log(start, 1.0).tie(1.0)
    with mp.workdps(50):
        w = mp.mpf(start)

        def excess(t: mp.mpf) -> mp.mpf:
            return w * (mp.log(1 + t) - t / (1 + t)) / t**2 - mp.mpf(1) / 2

        x = mp.findroot(excess, (tie.high * 0.9, tie.high * 1.1))
        at = w * mp.log(1 + x) / x + x / 2
    assert tie.high == pytest.approx(float(x), rel=4 * EPS * (1 + 1 / float(x)))
    assert tie.at == pytest.approx(float(at), rel=4 * EPS)


def test_one_half_and_two_thirds_powers_equal_their_closed_forms() -> None:
    """Xu et al. 2012 (l_1/2) and Cao, Sun, Xu 2013 (l_2/3), for any mu."""
    weight, mu = 0.6, 1.7
    scaled = 2 * weight / mu
    for exponent, closed in ((1 / 2, one_half), (2 / 3, two_thirds)):
        penalty = theory.Power(weight, exponent)
        m = penalty.tie(mu).at * np.linspace(1.0001, 8, 300)
        np.testing.assert_allclose(penalty.prox(m, mu), closed(m, scaled), rtol=1e-12)


def one_half(m: np.ndarray, weight: float) -> np.ndarray:
    phi = np.arccos(weight / 8 * (m / 3) ** -1.5)
    return 2 / 3 * m * (1 + np.cos(2 * np.pi / 3 - 2 * phi / 3))


def two_thirds(m: np.ndarray, weight: float) -> np.ndarray:
    phi = np.arccosh(27 * m**2 / (16 * weight**1.5))
    a = 2 / np.sqrt(3) * weight**0.25 * np.sqrt(np.cosh(phi / 3))
    return ((a + np.sqrt(2 * m / a - a**2)) / 2) ** 3


@pytest.mark.parametrize("depth", [2, 3, 4, 5, 11, 49])
def test_thresholding_at_mu_two_is_the_end_to_end_minimizer(depth: int) -> None:
    target = np.random.default_rng(depth).standard_normal((5, 7))
    lam = 0.4 * float(theory.critical_lambda(np.linalg.norm(target, 2), depth))
    found = theory.gsvt(target, theory.Power.of_depth(depth, lam), 2.0)
    np.testing.assert_allclose(found, theory.end_to_end_minimizer(target, depth, lam), rtol=0, atol=4e-15)
    assert theory.Power.of_depth(depth, lam).tie(2.0).at == pytest.approx(
        float(theory.collapse_threshold(depth, lam)), rel=4 * EPS
    )


@each_penalty
def test_no_matrix_that_a_search_finds_is_below_the_thresholded_one(penalty: theory.Penalty) -> None:
    """All of R^(3 x 2) is searched, not only along the singular vectors of B: brute force by another library."""
    mu, rng = 1.3, np.random.default_rng(5)
    matrix = rng.standard_normal((3, 2)) * 3

    def value(flat: np.ndarray) -> float:
        x = flat.reshape(3, 2)
        return float(np.sum(penalty(np.linalg.svd(x, compute_uv=False))) + mu / 2 * np.sum((x - matrix) ** 2))

    at = value(theory.gsvt(matrix, penalty, mu))
    starts = [matrix.ravel(), *(rng.standard_normal((12, 6)) * 2)]
    found = [optimize.minimize(value, start, method="Powell", options={"ftol": 1e-10}).fun for start in starts]
    assert at <= min(found) + 1e-12
    near = matrix + rng.standard_normal((2000, 3, 2)) * np.geomspace(1e-3, 3, 2000)[:, None, None]
    assert at <= min(map(value, near)) + 1e-12
    assert min(found) <= at + 0.05 * abs(at), "the search comes near, or it would prove nothing"


BAD: list[tuple[Callable[[], object], str]] = [
    (lambda: theory.Power(0.0, 0.5), "weight = 0.0: expected a number > 0"),
    (lambda: theory.Power(1.0, 1.5), "exponent = 1.5: expected at most 1"),
    (lambda: theory.Scad(1.0, 1.0), "shape = 1.0: expected more than 1"),
    (lambda: theory.Log(1.0, float("nan")), "scale = nan: expected a finite number"),
    (lambda: theory.Geman(1.0, 1.0).prox([1.0], 0.0), "mu = 0.0: expected a number > 0"),
    (lambda: theory.Mcp(1.0, 1.0).prox([np.inf], 1.0), r"m\[0\] = inf: expected a finite number"),
    (lambda: theory.Power.of_depth(1, 0.5), "depth = 1: expected an integer >= 2"),
    (lambda: theory.Power.of_depth(2, -0.5), "lam = -0.5: expected a regularization strength > 0"),
    (lambda: theory.gsvt([1.0, 2.0], theory.Log(1.0, 1.0), 1.0), r"matrix: expected 2 dimension\(s\), got 1"),
]


@pytest.mark.parametrize(("call", "message"), BAD, ids=[message for _, message in BAD])
def test_bad_input_is_refused_in_one_line(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
