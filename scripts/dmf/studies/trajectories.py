"""Whole runs of a few cells: where they pass, which level they end on, and how sharp F is there."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf import theory
from dmf.grid.cells import Series, StartKey, draw_starts, gradient_scale
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.studies._trained import LBFGS, Cell, TrainedCell, train_cells
from dmf.theory import certificate
from dmf.training.settings import GradientDescent, Optimizer
from dmf.training.trajectory import Trajectory, trajectory

Floats = NDArray[np.float64]
SCALES = (0.05, 0.2, 0.4, 0.7, 1.0, 1.4)
STARTS = {Series("gaussian", scale): range(2) for scale in SCALES}
SPECTRUM = (3.0, 2.2, 1.5, 0.8)
DESCENT = GradientDescent(name="gd", step=0.005)
CELLS: tuple[tuple[Cell, Optimizer], ...] = (
    (Cell("two-layers", (4, 4), SPECTRUM, 2, "0.1c"), LBFGS),
    (Cell("square", (4, 4), SPECTRUM, 3, "0.15c"), LBFGS),
    (Cell("square", (4, 4), SPECTRUM, 3, "0.15c"), DESCENT),
    (Cell("deep", (4, 4), SPECTRUM, 4, "0.1c"), LBFGS),
    (Cell("wide", (4, 6), SPECTRUM, 3, "0.1c", 5), LBFGS),
)
CONTROLS: tuple[tuple[Cell, Optimizer], ...] = ((Cell("spurious", (4, 4), SPECTRUM, 3, "0.5c"), LBFGS),)
POINTS = 49
# The start, then evenly in the logarithm; a run's end is its last point.
ITERATIONS = sorted({0, *np.geomspace(1, 20_000, POINTS - 2).round().astype(int).tolist()})

FIELDS = {
    "iteration": ("cell start point", "accepted steps"),
    "objective_above": ("cell start point", "F minus the exact value of the level where the run ends"),
    "weight_norm_sq": ("cell start point", "sum of the squared layer norms"),
    "sharpness": ("cell start point", "largest Hessian eigenvalue"),
    "end_sharpness": ("cell start", "largest Hessian eigenvalue where the run ends"),
    "predicted_sharpness": (
        "cell start",
        "largest eigenvalue of the closed-form spectrum at the level where the run ends",
    ),
    "sharpness_at_minimum": ("cell start", "largest eigenvalue of the closed-form spectrum at a global minimizer"),
    "sharpness_tolerance": ("cell start", "what the gradient norm and rounding allow for the largest eigenvalue"),
    "singular_values": ("cell start point singular", "singular values of W_L ... W_1"),
    "control": ("cell", "1 for cells of the control"),
}


def make(settings: Settings) -> xr.Dataset:
    """Evidence as of `dmf.evidence.certify`, and every run's trajectory over (cell, start, point), NaN past its end."""
    parts, rows = [], []
    for place, (cell, optimizer) in enumerate([*CELLS, *CONTROLS]):
        evidence, (trained,) = train_cells([cell], STARTS, settings, optimizer)
        followed = _followed(evidence["kept"].values[0], trained, optimizer, settings)
        parts.append(evidence)
        rows.append({"optimizer": optimizer.name, "control": place >= len(CELLS), **followed})
    return xr.concat(parts, "cell").assign(assembled(FIELDS, rows))


def _followed(kept: NDArray[np.int64], trained: TrainedCell, optimizer: Optimizer, settings: Settings) -> Row:
    """FIELDS of one cell whose runs end on the levels `kept` (start,)."""
    runs = _trajectories(trained, optimizer, settings)
    facts = [_end(trained, run, int(k)) for run, k in zip(runs, kept, strict=True)]
    values = theory.critical_levels(trained.target, trained.cell.depth, trained.lam)
    values = np.append(values, np.nan)  # of a run at no level, k = -1
    points: dict[str, list[NDArray[Any]]] = {
        "iteration": [run.iteration for run in runs],
        "objective_above": [run.objective - values[k] for run, k in zip(runs, kept, strict=True)],
        "weight_norm_sq": [run.layer_norm_sq.sum(axis=1) for run in runs],
        "sharpness": [run.sharpness for run in runs],
        "singular_values": [run.singular_values for run in runs],
    }
    ends = {name: np.array([end[name] for end in facts]) for name in facts[0]}
    return ends | {name: _filled(rows) for name, rows in points.items()}


def _trajectories(trained: TrainedCell, optimizer: Optimizer, settings: Settings) -> list[Trajectory]:
    cell, norm = trained.cell, float(np.linalg.norm(trained.target, 2))
    tolerance = settings.gradient_norm * gradient_scale(norm, cell.depth)
    runs = []
    for series, span in STARTS.items():
        drawn = draw_starts(StartKey(settings.seed, cell.name, cell.group.widths, cell.lam, series), span, norm)
        for draw in span:
            start = [layer[draw] for layer in drawn]
            runs.append(trajectory(trained.target, trained.lam, start, tolerance, optimizer, ITERATIONS))
    return runs


def _end(trained: TrainedCell, run: Trajectory, kept: int) -> dict[str, float]:
    """FIELDS of one run's end. By Weyl an eigenvalue moves no more than the Hessian, from the level's nearest point."""
    cell, target = trained.cell, trained.target
    best = float(theory.hessian_spectrum(target, cell.group.widths, trained.lam)[-1])
    known = {"end_sharpness": float(run.sharpness[-1]), "sharpness_at_minimum": best}
    if kept < 0:
        return known | {"predicted_sharpness": np.nan, "sharpness_tolerance": np.nan}
    spectrum = theory.hessian_spectrum(target, cell.group.widths, trained.lam, kept=kept)
    sigma = np.linalg.svd(target, compute_uv=False)
    x = theory.level_singular_values(sigma, cell.depth, trained.lam, kept)
    size = float(np.sqrt(run.layer_norm_sq[-1].sum()))
    explained = certificate.gradient_distance(run.gradient_norm[-1], theory.smallest_positive_eigenvalue(spectrum))
    away = explained + certificate.ROUNDING_TRAJECTORY * size
    turned = certificate.turning(away[None], cell.depth, *certificate.reach(x, sigma, cell.depth))
    tolerance = float(certificate.eigenvalue_tolerance(turned, spectrum.size, spectrum[-1])[0])
    return known | {"predicted_sharpness": float(spectrum[-1]), "sharpness_tolerance": tolerance}


def _filled(rows: list[NDArray[np.generic]]) -> Floats:
    """Rows (K, ...) of unequal K as one array (row, POINTS, ...), NaN past their ends."""
    table = np.full((len(rows), POINTS, *rows[0].shape[1:]), np.nan)
    for line, row in zip(table, rows, strict=True):
        line[: len(row)] = row
    return table


STUDY = Study(
    title="Runs along their way",
    summary=(
        r"Objective, norms, singular values and the largest Hessian eigenvalue of single runs at up to 49 of their "
        "iterations, from starts of six scales, which end on different levels; by L-BFGS and by gradient descent."
    ),
    make=make,
)
