"""Beyond the paper: what holds at every critical point for losses other than squares, and for residual chains.

Chains under cross-entropy, logistic loss and log cosh, and products of I + W_l, are trained by Newton's method from
random starts; wherever a run ends, identities of docs/theory.md, section 15, are held against its gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import xarray as xr

from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.studies._chains import Chain
from dmf.studies._derivatives import Floats
from dmf.studies._newton import minimize, smallest_curvature
from dmf.theory.certificate import ROUNDING

DRAWS = 16
SAMPLES = 8
STOPPED = 4  # steps after which controls are
KEPT = 1e-4  # singular values of X above it are kept
# Loss, widths, lambda, whether layers are I + W.
CELLS: tuple[tuple[str, tuple[int, ...], float, bool], ...] = (
    ("cross-entropy", (3, 3, 4), 0.1, False),
    ("cross-entropy", (3, 3, 3, 3), 0.05, False),
    ("logistic", (3, 4, 3), 0.1, False),
    ("logistic", (4, 3, 3, 3), 0.05, False),
    ("log cosh", (3, 3, 3), 0.1, False),
    ("log cosh", (3, 3, 3, 3, 3), 0.05, False),
    ("squares", (3, 3, 3, 3), 0.1, True),
    ("squares", (2, 2, 2), 0.3, True),
    ("cross-entropy", (3, 3, 3), 0.1, True),
    ("negative", (1, 1, 1), 0.1, True),
)
CONTROLS: tuple[tuple[str, tuple[int, ...], float, bool], ...] = (
    ("cross-entropy", (3, 3, 3, 3), 0.05, False),
    ("squares", (3, 3, 3, 3), 0.1, True),
    ("positive", (1, 1, 1), 0.1, True),
)

FIELDS = {
    "control": ("cell", "1 for cells of the control"),
    "residual": ("cell", "1 where layers are I + W_l"),
    "negative": ("cell start", "1 for two residual scalars whose product is negative"),
    "certified": ("cell start", "1 where the gradient norm is within tolerance; of no run that was stopped"),
    "gradient_norm": ("cell start", "gradient norm at the end point"),
    "counted_gradient": ("cell start", "gradient norm that tolerances count with: of stopped runs the certificate's"),
    "imbalance": ("cell start", "largest norm of what neighbouring layers leave of the identity of balance"),
    "imbalance_tolerance": ("cell start", "what gradients and rounding allow for it, at any point"),
    "residual_gap": ("cell start", "departure of -1/2 grad f X^T from lambda W_L W_L^T, or of its mirror image"),
    "residual_tolerance": ("cell start", "what gradients and rounding allow for it, at any point"),
    "power_gap": ("cell start", "departure of (W_L W_L^T)^L from X X^T"),
    "power_tolerance": ("cell start", "what the imbalance allows for it"),
    "value_gap": ("cell start", "largest departure of u_i^T (-1/2 grad f) v_i from lambda x_i^(2/L - 1), kept pairs"),
    "value_tolerance": ("cell start", "what the residual's and the power's tolerance allow for it"),
    "skew_gap": ("cell start", "largest difference of the skew parts of two layers"),
    "skew_tolerance": ("cell start", "what gradients and rounding allow for it"),
    "norm_difference": ("cell start", "difference of ||W_1||^2 and ||W_2||^2"),
    "norm_tolerance": ("cell start", "what gradients and rounding allow for equal norms"),
}


def make(settings: Settings) -> xr.Dataset:
    """Cells (loss, widths), starts by draw."""
    rows = [_cell(settings, *cell, control=False) for cell in CELLS]
    rows += [_cell(settings, *cell, control=True) for cell in CONTROLS]
    return assembled(FIELDS, rows, {"draw": ("start", np.arange(DRAWS))})


def problem(loss: str, widths: Sequence[int], lam: float, identity: bool, rng: np.random.Generator) -> Chain:
    """Random data: soft labels for cross-entropy, signs for logistic loss, and for other losses a target."""
    rows, inputs = widths[-1], rng.standard_normal((widths[0], SAMPLES))
    if loss == "cross-entropy":
        data = rng.dirichlet(np.ones(rows), size=SAMPLES).T
    elif loss == "logistic":
        data = rng.choice([-1.0, 1.0], (rows, widths[0]))
    elif loss in ("negative", "positive"):
        return Chain("squares", np.array([[-1.5 if loss == "negative" else 1.5]]), inputs, widths, lam, identity)
    else:
        data = 2 * rng.standard_normal((rows, widths[0]))
    return Chain(loss, data, inputs, widths, lam, identity)


def _cell(settings: Settings, loss: str, widths: tuple[int, ...], lam: float, identity: bool, control: bool) -> Row:
    rng = generator(["study", "any_loss", settings.seed, loss, list(widths), lam, identity, control])
    function = problem(loss, widths, lam, identity, rng)
    starts = rng.standard_normal((DRAWS, function.parameters)) * (0.4 if identity else 0.8)
    if control and loss != "positive":
        points = _stopped(function, starts)
        norm = np.asarray(np.linalg.norm(function.gradients(points), axis=1))
        counted = np.full(DRAWS, settings.gradient_norm)  # as if it had converged
        certified = np.zeros(DRAWS, dtype=bool)
    else:
        ends = minimize(function, starts, settings.gradient_norm)
        points, norm = ends.points, ends.gradient_norm
        counted = norm
        certified = (norm <= settings.gradient_norm) & np.isfinite(smallest_curvature(ends.spectrum)[1])
    return {
        "problem": loss,
        "depth": len(widths) - 1,
        "widths": ",".join(map(str, widths)),
        "lam": lam,
        "control": control,
        "residual": identity,
        "negative": np.full(DRAWS, function.parameters == 2) & (function.product(points)[:, 0, 0] < 0),
        "certified": certified,
        "gradient_norm": norm,
        "counted_gradient": counted,
        **(_residual(function, points, counted) if identity else _chain(function, points, counted)),
    }


def _stopped(function: Chain, points: Floats) -> Floats:
    """A few steps of gradient descent: far from any critical point."""
    for _ in range(STOPPED):
        points = points - 0.02 * np.asarray(function.gradients(points))
    return points


def _chain(function: Chain, points: Floats, gradient: Floats) -> dict[str, Floats]:
    """Fields of a chain of layers W_l, as far as gradient norms (S,) explain."""
    layers, depth, lam = [np.asarray(one) for one in function.layers(points)], len(function.widths) - 1, function.lam
    x, slope = np.asarray(function.product(points)), np.asarray(function.slope(function.product(points)))
    first, last = layers[0], layers[-1]
    largest = np.max([np.linalg.norm(layer, axis=(1, 2)) for layer in layers], axis=0)
    top = np.max([np.linalg.norm(layer, 2, axis=(1, 2)) for layer in layers], axis=0)
    imbalance = [_norm(above.mT @ above - below @ below.mT) for below, above in pairwise(layers)]
    rounding = ROUNDING * (_norm(slope) * np.maximum(top, 1) ** depth + lam * largest**2)
    imbalance_tolerance = (np.sqrt(2) * largest * gradient + rounding) / (2 * lam)
    left = _norm(-slope @ x.mT / 2 - lam * last @ last.mT)
    right = _norm(-x.mT @ slope / 2 - lam * first.mT @ first)
    residual_tolerance = largest * gradient / 2 + rounding
    power = np.linalg.matrix_power(last @ last.mT, depth)
    power_tolerance = depth * (depth - 1) / 2 * top ** (2 * depth - 2) * imbalance_tolerance + ROUNDING * top ** (
        2 * depth
    )
    u, size, v_t = np.linalg.svd(x, full_matrices=False)
    kept = size > KEPT
    safe = np.where(kept, size, 1.0)
    pulled = np.einsum("sij,sik,skj->sj", u, -slope / 2, v_t.mT)
    gaps = np.where(kept, np.abs(pulled - lam * safe ** (2 / depth - 1)), 0.0)
    # x_i times the gap is at most the residual's tolerance and lambda times the error of s_i^2, which is that of its
    # L-th power over L x_i^(2 - 2/L).
    root = power_tolerance[:, None] / (depth * safe ** (2 - 2 / depth))
    allowed = np.where(kept, (residual_tolerance[:, None] + lam * root) / safe, 0.0)
    worst = np.argmax(np.divide(gaps, allowed, out=np.zeros_like(gaps), where=allowed > 0), axis=1)
    rows = np.arange(len(points))
    nothing = np.full(len(points), np.nan)
    return {
        "imbalance": np.max(imbalance, axis=0),
        "imbalance_tolerance": imbalance_tolerance,
        "residual_gap": np.maximum(left, right),
        "residual_tolerance": residual_tolerance,
        "power_gap": _norm(power - x @ x.mT),
        "power_tolerance": power_tolerance,
        "value_gap": gaps[rows, worst],
        "value_tolerance": allowed[rows, worst] + ROUNDING * lam,
        **dict.fromkeys(("skew_gap", "skew_tolerance", "norm_difference", "norm_tolerance"), nothing),
    }


def _residual(function: Chain, points: Floats, gradient: Floats) -> dict[str, Floats]:
    """Fields of a chain of I + W_l, as far as gradient norms (S,) explain."""
    layers, factors = function.layers(points), [np.asarray(one) for one in function.factors(points)]
    largest = np.max([np.linalg.norm(factor, axis=(1, 2)) for factor in factors], axis=0)
    slope = np.asarray(function.slope(function.product(points)))
    rounding = ROUNDING * (_norm(slope) * largest ** len(factors) + function.lam * largest**2)
    tolerance = (np.sqrt(2) * largest * gradient + rounding) / (2 * function.lam)
    pairs = list(pairwise(zip(layers, factors, strict=True)))
    left = [_norm(above.mT @ upper - lower @ below.mT) for (lower, below), (upper, above) in pairs]
    skew = [(layer - layer.mT) / 2 for layer in layers]
    norms = np.array([np.sum(layer**2, axis=(1, 2)) for layer in layers])
    nothing = np.full(len(points), np.nan)
    names = ("residual_gap", "residual_tolerance", "power_gap", "power_tolerance", "value_gap", "value_tolerance")
    return {
        "imbalance": np.max(left, axis=0),
        "imbalance_tolerance": tolerance,
        "skew_gap": np.max([_norm(above - below) for below, above in pairwise(skew)], axis=0),
        "skew_tolerance": tolerance,
        "norm_difference": np.abs(norms[1] - norms[0]),
        "norm_tolerance": np.sqrt(layers[0].shape[-1]) * tolerance + ROUNDING * norms.max(axis=0),
        **dict.fromkeys(names, nothing),
    }


def _norm(matrices: Floats) -> Floats:
    return np.asarray(np.linalg.norm(matrices, axis=(-2, -1)), dtype=np.float64)


STUDY = Study(
    title="Other losses, and residual chains",
    summary=(
        "Chains under cross-entropy, logistic loss and log cosh, and products of $I + W_l$, of depth 2 to 4 at "
        "critical points; runs stopped early, and two scalars with a positive target, as controls."
    ),
    make=make,
)
