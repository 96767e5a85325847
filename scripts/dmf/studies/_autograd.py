"""F differentiated by torch: the objective written out once more, so that no formula is checked against itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Objective = Callable[[torch.Tensor], torch.Tensor]


def objective(target: Floats, widths: Sequence[int], lam: float) -> Objective:
    """F of eq. 2 as a function of the parameters (N,), layer by layer in C order; target (d_L, d_0)."""
    matrix = torch.from_numpy(np.array(target))
    shapes = [(rows, columns) for columns, rows in pairwise(widths)]
    sizes = [rows * columns for rows, columns in shapes]

    def value(theta: torch.Tensor) -> torch.Tensor:
        layers = [part.reshape(shape) for part, shape in zip(torch.split(theta, sizes), shapes, strict=True)]
        product = layers[0]
        for layer in layers[1:]:
            product = layer @ product
        return (matrix - product).square().sum() + lam * theta.square().sum()

    return value


def flat(layers: Sequence[Floats]) -> Floats:
    """Parameters (N,) of layers W_1, ..., W_L."""
    return np.concatenate([layer.ravel() for layer in layers])


def gradients(value: Objective, points: Floats) -> Floats:
    """Gradients (B, N) at points (B, N)."""
    gradient: Floats = torch.func.vmap(torch.func.grad(value))(torch.from_numpy(points)).numpy()
    return gradient


def dense_hessians(value: Objective, points: Floats) -> Floats:
    """Hessians (B, N, N) at points (B, N), symmetric to the last bit."""
    # Reverse over reverse: forward mode makes torch import code that warns of its own deprecation.
    hessian = torch.func.vmap(torch.func.jacrev(torch.func.grad(value)))(torch.from_numpy(points)).numpy()
    symmetric: Floats = (hessian + hessian.transpose(0, 2, 1)) / 2
    return symmetric


def hessian_product(value: Objective, point: Floats) -> Callable[[Floats], Floats]:
    """v -> H v at one point (N,), for Hessians too large to form: the graph of the gradient is kept and reused."""
    theta = torch.from_numpy(np.array(point)).requires_grad_()
    (gradient,) = torch.autograd.grad(value(theta), theta, create_graph=True)

    def product(vector: Floats) -> Floats:
        (image,) = torch.autograd.grad(gradient, theta, torch.from_numpy(vector), retain_graph=True)
        return np.asarray(image.numpy(), dtype=np.float64)

    return product
