r"""Definiteness of float64 matrices, proved: a Cholesky decomposition that runs to its end bounds what rounding hides.

u = 2^-53 bounds the relative error of one operation, \gamma_n = n u / (1 - n u) that of n of them in any order, with or
without fused multiplication (Higham 2002, 3.1-3.5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from jaxtyping import Float64

Floats = NDArray[np.float64]

U = 2.0**-53
SLACK = 1.01
"""Bounds are computed in float64 themselves, from a few positive terms: this covers their rounding many times over."""

TINY = 1e-290
"""More than all underflow of a decomposition adds up to: each operation loses 2^-1074 at most."""


def gamma(count: int) -> float:
    r"""\gamma_n. The matrices here have far fewer than 1 / u = 9e15 operations an entry."""
    return count * U / (1 - count * U)


def cholesky_loss(size: int, trace: float) -> float:
    r"""How negative the smallest eigenvalue of a symmetric matrix may be whose Cholesky decomposition succeeds.

    If it runs to its end on A, R^T R = A + E with |E| <= \gamma_{n+1} |R|^T |R| (Higham 2002, 10.3), in any order of
    the operations. So ||E||_2 <= \gamma ||R||_F^2 = \gamma tr(A + E) <= \gamma / (1 - \gamma) tr A, and as R^T R is
    positive semidefinite, no eigenvalue of A is below minus that (Rump 2006). Kernels that multiply by a computed
    reciprocal round once more in each operation: n + 8 instead of n + 1 counts more than these, and 2 doubles it.
    """
    loss = gamma(2 * (size + 8))
    return SLACK * loss / (1 - loss) * trace + TINY


def is_definite(matrix: Float64[Floats, "n n"], error: float) -> bool:
    """Whether every symmetric matrix within `error`, in spectral norm, of this one is proved positive definite.

    Only the lower triangle is read. False means that it is not proved, not that it is false. The shift by the error and
    the loss of the decomposition rounds each diagonal entry once, by u times its size.
    """
    diagonal = np.diagonal(matrix)
    if matrix.size == 0:
        return True
    if not np.isfinite(matrix).all() or not np.isfinite(error) or (diagonal <= 0).any():
        return False
    trace = SLACK * float(diagonal.sum())
    shift = SLACK * (error + cholesky_loss(len(matrix), trace) + 2 * U * (float(diagonal.max()) + error))
    shifted = matrix.copy()
    np.fill_diagonal(shifted, diagonal - shift)
    try:
        np.linalg.cholesky(shifted)
    except np.linalg.LinAlgError:
        return False
    return True


def frobenius(matrix: Float64[Floats, "row col"]) -> float:
    """An upper bound on the Frobenius norm. In units of the largest entry no square underflows that counts."""
    largest = float(np.abs(matrix).max(initial=0.0))
    if largest == 0 or not np.isfinite(largest):
        return largest
    return SLACK * largest * float(np.linalg.norm(matrix / largest))


def spectral(matrix: Float64[Floats, "row col"]) -> float:
    """An upper bound on the spectral norm: the computed one, raised by 1e-6 of it and proved; else the Frobenius norm.

    s^2 I - W^T W is shown to be definite, the product being off by gamma_n ||W||_F^2.
    """
    least = min(matrix.shape)
    thin = matrix if matrix.shape[1] == least else matrix.T
    size = frobenius(thin)
    guess = float(np.linalg.norm(thin, 2)) * (1 + 1e-6)
    gap = guess**2 * np.eye(least) - thin.T @ thin
    error = gamma(max(matrix.shape) + 4) * size**2 + 2 * U * guess**2
    return guess if is_definite(gap, SLACK * error) else size
