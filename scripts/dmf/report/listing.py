"""The runs and cells a sceptic wants named: uncertified, at no level, too few at the minimum, not trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf.report.census import MINIMUM, NO_LEVEL, NOT_TRAINED, UNCERTIFIED, outcomes
from dmf.training.settings import Status

MOST, MOST_GAPS = 20, 40
COORDINATES = ("target", "depth", "lam_label", "scheme", "scale", "draw")
END_VALUES = ("objective", "gradient_norm", "radius", "kept", "level_gap", "iterations", "status")
RUN_VALUES = ("lam", "minimum", *END_VALUES)
CELL_VALUES = ("target", "depth", "lam_label", "lam", "minimum", "kept_at_minimum")

Fields = dict[str, Any]
Place = tuple[str, int]
Lost = Mapping[Place, Mapping[str, int]]
"""Number of missing runs by (target, depth), then by lambda's label; places and lambdas without any are left out."""


@dataclass(frozen=True)
class Listing:
    """The first `shown` of `total` runs or cells."""

    total: int
    shown: Sequence[Fields]

    @property
    def hidden(self) -> int:
        """How many are not shown."""
        return self.total - len(self.shown)


@dataclass(frozen=True)
class Gap:
    """Missing runs of one target and depth: all of them, and of each lambda that lacks some."""

    target: str
    depth: int
    runs: int
    cells: Sequence[tuple[str, int]]


@dataclass(frozen=True)
class Missing:
    """`runs` of `wanted` are missing, each cell wants `starts`; `gaps` are the first MOST_GAPS of `places`.

    `absent` names other files that are not there.
    """

    runs: int
    wanted: int
    starts: int
    places: int
    gaps: Sequence[Gap]
    absent: Sequence[str]


def run_fields(evidence: xr.Dataset, cell: int, start: int) -> Fields:
    """A run's coordinates, end and certificate."""
    run = evidence.isel(cell=cell, start=start)
    return {name: run[name].item() for name in (*COORDINATES, *RUN_VALUES)}


def find_run(evidence: xr.Dataset, coordinates: Fields | None) -> Fields | None:
    """The run at COORDINATES, None where the evidence has no such run."""
    if coordinates is None or coordinates.keys() != set(COORDINATES):
        return None
    here = [evidence[name].values == coordinates[name] for name in ("target", "depth", "lam_label")]
    there = [evidence[name].values == coordinates[name] for name in ("scheme", "scale", "draw")]
    cells, starts = (np.flatnonzero(np.logical_and.reduce(masks)) for masks in (here, there))
    return run_fields(evidence, int(cells[0]), int(starts[0])) if cells.size and starts.size else None


def uncertified_by_status(evidence: xr.Dataset) -> dict[str, int]:
    """Number of uncertified runs by why they ended, largest first; reasons that do not occur are left out."""
    status = evidence["status"].transpose("cell", "start").values[outcomes(evidence) == UNCERTIFIED]
    counts = {status_text(reason.value): int(np.sum(status == reason.value)) for reason in Status}
    return {text: n for text, n in sorted(counts.items(), key=lambda item: -item[1]) if n}


def status_text(value: int) -> str:
    """A status in words."""
    return Status(value).name.lower().replace("_", " ")


def uncertified_runs(evidence: xr.Dataset) -> Listing:
    """Runs whose gradient is too large for a certificate."""
    return _runs(evidence, outcomes(evidence) == UNCERTIFIED)


def runs_at_no_level(evidence: xr.Dataset) -> Listing:
    """Certified runs whose objective is none of the values that theory allows for a local minimum."""
    return _runs(evidence, outcomes(evidence) == NO_LEVEL)


def cells_short_of_minimum(evidence: xr.Dataset, needed: int) -> Listing:
    """Cells with fewer than `needed` certified runs at the minimum, fewest first, each with its lowest run."""
    found = outcomes(evidence)
    reached = (found == MINIMUM).sum(axis=1)
    order = np.argsort(reached, kind="stable")
    short = order[reached[order] < needed]
    return Listing(len(short), [_cell_fields(evidence, found, int(cell)) for cell in short[:MOST]])


def degenerate_cells(evidence: xr.Dataset) -> Listing:
    """Cells with runs at the minimum none of which is eligible: no curvature bounds their distance (mu = 0)."""
    found = outcomes(evidence)
    finite = np.isfinite(evidence["radius"].transpose("cell", "start").values)
    at_minimum = found == MINIMUM
    mute = np.flatnonzero(at_minimum.any(axis=1) & ~(at_minimum & finite).any(axis=1))
    return Listing(len(mute), [_cell_fields(evidence, found, int(cell)) for cell in mute[:MOST]])


def lost_runs(evidence: xr.Dataset) -> Lost:
    """What is missing of evidence (cell, start)."""
    lost = (outcomes(evidence) == NOT_TRAINED).sum(axis=1)
    targets, depths, labels = (evidence[name].values.tolist() for name in ("target", "depth", "lam_label"))
    found: dict[Place, dict[str, int]] = {}
    for cell in np.flatnonzero(lost).tolist():
        found.setdefault((targets[cell], depths[cell]), {})[labels[cell]] = int(lost[cell])
    return found


def joint(one: Lost, other: Lost) -> Lost:
    """What is missing of two parts of a grid."""
    places = {**one, **other}
    return {place: {**one.get(place, {}), **other.get(place, {})} for place in places}


def missing(lost: Lost, counts: Mapping[str, int], absent: Sequence[str] = ()) -> Missing | None:
    """What is missing for the page, None where nothing is; `counts` has the cells and the runs wanted and trained."""
    if not lost and not absent:
        return None
    gaps = [Gap(*place, sum(cells.values()), list(cells.items())) for place, cells in lost.items()]
    wanted = counts["wanted"]
    return Missing(wanted - counts["trained"], wanted, wanted // counts["cells"], len(gaps), gaps[:MOST_GAPS], absent)


def _runs(evidence: xr.Dataset, mask: NDArray[np.bool_]) -> Listing:
    places = np.argwhere(mask)
    return Listing(len(places), [run_fields(evidence, int(cell), int(start)) for cell, start in places[:MOST]])


def _cell_fields(evidence: xr.Dataset, found: NDArray[np.int64], cell: int) -> Fields:
    here = evidence.isel(cell=cell)
    objective = np.where(found[cell] == UNCERTIFIED, np.inf, here["objective"].values)
    best = run_fields(evidence, cell, int(np.argmin(objective))) if np.isfinite(objective).any() else None
    fields: Fields = {name: here[name].item() for name in CELL_VALUES}
    return fields | {"at_minimum": int(np.sum(found[cell] == MINIMUM)), "best": best}
