"""Ball arithmetic on matrices: stored float64 numbers are exact, and every result encloses the true one (python-flint).

A ball is a number with a bound on its error (`flint.arb`). A comparison of balls is true only where it holds for every
pair of members. All quantities are dimensionless.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import reduce, wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import numpy as np
from flint import arb, arb_mat, ctx
from numpy.typing import NDArray

if TYPE_CHECKING:
    from jaxtyping import Float64

Floats = NDArray[np.float64]
P = ParamSpec("P")
R = TypeVar("R")

PRECISION = 192
"""Bits of a midpoint. Products of two float64 numbers are exact in 106; sums of chains lose a few bits a factor."""


@contextmanager
def _precision() -> Iterator[None]:
    before = ctx.prec
    ctx.prec = PRECISION
    try:
        yield
    finally:
        ctx.prec = before


def in_balls(function: Callable[P, R]) -> Callable[P, R]:
    """Run a function at PRECISION; the precision of the caller is restored after it."""

    @wraps(function)
    def at_precision(*args: P.args, **kwargs: P.kwargs) -> R:
        with _precision():
            return function(*args, **kwargs)

    return at_precision


def exact(matrix: Float64[Floats, "row col"]) -> arb_mat:
    """The matrix as balls of radius 0: each float64 is a number of 53 bits."""
    rows, columns = matrix.shape
    entries: list[float] = np.asarray(matrix, dtype=np.float64).ravel().tolist()
    return arb_mat(rows, columns, entries)


def identity(size: int) -> arb_mat:
    """The identity matrix."""
    return exact(np.eye(size))


def nearest(matrix: arb_mat) -> Float64[Floats, "row col"]:
    r"""The midpoints, each rounded to float64: off by u |x| and the balls' radii.

    The radii are of the order 2^-PRECISION of the sizes in the chains that gave the ball: callers count u twice.
    """
    return np.array([float(entry.mid()) for entry in matrix.entries()]).reshape(matrix.nrows(), matrix.ncols())


def norm_sq(matrix: arb_mat) -> arb:
    """The squared Frobenius norm."""
    rows = arb_mat(1, matrix.nrows() * matrix.ncols(), matrix.entries())
    return (rows * rows.transpose())[0, 0]


def norm(matrix: arb_mat) -> arb:
    """The Frobenius norm. The square of a ball around zero may reach below it; its root then begins at zero."""
    return root(norm_sq(matrix))


def root(ball: arb) -> arb:
    """The square root of a number that is known not to be negative."""
    return ball.nonnegative_part().sqrt()


def product(factors: Sequence[arb_mat]) -> arb_mat:
    """W_L ... W_1 of [W_1, ..., W_L]."""
    return reduce(lambda below, layer: layer * below, factors)


def within(center: arb, radius: arb) -> arb:
    """All numbers no farther than `radius` from `center`."""
    return center + arb(0, radius.abs_upper())


def upper(ball: arb) -> float:
    """A float64 that is no smaller than any member; infinite where the ball has no end."""
    return _outward(ball.upper(), math.inf)


def lower(ball: arb) -> float:
    """A float64 that is no larger than any member."""
    return _outward(ball.lower(), -math.inf)


def _outward(end: arb, away: float) -> float:
    if not end.is_finite():
        return away
    return 0.0 if end == 0 else math.nextafter(float(end), away)


@in_balls
def singular_values(matrix: Float64[Floats, "row col"]) -> list[arb]:
    r"""Balls around the min(row, col) singular values, descending.

    With an approximate decomposition U S V^T of any quality, the matrix is U S V^T + R. Singular values of U S V^T are
    s_i times a factor between the products of the extreme singular values of U and V (Ostrowski), whose squares are
    within ||U^T U - I||_F of 1, and by Weyl's inequality those of the matrix are within ||R||_F of these.
    """
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    u, v = exact(left), exact(right).transpose()
    residual = norm(exact(matrix) - u * exact(np.diag(values)) * v.transpose())
    stretch = arb(1)
    for frame in (u, v):
        defect = norm(frame.transpose() * frame - identity(frame.ncols()))
        stretch = stretch * root(within(arb(1), defect))
    return [within(arb(float(value)) * stretch, residual).nonnegative_part() for value in values]
