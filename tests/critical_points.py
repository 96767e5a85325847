"""Points whose truth is known: critical points from 50-digit roots, in random bases, rounded to float64 once."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath as mp
import numpy as np

import exact

Floats = np.ndarray


@dataclass(frozen=True)
class Critical:
    """Layers near a critical point: target, lambda, and what is true of the point."""

    matrix: Floats
    layers: list[Floats]
    lam: float
    x: list[Any]
    """singular values of X, with the target's sigma in their order, as mpmath numbers"""


def frame(size: int, rng: np.random.Generator) -> Any:
    """A random orthogonal matrix of 50 digits."""
    return mp.qr(mp.matrix(rng.standard_normal((size, size)).tolist()))[0]


def small_root(m: Any, depth: int, lam: float) -> Any:
    """The smaller root of h(x) = m, between 0 and the turning point, by bisection."""
    low, high = mp.mpf(0), exact.turning_point(depth, lam)
    for _ in range(400):
        middle = (low + high) / 2
        low, high = (middle, high) if exact.h(middle, depth, lam) > m else (low, middle)
    return low


def critical(
    sigma: Sequence[float], widths: Sequence[int], lam: float, roots: str, seed: int = 0
) -> tuple[Critical, list[Any]]:
    """A critical point with a root for each singular value: L larger, S smaller, 0 zero; and its layers in 50 digits.

    The target is rounded to float64, so that the point is critical but for about 1e-16: `Critical` has that rounding.
    """
    rng = np.random.default_rng(seed)
    depth = len(widths) - 1
    with mp.workdps(50):
        pick = {
            "L": lambda m: exact.large_root(m, depth, lam) if depth > 2 else m - mp.mpf(lam),
            "S": lambda m: small_root(m, depth, lam),
            "0": lambda m: mp.mpf(0),
        }
        x = [pick[letter](mp.mpf(m)) for m, letter in zip(sigma, roots, strict=True)]
        frames = [frame(d, rng) for d in widths]
        spectrum = mp.zeros(widths[-1], widths[0])
        layers = [mp.zeros(widths[k + 1], widths[k]) for k in range(depth)]
        for i, (m, value) in enumerate(zip(sigma, x, strict=True)):
            spectrum[i, i] = mp.mpf(m)
            for layer in layers:
                layer[i, i] = mp.power(value, mp.mpf(1) / depth) if value else mp.mpf(0)
        matrix = frames[-1] * spectrum * frames[0].T
        layers = [frames[k + 1] * layer * frames[k].T for k, layer in enumerate(layers)]
        found = Critical(floats(matrix), [floats(layer) for layer in layers], lam, x)
    return found, layers


def floats(matrix: Any) -> Floats:
    return np.array([[float(matrix[i, j]) for j in range(matrix.cols)] for i in range(matrix.rows)])


def fractions(matrix: Floats) -> Floats:
    """The same numbers as exact fractions, in an object array, which multiplies exactly."""
    return np.array([[Fraction(float(entry)) for entry in row] for row in matrix], dtype=object)


def exact_hessian(layers: Sequence[Floats], matrix: Floats, lam: float) -> Floats:
    """The Hessian of F in exact fractions: the coefficient of e d in F(theta + e a + d b), with e^2 = d^2 = 0."""
    whole = [fractions(layer) for layer in layers]
    target, weight = fractions(matrix), Fraction(lam)
    places = [(k, i, j) for k, layer in enumerate(layers) for i in range(layer.shape[0]) for j in range(layer.shape[1])]

    def unit(place: tuple[int, int, int], k: int) -> Floats:
        part = np.zeros_like(whole[k])
        part[...] = Fraction(0)
        if place[0] == k:
            part[place[1], place[2]] = Fraction(1)
        return part

    result = np.zeros((len(places), len(places)), dtype=object)
    for a, one in enumerate(places):
        for b, other in enumerate(places[: a + 1]):
            parts = [
                np.array([[Fraction(int(i == j)) for j in range(matrix.shape[1])] for i in range(matrix.shape[1])])
            ]
            zero = parts[0] * 0
            chain = [parts[0], zero, zero, zero]  # of 1, e, d, e d
            for k, layer in enumerate(whole):
                e, d = unit(one, k), unit(other, k)
                c0, c1, c2, c3 = chain
                chain = [layer @ c0, layer @ c1 + e @ c0, layer @ c2 + d @ c0, layer @ c3 + e @ c2 + d @ c1]
            misfit = 2 * np.sum(chain[1] * chain[2]) + 2 * np.sum((chain[0] - target) * chain[3])
            result[a, b] = result[b, a] = misfit + (2 * weight if one == other else 0)
    return result
