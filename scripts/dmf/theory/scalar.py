r"""One singular value: the minimizers, critical points and thresholds of

    g(x) = (m - x)^2 + \lambda L |x|^{2/L},

to which the matrix problem reduces (Theorem 5, eq. 13-27). There is no factor 1/2 on either term.

Positive critical points solve x + \lambda x^{-p} = m with p = 1 - 2/L. Everything scales with
\lambda^{1/(1+p)}: in that unit the thresholds depend on the depth alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dmf.theory._check import Array, depth_number, lam_array, reals, same_shape
from dmf.theory.certificate import EPS

if TYPE_CHECKING:
    from jaxtyping import Float64

_MOST_STEPS = 100  # a double root, the slowest case, gains one bit a step and stops at sqrt(eps), in 30


def scalar_objective(
    x: npt.ArrayLike, m: npt.ArrayLike, depth: int, lam: npt.ArrayLike
) -> Float64[Array, "*broadcast"]:
    r"""g(x) = (m - x)^2 + \lambda L |x|^{2/L}, the objective of one singular value (eq. 13).

    x and m are any reals, lam > 0; the three broadcast to the result's shape. Dimensionless, like every
    quantity in this module. ValueError for other input.
    """
    depth = depth_number(depth)
    x, m, lam = same_shape(x=reals("x", x), m=reals("m", m), lam=lam_array(lam))
    return np.asarray((m - x) ** 2 + lam * depth * np.abs(x) ** (2 / depth))


def scalar_minimizer(m: npt.ArrayLike, depth: int, lam: npt.ArrayLike) -> Float64[Array, "*broadcast"]:
    """Global minimizer of g, an odd function of m (Theorem 5); m and lam broadcast to the result's shape.

    Zero for |m| <= m*, the large root beyond. At |m| == m* exactly, depth >= 3, both 0 and +-x_J are
    minimizers (the exceptional scalars); this function returns 0 there. ValueError for bad input.
    """
    return shrunk(*_broadcast(m, depth, lam))


def large_root(m: npt.ArrayLike, depth: int, lam: npt.ArrayLike) -> Float64[Array, "*broadcast"]:
    """Return the larger positive critical point of g, a local minimum, for m >= m_loc; NaN elsewhere.

    m and lam broadcast. Depth 2: m - lam where that is positive. Accurate to a few units of rounding away
    from m_loc. There the two roots merge: with m = m_loc (1 + t), a relative error e of the input moves the
    root by about e / sqrt(t), and no algorithm can do better. ValueError for bad input.
    """
    m, depth, lam = _broadcast(m, depth, lam)
    return _large_root(m, depth, lam, _has_roots(m, depth, lam))


def small_root(m: npt.ArrayLike, depth: int, lam: npt.ArrayLike) -> Float64[Array, "*broadcast"]:
    """Return the smaller positive critical point of g, a local maximum, for m >= m_loc; NaN elsewhere.

    m and lam broadcast. Depth 2 has no such point: NaN. Conditioned near m_loc as `large_root` is; far above
    it the root may underflow to 0. ValueError for bad input.
    """
    m, depth, lam = _broadcast(m, depth, lam)
    root = np.full(m.shape, np.nan)
    if depth == 2:
        return root
    exists = _has_roots(m, depth, lam)
    p = 1 - 2 / depth
    # u = x / m solves u = a (1 - u)^{-1/p}, a = c^{1/p}: this form keeps its relative precision as u -> 0
    a = _scaled_strength(m[exists], lam[exists], p) ** (1 / p)

    def step(u: Array) -> Array:
        image = a * (1 - u) ** (-1 / p)
        return (image - u) / (1 - image / (p * (1 - u)))

    root[exists] = m[exists] * monotone_newton(step, np.minimum(a, p / (1 + p)), p / (1 + p))
    return root


def collapse_threshold(depth: int, lam: npt.ArrayLike) -> Float64[Array, "*lam"]:
    """m*: g is minimized at 0 for |m| < m* and away from 0 for |m| > m* (Theorem 5); lam for depth 2.

    Shape of lam. ValueError for bad input.
    """
    return tie(depth_number(depth), lam_array(lam))[0]


def jump(depth: int, lam: npt.ArrayLike) -> Float64[Array, "*lam"]:
    """x_J: the nonzero minimizer at m = m*, the height of the discontinuity (Theorem 5); 0 for depth 2.

    Shape of lam. ValueError for bad input.
    """
    return tie(depth_number(depth), lam_array(lam))[1]


def branch_threshold(depth: int, lam: npt.ArrayLike) -> Float64[Array, "*lam"]:
    """m_loc <= m*: nonzero critical points of g exist for |m| >= m_loc (eq. 79 solved for sigma).

    lam for depth 2, where they need |m| > lam. Shape of lam. ValueError for bad input.
    """
    depth, lam = depth_number(depth), lam_array(lam)
    if depth == 2:
        return lam
    inflection = ((depth - 2) / depth) ** _unit_power(depth) * _unit(depth, lam)
    return np.asarray(inflection * 2 * (depth - 1) / (depth - 2))


def critical_lambda(sigma: npt.ArrayLike, depth: int) -> Float64[Array, "*sigma"]:
    """lambda_c: the regularization above which sigma is minimized to zero (Corollary 14); sigma for depth 2.

    The inverse of `collapse_threshold`; shape of sigma, any sign. ValueError for bad input.
    """
    size, depth = np.abs(reals("sigma", sigma)), depth_number(depth)
    if depth == 2:
        return np.asarray(size)
    return np.asarray((size * (depth - 2) / (depth - 1)) ** (2 * (depth - 1) / depth) / (depth - 2))


def branch_lambda(sigma: npt.ArrayLike, depth: int) -> Float64[Array, "*sigma"]:
    """lambda_s >= lambda_c: the regularization up to which a nonzero local minimum survives (eq. 79).

    sigma for depth 2. The inverse of `branch_threshold`; shape of sigma, any sign. ValueError for bad input.
    """
    size, depth = np.abs(reals("sigma", sigma)), depth_number(depth)
    half = size / (2 * (depth - 1))
    return np.asarray(half * depth * (half * (depth - 2)) ** ((depth - 2) / depth))


def shrunk(m: Float64[Array, "*m"], depth: float, lam: Float64[Array, "*m"]) -> Float64[Array, "*m"]:
    """`scalar_minimizer` of checked arrays of one shape, for any real depth >= 2: the exponent 2/L is any in (0, 1]."""
    size = np.abs(m)
    kept = size > tie(depth, lam)[0]
    return np.asarray(np.where(kept, np.copysign(_large_root(size, depth, lam, kept), m), 0.0))


def tie(depth: float, lam: Float64[Array, "*lam"]) -> tuple[Float64[Array, "*lam"], Float64[Array, "*lam"]]:
    """(m*, x_J) of checked arguments, for any real depth >= 2; lam and 0 at 2."""
    if depth == 2:
        return lam, np.zeros_like(lam)
    x_jump = np.asarray((depth - 2.0) ** _unit_power(depth) * _unit(depth, lam))
    return np.asarray(x_jump * (depth - 1) / (depth - 2)), x_jump


def _broadcast(m: npt.ArrayLike, depth: int, lam: npt.ArrayLike) -> tuple[Array, int, Array]:
    depth = depth_number(depth)
    m, lam = same_shape(m=reals("m", m), lam=lam_array(lam))
    return m, depth, lam


def _has_roots(m: Array, depth: int, lam: Array) -> npt.NDArray[np.bool_]:
    threshold = branch_threshold(depth, lam)
    return m > threshold if depth == 2 else m >= threshold


def _large_root(m: Array, depth: float, lam: Array, exists: npt.NDArray[np.bool_]) -> Array:
    """Large root where `exists`, which must imply m >= m_loc; NaN elsewhere."""
    root = np.full(m.shape, np.nan)
    m, lam = m[exists], lam[exists]
    if depth == 2:
        root[exists] = m - lam
        return root
    p = 1 - 2 / depth
    c = _scaled_strength(m, lam, p)

    def step(u: Array) -> Array:
        pull = c * u**-p
        return (1 - u - pull) / (1 - p * pull / u)

    # u = x / m solves u + c u^{-p} = 1, convex in u: Newton from u = 1 descends and never crosses the root
    root[exists] = m * monotone_newton(step, np.ones_like(m), p / (1 + p))
    return root


def monotone_newton(step: Callable[[Array], Array], start: Float64[Array, "*u"], bound: float) -> Float64[Array, "*u"]:
    """Follow Newton steps from `start` toward `bound` (the double root) until rounding stops the advance."""
    u = start
    # at a double root the slope vanishes: the step is infinite or NaN there, and is clipped or refused below
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(_MOST_STEPS):
            move = step(u)
            gap = bound - u
            advancing = (move * np.sign(gap) > EPS * u) & (gap != 0)
            if not advancing.any():
                return u
            capped = np.where(np.abs(move) < np.abs(gap), u + move, bound)
            u = np.where(advancing, capped, u)
    raise ArithmeticError(f"Newton's method did not settle in {_MOST_STEPS} steps, which no valid input should cause")


def _scaled_strength(m: Array, lam: Array, p: float) -> Array:
    """c = lam m^{-(1 + p)}, through m / lam^{1/(1+p)} so that nothing overflows; tiny c may become 0."""
    with np.errstate(over="ignore"):
        return np.asarray((m / lam ** (1 / (1 + p))) ** -(1 + p))


def _unit_power(depth: float) -> float:
    return depth / (2 * (depth - 1))


def _unit(depth: float, lam: Array) -> Array:
    return np.asarray(lam ** _unit_power(depth))
