"""Derivatives of F with nothing of their closed forms: the chain rule for gradients, complex steps for Hessians.

F is a polynomial, so Im grad F(theta + i h v) / h is H v but for terms of order h^2, and no difference cancels digits
(Squire & Trapp 1998). Derivatives are held against torch's in the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Numbers = NDArray[Any]
STEP = 1e-20  # h: its square is far below any rounding
TOGETHER = 2**22  # complex numbers of the points at which gradients are taken in one go


def chained(layers: Sequence[Numbers], slope: Numbers) -> list[Numbers]:
    """Gradients of f(W_L ... W_1) for every layer (..., d_l, d_{l-1}), from its slope df/dX (..., d_L, d_0)."""
    below = list(accumulate(layers, lambda product, layer: layer @ product))
    parts = []
    for number in range(len(layers) - 1, 0, -1):
        parts.append(slope @ below[number - 1].mT)
        slope = layers[number].mT @ slope
    return [slope, *reversed(parts)]


def flat(layers: Sequence[Numbers]) -> Numbers:
    """Parameters (..., N) of layers W_1, ..., W_L (..., d_l, d_{l-1})."""
    return np.concatenate([layer.reshape(*layer.shape[:-2], -1) for layer in layers], axis=-1)


@dataclass(frozen=True)
class Objective:
    """F of eq. 2 for a target (d_L, d_0), widths (d_0, ..., d_L) and lambda, of the parameters layer by layer."""

    target: Floats
    widths: Sequence[int]
    lam: float

    def gradients(self, points: Numbers) -> Numbers:
        """Gradients (..., N) at real or complex points (..., N)."""
        layers, begin = [], 0
        for columns, rows in pairwise(self.widths):
            layers.append(points[..., begin : begin + rows * columns].reshape(*points.shape[:-1], rows, columns))
            begin += rows * columns
        *_, end_to_end = accumulate(layers, lambda product, layer: layer @ product)
        return flat(chained(layers, 2 * (end_to_end - self.target))) + 2 * self.lam * points

    def hessians(self, points: Floats) -> Floats:
        """Hessians (B, N, N) at points (B, N), symmetric to the last bit."""
        count = points.shape[1]
        steps = 1j * STEP * np.eye(count)
        hessians = np.empty((*points.shape, count))
        some = max(TOGETHER // count, 1)
        for point, hessian in zip(points, hessians, strict=True):
            for first in range(0, count, some):
                hessian[first : first + some] = self.gradients(point + steps[first : first + some]).imag / STEP
        return (hessians + hessians.mT) / 2

    def hessian_product(self, point: Floats) -> Callable[[Floats], Floats]:
        """v -> H v at one point (N,), for Hessians too large to form."""
        return lambda vector: np.asarray(self.gradients(point + 1j * STEP * vector).imag / STEP)
