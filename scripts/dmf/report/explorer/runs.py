"""The trained runs that the explorer draws: the distinct end points of each cell, with the runs that ended there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

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
    """Cells by target and depth, by increasing lambda: of each pair one lambda of `step`."""

    cells: Mapping[tuple[str, int], Sequence[Cell]]
    step: int = 1


def trained_runs(chunks: Iterable[xr.Dataset], norms: Mapping[str, float], depths: Sequence[int], lambdas: int) -> Runs:
    """Runs of the targets in `norms`, ||M||_F by name, at `depths`, from evidence (cell, start) in chunks.

    Each target has up to `lambdas` cells at each depth; where all together are more than MOST_CELLS, every second of
    them is taken, or third, and so on. Runs that were not trained are not counted. A cell may come in several chunks.
    """
    step = max(1, -(-len(norms) * len(depths) * lambdas // MOST_CELLS))
    found: dict[tuple[str, int], dict[str, Cell | None]] = {}  # None for a cell that is not taken
    for chunk in chunks:
        outcome = outcomes(chunk)
        norm = chunk["end_to_end_norm"].transpose("cell", "start").values
        coords = (chunk[name].values.tolist() for name in ("target", "depth", "lam_label", "lam"))
        for place, (target, depth, label, lam) in enumerate(zip(*coords, strict=True)):
            if target in norms and depth in depths:
                cells = found.setdefault((target, depth), {})
                cell = cells.setdefault(label, None if len(cells) % step else Cell(lam))
                if cell:
                    _add(cell, outcome[place], norm[place], ZERO * norms[target])
    taken = {key: [cell for cell in cells.values() if cell] for key, cells in found.items()}
    return Runs({key: sorted(cells, key=lambda cell: cell.lam) for key, cells in taken.items()}, step)


def _add(cell: Cell, outcome: NDArray[np.int64], norm: NDArray[np.float64], zero: float) -> None:
    certified, minimal = outcome > UNCERTIFIED, outcome == MINIMUM
    cell.runs += int(np.sum(outcome != NOT_TRAINED))
    cell.certified += int(certified.sum())
    cell.minimal += int(minimal.sum())
    drawn = certified & np.isfinite(norm)  # JSON has no other numbers
    for least in (True, False):
        values, counts = np.unique(_rounded(norm[drawn & (minimal == least)], zero), return_counts=True)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            cell.ends[float(f"{value:.{DIGITS}g}"), least] += count


def _rounded(values: NDArray[np.float64], zero: float) -> NDArray[np.float64]:
    """Values >= 0 to DIGITS significant digits, up to a rounding; 0 for those below `zero`."""
    nonzero = np.where(values < zero, 1.0, values)
    unit = 10.0 ** (np.floor(np.log10(nonzero)) + 1 - DIGITS)
    return np.where(values < zero, 0.0, np.round(nonzero / unit) * unit)
