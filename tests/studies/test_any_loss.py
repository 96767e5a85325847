"""Other losses and residual layers: derivatives against torch, identities at random points, scalars by hand."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
import xarray as xr

from dmf.studies._chains import Chain
from dmf.studies._newton import hessians
from dmf.studies.any_loss import CELLS, _chain, _residual, problem

Halves = tuple[xr.Dataset, xr.Dataset]


def torch_value(point: torch.Tensor, one: Chain) -> torch.Tensor:
    x, begin = torch.eye(one.widths[0], dtype=torch.float64), 0
    for columns, rows in pairwise(one.widths):
        layer = point[begin : begin + rows * columns].reshape(rows, columns)
        x = (layer + torch.eye(rows, dtype=torch.float64) if one.identity else layer) @ x
        begin += rows * columns
    data = torch.from_numpy(one.data)
    if one.loss == "cross-entropy":
        loss = -(data * torch.log_softmax(x @ torch.from_numpy(one.inputs), dim=0)).sum()
    elif one.loss == "logistic":
        loss = torch.nn.functional.softplus(-data * x).sum()
    else:
        loss = ((x - data) ** 2).sum() if one.loss == "squares" else torch.log(torch.cosh(x - data)).sum()
    return loss + one.lam * (point**2).sum()


@pytest.mark.parametrize(("loss", "widths", "lam", "identity"), CELLS)
def test_values_gradients_and_hessians_are_those_of_torch(
    loss: str, widths: tuple[int, ...], lam: float, identity: bool
) -> None:
    rng = np.random.default_rng(1)
    one = problem(loss, widths, lam, identity, rng)
    point = 0.5 * rng.standard_normal(one.parameters)
    at = torch.tensor(point, requires_grad=True)
    (gradient,) = torch.autograd.grad(torch_value(at, one), at)
    assert one.values(point) == pytest.approx(torch_value(at, one).item(), rel=1e-12)
    np.testing.assert_allclose(one.gradients(point), gradient.numpy(), atol=1e-11)
    expected = torch.autograd.functional.hessian(lambda moved: torch_value(moved, one), at.detach()).numpy()
    np.testing.assert_allclose(hessians(one, point[None])[0], expected, atol=1e-9)


@pytest.mark.parametrize(("loss", "widths", "lam", "identity"), CELLS)
def test_identities_hold_at_random_points_as_far_as_the_gradient_there_allows(
    loss: str, widths: tuple[int, ...], lam: float, identity: bool
) -> None:
    """No training: where gradients are large, gaps stay below their tolerances, by less than three decades."""
    rng = np.random.default_rng(2)
    one = problem(loss, widths, lam, identity, rng)
    points = 0.5 * rng.standard_normal((200, one.parameters))
    gradient = np.linalg.norm(one.gradients(points), axis=1)
    found = (_residual if identity else _chain)(one, points, gradient)
    pairs = [("imbalance", "imbalance_tolerance")]
    pairs += [("skew_gap", "skew_tolerance")] if identity else [("residual_gap", "residual_tolerance")]
    for gap, allowed in pairs:
        share = found[gap] / found[allowed]
        assert share.max() <= 1
        assert loss in ("negative", "positive") or share.max() > 0.002, (gap, share.max())


def test_powers_obey_their_bound_where_imbalance_is_small() -> None:
    """Balanced layers moved by a little: X X^T and (W_L W_L^T)^L differ by what the imbalance says."""
    rng = np.random.default_rng(3)
    for _ in range(50):
        frames = [np.linalg.qr(rng.standard_normal((3, 3)))[0] for _ in range(4)]
        s = np.diag([1.2, 0.8, 0.5])
        layers = [above @ s @ below.T + 1e-5 * rng.standard_normal((3, 3)) for below, above in pairwise(frames)]
        x = layers[2] @ layers[1] @ layers[0]
        imbalance = [np.linalg.norm(b.T @ b - a @ a.T) for a, b in pairwise(layers)]
        top = max(np.linalg.norm(layer, 2) for layer in layers)
        gap = np.linalg.norm(x @ x.T - np.linalg.matrix_power(layers[2] @ layers[2].T, 3))
        assert gap <= 1.001 * 3 * top**4 * max(imbalance)


def test_two_residual_scalars_of_a_negative_product_add_up_to_one(study: Callable[[str], Halves]) -> None:
    """v_2 = 1 - v_1, so the product is v (1 - v): minimized over v by hand."""
    honest, control = study("any_loss")
    cell = honest.isel(cell=np.flatnonzero(honest["problem"].values == "negative")[0])
    v = np.linspace(-3, 0, 600_001)
    values = (v * (1 - v) + 1.5) ** 2 + 0.1 * ((v - 1) ** 2 + v**2)
    best = v[values.argmin()]
    negative = (cell["negative"].values == 1) & (cell["certified"].values == 1)
    assert negative.sum() >= 2
    np.testing.assert_allclose(cell["norm_difference"].values[negative], 1 - 2 * best, atol=1e-5)
    positive = control.isel(cell=np.flatnonzero(control["problem"].values == "positive"))
    assert float(positive["norm_difference"].max()) < 1e-12


def test_values_on_kept_pairs_are_measured_and_runs_are_certified(study: Callable[[str], Halves]) -> None:
    honest, control = study("any_loss")
    assert float((honest["certified"] == 1).mean()) > 0.9
    chains = honest.isel(cell=np.flatnonzero(honest["residual"].values == 0))
    assert float(chains["value_tolerance"].where(chains["certified"] == 1).max()) < 1e-9
    assert float(control["value_gap"].max()) > 0.1
