r"""A bottleneck: a hidden width r below min(d_0, d_L), so that X = W_L ... W_1 has rank r at most.

Keeping sigma_i gains sigma_i^2 - min g, which is positive from m* on and grows with sigma_i (its slope is 2 x*). So X*
keeps the largest r of those that Theorem 10 keeps, and is unique unless one of the first r singular values equals m*,
or sigma_r = sigma_{r+1} > m*: then any r-dimensional choice among the tied directions is a minimizer (docs/theory.md,
section 11). This second exceptional set has codimension 2, the first codimension 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dmf.theory._check import Array, any_widths, depth_number, integer, lam_scalar, spectrum_values, target_matrix
from dmf.theory.matrix import singular_values
from dmf.theory.scalar import collapse_threshold, scalar_minimizer, scalar_objective
from dmf.theory.spectrum import aligned_spectrum

if TYPE_CHECKING:
    from jaxtyping import Float64


def bottleneck_singular_values(sigma: npt.ArrayLike, depth: int, lam: float, width: int) -> Float64[Array, " n"]:
    """Singular values of X*, shape of sigma (non-increasing): x*(sigma_i) for the first `width`, then zeros.

    `width` is the smallest hidden width, 1 or more; from sigma.size on it cuts nothing. ValueError for bad input.
    """
    sigma, width = spectrum_values("sigma", sigma), integer("width", width, least=1)
    x = scalar_minimizer(sigma, depth, lam_scalar(lam))
    x[width:] = 0.0
    return x


def bottleneck_minimizer(target: npt.ArrayLike, widths: Sequence[int], lam: float) -> Float64[Array, "d_L d_0"]:
    """X*, shape of target (d_L, d_0), for any hidden widths; one of many on `bottleneck_distances` of 0."""
    target = target_matrix(target)
    d = any_widths(widths, target)
    left, sigma, right_t = np.linalg.svd(target, full_matrices=False)
    x = bottleneck_singular_values(sigma, len(d) - 1, lam, min(d))
    return np.asarray((left * x) @ right_t)


def bottleneck_minimum(target: npt.ArrayLike, widths: Sequence[int], lam: float) -> float:
    """The minimum of F for any hidden widths. ValueError for bad input."""
    target, lam = target_matrix(target), lam_scalar(lam)
    d = any_widths(widths, target)
    sigma, depth = singular_values(target), len(d) - 1
    x = bottleneck_singular_values(sigma, depth, lam, min(d))
    return float(np.sum(scalar_objective(x, sigma, depth, lam)))


def bottleneck_distances(sigma: npt.ArrayLike, depth: int, lam: float, width: int) -> tuple[float, float]:
    """How far singular values are from both exceptional sets, dimensionless: 0 where X* is not unique.

    First min |sigma_i - m*| / m* over the first `width` of them (inf for depth 2, where it never matters), then
    (sigma_r - sigma_{r+1}) / sigma_1 with r = width, inf where sigma_{r+1} <= m* is dropped anyway.
    """
    sigma, width = spectrum_values("sigma", sigma), integer("width", width, least=1)
    depth, m_star = depth_number(depth), float(collapse_threshold(depth, lam_scalar(lam)))
    first = float("inf") if depth == 2 else float(np.min(np.abs(sigma[:width] - m_star)) / m_star)
    cuts = width < sigma.size and sigma[width] > m_star
    return first, float((sigma[width - 1] - sigma[width]) / sigma[0]) if cuts else float("inf")


def bottleneck_spectrum(target: npt.ArrayLike, widths: Sequence[int], lam: float) -> Float64[Array, " eigen"]:
    """All N eigenvalues of the Hessian of F at X*, ascending, shape (N,): the blocks of `hessian_spectrum`.

    On the cut the tied directions add zeros, as the minimizers then form a larger manifold. ValueError for bad input.
    """
    target, lam = target_matrix(target), lam_scalar(lam)
    d = any_widths(widths, target)
    sigma = singular_values(target)
    x = bottleneck_singular_values(sigma, len(d) - 1, lam, min(d))
    return aligned_spectrum(x, sigma, int(np.count_nonzero(x)), d, lam)
