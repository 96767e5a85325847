"""Trains the same starts in many cells of one group, and asks the certificates which runs found the minimum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dmf import theory
from dmf.evidence.cells import minimizer_curvature
from dmf.evidence.runs import certificates
from dmf.grid.cells import Group, Series, draw_starts, gradient_scale
from dmf.grid.config import Grid
from dmf.grid.targets import TargetMatrix
from dmf.training.engine import train

Start = tuple[Series, int]


@dataclass(frozen=True)
class Cell:
    """One target, of spectral norm `norm`, at one depth and lambda, and what its certificates need."""

    group: Group
    target: TargetMatrix
    norm: float
    label: str
    lam: float
    minimum: float
    mu: float

    @classmethod
    def of(cls, group: Group, target: TargetMatrix, label: str, lam: float) -> Cell:
        """The cell of a target at the lambda of that label."""
        minimum = float(theory.minimum_value(target.values, group.depth, lam))
        norm = float(np.linalg.norm(target.values, 2))
        return cls(group, target, norm, label, lam, minimum, minimizer_curvature(target.values, group.widths, lam))


def minimal_runs(cells: Sequence[Cell], starts: Sequence[Start], grid: Grid) -> NDArray[np.bool_]:
    """Which runs (cell, start) are certified global minimizers: cells of one group with mu > 0, trained as `grid` says.

    A run is the grid's own of the same coordinates, where it has one.
    """
    group, count = cells[0].group, len(starts)
    tolerance = [grid.certificate.gradient_norm * gradient_scale(cell.norm, group.depth) for cell in cells]
    drawn = [
        draw_starts(grid.seed, cell.target.name, group.widths, cell.label, series, range(draw, draw + 1), cell.norm)
        for cell in cells
        for series, draw in starts
    ]
    targets = np.stack([cell.target.values for cell in cells])
    facts = [tolerance, *([getattr(cell, name) for cell in cells] for name in ("lam", "minimum", "mu"))]
    tolerances, lams, minima, curvatures = (np.repeat(fact, count) for fact in facts)
    runs = train(
        np.repeat(targets, count, axis=0),
        lams,
        [np.concatenate(layer) for layer in zip(*drawn, strict=True)],
        tolerances,
        grid.optimizer,
        device=grid.device,
    )
    energy = np.repeat((targets**2).sum(axis=(1, 2)), count)
    _, minimal = certificates(runs.status, runs.objective, runs.gradient_norm, tolerances, minima, curvatures, energy)
    return minimal.reshape(len(cells), count)
