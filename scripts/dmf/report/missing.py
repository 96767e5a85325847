"""What an incomplete grid lacks: runs that were wanted and are not there, by target and depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from dmf.report.census import NOT_TRAINED, outcomes

MOST = 40
Place = tuple[str, int]
Lost = Mapping[Place, Mapping[str, int]]
"""Number of missing runs by (target, depth), then by lambda's label; places and lambdas without any are left out."""


@dataclass(frozen=True)
class Gap:
    """Missing runs of one target and depth: all of them, and of each lambda that lacks some."""

    target: str
    depth: int
    runs: int
    cells: Sequence[tuple[str, int]]


@dataclass(frozen=True)
class Missing:
    """`runs` of `wanted` are missing, each cell wants `starts`; `gaps` are the first MOST of `places`.

    `absent` names other files that are not there.
    """

    runs: int
    wanted: int
    starts: int
    places: int
    gaps: Sequence[Gap]
    absent: Sequence[str]


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
    return Missing(wanted - counts["trained"], wanted, wanted // counts["cells"], len(gaps), gaps[:MOST], absent)
