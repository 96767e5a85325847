r"""The matrix problem: its minimizers, its minimum and the levels of its local minima.

    F(W_1, ..., W_L) = ||M - W_L ... W_1||_F^2 + \lambda \sum_l ||W_l||_F^2          (eq. 2, no factor 1/2)

has the minimum of the Schatten problem ||M - X||_F^2 + \lambda L ||X||_{S_{2/L}}^{2/L} (Theorem 3), which
separates over the singular values of M (Theorem 10). A target M has shape (d_L, d_0), layer l has shape
(d_l, d_{l-1}), and widths = [d_0, ..., d_L]. Every quantity is dimensionless.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dmf.theory import haar
from dmf.theory._check import (
    Array,
    depth_number,
    kept_number,
    lam_scalar,
    layer_list,
    layer_widths,
    spectrum_values,
    target_matrix,
)
from dmf.theory.certificate import rank_rounding
from dmf.theory.scalar import (
    branch_threshold,
    collapse_threshold,
    large_root,
    scalar_minimizer,
    scalar_objective,
)

if TYPE_CHECKING:
    from jaxtyping import Float64


def parameter_count(widths: Sequence[int]) -> int:
    """N = sum_l d_l d_{l-1}, the number of entries of all layers. ValueError for bad widths."""
    d = layer_widths(widths)
    return sum(rows * columns for columns, rows in pairwise(d))


def end_to_end(layers: Sequence[npt.ArrayLike]) -> Float64[Array, "d_L d_0"]:
    """X = W_L ... W_1, shape (d_L, d_0), of [W_1, ..., W_L]. ValueError for layers that do not chain."""
    return reduce(lambda product, layer: layer @ product, layer_list(layers))


def objective(layers: Sequence[npt.ArrayLike], target: npt.ArrayLike, lam: float) -> float:
    """F at [W_1, ..., W_L] (eq. 2). ValueError for bad layers, or a product not shaped as the target."""
    layers, target, lam = layer_list(layers), target_matrix(target), lam_scalar(lam)
    x = end_to_end(layers)
    _refuse_other_shape("W_L ... W_1", x, target)
    return float(np.sum((target - x) ** 2) + lam * sum(np.sum(layer**2) for layer in layers))


def schatten_objective(x: npt.ArrayLike, target: npt.ArrayLike, depth: int, lam: float) -> float:
    r"""||M - X||_F^2 + \lambda L ||X||_{S_{2/L}}^{2/L} for X = x of the target's shape (Theorem 3).

    Singular values of x at rounding level, below max(d_0, d_L) * 2.2e-16 of the largest, count as zero: their
    power 2/L would be far above rounding. ValueError for bad input.
    """
    x, target = target_matrix(x, name="x"), target_matrix(target)
    depth, lam = depth_number(depth), lam_scalar(lam)
    _refuse_other_shape("x", x, target)
    values = np.linalg.svd(x, compute_uv=False)
    values[values <= rank_rounding(x.shape) * values[0]] = 0.0
    return float(np.sum((target - x) ** 2) + lam * depth * np.sum(values ** (2 / depth)))


def end_to_end_minimizer(target: npt.ArrayLike, depth: int, lam: float) -> Float64[Array, "d_L d_0"]:
    """X* = sum_i x*(sigma_i) u_i v_i^T, shape of target: the layers' product at a minimizer (Theorem 10).

    Unique unless a singular value equals m* (Remark 12); such a value goes to 0 here. ValueError for bad
    input.
    """
    left, x, right = minimizer_svd(target, depth, lam)
    return np.asarray((left * x) @ right.T)


def minimum_value(target: npt.ArrayLike, depth: int, lam: float) -> float:
    """F* = sum_i g(x*(sigma_i); sigma_i), the minimum of F (Theorem 10). ValueError for bad input."""
    sigma, lam = singular_values(target), lam_scalar(lam)
    return float(np.sum(scalar_objective(scalar_minimizer(sigma, depth, lam), sigma, depth, lam)))


def layer_norm_sq(target: npt.ArrayLike, depth: int, lam: float) -> float:
    """alpha^2 = sum_i x_i^{2/L}: ||W_l||_F^2 of every layer of every minimizer (Corollary 13).

    Holds outside the exceptional set; a singular value equal to m* counts as collapsed. ValueError for bad
    input.
    """
    x = scalar_minimizer(singular_values(target), depth, lam_scalar(lam))
    return float(np.sum(x ** (2 / depth)))


def sample_minimizer(
    target: npt.ArrayLike, widths: Sequence[int], lam: float, rng: np.random.Generator
) -> list[Float64[Array, "_d_l _d_below"]]:
    """Draw one minimizer [W_1, ..., W_L] of F, uniform over the orbit of minimizers.

    W_l = U_l diag(x^{1/L}) U_{l-1}^T with U_0, U_L the kept singular vectors of the target and every hidden
    U_l, shape (d_l, rank X*), a random matrix with orthonormal columns (Theorem 2, Corollary 13). ValueError
    for bad input.
    """
    target = target_matrix(target)
    widths = layer_widths(widths, target)
    depth = len(widths) - 1
    left, x, right = minimizer_svd(target, depth, lam)
    rank = int(np.count_nonzero(x))
    hidden = [haar.frame(width, rank, rng) for width in widths[1:-1]]
    frames = [right[:, :rank], *hidden, left[:, :rank]]
    s = x[:rank] ** (1 / depth)
    return [(frames[layer + 1] * s) @ frames[layer].T for layer in range(depth)]


def kept_at_minimum(target: npt.ArrayLike, depth: int, lam: float) -> int:
    """Rank of X*: the number of singular values above m* (Theorem 10). ValueError for bad input."""
    return int(np.count_nonzero(singular_values(target) > collapse_threshold(depth, lam_scalar(lam))))


def max_kept(target: npt.ArrayLike, depth: int, lam: float) -> int:
    """Largest k of a level: the number of singular values above m_loc (eq. 79). ValueError for bad input."""
    return _branch_count(singular_values(target), depth, lam_scalar(lam))


def level_singular_values(sigma: npt.ArrayLike, depth: int, lam: float, kept: int) -> Float64[Array, " n"]:
    """Singular values of X at the level-`kept` critical point: large roots on the first `kept`, then zeros.

    sigma is non-increasing; the result has its shape. For depth >= 3 and distinct sigma these are the local
    minima (Chen, Jiang and Wang 2025); for depth 2 only the largest level is one. ValueError for bad input,
    or `kept` above the number of sigma_i > m_loc.
    """
    sigma, lam = spectrum_values("sigma", sigma), lam_scalar(lam)
    kept = kept_number(kept, most=_branch_count(sigma, depth, lam))
    x = np.zeros_like(sigma)
    x[:kept] = large_root(sigma[:kept], depth, lam)
    return x


def critical_levels(target: npt.ArrayLike, depth: int, lam: float) -> Float64[Array, " level"]:
    """Objective at the level-k critical points, k = 0, ..., max_kept; shape (max_kept + 1,).

    For depth >= 3 and distinct singular values, a local minimum of F has one of these values
    (Chen, Jiang and Wang 2025). ValueError for bad input.
    """
    sigma = singular_values(target)
    most = _branch_count(sigma, depth, lam_scalar(lam))
    kept_part = np.cumsum(scalar_objective(large_root(sigma[:most], depth, lam), sigma[:most], depth, lam))
    # tails are summed, not taken as total minus head: a level far below ||M||_F^2 would lose its digits
    dropped_part = np.append(np.cumsum(sigma[::-1] ** 2)[::-1], 0.0)[: most + 1]
    return np.asarray(np.append(0.0, kept_part) + dropped_part)


def exceptional_distance(target: npt.ArrayLike, depth: int, lam: float) -> float:
    """min_i |sigma_i - m*| / m*, dimensionless: 0 where the minimizer is not unique (Remark 12).

    inf for depth 2, where it always is. ValueError for bad input.
    """
    sigma, m_star = singular_values(target), collapse_threshold(depth, lam_scalar(lam))
    return float("inf") if depth == 2 else float(np.min(np.abs(sigma - m_star)) / m_star)


def minimizer_svd(
    target: npt.ArrayLike, depth: int, lam: float
) -> tuple[Float64[Array, "d_L n"], Float64[Array, " n"], Float64[Array, "d_0 n"]]:
    """U (d_L, n), x* (n,), V (d_0, n) with X* = U diag(x*) V^T, n = min(d_0, d_L)."""
    left, sigma, right_t = np.linalg.svd(target_matrix(target), full_matrices=False)
    return left, scalar_minimizer(sigma, depth, lam_scalar(lam)), right_t.T


def singular_values(target: npt.ArrayLike) -> Float64[Array, " n"]:
    """Singular values of the target, non-increasing, shape (min(d_0, d_L),). ValueError for bad input."""
    return np.linalg.svd(target_matrix(target), compute_uv=False).astype(np.float64, copy=False)


def _branch_count(sigma: Array, depth: int, lam: float) -> int:
    return int(np.count_nonzero(sigma > branch_threshold(depth, lam)))


def _refuse_other_shape(name: str, x: Array, target: Array) -> None:
    if x.shape != target.shape:
        raise ValueError(f"{name} has shape {x.shape}: expected {target.shape}, the shape of target")
