r"""Proof that a local minimizer of F lies within a proved distance of a stored point, from its layers alone.

Let \theta be the stored layers, taken as the exact numbers they are, and g >= ||\nabla F(\theta)||. For skew S_1, ...,
S_{L-1} and S_0 = S_L = 0, P_\theta(S) = (W_l S_{l-1} - S_l W_l)_l is tangent at \theta to the orbit W_l -> Q_l W_l
Q_{l-1}^T, on which F is constant. Let Q be an N x D matrix, and V the orthogonal complement of its range.

1. *Curvature.* If H(\theta) + t Q Q^T - \mu I is positive definite, v^T H(\theta) v >= \mu |v|^2 on V.
2. *A critical point of F on \theta + V.* With ||H(\theta + v) - H(\theta)||_2 <= C |v| for |v| <= 2 g / \mu and
   h = C g / \mu^2 < 1/2, let \rho = 2 g / (\mu (1 + \sqrt{1 - 2h})), the smaller root of g - \mu r + C r^2 / 2. For v
   in V, |v| = r, the derivative of F along v is at least r (-g + \mu r - C r^2 / 2), positive for r just above \rho:
   the minimum of F over the ball of that radius lies inside, and is critical on \theta + V. There v^T H v >=
   (\mu - C \rho) |v|^2 > 0, as C \rho <= 2 h \mu < \mu. So one v with |v| <= \rho has P_V \nabla F(\theta + v) = 0.
   (These are the constants of Kantorovich's theorem; for a gradient it also gives a minimum of F on the slice.)
3. *It is critical.* Then \nabla F(\theta + v) = Q c. It is orthogonal to the orbit of \theta + v, to P_{\theta + v}(S)
   for all S. The adjoint of P_\theta takes D to the skew parts of W_{l+1}^T D_{l+1} - D_l W_l^T; P is linear in \theta,
   and ||P_v(S)|| <= |v| |S|: ||v_l S_{l-1} - S_l v_l||_F <= ||v_l||_F (|S_{l-1}| + |S_l|) / \sqrt{2} <= ||v_l||_F |S|,
   the spectral norm of a skew matrix being at most its Frobenius norm over \sqrt{2}. So if the D singular values of
   c -> P_\theta^*(Q c) exceed \rho ||Q||_2, c = 0.
4. *It is a local minimizer.* By 3 the orbit's tangent space at \theta + v has dimension at least D, and H vanishes on
   it; by 2 H is positive on V, of dimension N - D. So the dimension is D and H is positive semidefinite with no other
   kernel: near \theta + v the minimizers are its orbit. By the inequality of Courant and Fischer the smallest positive
   eigenvalue there is at least \mu - C \rho.

Everything else follows from |v| <= \rho: F is convex on the slice, so F(\theta) - g \rho <= F(\theta + v) <= F(\theta).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dmf.proof.balls import in_balls, lower, upper
from dmf.proof.definite import SLACK, U, frobenius, gamma, is_definite, spectral
from dmf.proof.hessian import Point, hessian, hessian_change, point

if TYPE_CHECKING:
    from jaxtyping import Float64

Floats = NDArray[np.float64]

MOST_PARAMETERS = 2048
"""The largest N that is proved: the cost is that of all eigenvectors of an N x N matrix (see docs/limits.md)."""


class Reason(Enum):
    """Why a point was proved or not: a name, and what it means."""

    PROVED = "a local minimizer is proved within the radius"
    NOT_FINITE = "layers, target or lambda have entries that are not finite"
    TOO_LARGE = f"more than {MOST_PARAMETERS} parameters"
    CURVATURE = "the Hessian is not positive across the orbit: a saddle is near, or a degenerate minimizer"
    RADIUS = (
        "the gradient is too large for the curvature: the Hessian may change sign before a critical point is reached"
    )
    ORBIT = "directions without curvature are more than the orbit's"
    NOT_REPRODUCED = "training the run again gave other bits than those that are stored"


class Interval(NamedTuple):
    """A closed interval that holds a number."""

    low: float
    high: float


NOTHING = Interval(-math.inf, math.inf)


@dataclass(frozen=True)
class Proof:
    r"""What is proved near a stored point; `reason` says whether. Dimensionless, as F is.

    Of the minimizer, not of the stored point: `objective`, `curvature` (its smallest positive Hessian eigenvalue).
    """

    reason: Reason
    detail: str
    """in numbers, for people"""
    gradient_norm: float = math.inf
    """an upper bound at the stored point"""
    mu: float = 0.0
    """a lower bound on the curvature across the orbit at the stored point"""
    lipschitz: float = math.inf
    """C"""
    orbit: int = -1
    """D, the dimension of the orbit"""
    radius: float = math.inf
    r""">= the distance \rho to the minimizer"""
    spectral: float = math.inf
    """an upper bound on the spectral norm of each layer within that radius"""
    objective: Interval = NOTHING
    curvature: Interval = NOTHING

    @property
    def proved(self) -> bool:
        """Whether there is a minimizer within the radius."""
        return self.reason is Reason.PROVED


def prove(layers: Sequence[Float64[Floats, "_ _"]], matrix: Float64[Floats, "d_L d_0"], lam: float) -> Proof:
    """Try to prove a local minimizer of F near [W_1, ..., W_L]; failure is a result with a reason.

    Raises ValueError for fewer than two layers, shapes that do not fit, or lam <= 0.
    """
    layers, matrix = [np.asarray(one, dtype=np.float64) for one in layers], np.asarray(matrix, dtype=np.float64)
    _check(layers, matrix, lam)
    count = sum(layer.size for layer in layers)
    if not all(np.isfinite(one).all() for one in [*layers, matrix, np.array(lam)]):
        return Proof(Reason.NOT_FINITE, "")
    if count > MOST_PARAMETERS:
        return Proof(Reason.TOO_LARGE, f"{count} parameters")
    return _prove(point(layers, matrix, lam), layers, lam)


def _check(layers: Sequence[Floats], matrix: Floats, lam: float) -> None:
    shapes = [layer.shape for layer in layers]
    if len(layers) < 2 or any(len(shape) != 2 or 0 in shape for shape in [*shapes, matrix.shape]):
        raise ValueError(f"got layers of shapes {shapes}, expected two or more matrices with entries")
    chained = all(after[1] == before[0] for before, after in pairwise(shapes))
    if not chained or (shapes[-1][0], shapes[0][1]) != matrix.shape:
        raise ValueError(f"got layers of shapes {shapes}, expected a chain W_L ... W_1 of shape {matrix.shape}")
    if not lam > 0:
        raise ValueError(f"lam = {lam}: expected a number > 0")


def _prove(at: Point, layers: Sequence[Floats], lam: float) -> Proof:
    gradient = upper(at.gradient_norm)
    with np.errstate(all="ignore"):  # what overflows is reported below
        matrix, error = hessian(at, layers, lam)
    if not (np.isfinite(matrix).all() and np.isfinite(error)):
        return Proof(Reason.NOT_FINITE, "the Hessian overflows", gradient)
    spectrum = Spectrum.of(matrix, error)
    top = max(spectral(layer) for layer in layers)
    tried: list[Proof] = []
    for orbit in _kernels(spectrum.values, at.widths):
        tried.append(_prove_with(orbit, at, layers, top, gradient, spectrum))
        if tried[-1].proved:
            return tried[-1]
    return tried[0]


class Spectrum(NamedTuple):
    """The Hessian at the stored point, its error, and its approximate eigenvalues by modulus, with their vectors."""

    matrix: Floats
    error: float
    values: Floats
    vectors: Floats

    @classmethod
    def of(cls, matrix: Floats, error: float) -> Spectrum:
        """Of a Hessian."""
        values, vectors = np.linalg.eigh(matrix)
        order = np.argsort(np.abs(values), kind="stable")
        return cls(matrix, error, values[order], vectors[:, order])


def _prove_with(
    orbit: int, at: Point, layers: Sequence[Floats], top: float, gradient: float, spectrum: Spectrum
) -> Proof:
    """Try the `orbit` directions of least curvature for Q; `top` bounds the spectral norm of every layer."""
    frame, rest = spectrum.vectors[:, :orbit], spectrum.values[orbit:]
    mu = _curvature(spectrum, orbit)
    if mu <= 0:
        detail = f"smallest eigenvalue {float(rest.min()):.3g} across {orbit} directions, error {spectrum.error:.1g}"
        return Proof(Reason.CURVATURE, detail, gradient, orbit=orbit)
    lipschitz = hessian_change(at, top + SLACK * 2 * gradient / mu)
    newton = SLACK * lipschitz * gradient / mu**2 if lipschitz < math.inf else math.inf
    if not newton < 0.5:
        return Proof(Reason.RADIUS, f"C g / mu^2 = {newton:.3g}, mu = {mu:.3g}", gradient, mu, lipschitz, orbit)
    radius = SLACK * 2 * gradient / (mu * (1 + math.sqrt(1 - 2 * newton)))
    if not _is_transversal(layers, frame, radius):
        return Proof(Reason.ORBIT, f"{orbit} directions, radius {radius:.1g}", gradient, mu, lipschitz, orbit)
    turned = SLACK * lipschitz * radius
    return Proof(
        Reason.PROVED,
        f"radius {radius:.3g}, mu {mu:.6g}",
        gradient,
        mu,
        lipschitz,
        orbit,
        radius,
        top + radius,
        _objective(at, radius),
        Interval(mu - turned, SLACK_UP * (_softest(spectrum, orbit) + turned)),
    )


SLACK_UP = 1 + 2.0**-50


def _kernels(values: Floats, widths: Sequence[int]) -> list[int]:
    r"""The dimensions D = \sum_l (d_l r - r (r + 1) / 2) of orbits, those that the spectrum fits best first.

    After the D eigenvalues nearest to zero the largest step up, as a ratio, is expected; rounding of the largest one
    counts as zero. A guess: it decides which Q is tried first, and a wrong one is not proved.
    """
    sizes = np.abs(values)
    floor = max(float(sizes[-1]), np.finfo(np.float64).tiny) * len(values) * U
    inner, most = widths[1:-1], min(widths)
    dimensions = {sum(d * r - r * (r + 1) // 2 for d in inner) for r in range(most + 1)}
    steps = np.maximum(np.concatenate([[0.0], sizes]), floor)
    possible = sorted(d for d in dimensions if d < len(sizes))
    return sorted(possible, key=lambda d: -float(steps[d + 1] / steps[d]))


def _curvature(spectrum: Spectrum, orbit: int) -> float:
    r"""A proved \mu of step 1, as large as can be; 0 where none is.

    t is twice the mean of the other eigenvalues, so that no eigenvalue of H + t Q Q^T is below \mu for Q. Forming Q Q^T
    errs by \gamma_D ||Q||_F^2, its multiple and the sums by u of their sizes.
    """
    matrix, frame, rest = spectrum.matrix, spectrum.vectors[:, :orbit], spectrum.values[orbit:]
    if rest.min() <= 0:
        return 0.0
    lift = 2 * float(rest.mean())
    lifted = matrix + lift * (frame @ frame.T)
    weight = lift * frobenius(frame) ** 2
    formed = spectrum.error + gamma(orbit + 4) * weight + 2 * U * (frobenius(matrix) + weight)
    loss = gamma(2 * (len(matrix) + 8)) * float(np.trace(lifted))
    for mu in (float(rest.min()) - 4 * (formed + loss), 0.9 * float(rest.min()), 0.5 * float(rest.min())):
        shifted = lifted.copy()
        shifted[np.diag_indices_from(shifted)] -= mu
        rounding = 2 * U * (float(np.abs(np.diagonal(lifted)).max()) + mu)
        if mu > 0 and is_definite(shifted, SLACK * (formed + rounding)):
            return mu
    return 0.0


def _is_transversal(layers: Sequence[Floats], frame: Floats, radius: float) -> bool:
    r"""Step 3: whether the singular values of c -> P_\theta^*(Q c) are proved to exceed `radius` ||Q||_2.

    Its matrix K has a row for each column of Q, the skew parts of W_{l+1}^T Q_{l+1} - Q_l W_l^T side by side. Products,
    difference and half err by \gamma_{d + 4} (||W_{l+1}||_F ||Q_{l+1}||_F + ||W_l||_F ||Q_l||_F), and K K^T by
    \gamma ||K||_F^2. The skew part of a matrix is no longer than it.
    """
    count = frame.shape[1]
    if count == 0:
        return True
    ends = np.cumsum([0, *(layer.size for layer in layers)])
    parts = [
        frame[first:last].T.reshape(count, *layer.shape)
        for first, last, layer in zip(ends[:-1], ends[1:], layers, strict=True)
    ]
    rows, error_sq = [], 0.0
    sizes = [frobenius(layer) * frobenius(part.reshape(count, -1)) for layer, part in zip(layers, parts, strict=True)]
    for k in range(len(layers) - 1):
        full = layers[k + 1].T @ parts[k + 1] - parts[k] @ layers[k].T
        rows.append((full - full.swapaxes(1, 2)).reshape(count, -1) / 2)
        error_sq += (gamma(max(map(max, (layer.shape for layer in layers))) + 4) * (sizes[k] + sizes[k + 1])) ** 2
    gram_of = np.concatenate(rows, axis=1)
    least = SLACK * (radius * frobenius(frame) + math.sqrt(error_sq))
    gram = gram_of @ gram_of.T
    rounding = gamma(gram_of.shape[1] + 4) * frobenius(gram_of) ** 2
    return is_definite(gram, SLACK * (least**2 + rounding))


def _softest(spectrum: Spectrum, orbit: int) -> float:
    r"""An upper bound on the eigenvalue number D + 1 of H(\theta), counted from below.

    It is at most the largest Rayleigh quotient on the range of Z = (Q, y), y the softest direction across Q: by that of
    Z^T H Z over the smallest of Z^T Z, both near a diagonal. Products in float64 err by gamma_{2N} of their norms.
    """
    matrix, chosen, soft = spectrum.matrix, spectrum.vectors[:, : orbit + 1], float(spectrum.values[orbit])
    size = frobenius(chosen) ** 2
    rounding = gamma(2 * len(matrix) + 4) * size
    gram = chosen.T @ chosen - np.eye(orbit + 1)
    off = chosen.T @ (matrix @ chosen) - soft * np.eye(orbit + 1)
    # Q has values near 0: there the difference is negative, and zero in its place is an upper bound.
    np.fill_diagonal(off, np.maximum(np.diagonal(off), 0.0))
    excess = frobenius(off) + rounding * frobenius(matrix) + spectrum.error * size
    return SLACK_UP * (soft + excess) / (1 - SLACK * (frobenius(gram) + rounding))


@in_balls
def _objective(at: Point, radius: float) -> Interval:
    """F at the minimizer: no higher than at the stored point, and by convexity on the slice no lower than g rho."""
    return Interval(lower(at.objective - at.gradient_norm * radius), upper(at.objective))
