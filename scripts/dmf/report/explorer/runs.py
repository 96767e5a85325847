"""The trained runs that the explorer draws: the distinct end points of each cell, with the runs that ended there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from dmf.report.census import MINIMUM, NOT_TRAINED, UNCERTIFIED, outcomes

MOST_CELLS = 4000  # with MOST_ENDS at most about 1 MB of the page
MOST_ENDS = 12
DIGITS = 5
ZERO = 1e-6  # of ||M||_F: smaller norms are written as 0, from which no drawing tells them apart


@dataclass
class Cell:
    """One lambda of a target and depth; `ends` counts certified runs by ||X||_F, rounded, and whether minimal."""

    lam: float
    runs: int = 0
    certified: int = 0
    minimal: int = 0
    ends: Counter[tuple[float, bool]] = field(default_factory=Counter)

    def as_json(self) -> list[Any]:
        """[lambda, runs, certified, minimal, end points left out, [[norm, runs, 1 if minimal], ...]].

        The commonest end points come first.
        """
        ends = [[norm, count, int(minimal)] for (norm, minimal), count in self.ends.most_common(MOST_ENDS)]
        return [self.lam, self.runs, self.certified, self.minimal, len(self.ends) - len(ends), ends]


@dataclass(frozen=True)
class Runs:
    """Cells by target and depth, by increasing lambda; of each pair every `step`-th lambda, from the smallest on."""

    cells: Mapping[tuple[str, int], Sequence[Cell]]
    step: int = 1


def trained_runs(chunks: Iterable[xr.Dataset], norms: Mapping[str, float], depths: Sequence[int]) -> Runs:
    """Runs of the targets in `norms`, ||M||_F by name, at `depths`, from evidence (cell, start) in chunks.

    Runs that were not trained are not counted. A cell may come in several chunks.
    """
    found: dict[tuple[str, int], dict[str, Cell]] = {}
    for chunk in chunks:
        outcome = outcomes(chunk)
        norm = chunk["end_to_end_norm"].transpose("cell", "start").values
        coords = (chunk[name].values.tolist() for name in ("target", "depth", "lam_label", "lam"))
        for place, (target, depth, label, lam) in enumerate(zip(*coords, strict=True)):
            if target in norms and depth in depths:
                cell = found.setdefault((target, depth), {}).setdefault(label, Cell(lam))
                _add(cell, outcome[place], norm[place], ZERO * norms[target])
    step = max(1, -(-sum(map(len, found.values())) // MOST_CELLS))
    ordered = {key: sorted(cells.values(), key=lambda cell: cell.lam) for key, cells in found.items()}
    return Runs({key: cells[::step] for key, cells in ordered.items()}, step)


def _add(cell: Cell, outcome: np.ndarray[Any, Any], norm: np.ndarray[Any, Any], zero: float) -> None:
    certified, minimal = outcome > UNCERTIFIED, outcome == MINIMUM
    cell.runs += int(np.sum(outcome != NOT_TRAINED))
    cell.certified += int(certified.sum())
    cell.minimal += int(minimal.sum())
    drawn = certified & np.isfinite(norm)  # JSON has no other numbers
    for value, least in zip(norm[drawn].tolist(), minimal[drawn].tolist(), strict=True):
        cell.ends[0.0 if value < zero else float(f"{value:.{DIGITS}g}"), least] += 1
