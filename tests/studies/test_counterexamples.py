"""Where statements stop: torch's gradients and AdamW, scipy's minimizers, 40 digits, many draws of noise."""

from collections.abc import Callable
from itertools import product

import mpmath
import numpy as np
import pytest
import torch
import xarray as xr
from scipy.optimize import minimize as scipy_minimize

from dmf.studies import counterexamples
from dmf.studies.counterexamples import (
    BETAS,
    EPSILON,
    LAM,
    NOISE_SHAPE,
    RATE,
    TARGET,
    TwoLayers,
    apart,
    decayed,
    distance_without_penalty,
    noisy,
    rest_of_adamw,
    spike,
    spike_deviation,
)
from dmf.theory.denoising import noise_edge, seen_value

Halves = tuple[xr.Dataset, xr.Dataset]
RNG = np.random.default_rng(0)


def test_the_objective_is_that_of_torch_and_so_are_its_gradients() -> None:
    rng = np.random.default_rng(1)
    inputs, outputs, masks, weights = (rng.standard_normal(size) for size in ((5, 2), 5, (5, 3), 5))
    problem = TwoLayers(inputs, outputs, masks, weights, 0.3)
    points = rng.standard_normal((4, problem.parameters))
    for point, value, gradient in zip(points, problem.values(points), problem.gradients(points), strict=True):
        units = torch.tensor(point.reshape(3, 3), requires_grad=True)
        hidden = torch.from_numpy(masks) * (torch.from_numpy(inputs) @ units[:, 1:].T)
        errors = hidden @ units[:, 0] - torch.from_numpy(outputs)
        expected = (torch.from_numpy(weights) * errors**2).sum() + 0.3 * (units**2).sum()
        expected.backward()
        assert value == pytest.approx(expected.item(), rel=1e-13)
        np.testing.assert_allclose(gradient, units.grad.numpy().ravel(), atol=1e-12)


@pytest.mark.parametrize("share", [0.2, 0.8])
def test_a_bias_takes_its_share_of_the_norm(share: float) -> None:
    """scipy's BFGS on the loss written out."""

    def loss(point: np.ndarray) -> float:
        w2, w1, b = point
        y = [TARGET * (z * np.sqrt(1 - share) + np.sqrt(share)) for z in (1, -1)]
        fit = [w2 * (w1 * z + b) for z in (1, -1)]
        return float(np.mean(np.subtract(y, fit) ** 2) + LAM * np.sum(point**2))

    w2, w1, b = scipy_minimize(loss, [0.7, 0.4, 0.3], options={"gtol": 1e-9}).x
    assert w1**2 / w2**2 == pytest.approx(1 - share, abs=1e-5)
    assert (w1**2 + b**2) / w2**2 == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("width", "odds"), [(1, 0.5), (3, 2.0)])
def test_dropout_shrinks_by_a_factor_that_depends_on_the_width(width: int, odds: float) -> None:
    """The expectation over all masks, written out, by scipy from several starts."""
    stays = 1 / (1 + odds)

    def loss(point: np.ndarray) -> float:
        a, b = point.reshape(2, width)
        total = LAM * np.sum(point**2)
        for mask in product((0, 1), repeat=width):
            chance = np.prod([stays if kept else 1 - stays for kept in mask])
            total += chance * (TARGET - np.sum(np.array(mask) / stays * a * b)) ** 2
        return float(total)

    ends = [scipy_minimize(loss, start, options={"gtol": 1e-9}) for start in RNG.uniform(0.1, 1, (4, 2 * width))]
    a, b = min(ends, key=lambda end: end.fun).x.reshape(2, width)
    assert np.sum(a * b) == pytest.approx((TARGET - LAM) / (1 + odds / width), abs=1e-5)
    np.testing.assert_allclose([a, b], a[0], atol=1e-4)


def pull_at_rest(lam: float) -> Callable[[mpmath.mpf], mpmath.mpf]:
    """The data's pull on both of two equal weights, less what balances the decay."""

    def left(w: mpmath.mpf) -> mpmath.mpf:
        g = -mpmath.diff(lambda one: (TARGET - one * w) ** 2, w)
        return g - (g + mpmath.mpf(EPSILON)) * 2 * mpmath.mpf(lam) * w

    return left


def test_adamw_rests_where_forty_digits_say_and_shrinks_only_at_its_box() -> None:
    mpmath.mp.dps = 40
    for lam in (0.1, 0.4, 0.8, 1.2):
        found = float(rest_of_adamw(np.array([lam]))[0])
        root = mpmath.findroot(pull_at_rest(lam), np.sqrt(found))
        assert float(root) ** 2 == pytest.approx(found, rel=1e-12)
        assert 0 < root < 1
        assert found == pytest.approx(min(TARGET, 1 / (2 * lam) ** 2), rel=0.05)


def test_steps_are_those_of_torch_with_this_epsilon_and_these_betas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counterexamples, "STEPS", 300)
    for violates, optimizer in ((True, torch.optim.AdamW), (False, torch.optim.Adam)):
        layers = [torch.full((1, 1), 0.5, dtype=torch.float64, requires_grad=True) for _ in range(2)]
        steps = optimizer(layers, lr=RATE, betas=BETAS, eps=EPSILON, weight_decay=1.6)
        for _ in range(300):
            steps.zero_grad()
            ((TARGET - layers[1] @ layers[0]) ** 2).sum().backward()
            steps.step()
        found = decayed(np.array([0.8]), violates, RNG)
        assert found.values[0] == pytest.approx((layers[1] @ layers[0]).item(), rel=1e-11)
        assert not found.certified[0]


def test_flows_without_a_penalty_end_where_what_they_conserve_says() -> None:
    mpmath.mp.dps = 30
    conserved = mpmath.mpf("0.5") ** 2 - mpmath.mpf("0.9") ** 2
    w, u = mpmath.findroot(lambda w, u: [w * u - 1, w**2 - u**2 - conserved], (0.9, 1.1))
    assert float(distance_without_penalty(np.array([0.7]))[0]) == pytest.approx(float(2 * w * 0.7), rel=1e-13)
    assert u > 0
    with_penalty = apart(np.array([0.7]), False, RNG)
    assert with_penalty.values[0] <= with_penalty.tolerance[0] < 1e-10


def test_correlated_noise_has_the_spike_and_the_fluctuations_of_the_formulas() -> None:
    """The spike is also what a rank-one matrix of that size makes of white noise (docs/denoise.md)."""
    m, n = NOISE_SHAPE
    for rho in (0.05, 0.2, 0.7):
        theta = np.sqrt(m * rho / (1 - rho))
        as_signal = np.sqrt(n * (1 - rho)) * seen_value(theta, m / n) / noise_edge(NOISE_SHAPE, 1.0)
        assert float(spike(np.array([rho]))[0]) == pytest.approx(float(as_signal), rel=1e-13)
    rho, rng = 0.2, np.random.default_rng(5)
    values = np.concatenate([noisy(np.full(5, rho), True, rng).values for _ in range(12)])
    expected, deviation = (float(function(np.array([rho]))[0]) for function in (spike, spike_deviation))
    assert values.mean() == pytest.approx(expected, abs=4 * deviation / np.sqrt(len(values)) + 0.02)
    assert 0.7 < values.std() / deviation < 1.3
    white = np.concatenate([noisy(np.full(5, rho), False, rng).values for _ in range(12)])
    assert abs(white - 1).max() < noisy(np.full(1, rho), False, rng).tolerance[0]


def test_what_is_found_is_the_promise_with_the_hypothesis_and_the_other_closed_form_without(
    study: Callable[[str], Halves],
) -> None:
    broken, holds = study("counterexamples")
    assert broken["problem"].values.tolist() == holds["problem"].values.tolist()
    for half in (broken, holds):
        assert (half["certified"] == 1).all()
        assert (abs(half["found"] - half["exact"]) <= half["tolerance"]).all()
    assert (holds["exact"] == holds["promised"]).all()
    assert (abs(broken["found"] - broken["promised"]) > 2 * broken["tolerance"]).all()
    exact = broken.isel(cell=np.flatnonzero(broken["problem"].values != "correlated noise"))
    integrated = exact["problem"].values == "no penalty"
    assert float(exact["tolerance"].values[integrated].max()) < 1e-9
    assert float(exact["tolerance"].values[~integrated].max()) < 1e-12
