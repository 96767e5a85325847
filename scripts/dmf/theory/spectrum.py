r"""All N Hessian eigenvalues of the matrix problem at its aligned critical points, in closed form.

At every critical point the moves W_l S_{l-1} - S_l W_l, S_0 = S_L = 0, are eigenvectors: of 4 \lambda where all S_l
are symmetric, of 0 where all are skew (these are the orbit). What is left is two numbers a pair of kept values,

    2 (\sigma_i - \sigma_j)(x_i + x_j) / (s_i^2 - s_j^2)   and   2 (\sigma_i + \sigma_j)(x_i - x_j) / (s_i^2 - s_j^2),

s_i = x_i^{1/L}, the first also for i = j as a limit, and 2 \lambda for what only the regularization sees; the proof
is in docs/theory.md. All minimizers with the same X lie on one orbit of an isometric symmetry of F, so they share
this spectrum.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dmf.theory._check import Array, integer, lam_scalar, layer_widths, reals, target_matrix
from dmf.theory.certificate import ZERO_MODE
from dmf.theory.matrix import level_singular_values, singular_values
from dmf.theory.scalar import collapse_threshold

if TYPE_CHECKING:
    from jaxtyping import Float64


def hessian_spectrum(
    target: npt.ArrayLike, widths: Sequence[int], lam: float, kept: int | None = None
) -> Float64[Array, " eigen"]:
    """Return all N eigenvalues of the Hessian of F at the level-`kept` critical point, ascending, shape (N,).

    kept = None is the global minimizer; other levels are described in `level_singular_values`. Zero modes are exact
    zeros, and every eigenvalue has its own relative accuracy. Costs little more than sorting them. Dimensionless.
    ValueError for bad input, or `kept` above the number of singular values > m_loc.
    """
    target = target_matrix(target)
    d, lam = layer_widths(widths, target), lam_scalar(lam)
    depth = len(d) - 1
    sigma = singular_values(target)
    if kept is None:
        kept = int(np.count_nonzero(sigma > collapse_threshold(depth, lam)))
    return aligned_spectrum(level_singular_values(sigma, depth, lam, kept), sigma, kept, d, lam)


def aligned_spectrum(
    x: Float64[Array, " n"], sigma: Float64[Array, " n"], kept: int, d: tuple[int, ...], lam: float
) -> Float64[Array, " eigen"]:
    """All N eigenvalues, ascending, where X has singular values x on axes with sigma, both of shape (min(d_0, d_L),).

    The first `kept` axes hold positive critical points of g, the others zero; sigma need not be sorted. Hidden widths
    may be as small as `kept`.
    """
    depth = len(d) - 1
    x, held, dropped = x[:kept], sigma[:kept], sigma[kept:]
    orbit = _orbit(d, kept)
    along = [
        *_kept_pairs(x, held, depth, lam),
        *_dropped_pairs(x, held, dropped, depth),
        np.repeat(_slope(x, depth) * held, abs(d[0] - d[-1])),  # entries of rows or columns M has none for
        np.full(orbit + kept * (depth - 1), 4 * lam),
        np.zeros(orbit),
    ]
    if depth == 2:  # where nothing is kept, the product of two layers still feels the target
        pulls = np.repeat(2 * dropped, d[1] - kept)
        along += [2 * lam - pulls, 2 * lam + pulls]
    felt = np.concatenate(along)
    parameters = sum(rows * columns for columns, rows in pairwise(d))
    return np.sort(np.concatenate([felt, np.full(parameters - felt.size, 2 * lam)]))


def smallest_positive_eigenvalue(spectrum: npt.ArrayLike) -> float:
    """Return mu, the smallest eigenvalue that is no zero mode: above 64 * 2.2e-16 of the largest |.|.

    Near a minimizer ||grad F|| / mu bounds the distance to the minimizers. A true eigenvalue under that
    threshold cannot be told from a zero mode and is passed over. ValueError if none is above, or bad input.
    """
    values = reals("spectrum", spectrum, ndim=1)
    largest = float(np.max(np.abs(values), initial=0.0))
    positive = values[values > ZERO_MODE * largest]
    if positive.size == 0:
        raise ValueError(f"spectrum of {values.size} values: expected a positive one besides the zero modes")
    return float(positive.min())


def zero_modes(widths: Sequence[int], rank: int) -> int:
    """Dimension of the orbit of minimizers with rank X = r: sum over hidden layers of d_l r - r (r + 1) / 2.

    Equals the number of zero Hessian eigenvalues at a minimizer (for depth 2 unless a sigma_i equals lam).
    ValueError for bad widths, or a rank above min(d_0, d_L).
    """
    d, rank = layer_widths(widths), integer("rank", rank, least=0)
    if rank > min(d[0], d[-1]):
        raise ValueError(f"rank = {rank}: expected at most min(d_0, d_L) = {min(d[0], d[-1])}")
    return _orbit(d, rank)


def _orbit(d: tuple[int, ...], rank: int) -> int:
    return sum(width * rank - rank * (rank + 1) // 2 for width in d[1:-1])


def _kept_pairs(x: Array, sigma: Array, depth: int, lam: float) -> tuple[Array, Array]:
    """Two eigenvalues for each pair of kept values, i <= j and i < j, without a difference of nearly equal numbers.

    Divided by s_i - s_j, differences of powers are sums, and sigma_i = s_i^L + lam s_i^{2-L}.
    """
    first, second = np.triu_indices(x.size)
    s = x ** (1 / depth)
    s_i, s_j = s[first], s[second]
    powers = _sum_of_products(depth - 1, s_i, s_j)
    pull = lam * _sum_of_products(depth - 3, 1 / s_i, 1 / s_j) / (s_i * s_j)
    even = 2 * (x[first] + x[second]) * (powers - pull) / (s_i + s_j)
    odd = 2 * (sigma[first] + sigma[second]) * powers / (s_i + s_j)
    return even, odd[first < second]


def _dropped_pairs(x: Array, sigma: Array, dropped: Array, depth: int) -> tuple[Array, Array]:
    """Two eigenvalues for each kept value i and dropped value j: 2 s_i^{L-2} (sigma_i -+ sigma_j)."""
    slope = _slope(x, depth)[:, None]
    return (slope * (sigma[:, None] - dropped)).ravel(), (slope * (sigma[:, None] + dropped)).ravel()


def _slope(x: Array, depth: int) -> Array:
    return np.asarray(2 * x ** (1 - 2 / depth))


def _sum_of_products(degree: int, a: Array, b: Array) -> Array:
    """sum_{k=0}^{n} a^{n-k} b^k = (a^{n+1} - b^{n+1}) / (a - b) for n = degree; zero for n = -1."""
    total = np.zeros_like(a)
    for power in range(degree + 1):
        total = total * a + b**power
    return total
