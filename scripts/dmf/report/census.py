"""Where runs ended: every trained run has exactly one outcome, so the counts add up to the number of runs."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf.dataset.schema import MISSING

Integers = NDArray[np.int64]

# Outcomes below zero; an outcome k >= 0 is a critical level above the minimum that keeps k singular values.
NO_LEVEL, MINIMUM, UNCERTIFIED, NOT_TRAINED = -1, -2, -3, -4
AT_MINIMUM, WITHOUT_CERTIFICATE = "global minimum", "uncertified"  # columns of the CSV
MOST_LEVELS = 7  # columns for k = 0, 1, ...; the last one takes all that is larger


@dataclass(frozen=True)
class Row:
    """Runs of one depth and series of starts; `counts` in the order of the census' columns."""

    depth: int
    scheme: str
    scale: float
    counts: tuple[int, ...]

    @property
    def runs(self) -> int:
        """All runs of the row."""
        return sum(self.counts)


@dataclass(frozen=True)
class Census:
    """Columns: the minimum, `levels` columns of other levels by k, no level, uncertified."""

    levels: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def totals(self) -> tuple[int, ...]:
        """Column sums."""
        return tuple(int(column) for column in np.sum([row.counts for row in self.rows], axis=0))

    @property
    def runs(self) -> int:
        """All runs."""
        return sum(self.totals)


def outcomes(evidence: xr.Dataset) -> Integers:
    """The outcome of every run, (cell, start): MINIMUM, UNCERTIFIED, NO_LEVEL, k of a higher level, or NOT_TRAINED."""
    names = ("certified", "minimal", "kept", "status")
    fields = {name: evidence[name].transpose("cell", "start").values for name in names}
    certified, minimal = fields["certified"] == 1, fields["minimal"] == 1
    above: Integers = np.where(fields["kept"] >= 0, fields["kept"], NO_LEVEL).astype(np.int64)
    found = np.where(certified, np.where(minimal, MINIMUM, above), UNCERTIFIED)
    return np.where(fields["status"] == MISSING, NOT_TRAINED, found)


def census(evidence: xr.Dataset) -> Census:
    """Outcomes of trained runs counted by depth, scheme and scale, in the order of the evidence's starts."""
    found = outcomes(evidence)
    largest = min(max(int(found.max()), 0), MOST_LEVELS - 1)
    merged = int(found.max()) > largest
    levels = tuple(f"{'≥ ' if merged and k == largest else ''}{k}" for k in range(largest + 1))
    depths = evidence["depth"].values
    starts = list(zip(evidence["scheme"].values.tolist(), evidence["scale"].values.tolist(), strict=True))
    rows = []
    for depth in np.unique(depths):
        for series in dict.fromkeys(starts):
            members = np.array([start == series for start in starts])
            rows.append(Row(int(depth), *series, _counts(found[depths == depth][:, members], largest)))
    return Census(levels, tuple(rows))


def merged(one: Census, other: Census) -> Census:
    """The census of the runs of both, rows by depth and then in the order in which their starts first occur."""
    levels = max(one.levels, other.levels, key=lambda names: (len(names), names))  # "≥ 6" is behind "6"
    rows: dict[tuple[int, str, float], tuple[int, ...]] = {}
    for part in (one, other):
        for row in part.rows:
            first, *middle = row.counts[:-2]
            counts = (first, *middle, *[0] * (len(levels) - len(middle)), *row.counts[-2:])
            known = rows.get((row.depth, row.scheme, row.scale), (0,) * len(counts))
            rows[row.depth, row.scheme, row.scale] = tuple(a + b for a, b in zip(known, counts, strict=True))
    return Census(levels, tuple(Row(*key, counts) for key, counts in sorted(rows.items(), key=lambda row: row[0][0])))


def csv_text(found: Census) -> str:
    """A census as CSV: depth, scheme, scale, then the number of runs with each outcome."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    levels = [f"spurious minimum k = {level}" for level in found.levels]
    writer.writerow(["depth", "scheme", "scale", AT_MINIMUM, *levels, "no level", WITHOUT_CERTIFICATE])
    writer.writerows([row.depth, row.scheme, row.scale, *row.counts] for row in found.rows)
    return buffer.getvalue()


def _counts(found: Integers, largest: int) -> tuple[int, ...]:
    levels = [int(np.sum(found == k)) for k in range(largest)] + [int(np.sum(found >= largest))]
    first, *last = (int(np.sum(found == outcome)) for outcome in (MINIMUM, NO_LEVEL, UNCERTIFIED))
    return (first, *levels, *last)
