"""The rule that turns evidence into a verdict: the same for every claim, grid and control."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from typing import Any

import numpy as np
import xarray as xr

from dmf.evidence.cases import OUTSIDE, cell_table, names_of
from dmf.evidence.claim import Claim, Finding, Verdict, json_number
from dmf.grid.config import Certificate


def judge(name: str, claim: Claim, cells: xr.Dataset, controls: xr.Dataset, certificate: Certificate) -> Verdict:
    """Verdict on a claim from its table of the grid's cells, and from a control in which its statement is false."""
    return Verdict(
        name,
        claim.title,
        claim.source,
        finding(cells, certificate),
        find(claim, claim.counterexample(controls), certificate),
    )


def find(claim: Claim, evidence: xr.Dataset, certificate: Certificate) -> Finding:
    """What evidence (cell, start) says of a claim; see `find_in`."""
    return find_in(claim, [evidence], certificate)


def find_in(claim: Claim, chunks: Iterable[xr.Dataset], certificate: Certificate) -> Finding:
    """What evidence in chunks, each (cell, start), says of a claim: the same as all of it at once.

    Violated: some eligible run has a ratio above 1 (or none at all: NaN). Otherwise inconclusive where
    too few cells have enough eligible runs, else confirmed.
    """
    return finding(cell_table(claim, chunks, certificate), certificate)


def finding(table: xr.Dataset, certificate: Certificate) -> Finding:
    """What a claim's table of cells (`dmf.evidence.cases.cell_table`) adds up to; see `find_in`."""
    scope = table.isel(cell=np.flatnonzero(table["says"].values != OUTSIDE))
    counted = scope.isel(cell=np.flatnonzero(scope["counted"].values > 0))
    statistic = float(counted["statistic"].max()) if counted.sizes["cell"] else None
    cells, cells_counted = scope.sizes["cell"], int((scope["counted"] >= certificate.runs_per_cell).sum())
    return Finding(
        statistic=json_number(statistic),
        runs=int(scope["runs"].sum()),
        runs_certified=int(scope["certified"].sum()),
        runs_counted=int(scope["counted"].sum()),
        cells=cells,
        cells_counted=cells_counted,
        cells_needed=ceil(certificate.cells * cells),
        worst=None if statistic is None else _worst(counted),
    )


def _worst(counted: xr.Dataset) -> dict[str, Any]:
    cell = counted.isel(cell=int(counted["statistic"].values.argmax()))
    named = names_of(counted, "cell") + [str(name) for name in counted.data_vars if str(name).startswith("worst_")]
    return {name.removeprefix("worst_"): cell[name].item() for name in named}
