"""What the search for global minimizers found, in sums and in its hardest cells."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from dmf.report.census import MINIMUM, outcomes
from dmf.studies.contract import halves

HARDEST = 10
Key = tuple[str, int, str]


@dataclass(frozen=True)
class Cost:
    """Cells of one depth: how many, in how many a minimizer was found, and quantiles of the runs that took."""

    depth: int
    cells: int
    found: int
    median: int
    ninth_decile: int
    most: int
    runs: int
    seconds: float


@dataclass(frozen=True)
class Searched:
    """The search in numbers; `own_missed` are cells in which the grid's own starts found no minimizer."""

    cells: int
    found: int
    runs: int
    seconds: float
    own_missed: int
    own_missed_found: int
    missed_own_found: int
    costs: Sequence[Cost]
    hardest: Sequence[dict[str, Any]]
    control_cells: int
    control_found: int


def cells_with_minimum(chunks: Iterable[xr.Dataset]) -> set[Key]:
    """Cells, as (target, depth, lambda), in which a run of evidence in chunks is a certified global minimizer."""
    return {
        key
        for evidence in chunks
        for key, hit in zip(_keys(evidence), (outcomes(evidence) == MINIMUM).any(axis=1), strict=True)
        if hit
    }


def cost(searched: xr.Dataset, own: Collection[Key]) -> Searched:
    """The numbers of a search, (cell, start) with the control's cells, beside the cells that the grid's `own` solve."""
    honest, false = halves(searched)
    found, runs = _first(honest, "certified") == 1, _first(honest, "runs")
    own_found = np.array([key in own for key in _keys(honest)], dtype=np.bool_)
    order = np.argsort(np.where(found, -runs, -np.inf), kind="stable")[:HARDEST]
    depths = np.unique(honest["depth"].values)
    return Searched(
        cells=honest.sizes["cell"],
        found=int(found.sum()),
        runs=int(runs.sum()),
        seconds=float(honest["seconds"].sum()),
        own_missed=int((~own_found).sum()),
        own_missed_found=int((found & ~own_found).sum()),
        missed_own_found=int((~found & own_found).sum()),
        costs=[_cost(honest.isel(cell=honest["depth"].values == depth)) for depth in depths],
        hardest=[_fields(honest.isel(cell=int(place), start=0)) for place in order if runs[place] > 1],
        control_cells=false.sizes["cell"],
        control_found=int(false["certified"].sum()),
    )


def problems(searched: xr.Dataset, where: str) -> list[str]:
    """A line where the control, starts that must fall to zero, was said to have found a minimizer away from zero."""
    hits = int(halves(searched)[1]["certified"].sum())
    if not hits:
        return []
    return [f"the search found minimizers in {hits} cells of its control, where nothing can be found; see {where}"]


def _cost(cells: xr.Dataset) -> Cost:
    runs = _first(cells, "runs")
    median, ninth = np.quantile(runs, [0.5, 0.9], method="higher")
    return Cost(
        depth=int(cells["depth"].values[0]),
        cells=len(runs),
        found=int(cells["certified"].sum()),
        median=int(median),
        ninth_decile=int(ninth),
        most=int(runs.max()),
        runs=int(runs.sum()),
        seconds=float(cells["seconds"].sum()),
    )


def _first(cells: xr.Dataset, name: str) -> np.ndarray[tuple[int], np.dtype[Any]]:
    values: np.ndarray[tuple[int], np.dtype[Any]] = cells[name].transpose("cell", "start").values[:, 0]
    return values


def _keys(cells: xr.Dataset) -> list[Key]:
    return list(zip(cells["target"].values, cells["depth"].values.tolist(), cells["lam_label"].values, strict=True))


def _fields(cell: xr.Dataset) -> dict[str, Any]:
    names = ("target", "depth", "lam_label", "runs", "seconds", "certified", "kept_at_minimum", "most_kept")
    return {name: cell[name].item() for name in (*names, "scheme", "scale", "draw")}
