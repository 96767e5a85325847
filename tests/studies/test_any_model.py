"""Other models against torch, their dual certificates against brute force, and what the study found against both."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
import xarray as xr
from scipy.signal import convolve2d

from dmf.studies import any_model
from dmf.studies._layers import product_of
from dmf.studies._models import (
    Network,
    circular_minimum,
    convolution,
    dual_excess,
    in_two_dimensions,
    smooth_relu,
)
from dmf.studies._newton import Ends, hessians, minimize

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


def convolutional(circular: bool) -> Network:
    rng = np.random.default_rng(7)
    shapes = [(5, 5), (5, 5)] if circular else [(6, 3), (4, 2)]
    patterns = [convolution(size, length, circular) for size, length in shapes]
    widths = (patterns[0].shape[1], len(patterns[0]), len(patterns[1]))
    return Network(
        rng.standard_normal((widths[0], 4)), rng.standard_normal((widths[-1], 4)), widths, 0.7, patterns=patterns
    )


@pytest.mark.parametrize("circular", [True, False])
def test_convolutions_values_and_gradients_are_those_of_torch(circular: bool) -> None:
    one = convolutional(circular)
    points = np.random.default_rng(8).standard_normal((2, one.parameters))
    kernels = [pattern.shape[-1] for pattern in one.patterns or ()]
    for point, value, slope in zip(points, one.values(points), one.gradients(points), strict=True):
        at = torch.tensor(point, requires_grad=True)
        signal = torch.from_numpy(one.inputs).T[:, None, :]  # (sample, channel, place)
        for kernel in torch.split(at, kernels):
            if circular:  # torch slides kernels without turning them round
                spread = torch.nn.functional.pad(signal, (len(kernel) - 1, 0), mode="circular")
                signal = torch.nn.functional.conv1d(spread, kernel.flip(0)[None, None])
            else:
                signal = torch.nn.functional.conv1d(signal, kernel[None, None])
        expected = ((torch.from_numpy(one.labels).T - signal[:, 0]) ** 2).sum() + 0.7 * (at**2).sum()
        (gradient,) = torch.autograd.grad(expected, at)
        assert value == pytest.approx(expected.item(), rel=1e-12)
        np.testing.assert_allclose(slope, gradient.numpy(), atol=1e-12)


@pytest.mark.parametrize("circular", [True, False])
def test_the_gain_bounds_layers_of_unit_weights(circular: bool) -> None:
    one, rng = convolutional(circular), np.random.default_rng(12)
    norms = []
    for _ in range(200):
        weights = [part / np.linalg.norm(part) for part in one.weights(rng.standard_normal(one.parameters))]
        norms += [np.linalg.norm(layer, 2) for layer in one.layers(np.concatenate(weights))]
    assert 0.6 * one.gain < max(norms) <= one.gain


def test_convolutions_of_images_are_those_of_scipy() -> None:
    rng = np.random.default_rng(9)
    image, kernel = rng.standard_normal((2, 3, 4))
    both = in_two_dimensions(convolution(3, 3, circular=True), convolution(4, 4, circular=True))
    found = (both @ kernel.ravel() @ image.ravel()).reshape(3, 4)
    padded = np.pad(image, ((2, 0), (3, 0)), mode="wrap")
    np.testing.assert_allclose(found, convolve2d(padded, kernel, mode="valid"), atol=1e-13)


@pytest.mark.parametrize(("sizes", "depth"), [((5,), 2), ((4,), 3), ((2, 3), 4)])
def test_the_closed_form_of_circular_convolutions_is_the_value_of_its_kernels_and_below_all_starts(
    sizes: tuple[int, ...], depth: int
) -> None:
    rng = np.random.default_rng(10)
    one = any_model._circular(rng, sizes, depth, 2.0)
    least, product = circular_minimum(one, sizes)
    # Kernels that attain it: roots of moduli and phases, by numpy's transform of the product's first column alone.
    spectrum = np.fft.fftn(product[:, 0].reshape(sizes))
    root = np.fft.ifftn(np.abs(spectrum) ** (1 / depth)).real
    turned = np.fft.ifftn(spectrum / np.maximum(np.abs(spectrum), 1e-300) * np.abs(spectrum) ** (1 / depth)).real
    point = np.concatenate([turned.ravel(), *[root.ravel()] * (depth - 1)])
    assert one.values(point[None])[0] == pytest.approx(least, rel=1e-12)
    np.testing.assert_allclose(product_of(one.layers(point)), product, atol=1e-12)
    ends = minimize(one, rng.standard_normal((12, one.parameters)), 1e-10)
    assert ends.values.min() > least - 1e-11
    assert ends.values.min() == pytest.approx(least, rel=1e-10)
    # A kernel of the product moved at one frequency, at best factors by the scalar problem: brute force over a grid.
    bigger = [least_at(one, sizes, spectrum * (1 + step), depth) for step in (-0.02, 0.02)]
    assert min(bigger) > least + 1e-6


def least_at(one: Network, sizes: tuple[int, ...], spectrum: np.ndarray, depth: int) -> float:
    """The objective of balanced kernels with this spectrum of the product."""
    kernel = np.fft.ifftn(spectrum).real
    columns = np.array([np.roll(kernel, place, tuple(range(len(sizes)))).ravel() for place in np.ndindex(*sizes)])
    penalty = one.lam * depth * np.sum(np.abs(spectrum) ** (2 / depth)) / spectrum.size
    return float(np.sum((one.labels - columns.T @ one.inputs) ** 2) + penalty)


@pytest.mark.parametrize("loss", ["squares", "cross-entropy"])
def test_norms_of_layers_differ_by_what_the_gradient_has_of_scaling_at_any_point(loss: str) -> None:
    """By torch, for three layers of ReLU: half of <W_l, G_l> - <W_k, G_k> over lambda; a bias would break it."""
    one = network("relu", loss)
    point = np.random.default_rng(11).standard_normal(one.parameters)
    at = torch.tensor(point, requires_grad=True)
    (gradient,) = torch.autograd.grad(torch_value(at, one), at)
    ends = np.cumsum([rows * columns for columns, rows in pairwise(one.widths)])[:-1]
    parts = zip(np.split(point, ends), np.split(gradient.numpy(), ends), strict=True)
    left = [float(weights @ slope) / (2 * one.lam) - float(weights @ weights) for weights, slope in parts]
    assert np.ptp(left) < 1e-12


@pytest.mark.parametrize("activation", ["linear", "relu"])
def test_the_tolerance_of_equal_norms_holds_at_any_point_and_is_nearly_used_up_by_one_layer(activation: str) -> None:
    one = network(activation, "squares")
    points = np.random.default_rng(13).standard_normal((300, one.parameters))
    points[:, one.weights(points)[0].shape[1] :] *= np.linspace(0, 1, 300)[:, None]  # the first of one layer alone
    norm = np.linalg.norm(one.gradients(points), axis=1)
    ends = Ends(points, one.values(points), norm, np.zeros_like(points))
    found = any_model._spread(one, ends, np.zeros(len(points)))
    ratio = found["norm_spread"] / found["spread_tolerance"]
    assert 0.3 < ratio.max() < 1


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


def test_runs_with_a_certificate_are_those_of_the_lowest_value(study: Callable[[str], Halves]) -> None:
    honest, _ = study("any_model")
    for cell in np.flatnonzero(honest["known"].values == 1):
        here = honest.isel(cell=int(cell))
        certified, minimal = here["certified"].values == 1, here["minimal"].values == 1
        lowest = here["value"].values[certified].min()
        np.testing.assert_array_equal(minimal[certified], here["value"].values[certified] < lowest + 1e-9)
