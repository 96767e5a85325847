r"""What float64 can do to the numbers that evidence compares: bounds, not estimates.

One matrix product of inner dimension n errs by at most n u ||A||_F ||B||_F, u = EPS / 2 (Higham 2002, section 3.5). A
chain of L factors, with the few operations around it, errs by at most `relative(widths)` of the bounds below; counting
with EPS instead of u leaves room for the higher orders and for the constant of a singular value decomposition.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Sizes = NDArray[np.float64] | np.float64
EPS = float(np.finfo(np.float64).eps)
# A target counts as exceptional this close to the set: nearer, float64 cannot tell its two minima apart.
RESOLUTION = 1e-12


def relative(widths: Sequence[int]) -> float:
    """L (d + 2) EPS, d the largest of the widths d_0, ..., d_L."""
    return (len(widths) - 1) * (max(widths) + 2) * EPS


def gradient_error(widths: Sequence[int], lam: float, norm: Sizes, spectral: Sizes, objective: Sizes) -> Floats:
    r"""How far a computed gradient of F may be from the true one, in Euclidean norm; the shape of `objective`.

    `norm` and `spectral` bound the Frobenius and spectral norms of every layer. X errs by at most
    \rho \sqrt{d} m s^{L-1}, so each A^T (X - M) B^T by \rho \sqrt{d} m s^{L-2} (s^L + ||X - M||_F), with \rho of
    `relative`, m = norm, s = spectral; the products' own errors are in it for m^2 <= \sqrt{d} m s.
    """
    depth, rho = len(widths) - 1, relative(widths)
    residual = np.sqrt(np.maximum(objective, 0))
    chain = norm * spectral ** (depth - 2) * (spectral**depth + residual)
    return np.asarray(2 * rho * np.sqrt(depth) * (np.sqrt(max(widths)) * chain + lam * norm))
