"""Recovery problems: low-rank matrices, seen through a few Gaussian measurements or a few of their entries."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dmf.theory import haar

Floats = NDArray[np.float64]

SENSING, COMPLETION = "sensing", "completion"


class Problem(NamedTuple):
    """B problems of one size."""

    truth: Floats
    """(B, d_L, d_0) of largest singular value 1."""
    operators: Floats
    """(B, n, d_L d_0) A on the entries of X row by row, of orthonormal rows."""
    measurements: Floats
    """(B, n) b = A(truth), without noise."""


def draw(kind: str, shape: tuple[int, int], rank: int, count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """One truth, a product of Gaussian factors scaled to spectral norm 1, and one operator with `count` rows.

    Rows are orthonormal: of sensing, a Haar distributed subspace, which is what Gaussian measurements tell without
    noise; of completion, entries drawn without replacement. Raises ValueError for impossible sizes and other kinds.
    """
    size = shape[0] * shape[1]
    if not (1 <= rank <= min(shape) and 1 <= count <= size):
        raise ValueError(f"rank {rank}, measurements {count}: expected at most {min(shape)} and {size} for {shape}")
    truth = rng.standard_normal((shape[0], rank)) @ rng.standard_normal((rank, shape[1]))
    truth /= np.linalg.norm(truth, 2)
    if kind == SENSING:
        return truth, np.ascontiguousarray(haar.frame(size, count, rng, fixed_signs=False).T)
    if kind == COMPLETION:
        return truth, np.eye(size)[np.sort(rng.permutation(size)[:count])]
    raise ValueError(f"kind {kind!r}: expected {SENSING} or {COMPLETION}")


def stack(drawn: list[tuple[Floats, Floats]]) -> Problem:
    """Problems with operators of any number of rows, the shorter ones filled up with zeros, which measure nothing."""
    most = max(len(operator) for _, operator in drawn)
    truth = np.stack([matrix for matrix, _ in drawn])
    operators = np.stack([np.pad(operator, ((0, most - len(operator)), (0, 0))) for _, operator in drawn])
    return Problem(truth, operators, np.asarray((operators @ truth.reshape(len(truth), -1, 1))[..., 0]))


def degrees_of_freedom(shape: tuple[int, int], rank: int) -> int:
    """The dimension r (d_L + d_0 - r) of matrices of rank r: with fewer measurements, others agree with all of them."""
    return rank * (sum(shape) - rank)
