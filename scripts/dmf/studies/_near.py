"""How far runs of a study may be from the minimizers of eq. 2, bottlenecks included: docs/theory.md, section 8."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dmf import theory
from dmf.theory import certificate

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Near:
    """Of runs (S,): a bound on the distance to the minimizers, infinite where it does not hold, and what follows."""

    gradient_norm: Floats
    radius: Floats
    distance_tolerance: Floats
    value_tolerance: Floats
    norm_tolerance: Floats


def near_minimizers(layers: Sequence[Floats], gradient_norm: Floats, target: Floats, lam: float) -> Near:
    """Runs with layers (S, d_l, d_{l-1}) and gradient norms (S,), of any hidden widths.

    The bound is idle on the exceptional sets of ties, where more directions are flat than the symmetry explains: there
    mu is that of the directions across the larger set of minimizers, and the same inequality holds.
    """
    depth = len(layers)
    widths = (layers[0].shape[2], *[layer.shape[1] for layer in layers])
    sigma = np.linalg.svd(target, compute_uv=False)
    x = theory.bottleneck_singular_values(sigma, depth, lam, min(widths))
    mu = theory.smallest_positive_eigenvalue(theory.bottleneck_spectrum(target, widths, lam))
    size = np.sqrt(sum(np.sum(layer**2, axis=(1, 2)) for layer in layers))
    radius = certificate.radius(gradient_norm, mu, size)
    top, residual = certificate.reach(x, sigma, depth)
    radius = np.where(certificate.is_near(radius, mu, depth, top, residual), radius, np.inf)
    alpha = float(np.sqrt(np.sum(x ** (2 / depth))))
    return Near(
        gradient_norm,
        radius,
        certificate.distance_tolerance(radius, depth, top, sigma[0]),
        certificate.gap_tolerance(gradient_norm, mu, np.sum(sigma**2)),
        certificate.layer_norm_tolerance(radius, depth, alpha, sigma[0]),
    )
