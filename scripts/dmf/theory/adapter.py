r"""Two factored layers inside any loss, f(W_0 + c B A) + \lambda (||A||^2 + ||B||^2): what weight decay says of them.

B (d_out, r), A (r, d_in), X = c B A; G (d_out, d_in) is the gradient of f at W_0 + X. The sum of squares is at least
2 ||B A||_*, so that the factors are a nuclear norm of X of strength \tau = 2 \lambda / c; nothing here needs f's form.
Derivations: docs/audit.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from dmf.theory._check import lam_scalar, real, reals, same_shape, target_matrix
from dmf.theory.certificate import ROUNDING

if TYPE_CHECKING:
    from jaxtyping import Float64

Array = npt.NDArray[np.float64]
KEPT = 1e-6  # of the largest singular value of B A: weights are stored in single precision


class Stationarity(NamedTuple):
    """What the gradient of the loss says of a pair. Losses are in the units of f."""

    threshold: float
    """tau = 2 lambda / c: what a direction must lower the loss by, for each unit of the nuclear norm, to be kept"""
    gradient_spectral: float
    """||G||_2"""
    gradient_norm: float
    """Frobenius norm of the gradient of the regularized loss over A and B; 0 at critical points"""
    share: float
    """that in units of weight decay's own part of it, 2 lambda (||A||^2 + ||B||^2)^(1/2)"""
    kept: int
    """singular values of B A above rounding"""
    allowance: float
    """how far above tau ||G||_2 may be along kept directions, for that gradient norm"""
    duality_gap: float
    """lambda (||A||^2 + ||B||^2) + <G, X>: with ||G||_2 <= tau and convex f, a bound on what any rank could gain"""


def pair_singular_values(b: npt.ArrayLike, a: npt.ArrayLike) -> Float64[Array, " value"]:
    """Singular values of B A, min(d_out, r, d_in) of them, without forming the product.

    >>> pair_singular_values([[2.0], [0.0]], [[3.0, 4.0]])
    array([10.])
    """
    return _singular(*_pair(b, a))[1]


def removable_norm_sq(b: npt.ArrayLike, a: npt.ArrayLike) -> float:
    """||A||^2 + ||B||^2 less the least that factors of the same product have, 2 ||B A||_*; dimensionless, >= 0.

    >>> removable_norm_sq([[4.0]], [[1.0]])
    9.0
    """
    left, right = _pair(b, a)
    spare = float(np.sum(left**2) + np.sum(right**2) - 2 * pair_singular_values(left, right).sum())
    return max(spare, 0.0)


def imbalance(b: npt.ArrayLike, a: npt.ArrayLike) -> float:
    """||B^T B - A A^T||_F: 0 at every critical point of a loss of c B A with weight decay (Theorem 2)."""
    left, right = _pair(b, a)
    return float(np.linalg.norm(left.T @ left - right @ right.T))


def least_gradient_norm(b: npt.ArrayLike, a: npt.ArrayLike, lam: float) -> float:
    r"""What the gradient of any loss of B A with weight decay is at least, over A and B.

    B^T dF/dB - dF/dA A^T = 2 \lambda (B^T B - A A^T) for every loss: the gradient is at least the right side's norm
    over (||A||_2^2 + ||B||_2^2)^(1/2). 0 where both are 0.
    """
    left, right = _pair(b, a)
    size = float(np.hypot(np.linalg.norm(left, 2), np.linalg.norm(right, 2)))
    return 2 * lam_scalar(lam) * imbalance(left, right) / size if size else 0.0


def balanced_pair(b: npt.ArrayLike, a: npt.ArrayLike) -> tuple[Float64[Array, "d_out r"], Float64[Array, "r d_in"]]:
    """B' and A' of the same shapes and product, balanced: U S^(1/2) and S^(1/2) V^T of B A = U S V^T.

    >>> b, a = balanced_pair([[4.0]], [[1.0]])
    >>> float(abs(b[0, 0])), float((b @ a)[0, 0])
    (2.0, 4.0)
    """
    left, right = _pair(b, a)
    u, s, v_t = _singular(left, right)
    roots, spare = np.sqrt(s), left.shape[1] - len(s)
    return np.pad(u * roots, ((0, 0), (0, spare))), np.pad(roots[:, None] * v_t, ((0, spare), (0, 0)))


def stationarity(
    b: npt.ArrayLike, a: npt.ArrayLike, gradient: npt.ArrayLike, lam: float, scale: float = 1.0
) -> Stationarity:
    """How near a pair is to a critical point, and to the optimality conditions of a convex loss over all ranks.

    `gradient` is G (d_out, d_in), `scale` is c > 0. At a critical point ||G||_2 <= tau says that no direction outside
    of the pair lowers the loss; with convex f it then minimizes over all ranks. Raises ValueError for other shapes.
    """
    (left, right), lam = _pair(b, a), lam_scalar(lam)
    slope, scale = target_matrix(gradient, "gradient"), positive("scale", scale)
    if slope.shape != (len(left), right.shape[1]):
        raise ValueError(f"gradient: got shape {slope.shape}, expected that of B A, {(len(left), right.shape[1])}")
    square = float(np.sum(left**2) + np.sum(right**2))
    parts = scale * slope @ right.T + 2 * lam * left, scale * left.T @ slope + 2 * lam * right
    norm = float(np.sqrt(sum(np.sum(part**2) for part in parts)))
    values = pair_singular_values(left, right)
    kept = values[values > values[0] * KEPT]
    along = float(np.sum((slope @ right.T) * left))
    return Stationarity(
        threshold=2 * lam / scale,
        gradient_spectral=float(np.linalg.norm(slope, 2)),
        gradient_norm=norm,
        share=norm / (2 * lam * float(np.sqrt(square))) if square else 0.0,
        kept=len(kept),
        allowance=norm / (scale * float(np.sqrt(kept[-1]))) if len(kept) else 0.0,
        duality_gap=lam * square + scale * along,
    )


def most_to_gain(found: Stationarity, loss: float, norm_sq: float, lam: float) -> float:
    r"""A bound on how far the regularized loss is above its minimum over A and B of any rank, for convex f >= 0.

    `loss` is f at W_0 + X, `norm_sq` ||A||^2 + ||B||^2. Convexity gives F - F* <= lambda norm_sq + <G, X> +
    (||G||_2 - tau)_+ ||X*||_*, and tau ||X*||_* <= F. It asks nothing of the pair: far from critical it is large, not
    wrong.
    """
    excess = max(found.gradient_spectral - found.threshold, 0.0)
    most = (real("loss", loss) + lam_scalar(lam) * real("norm_sq", norm_sq)) / found.threshold
    return max(found.duality_gap, 0.0) + excess * most


def sweep_excess(
    lams: npt.ArrayLike, losses: npt.ArrayLike, norm_sqs: npt.ArrayLike
) -> tuple[Float64[Array, " run"], Float64[Array, " run"]]:
    r"""How far each run of a sweep of weight decay is above another run at its own lambda, and what rounding allows.

    Runs i have losses l_i at lambdas \lambda_i and squared norms n_i = ||\theta_i||^2 of the decayed weights, all (R,).
    v(\lambda) = min l + \lambda ||\theta||^2 is at most l_j + \lambda n_j for every j: a run above that is no global
    minimizer. Raises ValueError for other shapes, lambdas or norms below 0.

    >>> sweep_excess([1.0, 1.0], [3.0, 2.0], [1.0, 1.0])[0]
    array([1., 0.])
    """
    values = [reals(name, value, ndim=1) for name, value in (("lam", lams), ("loss", losses), ("norm_sq", norm_sqs))]
    lam, loss, norm = same_shape(**dict(zip(("lam", "loss", "norm_sq"), values, strict=True)))
    for name, array in (("lam", lam), ("norm_sq", norm)):
        if (array < 0).any():
            place = int(np.argmax(array < 0))
            raise ValueError(f"{name}[{place}] = {array[place]}: expected a number >= 0")
    # Sorted by norm, runs that no other run beats in both terms are few; all others follow from them.
    order = np.lexsort((loss, norm))
    best = np.minimum.accumulate(loss[order])
    corners = order[np.append(True, best[1:] < best[:-1])] if len(order) else order
    own = loss + lam * norm
    least = np.full(len(own), np.inf)
    for corner in corners:
        least = np.minimum(least, loss[corner] + lam * norm[corner])
    return own - np.minimum(least, own), ROUNDING * (np.abs(loss) + lam * norm)


def positive(name: str, value: npt.ArrayLike) -> float:
    """`value` as one finite float > 0; ValueError otherwise."""
    number = real(name, value)
    if number <= 0:
        raise ValueError(f"{name} = {number}: expected a number > 0")
    return number


def _singular(left: Array, right: Array) -> tuple[Array, Array, Array]:
    """The singular value decomposition of a product, thin, by those of B and of what is left."""
    u, s, v_t = np.linalg.svd(left, full_matrices=False)
    inner, values, right_t = np.linalg.svd((s[:, None] * v_t) @ right, full_matrices=False)
    return u @ inner, values, right_t


def _pair(b: npt.ArrayLike, a: npt.ArrayLike) -> tuple[Array, Array]:
    left, right = target_matrix(b, "B"), target_matrix(a, "A")
    if left.shape[1] != len(right):
        raise ValueError(
            f"B has {left.shape[1]} columns and A {len(right)} rows: expected one number, the rank of the pair"
        )
    return left, right
