"""Holds every trained run against the closed forms: what it may speak for, and to what accuracy."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf import theory
from dmf.evidence.speak import RESOLUTION
from dmf.grid.cells import Group
from dmf.training.settings import Status

Floats = NDArray[np.float64]
EPS = float(np.finfo(np.float64).eps)
ROUNDING = 64 * EPS  # relative rounding of products, sums and SVDs of matrices of this size, generously
SAFETY = 2.0  # dist <= 2 ||grad||/mu wherever dist <= mu/C, with C the Lipschitz constant of the Hessian

CELL_FIELDS = {
    "lam_value": "regularization parameter lambda",
    "relative": "lambda in units of lambda_c(sigma_1, L)",
    "branch": "lambda in units of lambda_s(sigma_1, L), where the nonzero local minimum ends",
    "sigma_1": "spectral norm of the target",
    "parameters": "number of parameters N",
    "exceptional_distance": "smallest |sigma_i - m*| / m*",
    "degenerate_distance": "smallest |sigma_i - m_loc| / m_loc; at 0 there are non-strict saddles (eq. 79)",
    "minimum": "closed-form minimum of F",
    "separation": "distance of the nearest other critical level from the minimum of F",
    "kept_at_minimum": "rank of the closed-form minimizer X*",
    "predicted_norm": "||X*||_F",
    "predicted_layer_norm_sq": "squared Frobenius norm alpha^2 of each layer of a minimizer",
    "predicted_trace": "trace of the Hessian at a minimizer",
    "trace_bound": "lower bound of Theorem 15",
    "mu": "smallest positive Hessian eigenvalue at a minimizer; 0 where the minimizer is degenerate",
}
RUN_FIELDS = {
    "status": "why training ended",
    "certified": "1 where the gradient norm is within tolerance",
    "objective": "objective F at the final point",
    "gradient_norm": "gradient norm at the final point",
    "iterations": "iterations of the optimizer",
    "kept": "number k of leading singular values kept; -1 where no critical level fits",
    "level_gap": "F minus the critical value of level k",
    "level_tolerance": "largest gap that the gradient norm explains",
    "minimal": "1 where the run is certified and F is no more than the minimum plus its tolerance",
    "radius": "bound on the distance to the minimizers from the gradient norm; infinite where it does not hold",
    "distance": "||X - X*||_F",
    "distance_tolerance": "what radius allows for ||X - X*||_F",
    "end_to_end_norm": "||X||_F",
    "layer_norm_sq_min": "smallest squared layer norm of the run",
    "layer_norm_sq_max": "largest squared layer norm of the run",
    "layer_norm_tolerance": "what radius allows for a squared layer norm",
    "imbalance": "largest ||W_(l+1)^T W_(l+1) - W_l W_l^T||_F over l",
    "hessian_trace": "trace of the Hessian at the final point",
    "trace_tolerance": "what radius allows for the trace",
}


def certify(groups: Iterable[xr.Dataset]) -> xr.Dataset:
    """Evidence from datasets of runs: dimensions (cell, start), a cell being (target, depth, lambda).

    Every dataset must have the same starts; they become coordinates scheme, scale and draw. Fields are
    described by CELL_FIELDS (cell,) and RUN_FIELDS (cell, start), and `sigma` (cell, singular) holds the target's
    singular values, then NaN; all are dimensionless. Raises ValueError without any dataset, or where starts differ.
    """
    cells: list[dict[str, object]] = []
    runs: list[dict[str, NDArray[np.generic]]] = []
    sigmas: list[Floats] = []
    starts: xr.Dataset | None = None
    for dataset in groups:
        group = Group(tuple(int(d) for d in dataset.attrs["widths"]))
        before, starts = starts, dataset[["scheme", "scale", "draw"]]
        if before is not None and not starts.equals(before):
            raise ValueError(f"certify: group {group.name} has other starts than the groups before it")
        for t in range(dataset.sizes["target"]):
            for v in range(dataset.sizes["lam"]):
                cell = dataset.isel(target=t, lam=v)
                sigmas.append(np.linalg.svd(cell["matrix"].values, compute_uv=False))
                facts = cell_facts(cell["matrix"].values, group, float(cell["lam_value"]))
                names = {"target": str(cell["target"].item()), "depth": group.depth, "lam": str(cell["lam"].item())}
                cells.append({**names, "group": group.name, **facts})
                runs.append(_run_facts(cell, group, facts))
    if starts is None:
        raise ValueError("certify: got no datasets, expected at least one")
    result = xr.Dataset(
        {
            "sigma": (("cell", "singular"), _padded(sigmas)),
            **{name: ("cell", np.array([cell[name] for cell in cells])) for name in CELL_FIELDS},
            **{name: (("cell", "start"), np.stack([run[name] for run in runs])) for name in RUN_FIELDS},
        },
        coords={
            **{
                name: ("cell", np.array([cell[name] for cell in cells], dtype=object))
                for name in ("target", "lam", "group")
            },
            "depth": ("cell", np.array([cell["depth"] for cell in cells])),
            **{name: ("start", starts[name].values) for name in ("scheme", "scale", "draw")},
        },
    )
    for name, text in {"sigma": "singular values of the target", **CELL_FIELDS, **RUN_FIELDS}.items():
        result[name].attrs.update(long_name=text, units="1")
    return result


def _padded(rows: list[Floats]) -> Floats:
    table = np.full((len(rows), max(len(row) for row in rows)), np.nan)
    for line, row in zip(table, rows, strict=True):
        line[: len(row)] = row
    return table


def cell_facts(matrix: Floats, group: Group, lam: float) -> dict[str, float]:
    """What theory says of one cell: a value for every name in CELL_FIELDS."""
    depth, widths = group.depth, group.widths
    sigma = np.linalg.svd(matrix, compute_uv=False)
    sigma_1 = float(sigma[0])
    spectrum = theory.hessian_spectrum(matrix, widths, lam)
    return {
        "lam_value": lam,
        "relative": lam / float(theory.critical_lambda(sigma_1, depth)),
        "branch": lam / float(theory.branch_lambda(sigma_1, depth)),
        "sigma_1": sigma_1,
        "parameters": theory.parameter_count(widths),
        "exceptional_distance": float(theory.exceptional_distance(matrix, depth, lam)),
        "degenerate_distance": float(np.min(np.abs(sigma / theory.branch_threshold(depth, lam) - 1))),
        "minimum": float(theory.minimum_value(matrix, depth, lam)),
        "separation": _separation(matrix, depth, lam),
        "kept_at_minimum": theory.kept_at_minimum(matrix, depth, lam),
        "predicted_norm": float(np.linalg.norm(theory.end_to_end_minimizer(matrix, depth, lam))),
        "predicted_layer_norm_sq": float(theory.layer_norm_sq(matrix, depth, lam)),
        "predicted_trace": float(theory.minimizer_hessian_trace(matrix, widths, lam)),
        "trace_bound": float(theory.trace_lower_bound(matrix, widths, lam)),
        "mu": _curvature(spectrum, theory.zero_modes(widths, theory.kept_at_minimum(matrix, depth, lam))),
    }


def _curvature(spectrum: Floats, orbit: int) -> float:
    """The smallest eigenvalue across the orbit of minimizers, or 0 where there are more zero modes than it has.

    Then (L = 2 with some sigma_i = lambda) no gradient norm bounds a distance, and no run of the cell speaks.
    """
    mu = theory.smallest_positive_eigenvalue(spectrum)
    return float(mu) if np.count_nonzero(spectrum < mu) == orbit else 0.0


@np.errstate(all="ignore")  # a diverged run or a degenerate cell makes inf and NaN; neither speaks
def _run_facts(cell: xr.Dataset, group: Group, facts: dict[str, float]) -> dict[str, NDArray[np.generic]]:
    matrix, lam, depth = cell["matrix"].values, facts["lam_value"], group.depth
    objective, gradient_norm = cell["objective"].values, cell["gradient_norm"].values
    layer_norm_sq = cell["layer_norm_sq"].values
    certified = (cell["status"].values == Status.CONVERGED) & (gradient_norm <= float(cell["gradient_tolerance"]))
    energy = float(np.sum(matrix**2))
    kept, gap, gap_tolerance = _nearest_level(cell, matrix, group, lam, energy)
    size = np.sqrt(layer_norm_sq.sum(axis=-1))
    radius = SAFETY * gradient_norm / np.float64(facts["mu"]) + ROUNDING * size
    tolerance = _gap_tolerance(gradient_norm, facts["mu"], energy)
    radius = np.where(_is_near(cell, group, facts, radius) & _is_told(facts, tolerance), radius, np.inf)
    at_minimum = objective - facts["minimum"] <= tolerance
    top = facts["predicted_norm"] and float(
        np.linalg.norm(theory.end_to_end_minimizer(matrix, depth, lam), 2) ** (1 / depth)
    )
    alpha = np.sqrt(facts["predicted_layer_norm_sq"])
    difference = cell["end_to_end"].values - theory.end_to_end_minimizer(matrix, depth, lam)
    return {
        "status": cell["status"].values,
        "certified": certified.astype(np.int8),
        "objective": objective,
        "gradient_norm": gradient_norm,
        "iterations": cell["iterations"].values,
        "kept": np.where(certified, kept, -1),
        "level_gap": gap,
        "level_tolerance": gap_tolerance,
        "minimal": (certified & at_minimum).astype(np.int8),
        "radius": radius,
        "distance": np.linalg.norm(difference, axis=(-2, -1)),
        # X is a product of L layers of spectral norm at most top + radius (top is that of the minimizer).
        "distance_tolerance": np.sqrt(depth) * (top + radius) ** (depth - 1) * radius + ROUNDING * facts["sigma_1"],
        "end_to_end_norm": np.linalg.norm(cell["end_to_end"].values, axis=(-2, -1)),
        "layer_norm_sq_min": layer_norm_sq.min(axis=-1),
        "layer_norm_sq_max": layer_norm_sq.max(axis=-1),
        "layer_norm_tolerance": 2 * alpha * radius + radius**2 + ROUNDING * facts["sigma_1"] ** (2 / depth),
        "imbalance": cell["imbalance"].values,
        "hessian_trace": cell["hessian_trace"].values,
        "trace_tolerance": _trace_tolerance(group, top, radius) + ROUNDING * facts["predicted_trace"],
    }


def _separation(matrix: Floats, depth: int, lam: float) -> float:
    values = theory.critical_levels(matrix, depth, lam)
    others = np.delete(values, theory.kept_at_minimum(matrix, depth, lam))
    return float(np.min(np.abs(others - theory.minimum_value(matrix, depth, lam)), initial=np.inf))


def _is_told(facts: dict[str, float], tolerance: Floats) -> NDArray[np.bool_]:
    """Whether F tells the minimum from the next critical level; on the exceptional set they are the same on purpose."""
    told: NDArray[np.bool_] = facts["separation"] > 2 * tolerance
    return told | (facts["exceptional_distance"] <= RESOLUTION)


def _is_near(cell: xr.Dataset, group: Group, facts: dict[str, float], radius: Floats) -> NDArray[np.bool_]:
    """Whether `radius` is small enough for the bound that gave it: C radius <= mu / 2.

    At a distance r the gradient is at least mu r - C r^2 / 2. So such a run is within `radius` of the minimizers, or
    far outside of it, near another critical point. Without the half the two ranges would meet.
    """
    sigma = np.linalg.svd(cell["matrix"].values, compute_uv=False)
    x = theory.scalar_minimizer(sigma, group.depth, facts["lam_value"])
    top, residual = float(x.max()) ** (1 / group.depth), float(np.abs(x - sigma).max())
    turning = [r * theory.hessian_lipschitz(group.depth, top + r, residual) if r < np.inf else np.inf for r in radius]
    return np.array(turning) <= facts["mu"] / 2


def _gap_tolerance(gradient_norm: Floats, mu: float | Floats, energy: float) -> Floats:
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
    tolerance = _gap_tolerance(cell["gradient_norm"].values, mu[kept], energy)
    return np.where(np.abs(gap) <= tolerance, kept, -1), gap, tolerance
