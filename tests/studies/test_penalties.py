"""Two searches agree with each other, 50 digits and brute force over matrices; and see more than one jump."""

import mpmath as mp
import numpy as np
import pytest

from dmf import theory
from dmf.studies import _penalties
from dmf.studies._penalties import PENALTIES, Caps, Envelope, jumps, local_minima
from dmf.studies.penalized_matrices import OFF, Falling

JUMPS = {"l_1": 0, "log, wide": 0, "Geman, wide": 0, "MCP, wide": 0, "SCAD, wide": 0, "two caps": 2, "three caps": 3}


@pytest.mark.parametrize("name", PENALTIES)
def test_the_hull_has_as_many_jumps_as_the_penalty(name):
    assert len(jumps(PENALTIES[name], 12.0)) == JUMPS.get(name, 1)


def test_a_jump_of_the_logarithm_has_50_digits():
    """From zero to the x where the tangent from the origin touches x^2 + g: g(x) + x^2 = 2 m x and g' + 2x = 2m."""
    with mp.workdps(50):
        x = mp.findroot(lambda x: mp.log(1 + 10 * x) - x * 10 / (1 + 10 * x) - x**2, 1.3)
        m = x + 5 / (1 + 10 * x)
    (found,) = jumps(theory.Log(1.0, 0.1), 12.0)
    assert found.low == 0
    assert found.high == pytest.approx(float(x), rel=1e-14)
    assert found.at == pytest.approx(float(m), rel=1e-14)


def test_caps_jump_where_their_closed_form_says_and_are_concave():
    g = Caps((1.0, 0.8), (1.0, 2.5))
    x = np.linspace(0, 5, 100_001)
    assert (np.diff(g(x), 2) <= 1e-12).all()
    assert (np.diff(g(x)) >= 0).all()
    for jump in g.known():
        for m, side in ((jump.at * (1 - 1e-3), jump.low), (jump.at * (1 + 1e-3), jump.high)):
            lowest = x[((m - x) ** 2 + g(x)).argmin()]
            assert lowest == pytest.approx(side, abs=4e-3)
            assert lowest == pytest.approx(float(g.prox(m, 2.0)), abs=1e-4)


@pytest.mark.parametrize("name", PENALTIES)
def test_both_searches_find_the_lowest_point_of_a_far_finer_grid(name):
    g = PENALTIES[name]
    m = np.random.default_rng(0).uniform(0.05, 4.0, 40)
    x = np.linspace(0, 4.2, 400_001)
    penalty = g(x)
    lowest = np.array([((value - x) ** 2 + penalty).min() for value in m])
    of_hull = Envelope(g, 5.0).minimizers(m)
    of_grid = np.array([local_minima(g, value)[0] for value in m])
    np.testing.assert_allclose(of_hull, of_grid[:, 1], atol=1e-9)
    np.testing.assert_allclose(of_grid[:, 0], (m - of_hull) ** 2 + g(of_hull), rtol=1e-13)
    assert (of_grid[:, 0] <= lowest + 1e-13).all()
    np.testing.assert_allclose(of_grid[:, 0], lowest, rtol=1e-5)


def test_at_a_jump_there_are_two_level_minima_and_beside_it_their_lead_grows_in_proportion():
    for name in ("l_2/3", "log", "SCAD", "three caps"):
        g = PENALTIES[name]
        for jump in _penalties.exceptional(g):
            level = local_minima(g, jump.at)
            assert level[1, 0] - level[0, 0] < 1e-14
            np.testing.assert_allclose(np.sort(level[:2, 1]), [jump.low, jump.high], atol=1e-12)
            for share in (1e-3, -1e-6):
                rows = local_minima(g, jump.at * (1 + share))
                lead = 2 * jump.at * abs(share) * (jump.high - jump.low)
                assert rows[1, 0] - rows[0, 0] == pytest.approx(lead, rel=0.01)


@pytest.mark.parametrize("name", ["l_2/3", "log", "SCAD", "two caps"])
def test_no_matrix_at_all_is_below_the_closed_form(name):
    """Random matrices, half of them around the closed form's own, with their singular values from LAPACK."""
    g, rng = PENALTIES[name], np.random.default_rng(1)
    matrix = 1.5 * rng.standard_normal((2, 2))
    left, sigma, right_t = np.linalg.svd(matrix)
    x = g.prox(sigma, 2.0)
    minimum = np.sum((sigma - x) ** 2 + g(x))
    tried = 2 * rng.standard_normal((40_000, 2, 2))
    tried[::2] = (left * x) @ right_t + 10 ** rng.uniform(-4, 0, (20_000, 1, 1)) * tried[::2]
    values = np.sum((tried - matrix) ** 2, axis=(1, 2)) + g(np.linalg.svd(tried, compute_uv=False)).sum(axis=1)
    assert values.min() >= minimum - 1e-13
    assert values.min() == pytest.approx(minimum, abs=1e-2)


def test_a_decreasing_penalty_has_many_minimizers_where_the_target_has_no_direction():
    """g(x) = -x at M = 0: every orthogonal matrix over 2, and nothing is lower."""
    g, rng = Falling(1.0), np.random.default_rng(2)
    turned = np.linalg.qr(rng.standard_normal((50, 2, 2)))[0] / 2
    values = np.sum(turned**2, axis=(1, 2)) + g(np.linalg.svd(turned, compute_uv=False)).sum(axis=1)
    np.testing.assert_allclose(values, -0.5, atol=1e-14)
    tried = rng.standard_normal((10_000, 2, 2))
    assert (np.sum(tried**2, axis=(1, 2)) + g(np.linalg.svd(tried, compute_uv=False)).sum(axis=1)).min() >= -0.5


def test_the_search_over_matrices_says_one_minimizer_off_the_set_and_several_on_it(study):
    honest, control = study("penalized_matrices")
    assert float(honest["spread"].max()) < 1e-6
    on = control.isel(cell=(control["penalty"] != "falling").values)
    assert float((on["spread"].max("start") > 0.1).sum()) >= 3
    falling = control.isel(cell=(control["penalty"] == "falling").values)
    np.testing.assert_allclose(falling["spread"], 0.5, atol=1e-7)
    assert honest.sizes["cell"] % len(OFF) == 0
