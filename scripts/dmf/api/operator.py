"""`dmf.SpectralPenalty`: penalties of singular values as proximal operators, called as those of pyproximal are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dmf.theory._check import integer, real, reals
from dmf.theory.penalties import Penalty, gsvt

if TYPE_CHECKING:
    from jaxtyping import Float64

Array = npt.NDArray[np.float64]


class SpectralPenalty:
    r"""f(X) = \sum_i g(\sigma_i(X)) for a concave penalty g of `dmf.theory`, with its value and proximal map.

    Args:
        penalty: g: `Power.of_depth(depth, lam)` is \lambda L ||X||_{S_{2/L}}^{2/L}, what weight decay of L layers
            charges their product (Theorem 3); others are `Power`, `Log`, `Geman`, `Mcp` and `Scad`.
        shape: (rows, columns) of X. Matrices may also come as vectors of rows * columns entries, in NumPy's order, as
            solvers have them, and then leave as such.

    All is dimensionless. Solvers that take any object with `__call__` and `prox`, those of pyproximal for one, take
    this one; f is not convex but for the nuclear norm, so that they may end at a local minimum. Raises ValueError for
    bad input, TypeError for what is no penalty.

    >>> import dmf
    >>> from dmf.theory import Power
    >>> nuclear = dmf.SpectralPenalty(Power(weight=0.5, exponent=1.0), shape=(2, 2))
    >>> nuclear([3.0, 0.0, 0.0, 1.0]), nuclear.prox([3.0, 0.0, 0.0, 1.0], tau=1.0).tolist()
    (2.0, [2.5, 0.0, 0.0, 0.5])
    """

    hasgrad = False
    """what pyproximal's solvers ask of an operator"""

    def __init__(self, penalty: Penalty, shape: tuple[int, int]) -> None:
        """Check the two. Raises ValueError and TypeError."""
        if not isinstance(penalty, Penalty):
            raise TypeError(f"penalty: got {type(penalty).__name__}, expected one of dmf.theory, such as Power")
        if len(shape) != 2:
            raise ValueError(f"shape: got {tuple(shape)}, expected (rows, columns)")
        self.penalty = penalty
        self.shape = integer("shape[0]", shape[0], least=1), integer("shape[1]", shape[1], least=1)

    def __call__(self, x: npt.ArrayLike) -> float:
        """f(x), >= 0. ValueError for another size."""
        values = np.linalg.svd(self._matrix(x)[0], compute_uv=False)
        return float(np.sum(self.penalty(values)))

    def prox(self, x: npt.ArrayLike, tau: float) -> Float64[Array, "*x"]:
        r"""Argmin over Z of f(Z) + ||Z - X||_F^2 / (2 \tau), tau > 0, as the vector or matrix that x is.

        The project's own objective has no factor 1/2: X* of depth L is `Power.of_depth(L, lam)` at tau = 1/2. Where a
        singular value is at a tie, the minimizer of lower rank. ValueError for bad input.
        """
        matrix, given = self._matrix(x)
        step = real("tau", tau)
        if step <= 0:
            raise ValueError(f"tau = {step}: expected a number > 0")
        return gsvt(matrix, self.penalty, mu=1 / step).reshape(given)

    def _matrix(self, x: npt.ArrayLike) -> tuple[Array, tuple[int, ...]]:
        array = reals("x", x)
        if array.shape not in (self.shape, (self.shape[0] * self.shape[1],)):
            raise ValueError(
                f"x: got shape {array.shape}, expected {self.shape} or a vector of {self.shape[0] * self.shape[1]}"
            )
        return array.reshape(self.shape), array.shape

    def __repr__(self) -> str:
        """The penalty and the shape."""
        return f"SpectralPenalty({self.penalty!r}, shape={self.shape})"
