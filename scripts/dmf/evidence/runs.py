"""What one cell's trained runs show when held against the closed forms, and to what accuracy each may speak."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf import theory
from dmf.evidence.rounding import EPS, RESOLUTION, gradient_error, relative
from dmf.grid.cells import Group
from dmf.training.settings import Status

Floats = NDArray[np.float64]
ROUNDING = 64 * EPS  # relative rounding of products, sums and SVDs of matrices of this size, generously
SAFETY = 2.0  # dist <= 2 ||grad||/mu wherever dist <= mu/C, with C the Lipschitz constant of the Hessian


COPIED = ("status", "objective", "gradient_norm", "iterations", "imbalance", "singular_value_gap", "hessian_trace")


@np.errstate(all="ignore")  # a diverged run or a degenerate cell makes inf and NaN; neither is eligible
def run_facts(cell: xr.Dataset, group: Group, facts: dict[str, float]) -> dict[str, NDArray[np.generic]]:
    """A value (start,) for every name in RUN_FIELDS, for the runs of one cell with its `facts` (see cell_facts)."""
    matrix, lam = cell["matrix"].values, facts["lam"]
    objective, gradient_norm = cell["objective"].values, cell["gradient_norm"].values
    energy = float(np.sum(matrix**2))
    status, largest = cell["status"].values, float(cell["gradient_tolerance"])
    certified, minimal = certificates(status, objective, gradient_norm, largest, facts["minimum"], facts["mu"], energy)
    kept, gap, level_tolerance = _nearest_level(cell, matrix, group, lam, energy)
    tolerance = gap_tolerance(gradient_norm, facts["mu"], energy)
    return {
        **{name: cell[name].values for name in COPIED},
        "certified": certified.astype(np.int8),
        "kept": np.where(certified, kept, -1),
        "level_gap": gap,
        "level_tolerance": level_tolerance,
        "minimal": minimal.astype(np.int8),
        "schatten": _schatten(cell, matrix, group.depth, lam),
        "schatten_rounding": relative(group.widths) * (energy + objective),
        **_imbalance_tolerance(cell, group, lam),
        **_distances(cell, group, facts, _radius(cell, group, facts, tolerance)),
    }


def certificates(
    status: NDArray[np.int8],
    objective: Floats,
    gradient_norm: Floats,
    gradient_tolerance: float | Floats,
    minimum: float | Floats,
    mu: float | Floats,
    energy: float | Floats,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which runs are certified, and which of these are at the global minimum; all of one shape, or broadcast to it.

    `minimum` and `mu` are those of a run's cell (see CELL_FIELDS), `energy` is ||M||_F^2.
    """
    certified = (status == Status.CONVERGED) & (gradient_norm <= gradient_tolerance)
    return certified, certified & (objective - minimum <= gap_tolerance(gradient_norm, mu, energy))


def _distances(cell: xr.Dataset, group: Group, facts: dict[str, float], radius: Floats) -> dict[str, Floats]:
    """How far each run is from a minimizer in X, layer norms and trace, and what its `radius` allows."""
    matrix, depth, x = cell["matrix"].values, group.depth, cell["end_to_end"].values
    layer_norm_sq = cell["layer_norm_sq"].values
    best = theory.end_to_end_minimizer(matrix, depth, facts["lam"])
    top = float(np.linalg.norm(best, 2) ** (1 / depth))
    alpha = np.sqrt(facts["predicted_layer_norm_sq"])
    return {
        "radius": radius,
        "distance": np.linalg.norm(x - best, axis=(-2, -1)),
        # X is a product of L layers of spectral norm at most top + radius (top is that of the minimizer).
        "distance_tolerance": np.sqrt(depth) * (top + radius) ** (depth - 1) * radius + ROUNDING * facts["sigma_1"],
        "misalignment": _misalignment(x, matrix) / facts["sigma_1"],
        "end_to_end_norm": np.linalg.norm(x, axis=(-2, -1)),
        "layer_norm_sq_min": layer_norm_sq.min(axis=-1),
        "layer_norm_sq_max": layer_norm_sq.max(axis=-1),
        "layer_norm_tolerance": 2 * alpha * radius + radius**2 + ROUNDING * facts["sigma_1"] ** (2 / depth),
        "trace_tolerance": _trace_tolerance(group, top, radius) + ROUNDING * facts["predicted_trace"],
    }


def _radius(cell: xr.Dataset, group: Group, facts: dict[str, float], tolerance: Floats) -> Floats:
    """Bound on the distance to the minimizers, (start,); infinite where it does not hold, so that the run is silent."""
    size = np.sqrt(cell["layer_norm_sq"].values.sum(axis=-1))
    radius = SAFETY * cell["gradient_norm"].values / np.float64(facts["mu"]) + ROUNDING * size
    holds = _is_near(cell, group, facts, radius) & _is_told(facts, tolerance)
    return np.where(holds, radius, np.inf)


def _is_told(facts: dict[str, float], tolerance: Floats) -> NDArray[np.bool_]:
    """Whether F tells the minimum from the next critical level; on the exceptional set they are the same on purpose."""
    told: NDArray[np.bool_] = facts["level_separation"] > 2 * tolerance
    return told | (facts["exceptional_distance"] <= RESOLUTION)


def _is_near(cell: xr.Dataset, group: Group, facts: dict[str, float], radius: Floats) -> NDArray[np.bool_]:
    """Whether `radius` is small enough for the bound that gave it: C radius <= mu / 2.

    At a distance r the gradient is at least mu r - C r^2 / 2. So such a run is within `radius` of the minimizers, or
    far outside of it, near another critical point. Without the half the two ranges would meet.
    """
    sigma = np.linalg.svd(cell["matrix"].values, compute_uv=False)
    x = theory.scalar_minimizer(sigma, group.depth, facts["lam"])
    top, residual = float(x.max()) ** (1 / group.depth), float(np.abs(x - sigma).max())
    turning = [r * theory.hessian_lipschitz(group.depth, top + r, residual) if r < np.inf else np.inf for r in radius]
    return np.array(turning) <= facts["mu"] / 2


@np.errstate(divide="ignore")
def training_facts(cell: xr.Dataset, facts: dict[str, float]) -> dict[str, float]:
    """The fields of a cell that follow from how far its runs had to be trained, given the others."""
    largest, energy = cell["gradient_tolerance"].values, float(np.sum(cell["matrix"].values ** 2))
    rounding = relative([int(d) for d in cell.attrs["widths"]]) * (energy + facts["minimum"])
    tolerance = float(gap_tolerance(largest, facts["mu"], energy)) + rounding
    return {"gradient_tolerance": float(largest), "minimum_tolerance": tolerance}


def _misalignment(x: Floats, matrix: Floats) -> Floats:
    r"""max(||X M^T - M X^T||_F, ||X^T M - M^T X||_F) / 2, (start,): zero iff X and M share bases of singular vectors.

    X* M^T and X*^T M are symmetric, so this is at most ||M||_2 ||X - X*||_F. No gap between singular values is needed.
    """
    left, right = x @ matrix.T, x.swapaxes(-1, -2) @ matrix
    parts = [np.linalg.norm(product - product.swapaxes(-1, -2), axis=(-2, -1)) for product in (left, right)]
    return np.asarray(np.maximum(*parts) / 2)


def _schatten(cell: xr.Dataset, matrix: Floats, depth: int, lam: float) -> Floats:
    r"""||M - X||_F^2 + \lambda L sum_i x_i^{2/L} at every run's X, (start,).

    Singular values below max(d_0, d_L) EPS x_1 are zero but for rounding; their power 2/L would be far above rounding.
    """
    x = cell["singular_values"].values
    x = np.where(x > max(matrix.shape) * EPS * x[:, :1], x, 0.0)
    misfit = np.sum((cell["end_to_end"].values - matrix) ** 2, axis=(-2, -1))
    return np.asarray(misfit + lam * depth * np.sum(x ** (2 / depth), axis=-1))


def _imbalance_tolerance(cell: xr.Dataset, group: Group, lam: float) -> dict[str, Floats]:
    r"""imbalance <= slope ||\nabla F|| + floor at any point (see the claim balancedness), each (start,).

    With G_l = dF/dW_l, W_{l+1}^T G_{l+1} - G_l W_l^T = 2 \lambda (W_{l+1}^T W_{l+1} - W_l W_l^T).
    """
    norm_sq, spectral = cell["layer_norm_sq"].values, cell["layer_spectral_norm"].values
    pair_sq = (norm_sq[:, 1:] + norm_sq[:, :-1]).max(axis=1)
    slope = np.sqrt(pair_sq) / (2 * lam)
    largest = np.sqrt(norm_sq.max(axis=1))
    error = gradient_error(group.widths, lam, largest, spectral, cell["objective"].values)
    floor = slope * error + relative(group.widths) * pair_sq + np.finfo(np.float64).tiny
    return {"imbalance_slope": slope, "imbalance_floor": floor}


def gap_tolerance(gradient_norm: Floats, mu: float | Floats, energy: float | Floats) -> Floats:
    """F - F_k <= ||grad||^2 / (2 mu) near a minimum with smallest positive curvature mu, and rounding of F."""
    tolerance: Floats = SAFETY**2 * gradient_norm**2 / (2 * np.asarray(mu)) + ROUNDING * energy
    return tolerance


def _trace_tolerance(group: Group, top: float, radius: Floats) -> Floats:
    """The trace is 2 lambda N and L terms 2 ||A||_F^2 ||B||_F^2, A and B products of 2L-2 layer norms in all."""
    power = 2 * group.depth - 2
    return 2 * group.depth * max(group.widths) ** 2 * ((top + radius) ** power - top**power)


def _nearest_level(
    cell: xr.Dataset, matrix: Floats, group: Group, lam: float, energy: float
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """The level k whose singular values are nearest to each run's, F minus its value, and what is tolerated.

    Singular values decide, not objectives: at the exceptional set two levels share an objective.
    """
    depth = group.depth
    sigma = np.linalg.svd(matrix, compute_uv=False)
    values = theory.critical_levels(matrix, depth, lam)
    levels = np.stack([theory.level_singular_values(sigma, depth, lam, k) for k in range(len(values))])
    away = np.linalg.norm(cell["singular_values"].values[:, None, :] - levels, axis=-1)
    kept = away.argmin(axis=1)
    gap = cell["objective"].values - values[kept]
    mu = np.ones(len(values))
    for k in np.unique(kept):
        mu[k] = theory.smallest_positive_eigenvalue(theory.hessian_spectrum(matrix, group.widths, lam, kept=int(k)))
    tolerance = gap_tolerance(cell["gradient_norm"].values, mu[kept], energy)
    return np.where(np.abs(gap) <= tolerance, kept, -1), gap, tolerance
