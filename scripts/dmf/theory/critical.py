r"""Every critical point of F with distinct singular values: its values, its Hessian spectrum and its Morse index.

At a critical point each end-to-end singular value is 0, the small or the large root of its sigma_i, in any combination
(Chen, Jiang and Wang 2025). `roots` names the choice, one of "zero", "small" and "large" for each sigma_i.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dmf.theory._check import Array, depth_number, lam_scalar, layer_widths, spectrum_values
from dmf.theory.scalar import branch_threshold, large_root, small_root
from dmf.theory.spectrum import aligned_spectrum

if TYPE_CHECKING:
    from jaxtyping import Float64

ROOTS = ("zero", "small", "large")


def critical_singular_values(
    sigma: npt.ArrayLike, depth: int, lam: float, roots: Sequence[str]
) -> Float64[Array, " n"]:
    """Singular values x_i of X at the critical point with the given `roots`, shape of sigma.

    sigma is non-increasing. ValueError for bad input, for a root that sigma_i does not have (it needs
    sigma_i > m_loc), and for a small root at depth 2.
    """
    sigma, depth, lam = spectrum_values("sigma", sigma), depth_number(depth), lam_scalar(lam)
    chosen = _root_choices(sigma, depth, lam, roots)
    x = np.zeros_like(sigma)
    x[chosen == "small"] = small_root(sigma[chosen == "small"], depth, lam)
    x[chosen == "large"] = large_root(sigma[chosen == "large"], depth, lam)
    return x


def critical_hessian_spectrum(
    sigma: npt.ArrayLike, widths: Sequence[int], lam: float, roots: Sequence[str]
) -> Float64[Array, " eigen"]:
    """All N eigenvalues of the Hessian of F at a critical point with the given `roots`, ascending, shape (N,).

    sigma holds the min(d_0, d_L) singular values of the target, non-increasing. Dimensionless. The blocks are those of
    `hessian_spectrum`; the order of the singular values does not enter them. ValueError for bad input.
    """
    d, sigma, lam = layer_widths(widths), spectrum_values("sigma", sigma), lam_scalar(lam)
    if sigma.size != min(d[0], d[-1]):
        raise ValueError(f"sigma has {sigma.size} values: expected min(d_0, d_L) = {min(d[0], d[-1])}")
    x = critical_singular_values(sigma, len(d) - 1, lam, roots)
    kept = np.asarray(roots) != "zero"
    first = np.lexsort((-x, ~kept))  # kept ones lead, largest first: a permutation of axes, which changes no eigenvalue
    return aligned_spectrum(x[first], sigma[first], int(kept.sum()), d, lam)


def morse_index(sigma: npt.ArrayLike, widths: Sequence[int], lam: float, roots: Sequence[str]) -> int:
    r"""Number of negative Hessian eigenvalues at a critical point with the given `roots`, in closed form.

    For depth >= 3: each small root counts 1, and each sigma_i that is not on its large root counts 1 for every smaller
    sigma_j that is kept. So it is 0, a local minimum, iff the large roots form a prefix. For depth 2, where only
    sigma_i > \lambda on zero count, each of these also counts d_1 - r for the free hidden directions.

    Derivation: on the kept directions F has the index of its Schatten form, whose curvature for a symmetric mixing of
    two of them is 2 (\sigma_i - \sigma_j) / (x_i - x_j), and along one of them 2 - 2 (1 - 2/L) (\sigma_i - x_i) / x_i;
    for i on zero and j kept it is 2 \lambda + 2 s_j^{2L-2} - 2 \sigma_i s_j^{L-2}, negative iff \sigma_i > \sigma_j.
    Equal sigma on different roots make zeros, which are not counted. ValueError for bad input.
    """
    d, sigma, lam = layer_widths(widths), spectrum_values("sigma", sigma), lam_scalar(lam)
    depth = len(d) - 1
    chosen = _root_choices(sigma, depth, lam, roots)
    kept = chosen != "zero"
    overtaken = [int(np.count_nonzero(kept & (sigma < value))) for value in sigma]
    index = sum(n for n, root in zip(overtaken, chosen, strict=True) if root != "large")
    index += int(np.count_nonzero(chosen == "small"))
    if depth == 2:
        index += int(np.count_nonzero(~kept & (sigma > lam))) * (d[1] - int(kept.sum()))
    return index


def _root_choices(sigma: Array, depth: int, lam: float, roots: Sequence[str]) -> npt.NDArray[np.str_]:
    if len(roots) != sigma.size:
        raise ValueError(f"roots: got {len(roots)} names, expected one for each of the {sigma.size} singular values")
    threshold = float(branch_threshold(depth, lam))
    for place, (root, value) in enumerate(zip(roots, sigma, strict=True)):
        if root not in ROOTS:
            raise ValueError(f"roots[{place}] = {root!r}: expected one of {', '.join(ROOTS)}")
        if root == "small" and depth == 2:
            raise ValueError(f"roots[{place}] = 'small': expected zero or large, depth 2 has no small root")
        if root != "zero" and not value > threshold:
            raise ValueError(f"roots[{place}] = {root!r}: sigma = {value} is not above branch_threshold = {threshold}")
    return np.asarray(roots, dtype=np.str_)
