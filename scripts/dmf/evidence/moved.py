r"""Minimizers moved off their places: control runs that contradict a claim, most of them by little.

A tolerance that is too loose misses a run that is only a little farther off than its certificate allows. So a near
control departs by NEAR times what a run with the gradient norm g may: that number is computed here once more, from the
run's own layers, gradient and Hessian, and not by `dmf.theory.certificate`, which the controls are to test. A far
control departs by a tenth of the layers. Every quantity is dimensionless.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dmf import theory
from dmf.training.record import layers_of, points_of

Floats = NDArray[np.float64]
Layers = list[Floats]

NEAR = 1.4
"""A near control's departure in units of tolerance. Below 3/2: with a factor 3 in place of 2 in the radius it is
missed. Far enough above 1 for the rounding of what is measured."""
FAR = 0.1
UNIT = 2.0**-52
ZERO_MODE = 1e-6  # of the largest eigenvalue: the Hessian comes from differences of gradients, which err by 1e-9 of it


@dataclass(frozen=True)
class Point:
    """A minimizer [W_1, ..., W_L] of one cell, to the last digits; `g` is the gradient norm that it is said to have."""

    layers: Layers
    target: Floats
    lam: float
    g: float

    @property
    def depth(self) -> int:
        """L."""
        return len(self.layers)

    @property
    def widths(self) -> tuple[int, ...]:
        """d_0, ..., d_L."""
        return (self.layers[0].shape[1], *(layer.shape[0] for layer in self.layers))

    @property
    def chain(self) -> float:
        """L (d + 2) UNIT, the rounding of a chain of L products (Higham 2002, 3.5)."""
        return self.depth * (max(self.widths) + 2) * UNIT

    @cached_property
    def hessian(self) -> Floats:
        """(N, N), by differences of gradients."""
        theta, size = flat(self.layers), 1e-5
        steps = size * np.eye(theta.size)
        columns = (self.gradients(theta + steps) - self.gradients(theta - steps)) / (2 * size)
        return np.asarray((columns + columns.T) / 2)

    @cached_property
    def modes(self) -> tuple[Floats, Floats]:
        """Positive eigenvalues of the Hessian, ascending, and their eigenvectors in columns."""
        values, vectors = np.linalg.eigh(self.hessian)
        across = values > ZERO_MODE * values[-1]
        return values[across], vectors[:, across]

    def gradient(self, theta: Floats) -> Floats:
        """Of F at parameters (N,)."""
        return np.asarray(self.gradients(theta[None])[0])

    def gradients(self, thetas: Floats) -> Floats:
        """Of F at each of several parameters (R, N)."""
        layers = layers_of(thetas, self.widths)
        rest = product(layers) - self.target
        above = [product(layers[place:], self.widths[-1]).swapaxes(-1, -2) for place in range(1, self.depth + 1)]
        below = [product(layers[:place], self.widths[0]).swapaxes(-1, -2) for place in range(self.depth)]
        return points_of(
            [2 * a @ rest @ b + 2 * self.lam * layer for a, b, layer in zip(above, below, layers, strict=True)]
        )

    def at(self, theta: Floats) -> Layers:
        """Parameters (N,) as layers."""
        return [layer[0] for layer in layers_of(theta[None], self.widths)]

    def polished(self) -> Point:
        """After three steps of Newton's method across the orbit, which leave a gradient of rounding only."""
        theta, (values, vectors) = flat(self.layers), self.modes
        for _ in range(3):
            theta = theta - vectors @ ((vectors.T @ self.gradient(theta)) / values)
        return replace(self, layers=self.at(theta))

    # What a run at this point with the gradient norm g may depart by, rounding included.

    @property
    def radius(self) -> float:
        """2 g / mu, mu the smallest positive eigenvalue of the run's Hessian, and the rounding of the point."""
        return float(2 * self.g / self.modes[0][0] + 64 * UNIT * np.linalg.norm(flat(self.layers)))

    @property
    def sigma_1(self) -> float:
        """||M||_2."""
        return float(np.linalg.norm(self.target, 2))

    @property
    def top(self) -> float:
        """The spectral norm of a layer."""
        return float(np.linalg.norm(self.layers[0], 2))

    @property
    def alpha(self) -> float:
        """The Frobenius norm of a layer."""
        return float(np.linalg.norm(self.layers[0]))

    @property
    def product_may(self) -> float:
        """In the product X."""
        moved = np.sqrt(self.depth) * (self.top + self.radius) ** (self.depth - 1) * self.radius
        return float(moved + 64 * UNIT * self.sigma_1)

    @property
    def norm_may(self) -> float:
        """In a squared layer norm."""
        rounding = 64 * UNIT * self.sigma_1 ** (2 / self.depth)
        return float(2 * self.alpha * self.radius + self.radius**2 + rounding)

    @property
    def trace_may(self) -> float:
        """In the trace of the Hessian."""
        power, d = 2 * self.depth - 2, max(self.widths)
        grown = (self.top + self.radius) ** power - self.top**power
        return float(2 * self.depth * d**2 * grown + 64 * UNIT * theory.hessian_trace(self.layers, self.lam))

    @property
    def value_may(self) -> float:
        """In F, above a level."""
        return float(2 * self.g**2 / self.modes[0][0] + 64 * UNIT * np.sum(self.target**2))

    @property
    def minimum_may(self) -> float:
        """In F, above the minimum, as Theorem 3 compares it with another objective."""
        return self.value_may + self.rounding

    @property
    def value(self) -> float:
        """F."""
        return theory.objective(self.layers, self.target, self.lam)

    @property
    def rounding(self) -> float:
        """Of F."""
        return float(self.chain * (np.sum(self.target**2) + self.value))

    @property
    def imbalance_may(self) -> float:
        """In the imbalance of two layers."""
        return float(np.sqrt(2) * self.alpha / (2 * self.lam) * self.g + self.chain * 2 * self.alpha**2)

    # Directions.

    def growth(self) -> Layers:
        """The direction, of norm 1, in which all layers grow along their first singular vectors: X moves most there."""
        pairs = [np.linalg.svd(layer) for layer in self.layers]
        return [np.outer(left[:, 0], right[0]) / np.sqrt(self.depth) for left, _, right in pairs]

    def along(self, direction: Layers, length: float) -> Layers:
        """The layers moved."""
        return [layer + length * part for layer, part in zip(self.layers, direction, strict=True)]

    def until(self, direction: Layers, departure: Callable[[Layers], float], wanted: float) -> Layers:
        """The layers moved until a `departure` that is linear there, and zero here, is `wanted`."""
        probe = 1e-6 * self.top
        return self.along(direction, probe * wanted / departure(self.along(direction, probe)))

    def uphill(self, direction: Layers, wanted: float) -> Layers:
        """The layers moved until F is higher by `wanted`."""
        vector = flat(direction)
        return self.along(direction, float(np.sqrt(2 * wanted / (vector @ self.hessian @ vector))))


def flat(layers: Sequence[Floats]) -> Floats:
    """Layers as parameters (N,)."""
    return np.asarray(points_of([layer[None] for layer in layers])[0])


def product(layers: Sequence[Floats], size: int = 0) -> Floats:
    """W_L ... W_1; of no layers the identity of that size."""
    if not layers:
        return np.eye(size)
    result = layers[0]
    for layer in layers[1:]:
        result = layer @ result
    return result


def scaled(layers: Layers, place: int, factor: float) -> Layers:
    """One layer multiplied."""
    return [factor * layer if number == place % len(layers) else layer for number, layer in enumerate(layers)]


def misalignment(x: Floats, target: Floats) -> float:
    r"""max(||X M^T - M X^T||_F, ||X^T M - M^T X||_F) / (2 \sigma_1)."""
    parts = [np.linalg.norm(one - one.T) for one in (x @ target.T, x.T @ target)]
    return float(max(parts) / (2 * np.linalg.norm(target, 2)))


def _turned(point: Point, angle: float) -> Layers:
    """The last layer turned in the plane of the target's first two left singular vectors, which X then leaves."""
    left = np.linalg.svd(point.target)[0][:, :2]
    turn = np.array([[np.cos(angle) - 1, -np.sin(angle)], [np.sin(angle), np.cos(angle) - 1]])
    return [*point.layers[:-1], point.layers[-1] + left @ turn @ left.T @ point.layers[-1]]


def _rank_one(point: Point, size: float) -> Layers:
    """Layers whose product has the norm `size` and the target's first singular vectors."""
    left, _, right = np.linalg.svd(point.target)
    inner = [np.eye(width)[0] for width in point.widths[1:-1]]
    ends = [right[0], *inner, left[:, 0]]
    return [size ** (1 / point.depth) * np.outer(above, below) for below, above in pairwise(ends)]


def _trace_above(point: Point, wanted: float) -> Layers:
    """The trace of the Hessian higher by `wanted`, or lower where that is negative."""
    trace = theory.hessian_trace(point.layers, point.lam)
    return point.until(point.growth(), lambda layers: theory.hessian_trace(layers, point.lam) - trace, wanted)


def _farther(point: Point) -> Layers:
    here = product(point.layers)
    return point.until(
        point.growth(), lambda layers: float(np.linalg.norm(product(layers) - here)), NEAR * point.product_may
    )


def _misaligned(point: Point) -> Layers:
    probe = 1e-6
    slope = misalignment(product(_turned(point, probe)), point.target) / probe
    return _turned(point, NEAR * point.product_may / slope)


def _unbalanced(point: Point) -> Layers:
    squares = np.linalg.norm(point.layers[-1] @ point.layers[-1].T)
    return scaled(point.layers, -1, 1 + NEAR * point.imbalance_may / float(2 * squares))


def _wasteful(point: Point) -> Layers:
    r"""The same X, and F higher by 4 \lambda \alpha^2 t^2 for a first layer larger by 1 + t and a last one smaller."""
    t = float(np.sqrt(NEAR * point.minimum_may / (4 * point.lam * point.alpha**2)))
    return scaled(scaled(point.layers, 0, 1 + t), -1, 1 / (1 + t))


@dataclass(frozen=True)
class Move:
    """A kind of control cells: what becomes of a minimizer.

    Its objective stays that of the `minimizer`, is that of the `moved` layers, or `too low` for any layers. `scalar`
    and `matrix` say which targets a move is for.
    """

    layers: Callable[[Point], Layers]
    value: Literal["minimizer", "moved", "too low"] = "minimizer"
    scalar: bool = True
    matrix: bool = True

    def fits(self, point: Point) -> bool:
        """Whether this move is one of such a minimizer."""
        return self.scalar if max(point.widths) == 1 else self.matrix

    def objective(self, point: Point, moved: Floats) -> Floats:
        """F as the runs are to have it, (run,), where `moved` is that of their layers."""
        stays = point.value * (1 - FAR if self.value == "too low" else 1)
        return moved if self.value == "moved" else np.full_like(moved, stays)


MOVES: Mapping[str, Move] = {
    "larger layers": Move(lambda p: [(1 + FAR) * layer for layer in p.layers], value="moved"),
    "smaller layers": Move(lambda p: [(1 - FAR) * layer for layer in p.layers], value="moved"),
    "too low": Move(lambda p: p.layers, value="too low"),
    "turned": Move(lambda p: _turned(p, FAR), scalar=False),
    # Powers of two: X keeps its bits.
    "unbalanced": Move(lambda p: scaled(scaled(p.layers, 0, 2), -1, 0.5), value="moved"),
    "near: distance": Move(_farther),
    "near: misalignment": Move(_misaligned, scalar=False),
    "near: larger norm": Move(lambda p: scaled(p.layers, -1, 1 + NEAR * p.norm_may / (2 * p.alpha**2))),
    "near: smaller norm": Move(lambda p: scaled(p.layers, 0, 1 - NEAR * p.norm_may / (2 * p.alpha**2))),
    "near: imbalance": Move(_unbalanced),
    "near: zero": Move(lambda p: _rank_one(p, p.product_may / NEAR)),
    "near: level": Move(lambda p: p.uphill(p.at(p.modes[1][:, 0]), NEAR * p.value_may), value="moved"),
    "near: above the minimum": Move(lambda p: p.uphill(p.growth(), NEAR * p.minimum_may), value="moved"),
    "near: wasteful": Move(_wasteful, value="moved"),
    "near: trace": Move(lambda p: _trace_above(p, NEAR * p.trace_may)),
    "near: shortfall": Move(lambda p: _trace_above(p, -NEAR * p.trace_may), matrix=False),
    "near: slack": Move(lambda p: _trace_above(p, p.trace_may / NEAR), matrix=False),
    "near: value": Move(lambda p: p.layers),
}
"""Every kind by its name. Of "near: value" only numbers are moved (`moved_values`), not layers."""

MOVES_FROM_ZERO: Mapping[str, Move] = {"near: not zero": Move(lambda p: _rank_one(p, NEAR * p.product_may))}
"""The kinds for minimizers at zero."""


def moved_values(point: Point) -> dict[str, float]:
    """Fields of the kind "near: value": F too low for its product, and a made factorization that is no minimizer."""
    largest = float(point.modes[0][-1])
    return {
        "objective": point.value - NEAR * point.rounding,
        "factorized": point.value + NEAR * point.minimum_may,
        "factorized_gradient": 10 * largest * float(np.sqrt(point.depth)) * point.chain * point.alpha,
    }
