"""The brute-force search, against every root of the polynomial that critical points solve, to 50 digits."""

from collections.abc import Callable

import mpmath
import numpy as np
import pytest
import xarray as xr

from dmf.studies.scalar import search

Halves = tuple[xr.Dataset, xr.Dataset]


def minima(m: float, depth: int, lam: float) -> list[float]:
    """Local minima of g for m > 0: with s = x^(1/L), g' = 0 is s^(2L-2) - m s^(L-2) + lam = 0; and perhaps zero."""
    coefficients = [mpmath.mpf(0)] * (2 * depth - 1)
    coefficients[0] += 1
    coefficients[depth] -= mpmath.mpf(m)
    coefficients[-1] += mpmath.mpf(lam)
    with mpmath.workdps(50):
        roots = mpmath.polyroots(coefficients, maxsteps=500, extraprec=400)
        real = [mpmath.re(s) for s in roots if abs(mpmath.im(s)) < 1e-30 and mpmath.re(s) > 0]
        found = [] if depth == 2 and m > lam else [0.0]
        # the curvature of g along s tells minima from maxima
        for s in real:
            x = s**depth
            if 1 - (1 - mpmath.mpf(2) / depth) * lam * x ** (mpmath.mpf(2) / depth - 2) > 0:
                found.append(float(x))
    return sorted(found)


@pytest.mark.parametrize("depth", [2, 3, 4, 5, 8])
@pytest.mark.parametrize("lam", [1e-5, 0.3, 40.0])
@pytest.mark.parametrize("strength", [0.4, 0.95, 1.2, 30.0])
def test_it_finds_every_minimum_and_no_other(depth: int, lam: float, strength: float) -> None:
    m = strength * lam ** (depth / (2 * (depth - 1))) * 2
    for sign in (1, -1):
        place, tied, fields = search(np.array([sign * m]), depth, np.array([lam]))
        expected = minima(m, depth, lam)
        np.testing.assert_allclose(np.sort(sign * place[0]), expected, rtol=0, atol=1e-14 * m)
        assert fields["minima"] == len(expected)
        assert tied.sum() == 1
        assert fields["certified"] == 1


def test_at_the_threshold_both_minima_tie() -> None:
    # L = 3, lambda = 1: x_J = 1 and m* = 2, all exact
    place, tied, fields = search(np.array([2.0, -2.0]), 3, np.ones(2))
    np.testing.assert_allclose(np.sort(np.abs(place), axis=1), [[0, 1], [0, 1]], atol=1e-15)
    assert tied.all()
    assert (fields["gap"] < fields["value_tolerance"]).all()


def test_a_lower_point_on_the_axis_would_take_the_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    import dmf.studies.scalar as module

    def without_zero(*arguments: object) -> object:
        case, low, high, lowest = brackets(*arguments)  # type: ignore[arg-type]
        away = low > 0
        return case[away], low[away], high[away], lowest

    brackets = module._brackets
    monkeypatch.setattr(module, "_brackets", without_zero)
    assert search(np.array([1.9]), 3, np.ones(1))[2]["certified"] == 0  # zero is the minimum there, and was lost


def test_it_covers_twelve_decades_depths_to_forty_and_both_sides_of_the_threshold(
    study: Callable[[str], Halves],
) -> None:
    honest, false = study("scalar")
    assert honest["lam"].max() / honest["lam"].min() == pytest.approx(1e12)
    assert set(honest["depth"].values) == set(range(2, 41))
    assert abs(honest["strength"] - 1).min() == pytest.approx(1e-9, rel=1e-6)
    assert (false["strength"] == 1).all()
    away = honest["strength"].values > 1
    assert (honest["farthest"].values[away] * honest["sign"].values > 0).all()
    assert not honest["farthest"].values[~away].any()
