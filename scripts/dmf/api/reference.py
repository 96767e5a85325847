"""`dmf.reference`: points of a loss whose Hessian is known to the last digit, to try tools for Hessians on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dmf import theory
from dmf.api.inputs import read_depth, read_lam, read_widths
from dmf.theory import haar

if TYPE_CHECKING:
    from jaxtyping import Float64

Array = NDArray[np.float64]
TIED = 1e-12  # of lambda: singular values this close to it, at depth 2, have a quartic direction


@dataclass(frozen=True, eq=False)
class Problem:
    """A critical point of F = ||M - W_L ... W_1||_F^2 + lam sum_l ||W_l||_F^2, and what is known of it. Dimensionless.

    F has no factor 1/2. Parameters are in the order of `point`: W_1 to W_L, each by rows.
    """

    target: Float64[Array, "d_L d_0"]
    """M"""
    lam: float
    layers: tuple[Float64[Array, "_rows _columns"], ...]
    """W_1, ..., W_L, in a random gauge: orthogonal matrices between layers change nothing that is said here"""
    objective: float
    """F"""
    spectrum: Float64[Array, " N"]
    """all eigenvalues of the Hessian of F, ascending; those of the orbit are exact zeros"""
    zero_modes: int
    """dimension of the orbit of critical points"""
    negative: int
    """how many eigenvalues are negative: 0 at minima"""
    learning_coefficient: float | None
    """of the minimum: half the codimension of the orbit, less 1/4 for each quartic direction; None at saddles"""

    @property
    def point(self) -> Float64[Array, " N"]:
        """The layers as one vector."""
        return np.concatenate([layer.ravel() for layer in self.layers])

    @property
    def trace(self) -> float:
        """Of the Hessian."""
        return float(self.spectrum.sum())

    @property
    def largest_step(self) -> float:
        """2 over the largest eigenvalue: gradient descent with a larger step leaves the point."""
        return 2 / float(self.spectrum[-1])

    def density(self, bins: int = 50) -> tuple[Float64[Array, " bin"], Float64[Array, " edge"]]:
        """The spectral density: shares of eigenvalues in equal bins, and their edges."""
        counts, edges = np.histogram(self.spectrum, bins=bins)
        return counts / counts.sum(), edges


def problem(
    singular_values: Sequence[float],
    depth: int,
    lam: float | str,
    widths: int | Sequence[int] | None = None,
    kept: int | None = None,
    seed: int = 0,
) -> Problem:
    r"""A critical point of a deep factorization whose loss, Hessian spectrum, trace and index are in closed form.

    Args:
        singular_values: those of the target, which is square and has random singular vectors; positive and descending.
        depth: number of layers L, at least 2.
        lam: \lambda > 0, or text in units of \lambda_c, as "0.5c".
        widths: hidden widths d_1, ..., d_(L-1), or one for all; as many as singular values if None.
        kept: how many of the largest values the point keeps; the global minimum if None.
        seed: of singular vectors and gauge.

    Every quantity is dimensionless. Raises ValueError for numbers out of range and for a level that does not exist.

    >>> import dmf
    >>> found = dmf.reference.problem([2, 1], depth=3, lam=0.1, seed=1)
    >>> found.spectrum.size, found.zero_modes, round(found.trace, 6), found.learning_coefficient
    (12, 2, 40.640643, 5.0)
    """
    values = np.asarray(singular_values, dtype=np.float64)
    if values.ndim != 1 or not values.size or not (values > 0).all() or (np.diff(values) > 0).any():
        raise ValueError(f"singular_values: got {singular_values!r}, expected positive numbers in descending order")
    depth, size = read_depth(depth), values.size
    full = read_widths(widths, (size, size), depth)
    strength = read_lam(lam, float(values[0]), depth)
    rng = np.random.default_rng(seed)
    left, right = haar.orthogonal(size, rng), haar.orthogonal(size, rng)
    target = (left * values) @ right.T
    level = theory.kept_at_minimum(np.diag(values), depth, strength) if kept is None else kept
    x = theory.level_singular_values(values, depth, strength, level)
    frames = [right[:, :level], *(haar.frame(width, level, rng) for width in full[1:-1]), left[:, :level]]
    s = x[:level] ** (1 / depth)
    layers = tuple((above * s) @ below.T for below, above in pairwise(frames))
    spectrum = theory.hessian_spectrum(np.diag(values), full, strength, level)
    zeros = theory.zero_modes(full, level)
    quartic = _quartic(values, depth, strength, full[1] - level)
    negative = theory.morse_index(values, full, strength, ["large"] * level + ["zero"] * (size - level))
    coefficient = None if negative else (spectrum.size - zeros) / 2 - quartic / 4
    value = theory.objective(layers, target, strength)
    return Problem(target, strength, layers, value, spectrum, zeros, negative, coefficient)


def _quartic(values: Array, depth: int, lam: float, spare: int) -> int:
    """Directions along which F grows as the fourth power: two layers, and values equal to lambda."""
    return int(np.count_nonzero(np.abs(values - lam) <= TIED * lam)) * spare if depth == 2 else 0
