"""Either end of the spectrum of a symmetric operator by ARPACK's Lanczos, with a bound on its error."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, eigsh

Floats = NDArray[np.float64]
Product = Callable[[Floats], Floats]
TOLERANCE = 1e-12  # of the residual norm, relative to the eigenvalue of largest size


def largest_eigenvalue(product: Product, start: Floats) -> tuple[float, float]:
    """The largest eigenvalue, which must be positive, and the residual norm of its vector: an eigenvalue is that near.

    `product` is the operator on vectors (N,), N > 1; Lanczos begins at `start` (N,) and gives the same bits every time.
    """
    operator = LinearOperator((start.size, start.size), matvec=lambda vector: product(vector.ravel()), dtype=float)
    values, vectors = eigsh(operator, 1, which="LA", v0=start, tol=TOLERANCE, rng=0)
    vector = vectors[:, 0]
    return float(values[0]), float(np.linalg.norm(product(vector) - values[0] * vector))


def extreme_eigenvalues(product: Product, start: Floats) -> tuple[Floats, Floats]:
    """Smallest and largest eigenvalue, (2,), and the residual norms of both, (2,); the largest must be positive.

    The smallest is asked as the largest of `largest - operator`: ARPACK never finds an eigenvalue of zero accurate
    enough, since its tolerance is relative to the eigenvalue.
    """
    top, top_residual = largest_eigenvalue(product, start)
    span, residual = largest_eigenvalue(lambda vector: top * vector - product(vector), start)
    return np.array([top - span, top]), np.array([residual, top_residual])
