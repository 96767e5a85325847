"""The search: starts of every scheme and scale in turn, in each cell until one ends at a certified global minimum."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf import theory
from dmf.dataset.train import Piece, train_starts
from dmf.evidence.cells import minimizer_curvature
from dmf.evidence.runs import Minimum, certificates
from dmf.grid.cells import Group, Series, gradient_scale, lambda_labels, lambda_value
from dmf.grid.config import Grid
from dmf.grid.cost import MOST_AT_ONCE, runs_together
from dmf.grid.targets import TargetMatrix, build_targets
from dmf.grid.tiles import groups_of
from dmf.studies import Study
from dmf.studies._assemble import assembled

Start = tuple[Series, int]

SCHEMES = ("gaussian", "balanced", "orthogonal", "identity")
SCALES = (1.0, 2.0, 0.5, 4.0, 0.25)
SERIES = tuple(Series(scheme, scale) for scale, scheme in product(SCALES, SCHEMES))
FIRST = len(SCHEMES)  # starts before the first look; every later look is at twice as many
# The control: starts so small that every run falls to zero, which for L >= 3 is a strict local minimum.
TINY = Series("gaussian", 1e-4)
CONTROL_RUNS = 8

FIELDS = {
    "certified": ("cell start", "1 where a certified global minimizer was found"),
    "control": ("cell", "1 for cells searched from tiny starts only, where nothing can be found"),
    "runs": (
        "cell start",
        "runs until the first certified global minimizer, its own included; all that were allowed without one",
    ),
    "seconds": ("cell start", "runs times the mean training time of a run of the group"),
    "relative": ("cell", "lambda in units of lambda_c(sigma_1, L)"),
    "kept_at_minimum": ("cell", "rank of the closed-form minimizer X*"),
    "most_kept": ("cell", "singular values that the highest local minimum keeps"),
    "scale": ("cell start", "scale of the start that found it; NaN without one"),
    "draw": ("cell start", "number of the start that found it; -1 without one"),
}


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


@dataclass(frozen=True)
class Found:
    """The search in one cell: the place of the first success in the order of starts, None without one."""

    cell: Cell
    starts: Sequence[Start]
    first: int | None
    seconds_per_run: float

    @property
    def runs(self) -> int:
        """Runs spent, had they been trained one after another."""
        return len(self.starts) if self.first is None else self.first + 1


def start_order(count: int, series: Sequence[Series] = SERIES) -> list[Start]:
    """The first `count` starts: draw 0 of every series, then draw 1, and so on."""
    return [(series[place % len(series)], place // len(series)) for place in range(count)]


def make(grid: Grid) -> xr.Dataset:
    """What the search found in every cell, within `grid.minimum_search.runs` runs a cell, and in the control's.

    Cells (target, depth, lambda), one `start`, FIELDS, and the name of the scheme that found the minimum. But for
    `seconds` it is a function of the grid alone. Raises UserError for targets that cannot be built.
    """
    groups = groups_of(grid, build_targets(grid, "configuration"), "configuration")
    honest: list[Found] = []
    false: list[Found] = []
    for group, targets in groups.items():
        cells = [cell for target in targets for cell in _cells(group, target, grid)]
        if not honest:
            _search(cells[:1], start_order(1), grid)  # so that kernels are loaded outside of the clock
        honest += _search(cells, start_order(grid.minimum_search.runs), grid)
        below = [cell for cell in cells if _kept(cell) > 0]
        if group.depth > 2 and below:
            # Of the cells whose minimizer is not zero, the last before the collapse: zero's basin is the widest there.
            last = max(below, key=lambda cell: cell.lam / float(theory.critical_lambda(cell.norm, group.depth)))
            false += _search([last], start_order(CONTROL_RUNS, [TINY]), grid)
    return _dataset([*honest, *false], len(honest))


def _cells(group: Group, target: TargetMatrix, grid: Grid) -> Iterator[Cell]:
    """The cells of a target, without those of a degenerate minimizer: there mu is 0, and no certificate reaches."""
    norm = float(target.singular_values[0])
    for label in lambda_labels(grid.lambdas):
        cell = Cell.of(group, target, label, lambda_value(label, norm, group.depth))
        if cell.mu > 0:
            yield cell


def _search(cells: Sequence[Cell], starts: Sequence[Start], grid: Grid) -> list[Found]:
    """Train the starts in order in all cells of a group side by side, and leave each cell with its first success."""
    first: dict[int, int] = {}
    most = runs_together(cells[0].group.widths, MOST_AT_ONCE, grid.device)
    place, trained, began = 0, 0, time.perf_counter()
    while place < len(starts) and len(first) < len(cells):
        batch = starts[place : place + min(max(FIRST, place), most)]
        left = [number for number in range(len(cells)) if number not in first]
        at_once = max(1, most // len(batch))
        for some in (left[i : i + at_once] for i in range(0, len(left), at_once)):
            minimal = minimal_runs([cells[number] for number in some], batch, grid)
            first |= {some[row]: place + int(minimal[row].argmax()) for row in np.flatnonzero(minimal.any(axis=1))}
        place, trained = place + len(batch), trained + len(left) * len(batch)
    seconds = (time.perf_counter() - began) / max(trained, 1)
    return [Found(cell, starts, first.get(number), seconds) for number, cell in enumerate(cells)]


def minimal_runs(cells: Sequence[Cell], starts: Sequence[Start], grid: Grid) -> NDArray[np.bool_]:
    """Which runs (cell, start) are certified global minimizers: cells of one group with mu > 0, trained as `grid` says.

    A run is the grid's own of the same coordinates, where it has one.
    """
    group, count = cells[0].group, len(starts)
    scale = [gradient_scale(cell.norm, group.depth) for cell in cells]
    pieces = [
        Piece(
            cell.target.name,
            cell.target.values,
            cell.norm,
            cell.label,
            cell.lam,
            grid.certificate.gradient_norm * size,
            series,
            range(draw, draw + 1),
        )
        for cell, size in zip(cells, scale, strict=True)
        for series, draw in starts
    ]
    runs = train_starts(pieces, group.widths, grid.seed, grid.optimizer, device=grid.device)
    targets = np.stack([cell.target.values for cell in cells])
    minima, curvatures = (np.repeat([getattr(cell, name) for cell in cells], count) for name in ("minimum", "mu"))
    tolerances = np.array([piece.tolerance for piece in pieces])
    energy = np.repeat((targets**2).sum(axis=(1, 2)), count)
    minimum = Minimum(minima, curvatures, energy)
    _, minimal = certificates(runs.status, runs.objective, runs.gradient_norm, tolerances, minimum)
    return minimal.reshape(len(cells), count)


def _kept(cell: Cell) -> int:
    return theory.kept_at_minimum(cell.target.values, cell.group.depth, cell.lam)


def _dataset(searched: Sequence[Found], honest: int) -> xr.Dataset:
    rows = []
    for place, one in enumerate(searched):
        cell, depth = one.cell, one.cell.group.depth
        series, draw = (None, -1) if one.first is None else one.starts[one.first]
        rows.append(
            {
                "target": cell.target.name,
                "lam_label": cell.label,
                "group": cell.group.name,
                "scheme": series.scheme if series else "",
                "depth": depth,
                "certified": [one.first is not None],
                "control": place >= honest,
                "runs": [one.runs],
                "seconds": [one.runs * one.seconds_per_run],
                "relative": cell.lam / float(theory.critical_lambda(cell.norm, depth)),
                "kept_at_minimum": _kept(cell),
                "most_kept": theory.max_kept(cell.target.values, depth, cell.lam),
                "scale": [series.scale if series else np.nan],
                "draw": [draw],
            }
        )
    dataset = assembled(FIELDS, rows)
    dataset["seconds"].attrs["units"] = "s"
    return dataset


STUDY = Study(
    title="Search for minimizers",
    summary="Runs until the first global minimizer",
    make=make,
    of_grid=True,
)
