r"""Low-rank matrices seen through a few linear measurements, and the generalized proximal gradient method for them.

The method is that of Lu et al. 2014 (eq. 98):

    minimize  f(X) + \sum_i g(\sigma_i(X)),   f(X) = ||A(X) - b||^2,

by X <- gsvt(X - grad f(X) / \mu, g, \mu). Problems come in batches: operators (B, n, d_L d_0) act on the entries of
X row by row, measurements are (B, n), and matrices (B, d_L, d_0). Everything is dimensionless.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dmf.theory import Penalty, haar

Floats = NDArray[np.float64]
SENSING, COMPLETION = "sensing", "completion"


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


class Point(NamedTuple):
    """B matrices with the singular values that they were made from, so that zeros among these are exact."""

    matrix: Floats
    """(B, d_L, d_0)"""
    singular_values: Floats
    """(B, min(d_0, d_L)), descending."""

    @classmethod
    def at(cls, matrix: Floats) -> Point:
        """Given matrices, their singular values as LAPACK finds them."""
        return cls(matrix, np.asarray(np.linalg.svd(matrix, compute_uv=False)))


class Method(NamedTuple):
    """How to iterate, and for how long."""

    mu: float
    """the inverse of the step"""
    tolerance: float
    """||X_{k+1} - X_k||_F of the last step, in units of the penalty's weight relative to the last penalty's: early
    penalties, which only lead the way, are left early"""
    most: int
    """steps with each penalty"""
    accelerated: bool = False
    """steps from points ahead (Nesterov's momentum, restarted where it turns back; O'Donoghue and Candes 2015), for
    convex problems, where it does not change where they lead"""


class Descent(NamedTuple):
    """Where B iterations ended."""

    point: Point
    step: Floats
    """(B,) ||X_{k+1} - X_k||_F of the last step: at a fixed point it is zero."""
    steps: NDArray[np.int64]
    """(B,) how many steps it took."""


def lipschitz(operators: Floats) -> Floats:
    """The Lipschitz constant of grad f, 2 ||A||^2, (B,)."""
    return np.asarray(2 * np.linalg.norm(operators, ord=2, axis=(1, 2)) ** 2)


def residual(operators: Floats, measurements: Floats, matrix: Floats) -> Floats:
    """A(X) - b, (B, n)."""
    return np.asarray((operators @ matrix.reshape(len(matrix), -1, 1))[..., 0] - measurements)


def slope(operators: Floats, measurements: Floats, matrix: Floats) -> Floats:
    """The gradient of f, 2 A^T (A(X) - b), (B, d_L, d_0)."""
    gap = residual(operators, measurements, matrix)
    return np.asarray((2 * gap[:, None] @ operators).reshape(matrix.shape))


def objective(operators: Floats, measurements: Floats, penalty: Penalty, point: Point) -> Floats:
    """f(X) + sum_i g(sigma_i), (B,)."""
    fit = np.sum(residual(operators, measurements, point.matrix) ** 2, axis=1)
    return np.asarray(fit + np.sum(penalty(point.singular_values), axis=1))


def proximal_step(operators: Floats, measurements: Floats, penalty: Penalty, mu: float, matrix: Floats) -> Point:
    """X_{k+1} from X_k (eq. 98): generalized singular value thresholding, of a batch."""
    moved = matrix - slope(operators, measurements, matrix) / mu
    left, sigma, right_t = np.linalg.svd(moved, full_matrices=False)
    kept = penalty.prox(sigma, mu)
    return Point(np.asarray((left * kept[:, None]) @ right_t), kept)


def descend(
    operators: Floats,
    measurements: Floats,
    penalties: Sequence[Penalty],
    start: Floats,
    method: Method,
) -> Descent:
    """Iterate with one penalty after another, each from where the last ended, until a step is below the tolerance."""
    point, steps, step = Point.at(start), np.zeros(len(start), dtype=np.int64), np.full(len(start), np.inf)
    for penalty in penalties:
        share = float(penalty(1.0) / penalties[-1](1.0))
        point, step, taken = _iterate(operators, measurements, penalty, point, method, method.tolerance * share)
        steps += taken
    return Descent(point, step, steps)


def _iterate(
    operators: Floats,
    measurements: Floats,
    penalty: Penalty,
    start: Point,
    method: Method,
    tolerance: float,
) -> Descent:
    matrix, values = start.matrix.copy(), start.singular_values.copy()
    step, steps = np.full(len(matrix), np.inf), np.zeros(len(matrix), dtype=np.int64)
    busy = np.arange(len(matrix))
    ahead, momentum = matrix.copy(), np.ones(len(matrix))
    for _ in range(method.most):
        new = proximal_step(operators[busy], measurements[busy], penalty, method.mu, ahead[busy])
        change = new.matrix - matrix[busy]
        step[busy], matrix[busy], values[busy] = np.linalg.norm(new.matrix - ahead[busy], axis=(1, 2)), *new
        steps[busy] += 1
        if method.accelerated:
            back = np.sum((ahead[busy] - new.matrix) * change, axis=(1, 2)) > 0
            before = np.where(back, 1.0, momentum[busy])
            momentum[busy] = (1 + np.sqrt(1 + 4 * before**2)) / 2
            pace = np.where(back, 0.0, (before - 1) / momentum[busy])
            ahead[busy] = new.matrix + pace[:, None, None] * change
        else:
            ahead[busy] = new.matrix
        busy = busy[step[busy] > tolerance]
        if len(busy) == 0:
            break
    return Descent(Point(matrix, values), step, steps)
