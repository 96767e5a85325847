"""Both ends of the spectrum of a symmetric operator, each with a bound on its error."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dmf.training.constants import INVARIANT

Floats = NDArray[np.float64]


def extreme_eigenvalues(product: Callable[[Floats], Floats], start: Floats, steps: int) -> tuple[Floats, Floats]:
    """Smallest and largest Ritz value after at most `steps` products, (2,), and the residual norms of both, (2,).

    Lanczos with full reorthogonalization from `start` (N,), steps < N. An eigenvalue lies within the residual of its
    Ritz value, and no Ritz value lies outside of the spectrum. Ends early where the products stay in a subspace, as
    those with a multiple of the identity do: its Ritz values are eigenvalues.
    """
    basis = np.zeros((steps, start.size))
    diagonal, side = np.zeros(steps), np.zeros(steps)
    vector = start / np.linalg.norm(start)
    for step in range(steps):
        basis[step] = vector
        image = product(vector)
        diagonal[step] = vector @ image
        for _ in range(2):  # once is not enough: what the first pass leaves is of the size of its own rounding
            image = image - basis[: step + 1].T @ (basis[: step + 1] @ image)
        side[step] = np.linalg.norm(image)
        if side[step] <= start.size * INVARIANT * np.abs(diagonal[: step + 1]).max():
            diagonal, side = diagonal[: step + 1], side[: step + 1]
            break
        vector = image / side[step]
    values, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(side[:-1], 1) + np.diag(side[:-1], -1))
    ends = [0, -1]
    return values[ends], np.abs(side[-1] * vectors[-1, ends])
