r"""Sharpness in closed form: the scalar problem's Hessian spectrum and the matrix problem's Hessian trace.

F carries no factor 1/2, so a pure regularization direction has curvature 2 \lambda. The full spectrum of the
matrix problem is in `dmf.theory.spectrum`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dmf.theory._check import Array, depth_number, lam_scalar, layer_list, layer_widths, real, target_matrix
from dmf.theory.matrix import minimizer_svd, parameter_count
from dmf.theory.scalar import scalar_minimizer

if TYPE_CHECKING:
    from jaxtyping import Float64


def scalar_hessian_spectrum(m: float, depth: int, lam: float) -> Float64[Array, " layer"]:
    r"""Hessian eigenvalues at any minimizer of (m - w_L ... w_1)^2 + \lambda \sum w_l^2, shape (L,).

    Ascending. With w = |w_l| > 0: 4 \lambda (L - 1 times) and 2 L w^{2L-2} - 2 \lambda (L - 2) (eq. 29-30).
    At zero: 2 \lambda (L times), and for L = 2: 2 \lambda -+ 2 |m| (Remark 7). ValueError for bad input.
    """
    m, depth, lam = real("m", m), depth_number(depth), lam_scalar(lam)
    w = abs(float(scalar_minimizer(m, depth, lam))) ** (1 / depth)
    if w > 0:
        along = 2 * depth * w ** (2 * depth - 2) - 2 * lam * (depth - 2)
        return np.sort(np.append(np.full(depth - 1, 4 * lam), along))
    if depth == 2:
        return np.array([2 * lam - 2 * abs(m), 2 * lam + 2 * abs(m)])
    return np.full(depth, 2 * lam)


def hessian_trace(layers: Sequence[npt.ArrayLike], lam: float) -> float:
    r"""Return the trace of the Hessian of F at any point [W_1, ..., W_L], for any target (eq. 90-92).

    tr = \sum_l 2 ||W_L ... W_{l+1}||_F^2 ||W_{l-1} ... W_1||_F^2 + 2 \lambda N, an empty product being an
    identity. Costs O(L d^3). ValueError for bad input.
    """
    matrices, lam = layer_list(layers), lam_scalar(lam)
    d_0, d_last = matrices[0].shape[1], matrices[-1].shape[0]
    below = accumulate(matrices[:-1], lambda product, layer: layer @ product, initial=np.eye(d_0))
    above = accumulate(matrices[:0:-1], lambda product, layer: product @ layer, initial=np.eye(d_last))
    below_sq = [float(np.sum(product**2)) for product in below]
    above_sq = [float(np.sum(product**2)) for product in above]
    count = sum(layer.size for layer in matrices)
    return 2 * sum(a * b for a, b in zip(reversed(above_sq), below_sq, strict=True)) + 2 * lam * count


def minimizer_hessian_trace(target: npt.ArrayLike, widths: Sequence[int], lam: float) -> float:
    r"""Return the trace of the Hessian of F at a minimizer, the same at all of them (Theorem 15).

    tr = \sum_l 2 a_{L-l} b_{l-1} + 2 \lambda N with a_k = b_k = \sum_i s_i^{2k}, a_0 = d_L, b_0 = d_0, and
    s_i = x_i^{1/L}. ValueError for bad input.
    """
    target = target_matrix(target)
    d, lam = layer_widths(widths, target), lam_scalar(lam)
    depth = len(d) - 1
    x = minimizer_svd(target, depth, lam)[1]
    power_sums = np.array([np.sum(x ** (2 * k / depth)) for k in range(depth)])
    above, below = power_sums[::-1].copy(), power_sums.copy()  # of the layers over and under layer l
    above[-1], below[0] = d[-1], d[0]
    return float(2 * above @ below + 2 * lam * parameter_count(d))


def trace_lower_bound(target: npt.ArrayLike, widths: Sequence[int], lam: float) -> float:
    r"""Return the lower bound on the Hessian trace at minimizers (Theorem 15).

    2 L ||X*||_F^2 / \alpha^2 + 2 \lambda N, and 2 \lambda N when X* = 0. ValueError for bad input.
    """
    target = target_matrix(target)
    d, lam = layer_widths(widths, target), lam_scalar(lam)
    depth = len(d) - 1
    x = minimizer_svd(target, depth, lam)[1]
    regularization = 2 * lam * parameter_count(d)
    if not x.any():
        return regularization
    return float(2 * depth * np.sum(x**2) / np.sum(x ** (2 / depth)) + regularization)
