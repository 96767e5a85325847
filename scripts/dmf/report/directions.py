"""Which directions of a matrix are kept, and below which lambda: by the names of its rows and columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dmf import theory
from dmf.grid.targets import TargetMatrix

MOST_DIRECTIONS, MOST_NAMES, MOST_DEPTHS = 4, 4, 4
ZERO = 1e-12  # of sigma_1: singular values below it are rounding
EQUAL = 1e-9  # of sigma_1: singular values nearer to each other share a space, in which no direction is determined


@dataclass(frozen=True)
class Direction:
    """One pair of singular vectors.

    `kept_below`: depth and the lambda, in units of the target's lambda_c, up to which the minimizer keeps it; `below`:
    these lambdas themselves. `rows` and `columns`: names with the largest loadings, largest first, and the loadings;
    empty where `alone` is false, since then another direction has the same singular value.
    """

    number: int
    sigma: float
    alone: bool
    kept_below: Sequence[tuple[int, float]]
    below: Sequence[float]
    rows: Sequence[tuple[str, float]]
    columns: Sequence[tuple[str, float]]


def directions(target: TargetMatrix, depths: Sequence[int]) -> list[Direction]:
    """The leading directions of a target with labels or made of data, none of any other."""
    if not (target.rows or target.columns or target.origin):
        return []
    left, sigma, right = np.linalg.svd(target.values, full_matrices=False)
    found = []
    for i in range(min(MOST_DIRECTIONS, int(np.sum(sigma > ZERO * sigma[0])))):
        alone = not np.any(np.abs(np.delete(sigma, i) - sigma[i]) <= EQUAL * sigma[0])
        u, v = left[:, i], right[i]
        sign = np.sign(u[np.abs(u).argmax()])  # of a pair +-(u, v), the one in which u's largest entry is positive
        rows, columns = (
            _largest(sign * w, names) if alone else []
            for w, names in (
                (u, target.rows or numbered("row", len(u))),
                (v, target.columns or numbered("column", len(v))),
            )
        )
        below = [_unit(sigma[i], depth) for depth in depths[:MOST_DEPTHS]]
        kept = [(depth, lam / _unit(sigma[0], depth)) for depth, lam in zip(depths, below, strict=False)]
        found.append(Direction(i + 1, float(sigma[i]), alone, kept, below, rows, columns))
    return found


def _unit(sigma: float, depth: int) -> float:
    return float(theory.critical_lambda(sigma, depth))


def _largest(loadings: NDArray[np.float64], names: Sequence[str]) -> list[tuple[str, float]]:
    order = np.argsort(-np.abs(loadings), kind="stable")[:MOST_NAMES]
    return [(names[i], float(loadings[i])) for i in order if abs(loadings[i]) > ZERO]


def numbered(side: str, count: int) -> list[str]:
    """Names of rows or columns that have none: row 1, row 2, ..."""
    return [f"{side} {i + 1}" for i in range(count)]
