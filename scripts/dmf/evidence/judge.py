"""The rule that turns evidence into a verdict: the same for every claim, grid and control."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf.evidence.claim import Claim, Finding, Verdict, Word
from dmf.evidence.parts import by_cells
from dmf.grid.config import Certificate

Flags = NDArray[np.bool_]

UNNAMED = ("group",)  # coordinates that follow from others


def judge(
    name: str, claim: Claim, parts: Iterable[xr.Dataset], controls: xr.Dataset, certificate: Certificate
) -> Verdict:
    """Verdict on a claim from the grid's evidence, and from a control in which its statement is false."""
    return Verdict(
        name,
        claim.order,
        claim.title,
        claim.source,
        find_in(claim, parts, certificate),
        find(claim, claim.counterexample(controls), certificate),
    )


def find(claim: Claim, evidence: xr.Dataset, certificate: Certificate) -> Finding:
    """What evidence (cell, start) says of a claim; see `find_in`."""
    return find_in(claim, [evidence], certificate)


def find_in(claim: Claim, parts: Iterable[xr.Dataset], certificate: Certificate) -> Finding:
    """What evidence in parts, each (cell, start), says of a claim: the same as all of it at once.

    Violated: some run that may speak has a ratio above 1 (or none at all: NaN). Otherwise inconclusive where
    too few cells have enough runs that speak, else confirmed.
    """
    runs = certified = spoke = cells = cells_spoke = 0
    statistic: float | None = None
    worst: dict[str, Any] | None = None
    for members in by_cells(parts):
        in_scope: Flags = np.zeros(0, dtype=np.bool_)
        spoke_in: NDArray[np.int64] = np.zeros((), dtype=np.int64)
        for part in members:
            in_scope, speaks, ratio = _held_against(claim, part)
            spoke_in = spoke_in + speaks.sum(axis=1)
            runs += int(in_scope.sum()) * part.sizes["start"]
            certified += int((part["certified"].transpose("cell", "start").values[in_scope] == 1).sum())
            largest = float(np.max(ratio[speaks])) if speaks.any() else None
            if largest is not None and (statistic is None or largest > statistic):
                statistic, worst = largest, _worst(part, speaks, ratio)
        cells += int(in_scope.sum())
        spoke += int(spoke_in.sum())
        cells_spoke += int(np.count_nonzero(spoke_in >= certificate.runs_per_cell))
    return Finding(
        word=_word(statistic, cells, cells_spoke, certificate),
        statistic=_json_number(statistic),
        margin=None if statistic is None else _json_number(1 - statistic),
        runs=runs,
        runs_certified=certified,
        runs_spoke=spoke,
        cells=cells,
        cells_spoke=cells_spoke,
        worst=worst,
    )


def _held_against(claim: Claim, part: xr.Dataset) -> tuple[Flags, Flags, NDArray[np.float64]]:
    """Cells in scope (cell,), runs that may speak there and ratios, both (cell, start); no ratio counts as infinite."""
    scope = claim.scope(part)
    speaks = (claim.speaks(part) & scope).values
    ratio = claim.ratio(part).transpose("cell", "start").values
    return scope.values, speaks, np.where(np.isnan(ratio), np.inf, ratio)


def _word(statistic: float | None, cells: int, cells_spoke: int, certificate: Certificate) -> Word:
    if statistic is not None and statistic > 1:
        return "violated"
    return "inconclusive" if cells == 0 or cells_spoke < certificate.cells * cells else "confirmed"


def _json_number(value: float | None) -> float | None:
    """JSON has no infinity; the largest float stands for it and still compares as a violation."""
    return None if value is None else float(np.clip(value, -np.finfo(float).max, np.finfo(float).max))


def _worst(evidence: xr.Dataset, speaks: np.ndarray[Any, Any], ratio: np.ndarray[Any, Any]) -> dict[str, Any]:
    cell, start = np.argwhere(speaks)[np.argmax(ratio[speaks])]
    case = evidence.isel(cell=int(cell), start=int(start))
    return {str(name): case[name].item() for name in case.coords if name not in UNNAMED and case[name].ndim == 0}
