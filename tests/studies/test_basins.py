"""Basins of balanced starts: the scalar equation by scipy, descent on the whole problem on both sides of the scale."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from scipy.integrate import solve_ivp
from scipy.stats import ortho_group

from dmf import theory
from dmf.studies._derivatives import Objective
from dmf.studies.basins import FIRST, POINTS, ROUNDS, SPECTRUM, _shape, kept_values

Halves = tuple[xr.Dataset, xr.Dataset]


@pytest.mark.parametrize(("sigma", "depth", "lam"), [(2.0, 3, 0.3), (1.4, 4, 0.2), (1.0, 5, 0.12)])
def test_the_scalar_flow_ends_on_either_side_of_the_small_root(sigma: float, depth: int, lam: float) -> None:
    """The gradient of (sigma - s^L)^2 + lambda L s^2 by finite differences: nothing of its roots is used."""

    def value(s: float) -> float:
        return (sigma - s**depth) ** 2 + lam * depth * s**2

    def rate(_: float, s: np.ndarray) -> np.ndarray:
        return -np.array([(value(s[0] + 1e-6) - value(s[0] - 1e-6)) / 2e-6]) / depth

    start = float(theory.small_root(sigma, depth, lam)) ** (1 / depth)
    for side, expected in ((0.99, 0.0), (1.01, float(theory.large_root(sigma, depth, lam)))):
        end = solve_ivp(rate, (0, 200), [start * side], rtol=1e-9, atol=1e-12).y[0, -1]
        assert end**depth == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("depth", "lam"), [(3, 0.3), (4, 0.2)])
def test_descent_on_the_whole_problem_keeps_what_begins_above_and_nothing_else(depth: int, lam: float) -> None:
    sigma, frames = np.array(SPECTRUM), [ortho_group.rvs(3, random_state=n) for n in range(depth + 1)]
    left, right = frames[-1], frames[0]
    function = Objective((left * sigma) @ right.T, (3,) * (depth + 1), lam)
    shape = _shape(frames[1:-1], left, right)
    thresholds = np.asarray(theory.small_root(sigma, depth, lam)) ** (1 / depth)
    step = 0.5 / float(theory.hessian_spectrum(function.target, function.widths, lam)[-1])
    for place, threshold in enumerate(thresholds):
        below, above = kept_values(
            function, np.outer([0.999 * threshold, 1.001 * threshold], shape), (left, right), step
        )
        np.testing.assert_array_equal(below, [1.0] * place + [0.0] * (3 - place))
        np.testing.assert_array_equal(above, [1.0] * (place + 1) + [0.0] * (2 - place))


def test_brackets_are_as_narrow_as_the_rounds_make_them(study: Callable[[str], Halves]) -> None:
    honest, control = study("basins")
    width = (FIRST[1] - FIRST[0]) / (POINTS - 1) ** ROUNDS
    unit = SPECTRUM[0] ** (1 / honest["depth"])
    assert (honest["certified"] == 1).all()
    np.testing.assert_allclose(honest["threshold_tolerance"] / unit, width, rtol=1e-3)
    assert float(abs(honest["found"] / honest["predicted"] - 1).max()) < 1e-7
    other = control.isel(cell=0)
    assert float(abs(other["found"] / other["predicted"] - 1).max()) > 0.01


def test_for_small_lambda_the_scale_is_the_power_law() -> None:
    for depth in (3, 4, 6):
        exact = float(theory.small_root(1.7, depth, 1e-6)) ** (1 / depth)
        assert exact == pytest.approx((1e-6 / 1.7) ** (1 / (depth - 2)), rel=2e-2)
