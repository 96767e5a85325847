"""How minimizers move: retrained ones against exact algebra, and Stein's identity where its parts are integrals."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from scipy.integrate import quad
from scipy.stats import norm

from dmf.studies import sensitivity as study_of
from dmf.studies._models import Network
from dmf.studies._newton import minimize
from dmf.theory import branch_threshold, collapse_threshold, large_root, scalar_minimizer
from dmf.theory import sensitivity as theory

Halves = tuple[xr.Dataset, xr.Dataset]


def test_differences_of_retrained_scalars_are_the_slope_of_the_equation_that_they_solve() -> None:
    """At depth 3 a kept scalar solves x + lam x^(-1/3) = m, so dx/dm = 1 / (1 - lam x^(-4/3) / 3)."""
    one = Network(np.eye(1), np.array([[2.0]]), (1, 1, 1, 1), 0.4)
    ends = minimize(one, np.full((1, 3), 1.1), 1e-12)
    x = float(np.prod(ends.points))
    assert x + 0.4 * x ** (-1 / 3) == pytest.approx(2, abs=1e-13)
    found, error = study_of.derivatives(one, one.labels, ends.points)
    assert found.shape == (1, 1, 1)
    assert abs(found.item() - 1 / (1 - 0.4 * x ** (-4 / 3) / 3)) < error.item() < 1e-9


def test_two_layers_are_soft_thresholding_whose_derivative_at_a_diagonal_target_is_known_entry_by_entry() -> None:
    one = Network(np.eye(2), np.diag([2.0, 0.2]), (2, 2, 2), 0.5)
    ends = minimize(one, np.random.default_rng(0).standard_normal((4, one.parameters)), 1e-12)
    best = ends.points[[int(ends.values.argmin())]]
    found, error = study_of.derivatives(one, one.labels, best)
    # x = (1.5, 0): slopes 1 and 0; rotations of (0, 1) and (1, 0) mix (x_1 - x_2)/1.8 and (x_1 + x_2)/2.2.
    even, odd = 1.5 / 1.8, 1.5 / 2.2
    expected = np.diag([1.0, (even + odd) / 2, (even + odd) / 2, 0.0])
    expected[1, 2] = expected[2, 1] = (even - odd) / 2
    assert np.abs(found[0] - expected).max() < error.item()
    assert error.item() < 1e-9


def test_a_run_that_leaves_its_minimum_is_no_evidence() -> None:
    """A value just above where its minimum ends: a target that is moved down loses it, and the error says so."""
    sigma = float(branch_threshold(3, 0.4)) + 1e-4
    one = Network(np.eye(1), np.array([[sigma]]), (1, 1, 1, 1), 0.4)
    _, error = study_of.derivatives(one, one.labels, np.full((1, 3), float(large_root(sigma, 3, 0.4)) ** (1 / 3)))
    assert not error.item() < 1e-3


@pytest.mark.parametrize(("depth", "shape"), [(2, (3, 3)), (3, (4, 6)), (4, (4, 2))])
def test_degrees_of_many_draws_are_those_of_each(depth: int, shape: tuple[int, int]) -> None:
    sigma = np.sort(np.random.default_rng(1).uniform(0.1, 4, (5, min(shape))))[:, ::-1]
    x = scalar_minimizer(sigma, depth, 0.8)
    each = [theory.degrees_of_freedom(one, shape, depth, 0.8) for one in sigma]
    np.testing.assert_allclose(study_of._degrees(sigma, x, shape, depth, 0.8), each, rtol=1e-11)


def test_of_a_scalar_the_identity_is_an_integral_with_the_jump_and_false_without() -> None:
    """y = m + s z, x of |y|: E z x / s, E x'(y) and the density of |y| at m*, each by quadrature."""
    m, s, depth, lam = 1.4, 0.5, 3, 0.4
    at = float(collapse_threshold(depth, lam))

    def x(y: float) -> float:
        return float(np.sign(y) * scalar_minimizer(abs(y), depth, lam))

    def mean(function: Callable[[float], float]) -> float:
        parts = [(-6 * s + m, -at), (at, m + 6 * s)]
        return sum(quad(lambda y: function(y) * norm.pdf(y, m, s), *ends, epsabs=1e-12)[0] for ends in parts)

    covariance = mean(lambda y: (y - m) / s * x(y) / s)
    slope = mean(lambda y: theory.degrees_of_freedom([abs(y)], (1, 1), depth, lam))
    jump = float(scalar_minimizer(at * (1 + 1e-12), depth, lam)) * (norm.pdf(at, m, s) + norm.pdf(-at, m, s))
    assert covariance == pytest.approx(slope + jump, abs=1e-6)
    assert covariance - slope > 0.25


def test_the_jump_is_most_of_what_the_smooth_part_lacks(study: Callable[[str], Halves]) -> None:
    honest, control = study("sensitivity")
    for place in np.flatnonzero(honest["problem"].values == "noise"):
        cell = honest.isel(cell=int(place), start=slice(0, study_of.BATCHES))
        lacks = cell["covariance"] - cell["mean_degrees"]
        if int(cell["depth"]) == 2:
            assert float(abs(cell["jump"]).max()) == 0
        else:
            assert float(lacks.min()) > 5 * float(cell["stein_tolerance"].max())
            np.testing.assert_allclose(cell["jump"], lacks, rtol=0.2)
    assert float(control["asymmetry"].isel(cell=1).min()) > 1e-3
