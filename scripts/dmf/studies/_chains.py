"""Chains of layers, or of residual layers, under several losses: smooth functions of complex points too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dmf.studies._derivatives import Floats, Numbers, chained, flat
from dmf.studies._layers import layers_of, parameter_count, product_of


@dataclass(frozen=True)
class Chain:
    """f(X) + lambda ||parameters||^2 with X a product of layers W_l, or of I + W_l: a function of points (..., N)."""

    loss: str
    data: Floats
    inputs: Floats
    widths: Sequence[int]
    lam: float
    identity: bool

    @property
    def parameters(self) -> int:
        """N."""
        return parameter_count(self.widths)

    def layers(self, points: Numbers) -> list[Numbers]:
        """W_1, ..., W_L (..., d_l, d_{l-1}) of points (..., N)."""
        return layers_of(points, self.widths)

    def factors(self, points: Numbers) -> list[Numbers]:
        """The factors of X: the layers, or I + W_l."""
        layers = self.layers(points)
        return [np.eye(layer.shape[-1]) + layer for layer in layers] if self.identity else layers

    def product(self, points: Numbers) -> Numbers:
        """X (..., d_L, d_0)."""
        return product_of(self.factors(points))

    def values(self, points: Floats) -> Floats:
        """The objective (...)."""
        x, penalty = self.product(points), self.lam * np.sum(points**2, axis=-1)
        if self.loss == "cross-entropy":
            out = x @ self.inputs
            terms = np.logaddexp.reduce(out, axis=-2) - np.sum(self.data * out, axis=-2)
            return np.asarray(np.sum(terms, axis=-1) + penalty)
        if self.loss == "logistic":
            terms = np.logaddexp(0, -self.data * x)
        else:
            terms = (x - self.data) ** 2
            if self.loss == "log cosh":
                terms = np.logaddexp(x - self.data, self.data - x) - np.log(2)
        return np.asarray(np.sum(terms, axis=(-2, -1)) + penalty)

    def slope(self, x: Numbers) -> Numbers:
        """grad f (..., d_L, d_0)."""
        if self.loss == "cross-entropy":
            odds = np.exp(x @ self.inputs)
            return np.asarray((odds / odds.sum(axis=-2, keepdims=True) - self.data) @ self.inputs.T)
        if self.loss == "logistic":
            return np.asarray(-self.data / (1 + np.exp(self.data * x)))
        return np.asarray(np.tanh(x - self.data) if self.loss == "log cosh" else 2 * (x - self.data))

    def gradients(self, points: Numbers) -> Numbers:
        """Gradients (..., N)."""
        return flat(chained(self.factors(points), self.slope(self.product(points)))) + 2 * self.lam * points
