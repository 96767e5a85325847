"""What one cell's trained runs show when held against the closed forms, and to what accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dmf import theory
from dmf.grid.cells import Group
from dmf.theory import certificate
from dmf.theory.certificate import RESOLUTION, gap_tolerance, rank_rounding, relative
from dmf.training.settings import Status

Floats = NDArray[np.float64]
Arrays = Mapping[str, NDArray[Any]]

COPIED = ("status", "objective", "gradient_norm", "iterations", "imbalance", "singular_value_gap", "hessian_trace")


@np.errstate(all="ignore")  # a diverged run or a degenerate cell makes inf and NaN; neither is eligible
def run_facts(cell: Arrays, group: Group, facts: dict[str, float]) -> dict[str, NDArray[np.generic]]:
    """A value (start,) for every name in RUN_FIELDS, for the runs of one cell with its `facts` (see cell_facts)."""
    matrix, lam = cell["matrix"], facts["lam"]
    objective, gradient_norm = cell["objective"], cell["gradient_norm"]
    energy = float(np.sum(matrix**2))
    status, largest = cell["status"], float(cell["gradient_tolerance"])
    minimum = Minimum(facts["minimum"], facts["mu"], energy)
    certified, minimal = certificates(status, objective, gradient_norm, largest, minimum)
    kept, gap, level_tolerance = _nearest_level(cell, matrix, group, lam, energy)
    tolerance = gap_tolerance(gradient_norm, facts["mu"], energy)
    norms = cell["layer_norm_sq"], cell["layer_spectral_norm"]
    slope, floor = certificate.imbalance_tolerance(group.widths, lam, *norms, objective)
    return {
        **{name: cell[name] for name in COPIED},
        "certified": certified.astype(np.int8),
        "kept": np.where(certified, kept, -1),
        "level_gap": gap,
        "level_tolerance": level_tolerance,
        "minimal": minimal.astype(np.int8),
        "schatten": _schatten(cell, matrix, group.depth, lam),
        "schatten_rounding": relative(group.widths) * (energy + objective),
        "imbalance_slope": slope,
        "imbalance_floor": floor,
        **_distances(cell, group, facts, _radius(cell, group, facts, tolerance)),
    }


class Minimum(NamedTuple):
    """The global minimum in a run's cell, of one cell or with one value a run (see CELL_FIELDS)."""

    value: float | Floats
    """of F"""
    mu: float | Floats
    energy: float | Floats
    """||M||_F^2"""


def certificates(
    status: NDArray[np.int8],
    objective: Floats,
    gradient_norm: Floats,
    gradient_tolerance: float | Floats,
    minimum: Minimum,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which runs are certified, and which of these are at the global minimum; all of one shape, or broadcast to it."""
    certified = (status == Status.CONVERGED) & (gradient_norm <= gradient_tolerance)
    allowed = gap_tolerance(gradient_norm, minimum.mu, minimum.energy)
    return certified, certified & (objective - minimum.value <= allowed)


def _distances(cell: Arrays, group: Group, facts: dict[str, float], radius: Floats) -> dict[str, Floats]:
    """How far each run is from a minimizer in X, layer norms and trace, and what its `radius` allows."""
    matrix, depth, x = cell["matrix"], group.depth, cell["end_to_end"]
    layer_norm_sq = cell["layer_norm_sq"]
    best = theory.end_to_end_minimizer(matrix, depth, facts["lam"])
    top = float(np.linalg.norm(best, 2) ** (1 / depth))
    alpha = np.sqrt(facts["predicted_layer_norm_sq"])
    return {
        "radius": radius,
        "distance": np.linalg.norm(x - best, axis=(-2, -1)),
        "distance_tolerance": certificate.distance_tolerance(radius, depth, top, facts["sigma_1"]),
        "misalignment": _misalignment(x, matrix) / facts["sigma_1"],
        "end_to_end_norm": np.linalg.norm(x, axis=(-2, -1)),
        "layer_norm_sq_min": layer_norm_sq.min(axis=-1),
        "layer_norm_sq_max": layer_norm_sq.max(axis=-1),
        "layer_norm_tolerance": certificate.layer_norm_tolerance(radius, depth, alpha, facts["sigma_1"]),
        "trace_tolerance": certificate.trace_tolerance(radius, group.widths, top, facts["predicted_trace"]),
    }


def _radius(cell: Arrays, group: Group, facts: dict[str, float], tolerance: Floats) -> Floats:
    """Bound on the distance to the minimizers, (start,); infinite where it does not hold: the run is not eligible."""
    size = np.sqrt(cell["layer_norm_sq"].sum(axis=-1))
    radius = certificate.radius(cell["gradient_norm"], facts["mu"], size)
    sigma = np.linalg.svd(cell["matrix"], compute_uv=False)
    reach = certificate.reach(theory.scalar_minimizer(sigma, group.depth, facts["lam"]), sigma, group.depth)
    near = certificate.is_near(radius, facts["mu"], group.depth, *reach)
    confined = certificate.is_confined(2 * tolerance, facts["mu"], group.depth, *reach)
    holds = near & confined & _is_told(facts, tolerance)
    return np.where(holds, radius, np.inf)


def _is_told(facts: dict[str, float], tolerance: Floats) -> NDArray[np.bool_]:
    """Whether F tells the minimum from the next critical level; on the exceptional set they are the same on purpose."""
    told: NDArray[np.bool_] = facts["level_separation"] > 2 * tolerance
    return told | (facts["exceptional_distance"] <= RESOLUTION)


@np.errstate(divide="ignore")
def training_facts(cell: Arrays, group: Group, facts: dict[str, float]) -> dict[str, float]:
    """The fields of a cell that follow from how far its runs had to be trained, given the others."""
    largest, energy = cell["gradient_tolerance"], float(np.sum(cell["matrix"] ** 2))
    rounding = relative(group.widths) * (energy + facts["minimum"])
    tolerance = float(gap_tolerance(largest, facts["mu"], energy)) + rounding
    return {"gradient_tolerance": float(largest), "minimum_tolerance": tolerance}


def _misalignment(x: Floats, matrix: Floats) -> Floats:
    r"""max(||X M^T - M X^T||_F, ||X^T M - M^T X||_F) / 2, (start,): zero iff X and M share bases of singular vectors.

    X* M^T and X*^T M are symmetric, so this is at most ||M||_2 ||X - X*||_F. No gap between singular values is needed.
    """
    left, right = x @ matrix.T, x.swapaxes(-1, -2) @ matrix
    parts = [np.linalg.norm(product - product.swapaxes(-1, -2), axis=(-2, -1)) for product in (left, right)]
    return np.asarray(np.maximum(*parts) / 2)


def _schatten(cell: Arrays, matrix: Floats, depth: int, lam: float) -> Floats:
    r"""||M - X||_F^2 + \lambda L sum_i x_i^{2/L} at every run's X, (start,).

    Singular values below `rank_rounding` are zero; their power 2/L would be far above rounding.
    """
    x = cell["singular_values"]
    x = np.where(x > rank_rounding(matrix.shape) * x[:, :1], x, 0.0)
    misfit = np.sum((cell["end_to_end"] - matrix) ** 2, axis=(-2, -1))
    return np.asarray(misfit + lam * depth * np.sum(x ** (2 / depth), axis=-1))


def _nearest_level(
    cell: Arrays, matrix: Floats, group: Group, lam: float, energy: float
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """The level k whose singular values are nearest to each run's, F minus its value, and what is tolerated.

    Singular values decide, not objectives: at the exceptional set two levels share an objective.
    """
    depth = group.depth
    sigma = np.linalg.svd(matrix, compute_uv=False)
    values = theory.critical_levels(matrix, depth, lam)
    levels = np.stack([theory.level_singular_values(sigma, depth, lam, k) for k in range(len(values))])
    away = np.linalg.norm(cell["singular_values"][:, None, :] - levels, axis=-1)
    kept = away.argmin(axis=1)
    gap = cell["objective"] - values[kept]
    mu = np.ones(len(values))
    for k in np.unique(kept):
        mu[k] = theory.smallest_positive_eigenvalue(theory.hessian_spectrum(matrix, group.widths, lam, kept=int(k)))
    tolerance = gap_tolerance(cell["gradient_norm"], mu[kept], energy)
    return np.where(np.abs(gap) <= tolerance, kept, -1), gap, tolerance
