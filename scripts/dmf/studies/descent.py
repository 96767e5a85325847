"""Gradient descent near critical points: its rates and its largest stable step (docs/theory.md, section 15).

A start is a critical point in a random gauge, moved by a little in a random direction. Steps are in units of the
largest eigenvalue of the Hessian that complex steps give there; the closed form is only compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from dmf import theory
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.studies._derivatives import Floats, Objective
from dmf.studies._layers import balanced_point
from dmf.studies._newton import smallest_curvature
from dmf.theory import certificate, haar
from dmf.theory.certificate import EPS

DRAWS = 4
BELOW, ABOVE = 0.98, 1.02  # of the largest stable step
MOVED, MOVED_LITTLE = 1e-2, 1e-9  # how far a start is moved, in units of the layers' norm; little, to grow from there
HIGH, LOW = 1e-6, 1e-10  # gradient norms between which rates are measured, in units of sigma_1^(2-1/L)
CONVERGED = 1e-9  # gradient norm of a run that has, in the same units
MOST_STEPS = 6000
LEAVING_STEPS = 450
FROM, TO = 120, 220  # steps between which growth is measured
LEFT = 1000.0  # growth of the gradient from which a run has left

# Name, widths, singular values, lambda, number of kept values (None: the global minimizers).
CELLS: tuple[tuple[str, tuple[int, ...], tuple[float, ...], float, int | None], ...] = (
    ("two layers", (3, 3, 3), (2.0, 1.4, 0.9), 0.3, None),
    ("three layers", (3, 3, 3, 3), (2.0, 1.4, 0.9), 0.2, None),
    ("rectangular", (2, 3, 3), (2.0, 1.3), 0.2, None),
    ("four layers", (2, 2, 2, 2, 2), (2.0, 1.5), 0.2, None),
    ("spurious level", (3, 3, 3, 3), (2.0, 1.4, 0.9), 0.2, 1),
)
# Two layers and lambda equal to a singular value: F grows quartically along a direction. The other one is ordinary.
CONTROLS: tuple[tuple[str, tuple[int, ...], tuple[float, ...], float, int | None], ...] = (
    ("quartic", (3, 3, 3), (2.0, 1.4, 0.5), 0.5, None),
    ("ordinary", (3, 3, 3, 3), (2.0, 1.4, 0.9), 0.2, None),
)

FIELDS = {
    "control": ("cell", "1 for cells of the control"),
    "extra_zero_modes": ("cell", "zero eigenvalues of the Hessian beyond those of the orbit"),
    "largest_step": ("cell", "2 over the largest eigenvalue of the closed-form spectrum"),
    "certified": ("cell start", "1 where the critical point's gradient norm is within tolerance"),
    "gradient_norm": ("cell start", "gradient norm at the critical point"),
    "rate": ("cell start", "ratio of successive gradient norms at step 1 / lambda_max"),
    "predicted_rate": ("cell start", "1 - mu / lambda_max of the closed-form spectrum"),
    "rate_tolerance": ("cell start", "what its own drift, the Hessian's change and rounding allow for it"),
    "best_rate": ("cell start", "ratio of successive gradient norms at step 2 / (mu + lambda_max)"),
    "predicted_best_rate": ("cell start", "(kappa - 1) / (kappa + 1) of the closed-form spectrum"),
    "best_rate_tolerance": ("cell start", "what its own drift, the Hessian's change and rounding allow for it"),
    "below_gradient": ("cell start", "gradient norm at the end of a run with 0.98 of the largest stable step"),
    "below_tolerance": ("cell start", "gradient norm at which a run has converged"),
    "start_gradient": ("cell start", "gradient norm at the start of a run with 1.02 of the largest stable step"),
    "above_gradient": ("cell start", "largest gradient norm of that run"),
    "leaving_tolerance": ("cell start", "gradient norm from which that run has left"),
    "growth": ("cell start", "ratio of successive gradient norms of that run"),
    "predicted_growth": ("cell start", "1.02 * 2 - 1, if the closed form's lambda_max is the true one"),
    "growth_tolerance": ("cell start", "what its own drift, the Hessian's change and rounding allow for it"),
}


class Rate(NamedTuple):
    """Ratios of successive gradient norms (S,), their tolerances, and the gradient norms at the end."""

    ratio: Floats
    tolerance: Floats
    end: Floats


class Setting(NamedTuple):
    """A cell's function, its critical points (S, N), the unit of gradient norms, and how fast the Hessian turns."""

    function: Objective
    points: Floats
    unit: float
    lipschitz: float


def make(settings: Settings) -> xr.Dataset:
    """Cells by name, starts by draw of gauge and direction."""
    rows = [_cell(settings, *cell) | {"control": False} for cell in CELLS]
    rows += [_cell(settings, *cell) | {"control": True} for cell in CONTROLS]
    return assembled(FIELDS, rows, {"draw": ("start", np.arange(DRAWS))})


def _cell(
    settings: Settings, name: str, widths: Sequence[int], sigma: Sequence[float], lam: float, kept: int | None
) -> Row:
    depth, values = len(widths) - 1, np.array(sigma)
    rng = generator(["study", "descent", settings.seed, name])
    here = _setting(widths, values, lam, kept, rng)
    closed = theory.hessian_spectrum(here.function.target, widths, lam, kept)
    own = np.asarray(np.linalg.eigvalsh(here.function.hessians(here.points)), dtype=np.float64)
    top, (zeros, mu) = own[:, -1], smallest_curvature(own)
    known, kappa = theory.smallest_positive_eigenvalue(closed), closed[-1] / theory.smallest_positive_eigenvalue(closed)
    x = theory.level_singular_values(values, depth, lam, _kept(values, depth, lam, kept))
    gradient = np.asarray(np.linalg.norm(here.function.gradients(here.points), axis=1))
    moved = rng.standard_normal(here.points.shape)
    moved *= np.sqrt(depth * np.sum(values ** (2 / depth))) / np.linalg.norm(moved, axis=1, keepdims=True)
    rate = _decay(here, here.points + MOVED * moved, 1 / top)
    best = _decay(here, here.points + MOVED * moved, 2 / (mu + top))
    below = _decay(here, here.points + MOVED * moved, BELOW * 2 / top)
    start = here.points + MOVED_LITTLE * moved
    growth, largest = _growth(here, start, ABOVE * 2 / top)
    begun = np.asarray(np.linalg.norm(here.function.gradients(start), axis=1))
    return {
        "problem": name,
        "depth": depth,
        "lam": lam,
        "extra_zero_modes": float(zeros.min()) - theory.zero_modes(widths, int(np.count_nonzero(x))),
        "largest_step": 2 / closed[-1],
        "certified": gradient <= settings.gradient_norm * here.unit,
        "gradient_norm": gradient,
        "rate": rate.ratio,
        "predicted_rate": np.full(DRAWS, 1 - known / closed[-1]),
        "rate_tolerance": rate.tolerance,
        "best_rate": best.ratio,
        "predicted_best_rate": np.full(DRAWS, (kappa - 1) / (kappa + 1)),
        "best_rate_tolerance": best.tolerance,
        "below_gradient": below.end,
        "below_tolerance": np.full(DRAWS, CONVERGED * here.unit),
        "start_gradient": begun,
        "above_gradient": largest,
        "leaving_tolerance": LEFT * begun,
        "growth": growth.ratio,
        "predicted_growth": ABOVE * 2 * closed[-1] / top - 1,
        "growth_tolerance": growth.tolerance,
    }


def _kept(sigma: Floats, depth: int, lam: float, kept: int | None) -> int:
    return int(np.count_nonzero(sigma > theory.collapse_threshold(depth, lam))) if kept is None else kept


def _setting(widths: Sequence[int], sigma: Floats, lam: float, kept: int | None, rng: np.random.Generator) -> Setting:
    """Critical points that keep the largest `kept` values, each in its own gauge, for one target in random bases."""
    depth = len(widths) - 1
    x = theory.level_singular_values(sigma, depth, lam, _kept(sigma, depth, lam, kept))
    left, right = haar.orthogonal(widths[-1], rng), haar.orthogonal(widths[0], rng)
    core = np.zeros((widths[-1], widths[0]))
    np.fill_diagonal(core, sigma)
    points = []
    for _ in range(DRAWS):
        frames = [right, *(haar.orthogonal(width, rng) for width in widths[1:-1]), left]
        points.append(balanced_point(frames, x ** (1 / depth)))
    top, residual = certificate.reach(x, sigma, depth)
    # Starts are moved by no more than this, and the Hessian's turning grows with it.
    moved = 2 * MOVED * float(np.sqrt(depth * np.sum(sigma ** (2 / depth))))
    lipschitz = theory.hessian_lipschitz(depth, top + moved, residual)
    target = left @ core @ right.T
    return Setting(Objective(target, tuple(widths), lam), np.array(points), sigma[0] ** (2 - 1 / depth), lipschitz)


def _decay(here: Setting, points: Floats, step: Floats) -> Rate:
    """Descend with steps (S,) until gradient norms are LOW, in the runs that get there; the rate between HIGH and LOW.

    A step multiplies the gradient by I - step H', H' within C e of the Hessian at the end, e the distance from there.
    Over n steps of ratio r these errors average to step C e / (n (1 - r)). Rounding counts at the window's end.
    """
    norms, kept = [], []
    for _ in range(MOST_STEPS):
        slopes = np.asarray(here.function.gradients(points))
        norms.append(np.linalg.norm(slopes, axis=1))
        kept.append(points)
        if (norms[-1] <= LOW * here.unit).all():
            break
        points = points - step[:, None] * slopes
    found = [
        _window(here, np.array(norms)[:, run], [point[run] for point in kept], step[run]) for run in range(len(step))
    ]
    ratio, tolerance, end = (np.array(values) for values in zip(*found, strict=True))
    return Rate(ratio, tolerance, end)


def _window(here: Setting, norms: Floats, points: Sequence[Floats], step: float) -> tuple[float, float, float]:
    """The ratio in the second half of a window, what may be its error, and the gradient norm at the end."""
    first = int(np.argmax(norms <= HIGH * here.unit)) if (norms <= HIGH * here.unit).any() else len(norms) // 2
    last = int(np.argmax(norms <= LOW * here.unit)) if (norms <= LOW * here.unit).any() else len(norms) - 1
    half = (last - first) // 2
    if half < 2:
        return np.nan, np.nan, float(norms[last])
    early = (norms[first + half] / norms[first]) ** (1 / half)
    late = (norms[first + 2 * half] / norms[first + half]) ** (1 / half)
    away = float(np.linalg.norm(points[first + half] - points[last]))
    turning = step * here.lipschitz * away / (half * max(1 - late, 1e-4))
    rounding = 64 * EPS * here.unit / (norms[last] * half)
    return float(late), float(abs(late - early) + turning + rounding), float(norms[last])


def _growth(here: Setting, points: Floats, step: Floats) -> tuple[Rate, Floats]:
    """The ratio at steps that are too large, while the run is still near, and the largest gradient norm of all.

    A run whose gradient is as large as at a random point stands still from there.
    """
    norms, start, away = [], points, np.zeros(len(points))
    for number in range(LEAVING_STEPS):
        slopes = np.asarray(here.function.gradients(points))
        norms.append(np.linalg.norm(slopes, axis=1))
        if number == TO:
            away = np.linalg.norm(points - start, axis=1)
        near = norms[-1] < here.unit
        points = points - np.where(near, step, 0.0)[:, None] * slopes
    table, half = np.array(norms), (TO - FROM) // 2
    early = (table[FROM + half] / table[FROM]) ** (1 / half)
    late = (table[TO] / table[FROM + half]) ** (1 / half)
    turning = step * here.lipschitz * away / (half * np.maximum(late - 1, 1e-4))
    rounding = 64 * EPS * here.unit / (table[FROM] * half)
    return Rate(late, abs(late - early) + turning + rounding, table[-1]), table.max(axis=0)


STUDY = Study(
    title="Gradient descent near critical points",
    summary=(
        r"Gradient descent from points near minimizers and spurious minima of depth 2 to 4, with steps below and above "
        r"$2/\lambda_{\max}$; two layers with $\lambda$ equal to a singular value as a control."
    ),
    make=make,
)
