r"""Training of over-parametrized factorizations on measurements of a matrix, by the engine's L-BFGS.

    F(W_1, ..., W_L) = ||A(W_L ... W_1) - b||^2 + \lambda \sum_l ||W_l||_F^2

with a linear A, given as a matrix on the entries of X row by row. Nothing here knows a closed form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dmf.training.arguments import widths_of
from dmf.training.record import layers_of, points_of
from dmf.training.result import Array, Finished, unstarted
from dmf.training.settings import Lbfgs
from dmf.training.torch_engine.engine import torch_threads
from dmf.training.torch_engine.lbfgs import LbfgsMethod
from dmf.training.torch_engine.objective import carry_down, fill_lines, layer_views, prefix_products
from dmf.training.torch_engine.slots import Run, train

MEMORY = 10  # pairs: small lambdas bend F by 1 in some directions and by lambda in others


class Trained(NamedTuple):
    """B finished runs; everything is dimensionless."""

    layers: list[Array]
    """L arrays (B, d_l, d_{l-1})."""
    end_to_end: Array
    """(B, d_L, d_0)"""
    objective: Array
    """(B,) F, computed afresh."""
    gradient_norm: Array
    """(B,) of the whole gradient of F, computed afresh."""
    iterations: NDArray[np.int64]
    status: NDArray[np.int8]
    """(B,) a value of dmf.training.settings.Status."""


class Measured(NamedTuple):
    """B problems."""

    operators: Tensor
    """(B, n, d_L d_0)"""
    measurements: Tensor
    """(B, n)"""
    lams: Tensor
    """(B,)"""
    energy: Tensor
    """(B,) ||b||^2"""

    @classmethod
    def of(cls, operators: Array, measurements: Array, lams: Array) -> Measured:
        """The problems of numpy arrays."""
        given = torch.from_numpy(operators), torch.from_numpy(measurements), torch.from_numpy(lams)
        return cls(*given, given[1].square().sum(1))


def train_factorizations(
    operators: Array,
    measurements: Array,
    lams: Array,
    starts: Sequence[Array],
    gradient_tolerance: Array,
    max_iterations: int = 20_000,
) -> Trained:
    """Train B factorizations until the gradient norm of each is at most its tolerance (B,).

    Operators are (B, n, d_L d_0), measurements (B, n), lams (B,) and starts L layers (B, d_l, d_{l-1}); problems with
    fewer than n measurements are filled up with zeros. Raises ValueError, naming the argument, for other shapes.
    """
    widths = widths_of(starts)
    count, size = len(starts[0]), widths[0] * widths[-1]
    _expect(operators, (count, np.shape(measurements)[-1], size), "operators")
    for name, array in (("measurements", measurements), ("lams", lams), ("gradient_tolerance", gradient_tolerance)):
        _expect(array, np.shape(operators)[:2] if name == "measurements" else (count,), name)
    queue = _Queue(operators, measurements, lams, gradient_tolerance, unstarted(points_of(starts)))
    method = LbfgsMethod(
        Lbfgs(name="lbfgs", memory=MEMORY, max_iterations=max_iterations), widths, objective=value_and_gradient
    )
    with torch_threads(1), torch.inference_mode():
        finished = train(queue, widths, method, count, "cpu", lambda done: None)
    layers = layers_of(finished.points, widths)
    value, gradient, end_to_end = evaluate(operators, measurements, lams, layers)
    return Trained(layers, end_to_end, value, np.linalg.norm(gradient, axis=1), finished.iterations, finished.status)


def evaluate(operators: Array, measurements: Array, lams: Array, layers: Sequence[Array]) -> tuple[Array, Array, Array]:
    """F (B,), its gradient (B, N) and the products W_L ... W_1 (B, d_L, d_0) at B points; shapes as in training."""
    widths = widths_of(layers)
    points = torch.from_numpy(points_of(layers))
    with torch_threads(1), torch.inference_mode():
        value, gradient = value_and_gradient(Measured.of(operators, measurements, lams), points, widths)
        end_to_end = prefix_products(layer_views(points, widths), widths[0])[-1]
    return value.numpy(), gradient.numpy(), end_to_end.numpy()


def value_and_gradient(problems: Measured, theta: Tensor, widths: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """F (B,) and its gradient (B, N) at flat parameters (B, N).

    As for a target: with G = 2 A^T (A(X) - b),  dF/dW_l = (W_L ... W_{l+1})^T G (W_{l-1} ... W_1)^T + 2 lam W_l.
    """
    layers = layer_views(theta, widths)
    products = prefix_products(layers, widths[0])
    residual = torch.bmm(problems.operators, products[-1].flatten(1).unsqueeze(2)).squeeze(2) - problems.measurements
    value = residual.square().sum(1) + problems.lams * theta.square().sum(1)
    slope = torch.bmm(2 * residual.unsqueeze(1), problems.operators).view_as(products[-1])
    gradient = theta * (2 * problems.lams).unsqueeze(1)
    carry_down(layers, products, slope, layer_views(gradient, widths))
    return value, gradient


class _Queue(NamedTuple):
    """The runs as the engine takes them."""

    operators: Array
    measurements: Array
    lams: Array
    tolerances: Array
    begun: Finished

    def problems(self, rows: NDArray[np.int64], widths: tuple[int, ...], device: str) -> tuple[Measured, Tensor]:
        """Problems and tolerances of the runs `rows`."""
        problems = Measured.of(self.operators[rows], self.measurements[rows], self.lams[rows])
        return problems, torch.from_numpy(self.tolerances[rows])

    def runs(self, rows: NDArray[np.int64], device: str) -> Run:
        """The runs `rows`, with zeros past the last parameter."""
        points, iterations, evaluations, _ = (torch.from_numpy(array) for array in self.begun.take(rows))
        return Run.at(fill_lines(points), iterations, evaluations)


def _expect(array: Array, shape: tuple[int, ...], name: str) -> None:
    if np.shape(array) != shape:
        raise ValueError(f"{name}: shape {np.shape(array)}, expected {shape} to match starts and measurements")
