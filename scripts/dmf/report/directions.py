"""What a labelled target's leading singular directions are made of, by the names of its rows and columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dmf import theory
from dmf.grid.targets import TargetMatrix

Floats = NDArray[np.float64]
MOST_DIRECTIONS, MOST_NAMES, MOST_DEPTHS = 4, 4, 4
ZERO = 1e-12  # of sigma_1: singular values below it are rounding
EQUAL = 1e-9  # of sigma_1: singular values nearer to each other share a space, in which no direction is determined


@dataclass(frozen=True)
class Direction:
    """One pair of singular vectors.

    `kept_below`: depth and the lambda, in units of the target's lambda_c, up to which the minimizer keeps it. `rows`
    and `columns`: names with the largest loadings, largest first, and the loadings; empty where `alone` is false,
    since then another direction has the same singular value.
    """

    number: int
    sigma: float
    alone: bool
    kept_below: Sequence[tuple[int, float]]
    rows: Sequence[tuple[str, float]]
    columns: Sequence[tuple[str, float]]


def directions(target: TargetMatrix, depths: Sequence[int]) -> list[Direction]:
    """The leading directions of a target with any labels, none of one without."""
    if not target.rows and not target.columns:
        return []
    left, sigma, right = np.linalg.svd(target.values, full_matrices=False)
    found = []
    for i in range(min(MOST_DIRECTIONS, int(np.sum(sigma > ZERO * sigma[0])))):
        alone = not np.any(np.abs(np.delete(sigma, i) - sigma[i]) <= EQUAL * sigma[0])
        u, v = left[:, i], right[i]
        sign = np.sign(
            u[np.abs(u).argmax()]
        )  # singular vectors come in pairs +-(u, v): the largest entry of u is positive
        rows, columns = (
            _largest(sign * w, names) if alone else [] for w, names in ((u, target.rows), (v, target.columns))
        )
        kept = [(depth, float(_unit(sigma[i], depth) / _unit(sigma[0], depth))) for depth in depths[:MOST_DEPTHS]]
        found.append(Direction(i + 1, float(sigma[i]), alone, kept, rows, columns))
    return found


def _unit(sigma: float, depth: int) -> float:
    return float(theory.critical_lambda(sigma, depth))


def _largest(loadings: Floats, names: Sequence[str]) -> list[tuple[str, float]]:
    shown = names or [str(i) for i in range(len(loadings))]
    order = np.argsort(-np.abs(loadings), kind="stable")[:MOST_NAMES]
    return [(shown[i], float(loadings[i])) for i in order if abs(loadings[i]) > ZERO]
