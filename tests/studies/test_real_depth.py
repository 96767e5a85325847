"""The search at 50 digits against exponents whose minimizers are known, and mpmath."""

import mpmath as mp
import pytest

from dmf.studies.real_depth import bracketed_tie, minimizer


def test_for_an_exponent_of_one_it_is_the_soft_threshold() -> None:
    assert minimizer(2.0, 1.0, 0.6) == (pytest.approx(1.7, abs=1e-15), True)
    assert minimizer(0.25, 1.0, 0.6) == (0.0, True)


@pytest.mark.parametrize("weight", [0.1, 1.0])
def test_for_one_half_it_is_the_closed_form_of_the_half_threshold(weight: float) -> None:
    """Xu et al. 2012: x = 2/3 m (1 + cos(2 pi / 3 - 2/3 acos(w/8 (m/3)^(-3/2)))), beyond 54^(1/3)/4 w^(2/3)."""
    threshold = mp.cbrt(54) / 4 * mp.mpf(weight) ** (mp.mpf(2) / 3)
    assert bracketed_tie(0.5, weight) == pytest.approx(float(threshold), rel=1e-13)
    for part in (1.01, 1.5, 4.0):
        m = float(threshold) * part
        angle = mp.acos(mp.mpf(weight) / 8 * (mp.mpf(m) / 3) ** mp.mpf(-1.5))
        exact = mp.mpf(2) / 3 * m * (1 + mp.cos(2 * mp.pi / 3 - 2 * angle / 3))
        assert minimizer(m, 0.5, weight)[0] == pytest.approx(float(exact), rel=1e-14)
    assert minimizer(float(threshold) * 0.99, 0.5, weight) == (0.0, True)


def test_for_another_exponent_the_tie_is_where_the_tangent_from_zero_touches() -> None:
    """x^2 + w x^p = 2 m x and 2 x + w p x^(p-1) = 2 m give w (1 - p) x^(p-2) = 1."""
    p, weight = 0.37, 0.8
    with mp.workdps(40):
        x = (mp.mpf(weight) * (1 - mp.mpf(p))) ** (1 / (2 - mp.mpf(p)))
        tie = x / 2 + mp.mpf(weight) * x ** (mp.mpf(p) - 1) / 2
    assert bracketed_tie(p, weight) == pytest.approx(float(tie), rel=1e-14)
    assert minimizer(float(tie) * (1 + 1e-9), p, weight)[0] == pytest.approx(float(x), rel=1e-6)
