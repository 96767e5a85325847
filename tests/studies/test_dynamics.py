"""Flows against closed forms and torch; descent near minimizers against a scalar problem that is solved by hand."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import xarray as xr

from dmf.studies import flow
from dmf.studies._layers import layers_of
from dmf.studies.descent import BELOW, CELLS, Setting, _decay, _growth
from dmf.studies.flow import TIMES, imbalances, integrate, slope_of

Halves = tuple[xr.Dataset, xr.Dataset]


def test_the_integrator_has_the_error_of_order_eight_that_the_tolerance_counts_on() -> None:
    """w' = -w^2 has the flow w / (1 + w t); halving the step divides the error by some 2^8."""
    start = np.array([[3.0], [1.0]])
    exact = start / (1 + start * TIMES[:, None, None])
    coarse, fine = (np.abs(integrate(lambda w: -(w**2), start, step) - exact).max() for step in (0.25, 0.125))
    assert fine < coarse / 100
    assert fine < 1e-8


@pytest.mark.parametrize("loss", flow.LOSSES)
def test_slopes_are_those_of_torch(loss: str) -> None:
    slope = slope_of(loss, 3, 4, np.random.default_rng(0))
    rng = np.random.default_rng(0)
    x = torch.tensor(np.random.default_rng(1).standard_normal((3, 4)), requires_grad=True)
    if loss == "squares":
        value = ((x - torch.from_numpy(rng.standard_normal((3, 4)))) ** 2).sum()
    else:
        inputs = torch.from_numpy(rng.standard_normal((4, 8)) * np.geomspace(1, 0.2, 4)[:, None])
        if loss == "on inputs":
            value = ((x @ inputs - torch.from_numpy(rng.standard_normal((3, 8)))) ** 2).sum()
        else:
            labels = torch.from_numpy(rng.dirichlet(np.ones(3), size=8).T)
            value = -(labels * torch.log_softmax(x @ inputs, dim=0)).sum()
    (expected,) = torch.autograd.grad(value, x)
    np.testing.assert_allclose(slope(x.detach().numpy()), expected.numpy(), atol=1e-13)


def test_the_imbalance_of_scalars_is_the_difference_of_their_squares() -> None:
    layers = layers_of(np.array([[2.0, 3.0, -1.0]]), (1, 1, 1, 1))
    np.testing.assert_allclose(np.ravel(imbalances(layers)), [5, -8])


def scalar(lam: float) -> Setting:
    """Two scalar layers at the minimizer for m = 3: w^2 = 3 - lam, Hessian 4 lam and 4 w^2, one point and no orbit."""

    class Product:
        def gradients(self, points: np.ndarray) -> np.ndarray:
            left = points.prod(axis=-1, keepdims=True) - 3.0
            return 2 * left * points[..., ::-1] + 2 * lam * points

    w = np.sqrt(3 - lam)
    return Setting(Product(), np.full((1, 2), w), 3**1.5, 6 * np.sqrt(2) * 2)  # type: ignore[arg-type]


def test_rates_of_a_scalar_problem_are_those_worked_out_by_hand() -> None:
    here, top, mu = scalar(0.5), 10.0, 2.0
    start = here.points + np.array([[1e-3, 2e-3]])
    for step, expected in ((1 / top, 1 - mu / top), (2 / (mu + top), (top - mu) / (top + mu)), (BELOW * 2 / top, 0.96)):
        rate = _decay(here, start, np.array([step]))
        assert rate.ratio[0] == pytest.approx(expected, abs=float(rate.tolerance[0]))
        assert rate.tolerance[0] < 1e-4
    growth, largest = _growth(here, here.points + 1e-9, np.array([1.02 * 2 / top]))
    assert growth.ratio[0] == pytest.approx(1.04, abs=float(growth.tolerance[0]))
    assert largest[0] > 1e-5


def test_every_kind_of_critical_point_is_measured_and_certified(study: Callable[[str], Halves]) -> None:
    honest, control = study("descent")
    assert honest["problem"].values.tolist() == [cell[0] for cell in CELLS]
    assert (honest["certified"] == 1).all()
    assert (honest["extra_zero_modes"] == 0).all()
    assert control["extra_zero_modes"].values.tolist() == [1, 0]
    assert float(honest["rate_tolerance"].max()) < 1e-4


def test_the_law_is_seen_over_more_than_a_decade_and_only_in_flows(study: Callable[[str], Halves]) -> None:
    honest, control = study("flow")
    assert (honest["certified"] == 1).mean() > 0.85
    last = honest["imbalance"].isel(time=-1) / honest["imbalance"].isel(time=0)
    certified = (honest["certified"] == 1).values
    np.testing.assert_allclose(last.values[certified], np.exp(-4), rtol=1e-4)
    assert float((control["law_gap"] / control["law_tolerance"]).min()) > 1e3
