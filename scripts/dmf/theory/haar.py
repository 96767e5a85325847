"""Random orthogonal matrices and orthonormal columns, Haar distributed: by QR of a Gaussian matrix (Mezzadri 2007)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from jaxtyping import Float64

Floats = NDArray[np.float64]


def orthogonal(size: int, rng: np.random.Generator, *, fixed_signs: bool = True) -> Float64[Floats, "size size"]:
    """One orthogonal matrix (size, size): `frame` with as many columns as rows."""
    return frame(size, size, rng, fixed_signs=fixed_signs)


def frame(
    rows: int, columns: int, rng: np.random.Generator, *, draws: tuple[int, ...] = (), fixed_signs: bool = True
) -> Float64[Floats, "*draws rows columns"]:
    r"""Orthonormal columns (*draws, rows, columns), dimensionless; rows >= columns, otherwise as `np.linalg.qr` gives.

    G = Q R has one Q for each choice of the signs of R's diagonal. With all of them positive Q is Haar distributed:
    then Q(A G) = A Q(G) for every orthogonal A, and A G is distributed as G is.

    `fixed_signs=False` leaves the signs to LAPACK, as some stored evidence was drawn; its bits would change with the
    signs. A column's sign then follows from the other entries: a Householder reflection takes the first column g to
    -sign(g_1) ||g|| e_1, so q_11 <= 0, and a square Q has determinant (-1)^{size-1}, which is as many reflections.
    Spans of columns, and any q q^T, are distributed as Haar's. X = U diag(\sigma) V^T is not: u_11 v_11 >= 0 always.
    """
    return frame_of(rng.standard_normal((*draws, rows, columns)), fixed_signs=fixed_signs)


def frame_of(
    gaussian: Float64[Floats, "*draws rows columns"], *, fixed_signs: bool = True
) -> Float64[Floats, "*draws rows columns"]:
    """The Q of `frame` for Gaussian matrices (*draws, rows, columns)."""
    q, r = np.linalg.qr(gaussian)
    if not fixed_signs:
        return np.asarray(q)
    return np.asarray(q * np.where(np.diagonal(r, axis1=-2, axis2=-1) < 0, -1.0, 1.0)[..., None, :])
