r"""How the minimizer moves with its target: derivative, degrees of freedom, and Stein's estimate of its risk.

X* shrinks the singular values of M: x_i = x*(\sigma_i), with the singular vectors of M (Theorem 10). Y = M + s Z is an
observed target with independent Gaussian noise of standard deviation s. Derivations: docs/denoise.md. Entries, singular
values and s are in one unit, whatever it is; risks in its square, degrees of freedom dimensionless.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from dmf.theory._check import Array, depth_number, integer, lam_scalar, same_shape, spectrum_values, target_matrix
from dmf.theory.adapter import positive
from dmf.theory.scalar import collapse_threshold, jump, scalar_minimizer

if TYPE_CHECKING:
    from jaxtyping import Float64

Shape = tuple[int, int]
NEAR = 1e-6  # of the larger: nearer singular values have the mean of their slopes, whose error is of second order
ROWS = 512  # of a table of pairs that are in memory at once
STEPS = 400  # of the integral of one singular value's density
REACH = 8.0  # standard deviations to either side: less than 1e-14 of a density that falls faster than a Gaussian's
WIDTHS = 40.0  # of its peak: near a neighbour a density falls like an exponential


class SteinRisk(NamedTuple):
    """Stein's estimate of the risk E ||X*(Y) - M||_F^2 and its parts."""

    risk: float
    """residual - d_L d_0 s^2 + 2 s^2 (degrees + jump)"""
    residual: float
    """||X* - Y||_F^2"""
    degrees: float
    """degrees of freedom: the trace of dX*/dY"""
    jump: float
    """what the jump of X* at m* adds to the degrees of freedom, estimated; 0 for depth 2"""


def shrinkage_derivative(
    target: npt.ArrayLike, direction: npt.ArrayLike, depth: int, lam: float
) -> Float64[Array, "d_L d_0"]:
    """D X*(M)[D]: how X* moves for a step D = direction of M = target, both (d_L, d_0).

    Where X* is differentiable: no singular value at m*. ValueError for bad input.

    >>> shrinkage_derivative([[3.0, 0.0], [0.0, 0.5]], [[1.0, 0.0], [0.0, 1.0]], depth=2, lam=1.0).tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """
    matrix, step = target_matrix(target), target_matrix(direction, "direction")
    if matrix.shape != step.shape:
        raise ValueError(f"direction: got shape {step.shape}, expected that of the target, {matrix.shape}")
    rows, columns = matrix.shape
    size = max(rows, columns)  # with rows or columns of zeros M is square, and X* has them too
    matrix, step = (np.pad(one, ((0, size - rows), (0, size - columns))) for one in (matrix, step))
    left, sigma, right_t = np.linalg.svd(matrix)
    x = scalar_minimizer(sigma, depth, lam)
    inner = left.T @ step @ right_t.T
    even, odd = (inner + inner.T) / 2, (inner - inner.T) / 2
    pairs = np.arange(size)
    moved = _differences(sigma, x, pairs, depth, lam) * even + _sums(sigma, x, pairs) * odd
    return np.asarray((left @ moved @ right_t)[:rows, :columns])


def sensitivity_spectrum(target: npt.ArrayLike, depth: int, lam: float) -> Float64[Array, " entry"]:
    r"""The d_L d_0 eigenvalues of dX*/dM, a symmetric map, ascending: 1 moves X* as much as M, 0 not at all.

    1/h'(x_i); (x_i \mp x_j) / (\sigma_i \mp \sigma_j) for i < j; x_i / \sigma_i, |d_L - d_0| times (Lewis & Sendov 2005
    for the symmetric case). O(d^2) numbers. ValueError for bad input.

    >>> sensitivity_spectrum([[3.0, 0.0], [0.0, 0.5]], depth=2, lam=1.0).round(3).tolist()
    [0.0, 0.571, 0.8, 1.0]
    """
    matrix = target_matrix(target)
    sigma = np.asarray(np.linalg.svd(matrix, compute_uv=False), dtype=np.float64)
    x = scalar_minimizer(sigma, depth, lam)
    every = np.arange(len(sigma))
    even, odd = _differences(sigma, x, every, depth, lam), _sums(sigma, x, every)
    above = np.triu_indices(len(sigma), 1)
    across = np.repeat(_ratios(sigma, x), abs(matrix.shape[0] - matrix.shape[1]))
    return np.sort(np.concatenate([np.diag(even), even[above], odd[above], across]))


def degrees_of_freedom(sigma: npt.ArrayLike, shape: Shape, depth: int, lam: float) -> float:
    """The trace of dX*/dM at a target of `shape` (d_L, d_0) with the singular values sigma, descending; ties too.

    Between 0 and d_L d_0 for depth 2; for others large where a kept value is near one that is not. ValueError for bad
    input.

    >>> degrees_of_freedom([3.0, 0.5], (2, 2), depth=2, lam=1.0)
    2.3714285714285714
    """
    sigma, shape = _of_shape(sigma, shape)
    x = scalar_minimizer(sigma, depth, lam)
    kept = int(np.count_nonzero(x))
    total = abs(shape[0] - shape[1]) * float(_ratios(sigma, x).sum())
    for begin in range(0, kept, ROWS):
        rows = np.arange(begin, min(begin + ROWS, kept))
        pairs = _differences(sigma, x, rows, depth, lam), _sums(sigma, x, rows)
        later = np.arange(len(sigma)) > rows[:, None]
        total += float(sum(pair[later].sum() for pair in pairs) + pairs[0][np.arange(len(rows)), rows].sum())
    return total


def divergence(sigma: npt.ArrayLike, x: npt.ArrayLike, slope: npt.ArrayLike, shape: Shape) -> float:
    r"""The trace of the derivative of any shrinkage \sigma_i -> x_i with derivatives `slope`, (n,) each.

    \sum_i slope_i + |d_L - d_0| \sum_i x_i / \sigma_i + 2 \sum_{i<j} (\sigma_i x_i - \sigma_j x_j) / (\sigma_i^2 -
    \sigma_j^2) (Candes, Sing-Long & Trzasko 2013). Values within NEAR of each other count as tied: their error is of
    second order. ValueError for bad input.

    >>> divergence([3.0, 0.5], [3.0, 0.5], [1.0, 1.0], (2, 2))  # of the identity: all entries
    4.0
    """
    values, shape = _of_shape(sigma, shape)
    values, x, slope = same_shape(sigma=values, x=np.asarray(x, np.float64), slope=np.asarray(slope, np.float64))
    total = float(slope.sum()) + abs(shape[0] - shape[1]) * float(_ratios(values, x).sum())
    for begin in range(0, len(values), ROWS):
        rows = np.arange(begin, min(begin + ROWS, len(values)))
        gap, reach = values[rows, None] - values, np.maximum(values[rows, None], values)
        tied = gap <= NEAR * reach
        even = np.where(tied, (slope[rows, None] + slope) / 2, (x[rows, None] - x) / np.where(tied, 1.0, gap))
        later = np.arange(len(values)) > rows[:, None]
        total += float(even[later].sum() + _sums(values, x, rows)[later].sum())
    return total


def density_at(sigma: npt.ArrayLike, shape: Shape, noise: float, threshold: float) -> float:
    r"""An estimate of \sum_i p_i(threshold), p_i the density of \sigma_i(Y), from the one Y with the values sigma.

    Exact would be the mean of p(threshold | the singular vectors and all other values), whose only unknown is
    a_i = u_i^T M v_i; its estimate from Y puts the peak of that density at \sigma_i. No function of Y alone is unbiased
    (docs/denoise.md). In 1 / unit. ValueError for bad input.
    """
    sigma, shape = _of_shape(sigma, shape)
    noise, threshold = positive("noise", noise), positive("threshold", threshold)
    above = int(np.count_nonzero(sigma > threshold))
    # No other value can be moved to the threshold: a density ends at its neighbours.
    return sum(_conditional(sigma, i, shape, noise, threshold) for i in (above - 1, above) if 0 <= i < len(sigma))


def stein_risk(sigma: npt.ArrayLike, shape: Shape, noise: float, depth: int, lam: float) -> SteinRisk:
    """Stein's estimate of E ||X*(Y) - M||_F^2 from the singular values of one Y = M + noise Z of `shape` (d_L, d_0).

    Unbiased for depth 2. X* of others jumps at m*: what Stein's identity then lacks is x_J times a density of singular
    values (Tibshirani 2015 for thresholds of means), which is estimated (`density_at`). Its standard deviation is about
    noise^2 (2 d_L d_0)^(1/2), nearly the same for all depths and lambdas. ValueError for bad input.
    """
    values, shape = _of_shape(sigma, shape)
    noise, depth, lam = positive("noise", noise), depth_number(depth), lam_scalar(lam)
    x = scalar_minimizer(values, depth, lam)
    at = float(collapse_threshold(depth, lam))
    height = float(jump(depth, lam))
    added = height * density_at(values, shape, noise, at) if height else 0.0
    return risk_of(float(np.sum((values - x) ** 2)), degrees_of_freedom(values, shape, depth, lam), added, shape, noise)


def risk_of(residual: float, degrees: float, added: float, shape: Shape, noise: float) -> SteinRisk:
    """Stein's estimate from its parts: ||X* - Y||_F^2, the divergence, and what jumps add to it."""
    risk = residual - shape[0] * shape[1] * noise**2 + 2 * noise**2 * (degrees + added)
    return SteinRisk(risk, residual, degrees, added)


def _conditional(sigma: Array, i: int, shape: Shape, noise: float, at: float) -> float:
    """The density of the i-th value, given all others and the singular vectors, at `at`, with its peak at sigma_i.

    Proportional to t^|d_L - d_0| prod_j |t^2 - sigma_j^2| exp(-(t - a)^2 / (2 s^2)) between its neighbours.
    """
    own, others, spare = float(sigma[i]), np.delete(sigma, i), abs(shape[0] - shape[1])
    low, high = float(sigma[i + 1]) if i + 1 < len(sigma) else 0.0, float(sigma[i - 1]) if i else np.inf
    if not low < at < high or not low < own < high:
        return 0.0
    s = noise
    pull = spare / own + float(np.sum(2 * own / ((own - others) * (own + others))))
    bend = 1 / s**2 + spare / own**2 + float(np.sum(1 / (own - others) ** 2 + 1 / (own + others) ** 2))
    reach = min(REACH * s, WIDTHS / float(np.sqrt(bend)))
    low, high = max(low, own - reach), min(high, own + reach)
    if not low < at < high:
        return 0.0

    def logarithm(t: Array) -> Array:
        gaps = np.abs((t[:, None] - others) * (t[:, None] + others)) / np.abs((own - others) * (own + others))
        move = t - own
        return np.asarray(np.log(gaps).sum(axis=1) + spare * np.log(t / own) - move * pull - move**2 / (2 * s**2))

    step = (high - low) / STEPS
    whole = float(np.exp(logarithm(np.asarray(low + step * (np.arange(STEPS) + 0.5)))).sum()) * step
    return float(np.exp(logarithm(np.array([at]))[0])) / whole


def _differences(sigma: Array, x: Array, rows: npt.NDArray[np.intp], depth: int, lam: float) -> Array:
    """(x_i - x_j) / (sigma_i - sigma_j) of `rows` i and all j; 1 / h'(x_i) where i = j or the two are equal.

    Of two kept values 1 / (1 + lam (x_i^-p - x_j^-p) / (x_i - x_j)), p = 1 - 2/L: a smooth function of log(x_i / x_j),
    so that nothing cancels.
    """
    one, other = np.broadcast_arrays(x[rows, None], x[None, :])
    small, large = np.minimum(one, other), np.maximum(one, other)
    gap = np.abs(sigma[rows, None] - sigma)
    found = np.divide(large, gap, out=np.zeros_like(gap), where=(small == 0) & (large > 0))
    both = small > 0
    if depth == 2:
        return np.asarray(np.where(both, 1.0, found))
    p = 1 - 2 / depth
    t = np.log(large[both] / small[both])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        quotient = np.where(t == 0, -p, np.expm1(-p * t) / np.expm1(t))
    found[both] = 1 / (1 + quotient * (small[both] / lam ** (1 / (1 + p))) ** -(1 + p))
    return np.asarray(found)


def _sums(sigma: Array, x: Array, rows: npt.NDArray[np.intp]) -> Array:
    """(x_i + x_j) / (sigma_i + sigma_j) of `rows` i and all j; 0 where both are zero."""
    size = sigma[rows, None] + sigma
    return np.divide(x[rows, None] + x, size, out=np.zeros_like(size), where=size > 0)


def _ratios(sigma: Array, x: Array) -> Array:
    return np.divide(x, sigma, out=np.zeros_like(sigma), where=sigma > 0)


def _of_shape(sigma: npt.ArrayLike, shape: Shape) -> tuple[Array, Shape]:
    values = spectrum_values("sigma", sigma)
    rows, columns = (integer(f"shape[{axis}]", size, least=1) for axis, size in enumerate(shape))
    if len(values) != min(rows, columns):
        raise ValueError(f"sigma: got {len(values)} values, expected min(d_L, d_0) = {min(rows, columns)}")
    return values, (rows, columns)
