r"""The convex problem ||A(X) - b||^2 + 2 \lambda ||X||_*, which is what two layers with weight decay minimize.

How far a point or a factorization is from its minimum at most, from duality and from its own gradient.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dmf.recovery.proximal_gradient import residual, slope

Floats = NDArray[np.float64]

KEPT = 1e-3  # of a layer's largest singular value: below it, a direction is on its way to zero


def lower_bound(operators: Floats, measurements: Floats, lams: Floats, matrix: Floats) -> Floats:
    """A lower bound on the minimum, (B,), the better the nearer `matrix` (B, d_L, d_0) is to a minimizer.

    -||nu||^2 / 4 - <nu, b> at any nu with ||A^T nu||_2 <= 2 lam is one, by duality; nu is the residual of `matrix`,
    doubled, and shrunk into that set.
    """
    size = np.linalg.norm(slope(operators, measurements, matrix), ord=2, axis=(1, 2))
    shrink = np.minimum(1.0, 2 * lams / np.where(size > 0, size, 1.0))
    nu = 2 * shrink[:, None] * residual(operators, measurements, matrix)
    return np.asarray(-np.sum(nu**2, axis=1) / 4 - np.sum(nu * measurements, axis=1))


def excess_allowed(lams: Floats, layers: Sequence[Floats], gradient_norm: Floats, value: Floats) -> Floats:
    r"""How far above the minimum, (B,), two layers near a local minimum may be for their gradient's norm.

    With G the gradient of the fit at X = W_2 W_1 and X* a minimizer, convexity and <grad F, theta> = 2 <G, X> +
    2 \lambda ||theta||^2 give F - F* <= ||grad F|| ||theta|| / 2 + (||G||_2 - 2 \lambda)_+ ||X*||_*. At a local minimum
    of wide layers ||G||_2 <= 2 \lambda; near one, kept directions of layers' size s add at most ||grad F|| / s to it,
    and 2 \lambda ||X*||_* <= `value`, that of any point.
    """
    theta = np.sqrt(sum(np.sum(layer**2, axis=(1, 2)) for layer in layers))
    values = np.linalg.svd(layers[0], compute_uv=False)
    kept = np.where(values > values[:, :1] * KEPT, values, np.inf).min(axis=1)
    return np.asarray(gradient_norm * (theta / 2 + value / (2 * lams * kept)))
