r"""Matrices with missing entries: proximal steps on ||P(M - X)||_F^2 + \lambda L ||X||_{S_{2/L}}^{2/L}, P the observed.

One step fills what is missing with X and shrinks the singular values, X+ = X*(P M + (1 - P) X): the filled target's
objective lies above this one and touches it at X, so that no step can rise (Mazumder, Hastie & Tibshirani 2010 for
depth 2). Limits are fixed points; for depth > 2 and for missing entries minimizers need not be unique. Dimensionless.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from dmf.theory._check import Array, depth_number, lam_scalar, target_matrix
from dmf.theory.adapter import positive
from dmf.theory.certificate import ROUNDING
from dmf.theory.scalar import scalar_minimizer

if TYPE_CHECKING:
    from jaxtyping import Bool, Float64


class Stop(NamedTuple):
    """When to stop: at a residual, or after so many steps."""

    residual: float
    steps: int


FINE = Stop(1e-8, 5000)
SEEN = 1e-7  # of the largest singular value: below, the root of a square is that of rounding


class Completion(NamedTuple):
    """Where proximal steps ended."""

    x: Float64[Array, "d_L d_0"]
    singular_values: Float64[Array, " value"]
    """of x, descending"""
    objectives: Float64[Array, " step"]
    """at the start and after each step: none is above the one before, but for rounding"""
    residual: float
    """||X+ - X||_F / ||P M||_F of the last step: 0 at fixed points"""
    settled: bool
    """whether that is small enough"""


def complete(
    target: npt.ArrayLike,
    observed: Bool[npt.NDArray[np.bool_], "d_L d_0"],
    depth: int,
    lam: float,
    start: Float64[Array, "d_L d_0"] | None = None,
    stop: Stop = FINE,
) -> Completion:
    """Proximal steps from `start`, zero if None, until `stop`.

    Entries of `target` (d_L, d_0) that are not `observed` are ignored; they must be finite. Raises ValueError for bad
    input, and ArithmeticError where a step rises by more than rounding, which no input should cause.

    >>> found = complete([[2.0, 2.0], [2.0, 0.0]], np.array([[True, True], [True, False]]), depth=2, lam=0.01)
    >>> found.x.round(1).tolist(), found.settled
    ([[2.0, 2.0], [2.0, 2.0]], True)
    """
    matrix, depth, lam = target_matrix(target), depth_number(depth), lam_scalar(lam)
    if observed.shape != matrix.shape or not (matrix[observed] != 0).any():
        raise ValueError("observed: expected the shape of the target, and an entry that is not zero among them")
    least, known = positive("residual", stop.residual), np.where(observed, matrix, 0.0)
    size = float(np.linalg.norm(known))
    x = np.zeros_like(matrix) if start is None else target_matrix(start, "start")
    values = np.zeros(min(matrix.shape)) if start is None else np.asarray(np.linalg.svd(x, compute_uv=False))
    objectives = [_objective(known, observed, x, values, depth, lam)]
    residual = np.inf
    while residual > least and len(objectives) <= stop.steps:
        moved, values = _shrunk(np.where(observed, known, x), depth, lam)
        residual, x = float(np.linalg.norm(moved - x)) / size, moved
        objectives.append(_objective(known, observed, x, values, depth, lam))
        if objectives[-1] - objectives[-2] > ROUNDING * (size**2 + objectives[-2]):
            raise ArithmeticError(f"a proximal step rose from {objectives[-2]!r} to {objectives[-1]!r}")
    return Completion(x, values, np.array(objectives), residual, residual <= least)


def _shrunk(filled: Array, depth: int, lam: float) -> tuple[Array, Array]:
    """X* of a full matrix and its singular values, by the smaller of its Gram matrices: faster than an SVD.

    Its values err by rounding of the largest, squared: those below SEEN of it are left out.
    """
    wide = filled if filled.shape[0] <= filled.shape[1] else filled.T
    squares, vectors = np.linalg.eigh(wide @ wide.T)
    sigma = np.sqrt(np.maximum(squares[::-1], 0.0))
    values = np.where(sigma > SEEN * sigma[0], scalar_minimizer(sigma, depth, lam), 0.0)
    kept = values > 0
    left = vectors[:, ::-1][:, kept]
    moved = (left * (values[kept] / sigma[kept])) @ (left.T @ wide)
    return np.asarray(moved if wide is filled else moved.T), values


def _objective(known: Array, observed: npt.NDArray[np.bool_], x: Array, values: Array, depth: int, lam: float) -> float:
    return float(np.sum((known - x)[observed] ** 2) + lam * depth * np.sum(values ** (2 / depth)))
