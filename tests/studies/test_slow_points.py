"""Slow points: an exact solution, the scalar problem to 60 digits, power laws made by hand, torch's gradients."""

from collections.abc import Callable

import mpmath
import numpy as np
import pytest
import torch
import xarray as xr
from scipy.stats import ortho_group

from dmf import theory
from dmf.studies._derivatives import Objective
from dmf.studies.slow_points import FINE, TIMES, flows, measured, predicted_factor, slow_values

Halves = tuple[xr.Dataset, xr.Dataset]


def test_the_flow_of_two_scalars_at_lambda_is_the_exact_solution() -> None:
    """Layers w, w have F - F* = w^4 and w' = -2 w^3, so w^-2 grows by 4 t; a difference d decays as e^(-4 lambda t)."""
    lam = 0.7
    function = Objective(np.array([[lam]]), (1, 1, 1), lam)
    values, norms = flows(function, np.array([[0.6, 0.6], [0.3, 0.3]]), FINE)
    exact = 1 / (np.array([[0.6], [0.3]]) ** -2 + 4 * TIMES)
    np.testing.assert_allclose(values - lam**2, exact**2, rtol=1e-6)
    np.testing.assert_allclose(norms, np.sqrt(8) * exact**1.5, rtol=1e-6)
    mpmath.mp.dps = 30
    a, b, d = mpmath.mpf("0.6"), mpmath.mpf("0.5"), mpmath.mpf("0.1")
    assert abs((lam - a * b) ** 2 + lam * (a**2 + b**2) - lam**2 - (lam * d**2 + (a * b) ** 2)) < 1e-15


@pytest.mark.parametrize(("depth", "lam"), [(3, "0.3"), (3, "1.7"), (4, "0.3"), (6, "0.05")])
def test_the_factor_is_that_of_the_scalar_problem_to_sixty_digits(depth: int, lam: str) -> None:
    """All layers s: F(s) alone, differentiated by mpmath, where F' and F'' vanish; along the flow dF/dt = -F'^2 / L."""
    mpmath.mp.dps = 60
    strength = mpmath.mpf(lam)

    def value(s: mpmath.mpf, sigma: mpmath.mpf) -> mpmath.mpf:
        return (sigma - s**depth) ** 2 + strength * depth * s**2

    def degenerate(s: mpmath.mpf, sigma: mpmath.mpf) -> list[mpmath.mpf]:
        return [mpmath.diff(lambda t: value(t, sigma), s, order) for order in (1, 2)]

    guess = (float(strength) * (depth - 2) / depth) ** (1 / (2 * depth - 2))
    place, sigma = mpmath.findroot(
        degenerate, (guess * 1.01, float(theory.branch_threshold(depth, float(strength))) * 1.001)
    )
    assert float(sigma) == pytest.approx(float(theory.branch_threshold(depth, float(strength))), rel=1e-12)
    s = place + mpmath.mpf(10) ** -10
    excess = value(s, sigma) - value(place, sigma)
    climb = excess ** (-mpmath.mpf(4) / 3) * mpmath.diff(lambda t: value(t, sigma), s) ** 2 / (3 * depth)
    assert float(climb**-3) == pytest.approx(predicted_factor(depth, float(strength), 1), rel=1e-8)


def test_flow_on_the_slow_manifold_of_two_layers_stays_on_it_and_is_as_slow_as_the_proof_says() -> None:
    """Kept layers and a free Z (d, k) beside them: F - F* = ||Z^T Z||^2, and torch's gradient is 2 Z Z^T Z alone."""
    lam, sigma, rng = 0.5, np.array([1.2, 0.5, 0.5]), np.random.default_rng(0)
    left, hidden, right = (ortho_group.rvs(size, random_state=seed) for seed, size in enumerate((3, 4, 3)))
    z = rng.standard_normal((3, 2))
    kept = np.sqrt(sigma[0] - lam)
    one = kept * np.outer(hidden[:, 0], right[:, 0]) + hidden[:, 1:] @ z @ right[:, 1:].T
    two = kept * np.outer(left[:, 0], hidden[:, 0]) + left[:, 1:] @ z.T @ hidden[:, 1:].T
    layers = [torch.tensor(layer, requires_grad=True) for layer in (one, two)]
    target = torch.tensor((left * sigma) @ right.T)
    value = ((target - layers[1] @ layers[0]) ** 2).sum() + lam * sum((layer**2).sum() for layer in layers)
    value.backward()
    lowest = theory.minimum_value(np.diag(sigma), 2, lam)
    assert value.item() - lowest == pytest.approx(np.sum((z.T @ z) ** 2), rel=1e-12)
    slope = 2 * z @ z.T @ z
    np.testing.assert_allclose(layers[0].grad.numpy(), hidden[:, 1:] @ slope @ right[:, 1:].T, atol=1e-12)
    np.testing.assert_allclose(layers[1].grad.numpy(), left[:, 1:] @ slope.T @ hidden[:, 1:].T, atol=1e-12)


@pytest.mark.parametrize(("power", "factor", "origin"), [(2, 0.0625, -3.0), (3, 0.2, -7.0), (3, 5.0, 0.5)])
def test_powers_and_factors_of_exact_laws_are_found_whatever_their_origin(
    power: int, factor: float, origin: float
) -> None:
    t = TIMES + 1 - origin
    excess = factor * t**-power
    _, found, multiple = measured(excess + 1.5, np.sqrt(power * excess / t), 1.5, power, 1.0)
    for limit, expected in ((found, 1 / power), (multiple, factor)):
        assert abs(limit.value - expected) < 1e-13 + limit.change + limit.rounding
        assert limit.change + limit.rounding < 1e-2 * expected


def test_terms_that_approach_their_limit_as_logarithms_over_time_are_within_the_tolerance() -> None:
    """The next order at m_loc: 1/y' = 1 + (a log t + b) / t; the last change bounds what is left of it."""
    for a, b in ((0.0, 2.0), (1.0, 0.0), (-2.0, 9.0)):
        inverse = TIMES + 5 + a * np.log(TIMES + 6) + b
        excess = inverse**-3.0
        slope = 1 + a / (TIMES + 6)
        _, found, multiple = measured(excess, np.sqrt(3 * excess * slope / inverse), 0.0, 3, 0.0)
        for limit, expected in ((found, 1 / 3), (multiple, 1.0)):
            assert abs(limit.value - expected) <= limit.change + 1e-14


def test_an_exponential_has_no_power() -> None:
    excess = np.exp(-0.02 * TIMES)
    _, found, factor = measured(excess, np.sqrt(0.02 * excess), 0.0, 2, 0.0)
    assert abs(found.value) < 1e-12
    assert abs(factor.value) < 2 * factor.change


def test_values_at_the_threshold_are_slow_and_no_others() -> None:
    for depth, lam in ((2, 0.4), (3, 0.4), (5, 0.1)):
        edge = float(theory.branch_threshold(depth, lam))
        found = slow_values(np.array([edge, edge * (1 + 1e-5), 2 * edge, edge * (1 - 1e-12)]), depth, lam)
        assert found.tolist() == [True, False, False, True]


def test_all_flows_are_certified_and_come_to_their_law(study: Callable[[str], Halves]) -> None:
    honest, control = study("slow_points")
    assert (honest["certified"] == 1).all()
    assert (control["certified"] == 1).all()
    assert set(honest["slow"].values.tolist()) == {1, 2}
    for field in ("power", "factor"):
        np.testing.assert_allclose(honest[field], honest[f"predicted_{field}"], rtol=1e-3)
    law = honest["predicted_factor"] * TIMES[-1] ** -(1 / honest["predicted_power"])
    np.testing.assert_allclose(honest["excess"].isel(time=-1), law, rtol=0.05)
    far = control.isel(cell=np.flatnonzero(control["degenerate"].values == 0))
    assert (abs(far["power"]) < 0.1).all()
