r"""Deep linear networks on data: when training one is factorizing a matrix (section 1, Chou et al. 2024).

Inputs X have shape (d_0, n), outputs Y (d_L, n), a sample a column. The objective is that of eq. 2 with data,

    F(W_1, ..., W_L) = ||Y - W_L ... W_1 X||_F^2 + \lambda \sum_l ||W_l||_F^2 .

With C = (X X^T)^{1/2} and M' = Y X^T C^+ it is ||M' - W_L ... W_1 C||_F^2 + \lambda \sum_l ||W_l||_F^2 + ||Y||_F^2 -
||M'||_F^2: the residual's part outside the span of the rows of X is out of reach. C is the identity where X is white.
Every quantity is dimensionless.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from dmf.theory._check import Array, depth_number, integer, lam_scalar, spectrum_values, target_matrix
from dmf.theory.certificate import TIED, rank_rounding, sum_rounding
from dmf.theory.scalar import branch_lambda, critical_lambda

if TYPE_CHECKING:
    from jaxtyping import Float64


class Reduced(NamedTuple):
    """Data that leave F and its gradient as they are, with no more samples than inputs have dimensions."""

    target: Float64[Array, "d_L d_0"]
    """M' = Y X^T C^+, (d_L, d_0)"""
    factor: Float64[Array, "d_0 d_0"]
    """C = (X X^T)^{1/2}, (d_0, d_0), symmetric"""
    constant: float
    """||Y||_F^2 - ||M'||_F^2, what F is more on the data"""


class Factorization(NamedTuple):
    """A factorization problem with the minimizers of a network on white inputs, but for a scale."""

    target: Float64[Array, "d_L d_0"]
    r"""M = Y X^T / \sqrt{c}, (d_L, d_0), where X X^T = c I"""
    lam: float
    r"""\lambda c^{-1/L}: its layers are c^{1/(2L)} times the network's"""
    scale: float
    """c"""


def data_matrices(
    inputs: npt.ArrayLike, outputs: npt.ArrayLike
) -> tuple[Float64[Array, "d_0 sample"], Float64[Array, "d_L sample"]]:
    """X (d_0, n) and Y (d_L, n) as finite matrices. ValueError for others, for unequal n, and where X or Y X^T is 0."""
    x, y = target_matrix(inputs, name="inputs"), target_matrix(outputs, name="outputs")
    if x.shape[1] != y.shape[1]:
        raise ValueError(
            f"outputs has {y.shape[1]} columns: expected {x.shape[1]}, those of inputs; a sample is a column of both"
        )
    if not x.any():
        raise ValueError("inputs: expected rank 1 or more, got all zeros")
    if not (y @ x.T).any():
        raise ValueError("outputs: expected some correlation with inputs, got Y X^T = 0, whose minimizer is 0")
    return x, y


def reduced(inputs: npt.ArrayLike, outputs: npt.ArrayLike) -> Reduced:
    """Target, constant factor and constant with the same F but for the constant. ValueError for bad data."""
    x, y = data_matrices(inputs, outputs)
    left, values, right_t = _compact_svd(x)
    along = y @ right_t.T
    return Reduced(along @ left.T, (left * values) @ left.T, float(np.sum((y - along @ right_t) ** 2)))


def whitened(inputs: npt.ArrayLike, kept: int) -> Float64[Array, "kept sample"]:
    """The leading `kept` principal components of X, each of norm 1: Z (kept, n) with Z Z^T = I.

    Rows are not centered here; a row of ones is a bias. ValueError where X has a smaller rank.
    """
    _, values, right_t = _compact_svd(target_matrix(inputs, name="inputs"))
    if integer("kept", kept, least=1) > values.size:
        raise ValueError(f"kept = {kept}: expected at most {values.size}, the rank of inputs")
    components: Array = right_t[:kept]
    return components


def as_factorization(inputs: npt.ArrayLike, outputs: npt.ArrayLike, depth: int, lam: float) -> Factorization:
    r"""The factorization that training on inputs with X X^T = c I is: its minimizers are c^{1/(2L)} times as large.

    From X = \sqrt{c} Z, Z Z^T = I: \sqrt{c} W_L ... W_1 is the product of the layers c^{1/(2L)} W_l. ValueError where
    inputs are not white to rounding, naming by how much.
    """
    x, y = data_matrices(inputs, outputs)
    depth, lam = depth_number(depth), lam_scalar(lam)
    gram = x @ x.T
    scale = float(np.trace(gram)) / len(x)
    away = float(np.linalg.norm(gram / scale - np.eye(len(x)), 2))
    if away > white_rounding(x.shape):
        raise ValueError(
            f"inputs: X X^T / c is {away:.1e} from the identity, expected white inputs; use dmf.theory.whitened"
        )
    return Factorization(y @ x.T / np.sqrt(scale), lam * scale ** (-1 / depth), scale)


def white_rounding(shape: tuple[int, int]) -> float:
    """How far X X^T / c may be from I by rounding, in spectral norm, for inputs (d_0, n) that were made white."""
    return sum_rounding(sum(shape))


def lambda_to_keep(sigma: npt.ArrayLike, depth: int, rank: int) -> tuple[float, float]:
    r"""The open interval of \lambda in which the global minimizer keeps exactly the `rank` leading singular values.

    It keeps those above m*(L, \lambda) (Theorem 10), so \lambda lies between \lambda_c(\sigma_{r+1}) and
    \lambda_c(\sigma_r); from 0 where r is the rank of the target, to infinity for r = 0. sigma is non-increasing.
    ValueError for a rank that no \lambda keeps.
    """
    sigma, rank = _enough(sigma, rank)
    low = float(critical_lambda(sigma[rank], depth)) if rank < sigma.size else 0.0
    high = float(critical_lambda(sigma[rank - 1], depth)) if rank else float("inf")
    if 0 < rank < sigma.size and sigma[rank - 1] - sigma[rank] <= TIED * sigma[0]:
        raise ValueError(
            f"rank = {rank}: singular values {rank} and {rank + 1} are equal ({sigma[rank]:g}), so no lambda keeps one "
            "without the other"
        )
    return low, high


def lambda_where_kept(sigma: npt.ArrayLike, depth: int, rank: int) -> float:
    r"""\lambda_s(\sigma_r): below it a local minimum keeps exactly the `rank` leading ones; infinite for rank 0.

    For depth 2 there is no other local minimum than the global one: there it is the end of `lambda_to_keep`.
    ValueError as there, but for equal singular values.
    """
    sigma, rank = _enough(sigma, rank)
    return float(branch_lambda(sigma[rank - 1], depth)) if rank else float("inf")


def _enough(sigma: npt.ArrayLike, rank: int) -> tuple[Array, int]:
    """The singular values that are not zero to rounding, and a rank that they allow."""
    values = spectrum_values("sigma", sigma)
    values = values[values > rank_rounding(values.shape) * values[:1].max(initial=0.0)]
    rank = integer("rank", rank, least=0)
    if rank > values.size:
        raise ValueError(f"rank = {rank}: expected at most {values.size}, the rank of the target")
    return values, rank


def _compact_svd(x: Array) -> tuple[Array, Array, Array]:
    """U (d_0, r), singular values (r,) and V^T (r, n), r the rank of X to rounding."""
    left, values, right_t = np.linalg.svd(x, full_matrices=False)
    rank = int(np.count_nonzero(values > rank_rounding(x.shape) * values[0]))
    return left[:, :rank], values[:rank], right_t[:rank]
