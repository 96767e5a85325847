r"""Concave penalties g of one singular value, and their proximal maps: argmin over x of g(|x|) + \mu/2 (x - m)^2.

Every g is continuous, concave and non-decreasing on x >= 0 with g(0) = 0, as generalized singular value thresholding
asks (Lu et al. 2014, 2015; eq. 97-99). F of this project has no factor 1/2: its penalty is `Power.of_depth` at mu = 2.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from dmf.theory._check import Array, depth_number, lam_scalar, real, reals, target_matrix
from dmf.theory.scalar import monotone_newton, shrunk, tie

if TYPE_CHECKING:
    from jaxtyping import Float64


class Tie(NamedTuple):
    """The largest m >= 0 up to which the lower branch minimizes; there it ends at `low` and the upper begins at `high`.

    Where low < high both are minimizers at m = `at`, the only |m| at which the minimizer is not unique.
    """

    at: float
    low: float
    high: float

    @property
    def unique(self) -> bool:
        """Whether the minimizer is unique for every m, and so continuous in it."""
        return self.low == self.high


class Penalty(ABC):
    """One g. Every quantity is dimensionless; parameters are finite and > 0, ValueError otherwise."""

    def __post_init__(self) -> None:
        """Refuse parameters that make no penalty."""
        for parameter in fields(self):  # type: ignore[arg-type]  # every kind of penalty is a dataclass
            _positive(parameter.name, getattr(self, parameter.name))

    def __call__(self, x: npt.ArrayLike) -> Float64[Array, "*x"]:
        """g(|x|), shape of x. ValueError for bad input."""
        return np.asarray(self._value(np.abs(reals("x", x))))

    def slope(self, x: npt.ArrayLike) -> Float64[Array, "*x"]:
        """g'(|x|), from the right: inf at 0 for powers below 1. Shape of x. ValueError for bad input."""
        return np.asarray(self._slope(np.abs(reals("x", x))))

    def prox(self, m: npt.ArrayLike, mu: float) -> Float64[Array, "*m"]:
        """Argmin over x of g(|x|) + mu/2 (x - m)^2, an odd non-decreasing function of m; shape of m.

        At a tie the minimizer of smaller size. ValueError for bad input.
        """
        m, mu = reals("m", m), _positive("mu", mu)
        size = np.abs(m)
        above = size > self.tie(mu).at
        x = np.zeros_like(size)
        x[above], x[~above] = self._upper(size[above], mu), self._lower(size[~above], mu)
        return np.asarray(np.copysign(x, m))

    @abstractmethod
    def tie(self, mu: float) -> Tie:
        """Where the minimizer leaves its lower branch, and whether it jumps. ValueError for mu that is not > 0."""

    @abstractmethod
    def _value(self, x: Array) -> Array: ...

    @abstractmethod
    def _slope(self, x: Array) -> Array: ...

    @abstractmethod
    def _upper(self, m: Array, mu: float) -> Array:
        """The minimizer for m above the tie."""

    def _lower(self, m: Array, mu: float) -> Array:
        """The minimizer for m up to the tie."""
        return np.zeros_like(m)


@dataclass(frozen=True)
class Power(Penalty):
    """g(x) = weight x^exponent, 0 < exponent <= 1; the nuclear norm at 1."""

    weight: float
    exponent: float

    def __post_init__(self) -> None:
        """Refuse exponents above 1 too: g would not be concave."""
        super().__post_init__()
        if self.exponent > 1:
            raise ValueError(f"exponent = {self.exponent}: expected at most 1, g is to be concave")

    @classmethod
    def of_depth(cls, depth: int, lam: float) -> Power:
        """Lam L x^{2/L}: what weight decay of L layers charges a singular value (Theorem 3), at mu = 2."""
        depth = depth_number(depth)
        return cls(lam_scalar(lam) * depth, 2 / depth)

    def tie(self, mu: float) -> Tie:
        """m* and x_J of Theorem 5, for any real depth."""
        at, high = tie(2 / self.exponent, self._lam(_positive("mu", mu)))
        return Tie(float(at), 0.0, float(high))

    def _lam(self, mu: float) -> Array:
        """The lambda at which (m - x)^2 + lambda L x^{2/L} is the objective, over mu/2."""
        return np.asarray(self.weight * self.exponent / mu)

    def _value(self, x: Array) -> Array:
        return np.asarray(self.weight * x**self.exponent)

    def _slope(self, x: Array) -> Array:
        with np.errstate(divide="ignore"):
            return np.asarray(self.weight * self.exponent * x ** (self.exponent - 1))

    def _upper(self, m: Array, mu: float) -> Array:
        return shrunk(m, 2 / self.exponent, np.broadcast_to(self._lam(mu), m.shape))


@dataclass(frozen=True)
class Log(Penalty):
    """g(x) = weight log(1 + x / scale) (Candes, Wakin and Boyd 2008)."""

    weight: float
    scale: float

    def tie(self, mu: float) -> Tie:
        """From zero, as soon as g(x) + mu/2 x^2 <= mu m x for some x > 0: at min over x of g(x) / (mu x) + x / 2."""
        mu = _positive("mu", mu)
        ratio = mu * self.scale**2 / (2 * self.weight)
        if ratio >= 0.5:  # x + g'(x) / mu increases from x = 0 on
            return Tie(self.weight / (mu * self.scale), 0.0, 0.0)
        x = self.scale * _log_jump(ratio)
        return Tie(float(self._value(np.asarray(x)) / (mu * x) + x / 2), 0.0, x)

    def _value(self, x: Array) -> Array:
        return np.asarray(self.weight * np.log1p(x / self.scale))

    def _slope(self, x: Array) -> Array:
        return np.asarray(self.weight / (self.scale + x))

    def _upper(self, m: Array, mu: float) -> Array:
        # the large root of x^2 - (m - scale) x = m scale - weight/mu =: rest
        apart, rest = m - self.scale, m * self.scale - self.weight / mu
        root = np.sqrt(np.maximum(apart**2 + 4 * rest, 0.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(apart > 0, (apart + root) / 2, 2 * rest / (root - apart))


@dataclass(frozen=True)
class Geman(Penalty):
    """g(x) = weight x / (x + scale) (Geman and Yang 1995)."""

    weight: float
    scale: float

    def tie(self, mu: float) -> Tie:
        """From zero, as of `Log`, where (x + scale)^2 = 2 weight / mu."""
        mu = _positive("mu", mu)
        reach = float(np.sqrt(2 * self.weight / mu))
        if reach <= self.scale:
            return Tie(self.weight / (mu * self.scale), 0.0, 0.0)
        return Tie(reach - self.scale / 2, 0.0, reach - self.scale)

    def _value(self, x: Array) -> Array:
        return np.asarray(self.weight * x / (x + self.scale))

    def _slope(self, x: Array) -> Array:
        return np.asarray(self.weight * self.scale / (x + self.scale) ** 2)

    def _upper(self, m: Array, mu: float) -> Array:
        def step(x: Array) -> Array:
            pull = self._slope(x) / mu
            return (m - x - pull) / (1 - 2 * pull / (x + self.scale))

        # x + g'(x) / mu is convex and above m at x = m: Newton descends to the large root, above the turning point
        turn = float(np.cbrt(2 * self.weight * self.scale / mu)) - self.scale
        return monotone_newton(step, m, max(turn, 0.0))


@dataclass(frozen=True)
class Mcp(Penalty):
    """The minimax concave penalty: slope weight - x / shape down to 0, constant from there (Zhang 2010)."""

    weight: float
    shape: float

    def tie(self, mu: float) -> Tie:
        """A jump to m itself where mu shape <= 1; at mu shape = 1 all x between are minimizers too."""
        mu = _positive("mu", mu)
        if mu * self.shape > 1:
            return Tie(self.weight / mu, 0.0, 0.0)
        at = self.weight * float(np.sqrt(self.shape / mu))
        return Tie(at, 0.0, at)

    def _value(self, x: Array) -> Array:
        x = np.minimum(x, self.shape * self.weight)
        return self.weight * x - x**2 / (2 * self.shape)

    def _slope(self, x: Array) -> Array:
        return np.maximum(self.weight - x / self.shape, 0.0)

    def _upper(self, m: Array, mu: float) -> Array:
        if mu * self.shape <= 1:
            return m
        firm = (m - self.weight / mu) * (mu * self.shape) / (mu * self.shape - 1)
        return np.where(m < self.shape * self.weight, firm, m)


@dataclass(frozen=True)
class Scad(Penalty):
    """Slope weight up to x = weight, falling to 0 at x = shape weight, 0 from there; shape > 1 (Fan and Li 2001)."""

    weight: float
    shape: float

    def __post_init__(self) -> None:
        """Refuse shapes up to 1 too: the slope would not fall."""
        super().__post_init__()
        if self.shape <= 1:
            raise ValueError(f"shape = {self.shape}: expected more than 1, the slope is to fall over a range")

    def tie(self, mu: float) -> Tie:
        """A jump where mu (shape - 1) <= 1: from the soft threshold, or from zero, to m itself.

        At mu (shape - 1) = 1 all x between are minimizers too.
        """
        mu = _positive("mu", mu)
        if mu * (self.shape - 1) > 1:
            return Tie(self.weight / mu, 0.0, 0.0)
        if mu * (self.shape + 1) < 1:
            at = self.weight * float(np.sqrt((self.shape + 1) / mu))
            return Tie(at, 0.0, at)
        at = self.weight * (self.shape + 1 + 1 / mu) / 2
        return Tie(at, at - self.weight / mu, at)

    def _value(self, x: Array) -> Array:
        middle = np.clip(x, self.weight, self.shape * self.weight) - self.weight
        return self.weight * (np.minimum(x, self.weight) + middle) - middle**2 / (2 * (self.shape - 1))

    def _slope(self, x: Array) -> Array:
        return np.clip((self.shape * self.weight - x) / (self.shape - 1), 0.0, self.weight)

    def _upper(self, m: Array, mu: float) -> Array:
        bend = mu * (self.shape - 1)
        if bend <= 1:
            return m
        middle = (bend * m - self.shape * self.weight) / (bend - 1)
        inner = np.where(m < self.weight + self.weight / mu, m - self.weight / mu, middle)
        return np.where(m < self.shape * self.weight, inner, m)

    def _lower(self, m: Array, mu: float) -> Array:
        return np.maximum(m - self.weight / mu, 0.0)


def _log_jump(ratio: float) -> float:
    """The t > 0 where (log(1 + t) - t / (1 + t)) / t^2, which falls from 1/2 to 0, is `ratio`: by bisection."""

    def excess(t: float) -> float:
        if t < 0.5:  # sum over k of (-t)^k (k + 1) / (k + 2): the difference of logarithm and fraction would cancel
            k = np.arange(60)
            return float(np.sum((-t) ** k * (k + 1) / (k + 2)))
        return float((np.log1p(t) - t / (1 + t)) / t**2)

    low, high = 1.5 * (0.5 - ratio), 1 / ratio  # from 1/2 - 2t/3 <= excess(t) <= 1/t
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if excess(middle) > ratio else (low, middle)
    return high


def _positive(name: str, value: float) -> float:
    number = real(name, value)
    if number <= 0:
        raise ValueError(f"{name} = {number}: expected a number > 0")
    return number


def gsvt(matrix: npt.ArrayLike, penalty: Penalty, mu: float) -> Float64[Array, "d_L d_0"]:
    """A minimizer of sum_i g(sigma_i(X)) + mu/2 ||X - B||_F^2, B = matrix, of its shape; dimensionless.

    It is the only one unless a singular value of B lies at a tie (`Penalty.tie`); there the smaller one is taken.
    It has the singular vectors of B and the proximal map
    of g on its singular values, because that map is monotone (eq. 97-99; Lu et al. 2015). ValueError for bad input.

    >>> import dmf
    >>> from dmf.theory import Power
    >>> dmf.gsvt([[3.0, 0.0], [0.0, 1.0]], Power(weight=0.5, exponent=1.0), mu=1.0).tolist()  # the nuclear norm
    [[2.5, 0.0], [0.0, 0.5]]
    """
    left, sigma, right_t = np.linalg.svd(target_matrix(matrix, name="matrix"), full_matrices=False)
    return np.asarray((left * penalty.prox(sigma, mu)) @ right_t)
