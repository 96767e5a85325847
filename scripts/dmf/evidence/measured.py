"""What training measured of a run, measured again from its layers in ball arithmetic, and what rounding allows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from flint import arb
from numpy.typing import NDArray

from dmf.proof.balls import exact, in_balls, norm, norm_sq
from dmf.proof.hessian import Point, point
from dmf.theory import certificate
from dmf.theory.certificate import ROUNDING, relative

Floats = NDArray[np.float64]


@in_balls
def measured_again(layers: Sequence[Floats], matrix: Floats, lam: float) -> dict[str, tuple[float, float]]:
    """(value, tolerance) of everything in `dmf.evidence.choose.MEASURED`, from [W_1, ..., W_L].

    Values are exact but for their last rounding; tolerances are those of the claims for a float64 computation.
    """
    at = point(layers, matrix, lam)
    norms_sq = [float(norm_sq(layer)) for layer in at.layers]
    imbalance = float(_imbalance(at))
    trace = float(_trace(at))
    widths, rho = at.widths, relative(at.widths)
    size, top = np.sqrt(max(norms_sq)), max(float(np.linalg.norm(layer, 2)) for layer in layers)
    objective, energy = float(at.objective), float(norm_sq(exact(matrix)))
    pair_sq = max(a + b for a, b in pairwise(norms_sq))
    error = float(certificate.gradient_error(widths, lam, size, top, objective))
    tiny = float(np.finfo(np.float64).tiny)
    # Squares below the smallest number are lost, at most `tiny` each: of a norm the root of all of them.
    lost = np.sqrt(tiny * sum(layer.size for layer in layers))
    chain = np.sqrt(max(widths)) * size * top ** (len(layers) - 1)
    found = {
        "objective": (objective, rho * (energy + objective)),
        "gradient_norm": (float(at.gradient_norm), error + lost),
        "layer_norm_sq_min": (min(norms_sq), rho * max(norms_sq)),
        "layer_norm_sq_max": (max(norms_sq), rho * max(norms_sq)),
        "imbalance": (imbalance, rho * pair_sq + lost),
        "hessian_trace": (trace, (ROUNDING + rho) * trace),
        "end_to_end_norm": (float(norm(at.product)), rho * chain + lost),
    }
    return {name: (value, float(tolerance) + tiny) for name, (value, tolerance) in found.items()}


def _imbalance(at: Point) -> arb:
    sizes = [norm(after.transpose() * after - layer * layer.transpose()) for layer, after in pairwise(at.layers)]
    return max(sizes, key=lambda size: float(size))


def _trace(at: Point) -> arb:
    terms = [2 * norm_sq(a) * norm_sq(b) for a, b in zip(at.above, at.below, strict=True)]
    return sum(terms, 2 * at.lam * sum(layer.nrows() * layer.ncols() for layer in at.layers))
