r"""The certificate: how far a trained run may be from the minimizers, and what follows from it; every tolerance's unit.

A gradient norm and the curvature \mu at the minimizers give a radius \delta; it holds where the Hessian cannot turn by
more than \mu / 2 within it. Distance, objective, layer norms, trace and eigenvalues of a run then lie within what
\delta allows, plus rounding. Derivations are in docs/theory.md, section 8. Every quantity is dimensionless, as F is;
functions take arrays that broadcast, and give arrays. A run that diverged, whose gradient norm is infinite or NaN, has
no radius that holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dmf.theory._check import depth_number, real

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Float64

Floats = NDArray[np.float64]
Numbers = Floats | np.float64 | float

EPS = float(np.finfo(np.float64).eps)
"""2^-52, the spacing of float64 at 1. One operation errs by at most u = EPS / 2 of its result (Higham 2002, 2.2)."""

SAFETY = 2.0
r"""What the second order can cost: ||\nabla F|| >= \mu \rho - C \rho^2 / 2 >= \mu \rho / 2 where \rho <= \mu / C."""

RESOLUTION = 1e-12
"""A target this close to the exceptional set counts as in it, relatively: float64 cannot tell its two minima apart."""

ROUNDING = 64 * EPS
"""What computing a product, a sum or an SVD loses, relative to the size of the quantity.

A chain of L products of inner dimension d errs by at most L (d + 2) u (`relative` counts with 2u): within 64 EPS
wherever L (d + 2) <= 128. Errors of either sign add up like the square root of their number, so that products of wider
and deeper chains stay below it as well.
"""

TIED = ROUNDING
"""Singular values this close, in units of the largest, are equal but for the rounding of their SVD."""

ZERO_MODE = ROUNDING
"""Eigenvalues this small, in units of the largest, are zero modes: a dense solver leaves these at a few EPS of it."""

ROUNDING_PATHS = 256 * EPS
"""ROUNDING, four times, in studies/orbit.py: there a run passes through a chain of operations and not one.

These are the polar factor of a product of two layers, which is an SVD and a product; the product with it on each side;
and the difference of two such layers.
"""

ROUNDING_TRAJECTORY = 8 * EPS
"""ROUNDING, an eighth of it, for the point itself in studies/trajectories.py: the layers are the run's, and no product.

Elsewhere the point has ROUNDING as well. This one has no better reason; stored tolerances would change with it.
"""

ROUNDING_SCALAR = 8 * EPS
"""A value of (m - x)^2 + g(x) <= m^2 near its minimum, in units of m^2, in searches over one scalar.

Difference, square, power, its product and the sum round seven times at most, each by u of at most m^2. So two values
that are compared err by 14 u < 8 EPS; those of a product x of L factors by L times as much.
"""

ROUNDING_STEP = 16 * EPS
"""A value of ||A(X) - b||^2 and its penalty, in units of what it is a sum of, in studies/proximal_gradient.py.

It is a quarter of ROUNDING, because the decrease of one step is to be seen above it. The sums have at most 30 terms,
whose errors, of either sign, lose a few EPS.
"""


def rank_rounding(shape: Sequence[int]) -> float:
    """max(rows, columns) EPS: singular values below this share of the largest are zero but for rounding.

    An SVD errs by about that much of the largest (Golub and Van Loan 2013, 5.4.1); numpy's `matrix_rank` cuts there.
    """
    return max(shape) * EPS


def sum_rounding(count: int) -> float:
    """8 (count + 2) EPS: relative rounding of a few chained sums of `count` terms, those over samples of data.

    One sum of n terms errs by n u of its terms' sizes; inputs are whitened by an SVD and multiplied by themselves, and
    the gradient multiplies by them twice: at most eight such sums, each counted with 2 u for its higher orders.
    """
    return 8 * (count + 2) * EPS


def power_rounding(*bases: Float64[Floats, " ..."]) -> Float64[Floats, "*broadcast"]:
    """Relative rounding error of a quantity made of powers t^a, |a| <= 2, of the positive `bases`, and a few products.

    An exponent rounded by EPS / 2 changes t^a by |ln t| EPS / 2 of itself, and pow, product and sum round once each.
    """
    logs = [np.abs(np.log(base, out=np.zeros_like(base), where=base > 0)) for base in np.broadcast_arrays(*bases)]
    noise: Floats = EPS * (8 + sum(logs, np.zeros(1)))
    return noise


def relative(widths: Sequence[int]) -> float:
    """L (d + 2) EPS, d the largest of the widths d_0, ..., d_L: what a chain of L factors errs by, relatively.

    One matrix product of inner dimension n errs by at most n u ||A||_F ||B||_F (Higham 2002, 3.5). Counting with EPS
    instead of u leaves room for the higher orders and for the constant of a singular value decomposition.
    """
    return (len(widths) - 1) * (max(widths) + 2) * EPS


def gradient_error(
    widths: Sequence[int], lam: float, norm: Numbers, spectral: Numbers, objective: Numbers
) -> Float64[Floats, "*broadcast"]:
    r"""How far a computed gradient of F may be from the true one, in Euclidean norm; the shape of `objective`.

    `norm` and `spectral` bound the Frobenius and spectral norms of every layer. X errs by at most
    \rho \sqrt{d} m s^{L-1}, so each A^T (X - M) B^T by \rho \sqrt{d} m s^{L-2} (s^L + ||X - M||_F), with \rho of
    `relative`, m = norm, s = spectral; the products' own errors are in it for m^2 <= \sqrt{d} m s.
    """
    depth, rho = len(widths) - 1, relative(widths)
    residual = np.sqrt(np.maximum(objective, 0))
    chain = norm * spectral ** (depth - 2) * (spectral**depth + residual)
    return np.asarray(2 * rho * np.sqrt(depth) * (np.sqrt(max(widths)) * chain + lam * norm))


def imbalance_tolerance(
    widths: Sequence[int],
    lam: float,
    norm_sq: Float64[Floats, "run layer"],
    spectral: Float64[Floats, " run"],
    objective: Float64[Floats, " run"],
) -> tuple[Float64[Floats, " run"], Float64[Floats, " run"]]:
    r"""(slope, floor), each (S,): imbalance <= slope ||\nabla F|| + floor at any point, minimizer or not (section 1).

    Of runs with squared layer norms `norm_sq` (S, L), bounds `spectral` (S,) on their layers' spectral norms and
    `objective` (S,). With G_l = dF/dW_l, W_{l+1}^T G_{l+1} - G_l W_l^T = 2 \lambda (W_{l+1}^T W_{l+1} - W_l W_l^T).
    """
    pair_sq = (norm_sq[:, 1:] + norm_sq[:, :-1]).max(axis=1)
    slope = np.sqrt(pair_sq) / (2 * lam)
    error = gradient_error(widths, lam, np.sqrt(norm_sq.max(axis=1)), spectral, objective)
    return slope, slope * error + relative(widths) * pair_sq + np.finfo(np.float64).tiny


def gradient_distance(gradient_norm: Numbers, mu: Numbers) -> Float64[Floats, "*broadcast"]:
    r"""2 ||\nabla F|| / \mu: the distance to the minimizers that a gradient norm explains; infinite where \mu = 0."""
    return np.asarray(SAFETY * gradient_norm / np.asarray(mu))


def radius(gradient_norm: Numbers, mu: Numbers, size: Numbers) -> Float64[Floats, "*broadcast"]:
    r"""\delta = 2 ||\nabla F|| / \mu + 64 EPS ||\theta||, `size` = ||\theta||: bounds the distance where `is_near`."""
    return np.asarray(gradient_distance(gradient_norm, mu) + ROUNDING * size)


def reach(x: Float64[Floats, " n"], sigma: Float[NDArray[np.floating[Any]], " n"], depth: int) -> tuple[float, float]:
    """(top, residual) at critical points: layers' spectral norm x_1^{1/L}, and ||X - M||_2, from singular values."""
    return float(x.max()) ** (1 / depth), float(np.abs(x - sigma).max())


def turning(distance: Float64[Floats, " run"], depth: int, top: float, residual: float) -> Float64[Floats, " run"]:
    """C r, (S,): how far the Hessian turns, in norm, within distances r (S,) of a critical point of that `reach`.

    Infinite where r is infinite or NaN. By Weyl's inequality no eigenvalue moves farther.
    """
    with np.errstate(over="ignore"):
        rows = [r * _lipschitz(depth, top + r, residual) if r < np.inf else np.inf for r in distance]
    return np.array(rows, dtype=np.float64)


def is_near(
    distance: Float64[Floats, " run"], mu: float, depth: int, top: float, residual: float
) -> Bool[NDArray[np.bool_], " run"]:
    r"""Whether a radius is small enough for the bound that gave it, C \delta <= \mu / 2, (S,).

    At a distance r the gradient is at least \mu r - C r^2 / 2. So such a run is within its radius of the minimizers, or
    far outside of it, near another critical point. Without the half the two ranges would meet.
    """
    return np.asarray(turning(distance, depth, top, residual) <= mu / 2)


def is_confined(excess: Numbers, mu: float, depth: int, top: float, residual: float) -> Bool[NDArray[np.bool_], "*run"]:
    r"""Whether F <= min F + `excess` keeps a run near the minimizers, (S,), if no critical value of F is in between.

    Let R have C R <= \mu with C the constant up to that distance. There F is above its minimum by at least
    \mu R^2 / 2 - C R^3 / 6 >= \mu R^2 / 3. The part of {F <= min F + excess} that holds the run is connected, and has
    a minimizer in it, since descent within it ends at one; so it lies within R of the minimizers, where
    ||\nabla F|| bounds the distance. `top` and `residual` are those of `reach`. False where mu = 0.
    """
    return np.asarray(excess < mu * _confining_distance(mu, depth, top, residual) ** 2 / 3)


def _confining_distance(mu: float, depth: int, top: float, residual: float) -> float:
    """Nearly the largest R with C R <= mu, and no larger; C grows with R."""

    def allows(r: float) -> bool:
        return r * hessian_lipschitz(depth, top + r, residual) <= mu

    if not mu > 0:
        return 0.0
    low = 1.0
    while not allows(low):
        low /= 2
    while allows(2 * low):
        low *= 2
    step = low
    for _ in range(10):
        step /= 2
        low += step if allows(low + step) else 0.0
    return low


def hessian_lipschitz(depth: int, top: float, residual: float) -> float:
    r"""How fast the Hessian of F can turn: ||H(theta) - H(theta')||_2 <= this times ||theta - theta'||.

    For points whose layers have spectral norms at most `top`, with ||X - M||_2 = `residual` at one of the two:
    6 \sqrt{L} (L-1) t^{2L-3} + 2 (L-1)(L-2) L^{-1/2} ||X - M||_2 t^{L-3}. ValueError for bad input.

    Derivation: H[D, D] = 2 ||X'||^2 + 2 <X - M, X''> + 2 \lambda ||D||^2, with X' and X'' the derivatives of X along
    D. For ||D|| = 1: ||X'||_F <= \sqrt{L} t^{L-1} and ||X''||_F <= (L-1) t^{L-2}. Over a distance r, X moves by at most
    \sqrt{L} t^{L-1} r, X' by (L-1) t^{L-2} r, and <X - M, X''> with X - M held by ||X - M||_2 (L-1)(L-2) L^{-1/2}
    t^{L-3} r. The sums over distinct layers are bounded where all layers move alike (Maclaurin's inequality).
    """
    depth, top, residual = depth_number(depth), real("top", top), real("residual", residual)
    for name, value in {"top": top, "residual": residual}.items():
        if value < 0:
            raise ValueError(f"{name} = {value}: expected a spectral norm >= 0")
    with np.errstate(over="ignore"):  # a diverged run in a deep product: no float64 bounds it, and infinity says so
        return float(_lipschitz(depth, np.float64(top), residual))


def _lipschitz(depth: int, top: np.float64, residual: float) -> np.float64:
    turning = 6 * depth**0.5 * (depth - 1) * top ** (2 * depth - 3)
    if depth > 2 and residual > 0:
        turning += 2 * (depth - 1) * (depth - 2) / depth**0.5 * residual * top ** (depth - 3)
    return np.float64(turning)


def product_tolerance(top: Numbers, distance: Float64[Floats, "*run"], depth: int) -> Float64[Floats, "*broadcast"]:
    """How far X moves, in Frobenius norm, when layers of spectral norm `top` move by `distance` in all."""
    return np.asarray(np.sqrt(depth) * (top + distance) ** (depth - 1) * distance)


def distance_tolerance(
    distance: Float64[Floats, "*run"], depth: int, top: Numbers, sigma_1: Numbers
) -> Float64[Floats, "*broadcast"]:
    """What a radius allows for ||X - X*||_F; `top` is that of `reach`, rounding is of the target's norm."""
    return product_tolerance(top, distance, depth) + ROUNDING * sigma_1


def gradient_gap(gradient_norm: Numbers, mu: Numbers) -> Float64[Floats, "*broadcast"]:
    r"""4 ||\nabla F||^2 / (2 \mu): how far above a minimum F may be near it, but for rounding."""
    return np.asarray(SAFETY**2 * gradient_norm**2 / (2 * np.asarray(mu)))


def gap_tolerance(gradient_norm: Numbers, mu: Numbers, energy: Numbers) -> Float64[Floats, "*broadcast"]:
    """F - F_k near a minimum with smallest positive curvature mu, with the rounding of F; `energy` is ||M||_F^2."""
    return np.asarray(gradient_gap(gradient_norm, mu) + ROUNDING * energy)


def layer_norm_tolerance(
    distance: Float64[Floats, "*run"], depth: int, alpha: Numbers, sigma_1: Numbers
) -> Float64[Floats, "*broadcast"]:
    r"""| ||W_l||_F^2 - \alpha^2 | <= 2 \alpha \delta + \delta^2, from the triangle inequality, with rounding."""
    return np.asarray(2 * alpha * distance + distance**2 + ROUNDING * sigma_1 ** (2 / depth))


def trace_tolerance(
    distance: Float64[Floats, "*run"], widths: Sequence[int], top: float, trace: Numbers
) -> Float64[Floats, "*broadcast"]:
    """What a radius allows for the Hessian trace, which is `trace` at the minimizers.

    The trace is 2 lambda N and L terms 2 ||A||_F^2 ||B||_F^2, A and B products of 2L - 2 layers in all.
    """
    power, largest = 2 * len(widths) - 4, max(widths)
    return np.asarray(2 * (len(widths) - 1) * largest**2 * ((top + distance) ** power - top**power) + ROUNDING * trace)


def eigenvalue_tolerance(turned: Numbers, count: int, largest: Numbers) -> Float64[Floats, "*broadcast"]:
    """What `turned`, of `turning`, and rounding allow for one of `count` Hessian eigenvalues; `largest` is in modulus.

    A backward stable solver errs by less than N EPS of the largest one (Golub and Van Loan 2013, 8.3), and the entries
    of the Hessian by ROUNDING of it.
    """
    return np.asarray(turned + (64 + count) * EPS * largest)
