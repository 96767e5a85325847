"""The search: starts of every scheme and scale in turn, in each cell until one ends at a certified global minimum."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import xarray as xr

from dmf import theory
from dmf.grid.cells import Group, Series, lambda_labels, lambda_value
from dmf.grid.config import Grid
from dmf.grid.targets import TargetMatrix
from dmf.search.train import Cell, Start, minimal_runs

SCHEMES = ("gaussian", "balanced", "orthogonal", "identity")
SCALES = (1.0, 2.0, 0.5, 4.0, 0.25)
SERIES = tuple(Series(scheme, scale) for scale, scheme in product(SCALES, SCHEMES))
FIRST = len(SCHEMES)  # starts before the first look; every later look is at twice as many
MOST_AT_ONCE = 8192  # runs trained together
# The control: starts so small that every run falls to zero, which for L >= 3 is a strict local minimum.
TINY = Series("gaussian", 1e-4)
CONTROL_RUNS = 8

FIELDS = {
    "certified": "1 where a certified global minimizer was found",
    "control": "1 for cells searched from tiny starts only, where nothing can be found",
    "runs": "runs until the first certified global minimizer, its own included; all that were allowed without one",
    "seconds": "runs times the mean training time of a run of the group",
    "relative": "lambda in units of lambda_c(sigma_1, L)",
    "kept_at_minimum": "rank of the closed-form minimizer X*",
    "most_kept": "singular values that the highest local minimum keeps",
    "scale": "scale of the start that found it; NaN without one",
    "draw": "number of the start that found it; -1 without one",
}


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


def search(grid: Grid, groups: Mapping[Group, Sequence[TargetMatrix]]) -> xr.Dataset:
    """What the search found in every cell, within `grid.minimum_search.runs` runs a cell, and in the control's.

    Keeps the contract of studies: cells (target, depth, lambda), one `start`, FIELDS, and the name of the scheme that
    found the minimum. But for `seconds` it is a function of the grid alone.
    """
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
    place, trained, began = 0, 0, time.perf_counter()
    while place < len(starts) and len(first) < len(cells):
        batch = starts[place : place + max(FIRST, place)]
        left = [number for number in range(len(cells)) if number not in first]
        at_once = max(1, MOST_AT_ONCE // len(batch))
        for some in (left[i : i + at_once] for i in range(0, len(left), at_once)):
            minimal = minimal_runs([cells[number] for number in some], batch, grid)
            first |= {some[row]: place + int(minimal[row].argmax()) for row in np.flatnonzero(minimal.any(axis=1))}
        place, trained = place + len(batch), trained + len(left) * len(batch)
    seconds = (time.perf_counter() - began) / max(trained, 1)
    return [Found(cell, starts, first.get(number), seconds) for number, cell in enumerate(cells)]


def _kept(cell: Cell) -> int:
    return theory.kept_at_minimum(cell.target.values, cell.group.depth, cell.lam)


def _dataset(searched: Sequence[Found], honest: int) -> xr.Dataset:
    finders = [None if one.first is None else one.starts[one.first] for one in searched]
    over_runs = {
        "certified": np.array([one.first is not None for one in searched], dtype=np.int8),
        "runs": np.array([one.runs for one in searched]),
        "seconds": np.array([one.runs * one.seconds_per_run for one in searched]),
        "scale": np.array([np.nan if finder is None else finder[0].scale for finder in finders]),
        "draw": np.array([-1 if finder is None else finder[1] for finder in finders]),
    }
    cells = [one.cell for one in searched]
    over_cells = {
        "control": (np.arange(len(cells)) >= honest).astype(np.int8),
        "relative": np.array([c.lam / float(theory.critical_lambda(c.norm, c.group.depth)) for c in cells]),
        "kept_at_minimum": np.array([_kept(cell) for cell in cells]),
        "most_kept": np.array([theory.max_kept(c.target.values, c.group.depth, c.lam) for c in cells]),
    }
    names = {
        "target": [cell.target.name for cell in cells],
        "lam_label": [cell.label for cell in cells],
        "group": [cell.group.name for cell in cells],
        "scheme": ["" if finder is None else finder[0].scheme for finder in finders],
    }
    dataset = xr.Dataset(
        {name: (("cell", "start"), values[:, None]) for name, values in over_runs.items()}
        | {name: ("cell", values) for name, values in over_cells.items()},
        coords={name: ("cell", np.array(values, dtype=object)) for name, values in names.items()}
        | {"depth": ("cell", np.array([cell.group.depth for cell in cells]))},
    )
    for name, text in FIELDS.items():
        dataset[name].attrs.update(long_name=text, units="s" if name == "seconds" else "1")
    return dataset
