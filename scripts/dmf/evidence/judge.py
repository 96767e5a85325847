"""The rule that turns evidence into a verdict: the same for every claim, grid and control."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr

from dmf.evidence.cases import OUTSIDE, cell_table, names_of
from dmf.evidence.claim import Claim, Finding, Verdict, Word
from dmf.grid.config import Certificate


def judge(name: str, claim: Claim, cells: xr.Dataset, controls: xr.Dataset, certificate: Certificate) -> Verdict:
    """Verdict on a claim from its table of the grid's cells, and from a control in which its statement is false."""
    return Verdict(
        name,
        claim.order,
        claim.title,
        claim.source,
        finding(cells, certificate),
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
    return finding(cell_table(claim, parts, certificate), certificate)


def finding(table: xr.Dataset, certificate: Certificate) -> Finding:
    """What a claim's table of cells (`dmf.evidence.cases.cell_table`) adds up to; see `find_in`."""
    scope = table.isel(cell=np.flatnonzero(table["says"].values != OUTSIDE))
    heard = scope.isel(cell=np.flatnonzero(scope["spoke"].values > 0))
    statistic = float(heard["statistic"].max()) if heard.sizes["cell"] else None
    cells, cells_spoke = scope.sizes["cell"], int((scope["spoke"] >= certificate.runs_per_cell).sum())
    return Finding(
        word=_word(statistic, cells, cells_spoke, certificate),
        statistic=_json_number(statistic),
        margin=None if statistic is None else _json_number(1 - statistic),
        runs=int(scope["runs"].sum()),
        runs_certified=int(scope["certified"].sum()),
        runs_spoke=int(scope["spoke"].sum()),
        cells=cells,
        cells_spoke=cells_spoke,
        worst=None if statistic is None else _worst(heard),
    )


def _word(statistic: float | None, cells: int, cells_spoke: int, certificate: Certificate) -> Word:
    if statistic is not None and statistic > 1:
        return "violated"
    return "inconclusive" if cells == 0 or cells_spoke < certificate.cells * cells else "confirmed"


def _json_number(value: float | None) -> float | None:
    """JSON has no infinity; the largest float stands for it and still compares as a violation."""
    return None if value is None else float(np.clip(value, -np.finfo(float).max, np.finfo(float).max))


def _worst(heard: xr.Dataset) -> dict[str, Any]:
    cell = heard.isel(cell=int(heard["statistic"].values.argmax()))
    named = names_of(heard, "cell") + [str(name) for name in heard.data_vars if str(name).startswith("worst_")]
    return {name.removeprefix("worst_"): cell[name].item() for name in named}
