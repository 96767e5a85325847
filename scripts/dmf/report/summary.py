"""What the page says of all runs, gathered from their evidence chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from dmf.evidence.chunks import by_cells, joined
from dmf.evidence.eligibility import is_eligible
from dmf.report import listing
from dmf.report.census import MINIMUM, NOT_TRAINED, Census, census, merged, outcomes
from dmf.report.listing import Fields, Listing, Lost, joint, lost_runs

# What the page reads of each run: no more is kept of a cell that comes in several chunks.
READ = ("certified", "minimal", *listing.END_VALUES)


@dataclass(frozen=True)
class Summary:
    """Counts, the census and what a sceptic wants named; `worst` has the worst run of each claim that has one."""

    counts: Mapping[str, int]
    census: Census
    by_status: Mapping[str, int]
    uncertified: Listing
    no_level: Listing
    short: Listing
    degenerate: Listing
    lost: Lost
    worst: Mapping[str, Fields] = field(default_factory=dict)


def summarize(chunks: Iterable[xr.Dataset], needed: int, worst: Mapping[str, Fields | None]) -> Summary:
    """The summary of evidence in chunks, each (cell, start), one after the other.

    A cell is short with fewer than `needed` certified runs at the minimum; `worst` has the coordinates of the worst run
    of each claim. Raises ValueError without any chunk.
    """
    total: Summary | None = None
    for members in by_cells(chunks):
        cells = _summary(joined(_lean(chunk) for chunk in members), needed, worst)
        total = cells if total is None else _sum(total, cells)
    if total is None:
        raise ValueError("summarize: got no evidence, expected at least one chunk")
    return total


def _lean(chunk: xr.Dataset) -> xr.Dataset:
    wide = [str(name) for name, variable in chunk.data_vars.items() if "start" in variable.dims]
    return chunk.drop_vars([name for name in wide if name not in READ])


def _summary(evidence: xr.Dataset, needed: int, worst: Mapping[str, Fields | None]) -> Summary:
    found = {claim: listing.find_run(evidence, run) for claim, run in worst.items()}
    return Summary(
        counts={
            "wanted": int(evidence["certified"].size),
            "trained": int(np.sum(outcomes(evidence) != NOT_TRAINED)),
            "certified": int(np.sum(evidence["certified"].values == 1)),
            "counted": int(is_eligible(evidence).sum()),
            "cells": evidence.sizes["cell"],
            "cells_without_minimum": int(np.sum(~(outcomes(evidence) == MINIMUM).any(axis=1))),
        },
        census=census(evidence),
        by_status=listing.uncertified_by_status(evidence),
        uncertified=listing.uncertified_runs(evidence),
        no_level=listing.runs_at_no_level(evidence),
        short=listing.cells_short_of_minimum(evidence, needed),
        degenerate=listing.degenerate_cells(evidence),
        lost=lost_runs(evidence),
        worst={claim: run for claim, run in found.items() if run is not None},
    )


def _sum(one: Summary, other: Summary) -> Summary:
    return Summary(
        counts=_added(one.counts, other.counts),
        census=merged(one.census, other.census),
        by_status=dict(sorted(_added(one.by_status, other.by_status).items(), key=lambda item: -item[1])),
        uncertified=_listed(one.uncertified, other.uncertified),
        no_level=_listed(one.no_level, other.no_level),
        short=_listed(one.short, other.short, lambda cell: cell["at_minimum"]),
        degenerate=_listed(one.degenerate, other.degenerate),
        lost=joint(one.lost, other.lost),
        worst={**one.worst, **other.worst},
    )


def _added(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


def _listed(one: Listing, other: Listing, order: Any = lambda item: 0) -> Listing:
    """Both lists, those in front of `order` first, cut to the same length."""
    shown: Sequence[Fields] = sorted([*one.shown, *other.shown], key=order)
    return Listing(one.total + other.total, shown[: listing.MOST])
