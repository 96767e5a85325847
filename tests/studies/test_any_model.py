"""Other models against torch, their dual certificates against brute force, and what the study found against both."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
import xarray as xr

from dmf.studies import any_model
from dmf.studies._models import Network, dual_excess, smooth_relu
from dmf.studies._newton import hessians, minimize

Halves = tuple[xr.Dataset, xr.Dataset]
KINDS = [("linear", "squares"), ("relu", "squares"), ("linear", "cross-entropy"), ("relu", "cross-entropy")]


def network(activation: str, loss: str, widths: tuple[int, ...] = (2, 4, 3, 3)) -> Network:
    rng = np.random.default_rng(0)
    labels = rng.dirichlet(np.ones(widths[-1]), size=5).T
    return Network(rng.standard_normal((widths[0], 5)), labels, widths, 0.2, activation, loss)  # type: ignore[arg-type]


def torch_value(point: torch.Tensor, one: Network) -> torch.Tensor:
    out, begin = torch.from_numpy(one.inputs), 0
    pairs = list(pairwise(one.widths))
    for place, (columns, rows) in enumerate(pairs):
        out = point[begin : begin + rows * columns].reshape(rows, columns) @ out
        begin += rows * columns
        if one.activation == "relu" and place < len(pairs) - 1:
            out = torch.relu(out)
    labels = torch.from_numpy(one.labels)
    squares = ((labels - out) ** 2).sum()
    entropy = -(labels * torch.log_softmax(out, dim=0)).sum()
    return (squares if one.loss == "squares" else entropy) + one.lam * (point**2).sum()


@pytest.mark.parametrize(("activation", "loss"), KINDS)
def test_values_gradients_and_hessians_are_those_of_torch(activation: str, loss: str) -> None:
    one = network(activation, loss)
    points = np.random.default_rng(1).standard_normal((3, one.parameters))
    parts = zip(points, one.values(points), one.gradients(points), hessians(one, points), strict=True)
    for point, value, slope, hessian in parts:
        at = torch.tensor(point, requires_grad=True)
        expected = torch_value(at, one)
        (gradient,) = torch.autograd.grad(expected, at)
        assert value == pytest.approx(expected.item(), rel=1e-12)
        np.testing.assert_allclose(slope, gradient.numpy(), atol=1e-12)
        found = torch.autograd.functional.hessian(lambda moved, one=one: torch_value(moved, one), at.detach())
        np.testing.assert_allclose(hessian, found.numpy(), atol=1e-11)


def test_the_sensitivity_bounds_how_far_outputs_move() -> None:
    one, rng = network("relu", "squares"), np.random.default_rng(2)
    point = rng.standard_normal(one.parameters)
    moves = rng.standard_normal((200, one.parameters))
    moves *= 1e-6 / np.linalg.norm(moves, axis=1, keepdims=True)
    moved = np.linalg.norm(one.outputs(point + moves) - one.outputs(point), axis=(1, 2)) / 1e-6
    assert 0.2 < moved.max() / one.sensitivity(point) < 1 + 1e-5


@pytest.mark.parametrize("seed", range(8))
def test_the_dual_maximum_of_relu_is_that_of_a_fine_grid_of_directions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one = Network(rng.standard_normal((2, 6)), rng.standard_normal((1, 6)), (2, 3, 1), 0.3, "relu")
    outputs = rng.standard_normal((1, 6))
    angles = np.linspace(0, 2 * np.pi, 400_001)
    directions = np.array([np.cos(angles), np.sin(angles)])
    heights = np.abs((one.labels - outputs)[0] @ np.maximum(one.inputs.T @ directions, 0))
    above = dual_excess(one, outputs) - (heights.max() / 0.3 - 1)  # the grid may miss a kink by half a step
    assert -1e-12 < above < 1e-3


def test_linear_layers_on_white_inputs_are_certified_at_the_soft_threshold_and_nowhere_near_it() -> None:
    one = Network(np.eye(3), np.diag([2.0, 1.0, 0.2]), (3, 3, 3), 0.5)
    assert dual_excess(one, np.diag([1.5, 0.5, 0.0])) == pytest.approx(0, abs=1e-15)
    assert dual_excess(one, np.diag([1.5, 0.4, 0.0])) == pytest.approx(0.2)


def test_a_certified_relu_network_is_below_every_trained_one_of_any_width() -> None:
    """What the certificate promises: no start of a wider network ends lower."""
    rng = np.random.default_rng(any_model.DRAWS)
    one = smooth_relu(rng)
    starts = np.random.default_rng(3).standard_normal((16, one.parameters))
    ends = minimize(one, starts, 1e-10)
    excess = np.array([dual_excess(one, out) for out in one.outputs(ends.points)])
    certified = (excess < 1e-7) & (ends.gradient_norm < 1e-10)
    assert certified.any()
    least = ends.values[certified].min()
    for width in (8, 16):
        wide = Network(one.inputs, one.labels, (2, width, 1), one.lam, "relu")
        found = minimize(wide, np.random.default_rng(4).standard_normal((12, wide.parameters)), 1e-10, 60)
        assert found.values.min() > least - 1e-10
    assert ends.values[certified].max() == pytest.approx(least, abs=1e-12)


def test_parameters_differ_where_fits_agree_and_both_differ_on_the_exceptional_set(
    study: Callable[[str], Halves],
) -> None:
    honest, control = study("any_model")
    for cell in range(honest.sizes["cell"]):
        minimal = honest["minimal"].values[cell] == 1
        assert minimal.sum() >= 2
        assert honest["apart"].values[cell][minimal].max() > 0.1
        assert honest["fit_gap"].values[cell][minimal].max() < 1e-9
    on_set = control.isel(cell=0)
    minimal = on_set["minimal"].values == 1
    assert on_set["fit_gap"].values[minimal].max() > 0.1
    assert np.ptp(on_set["value"].values[minimal]) < 1e-13


def test_two_layers_that_are_certified_are_those_of_the_lowest_value(study: Callable[[str], Halves]) -> None:
    honest, _ = study("any_model")
    for cell in np.flatnonzero(honest["dual"].values == 1):
        here = honest.isel(cell=int(cell))
        certified, minimal = here["certified"].values == 1, here["minimal"].values == 1
        lowest = here["value"].values[certified].min()
        np.testing.assert_array_equal(minimal[certified], here["value"].values[certified] < lowest + 1e-9)
