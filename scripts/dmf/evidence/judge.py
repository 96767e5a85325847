"""The rule that turns evidence into a verdict: the same for every claim, grid and control."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import ceil
from typing import Any, cast

import numpy as np
import xarray as xr

from dmf.evidence.cases import ALL_CELLS, OUTSIDE, VIOLATES, cell_table, names_of
from dmf.evidence.claim import Claim, Detection, Distance, Finding, Verdict, json_number
from dmf.evidence.controls import BLANK
from dmf.grid.config import Certificate


def judge(name: str, claim: Claim, cells: xr.Dataset, controls: xr.Dataset, certificate: Certificate) -> Verdict:
    """Verdict on a claim from its table of the grid's cells, and from controls in which its statement is false."""
    return Verdict(name, claim.title, claim.source, finding(cells, certificate), detections(claim, controls))


def detections(claim: Claim, controls: xr.Dataset) -> tuple[Detection, ...]:
    """What each arm of a claim says of its far and its near control, and a claim on runs of runs without numbers.

    The grid's certificate does not enter.
    """
    found = []
    for arm in claim.arms:
        alone = replace(claim, arms=(arm,))  # no other arm can be violated in its place
        for distance, made in {"far": arm.far, "near": arm.near}.items():
            if made is not None:
                found.append(_detection(alone, arm.name, cast(Distance, distance), made(controls)))
    if claim.study == "runs":
        found.append(_detection(claim, "any", "blank", BLANK(controls)))
    return tuple(found)


def _detection(claim: Claim, arm: str, distance: Distance, false: xr.Dataset) -> Detection:
    """Whether a claim is violated in every cell of evidence in which it is false."""
    if false.sizes["cell"] == 0:
        return Detection(arm, distance, 0, 0, None, None)
    table = cell_table(claim, [false], Certificate(runs_per_cell=1))
    table = table.isel(cell=np.flatnonzero(table["says"].values != OUTSIDE))
    cells = table.sizes["cell"]
    worst = table["statistic"].fillna(-np.inf).values  # no run counted: nothing was detected
    weakest = int(worst.argmin()) if cells else None
    return Detection(
        arm,
        distance,
        cells,
        int(np.sum(table["says"].values == VIOLATES)),
        None if weakest is None else json_number(float(worst[weakest])),
        None if weakest is None else {name: table[name][weakest].item() for name in names_of(table, "cell")},
    )


def find(claim: Claim, evidence: xr.Dataset, certificate: Certificate) -> Finding:
    """What evidence (cell, start) says of a claim; see `find_in`."""
    return find_in(claim, [evidence], certificate)


def find_in(claim: Claim, chunks: Iterable[xr.Dataset], certificate: Certificate) -> Finding:
    """What evidence in chunks, each (cell, start), says of a claim: the same as all of it at once.

    Violated: some eligible run has a ratio above 1 (or none at all: NaN). Otherwise inconclusive where too few cells
    have enough eligible runs with different end points, else confirmed. For a claim on runs that is too few of all
    cells: a grid outside of a claim's scope confirms nothing. A study has cells for several claims: there it is too few
    of those in scope.
    """
    return finding(cell_table(claim, chunks, certificate), certificate)


def finding(table: xr.Dataset, certificate: Certificate) -> Finding:
    """What a claim's table of cells (`dmf.evidence.cases.cell_table`) adds up to; see `find_in`."""
    everything = table.sizes["cell"]
    scope = table.isel(cell=np.flatnonzero(table["says"].values != OUTSIDE))
    counted = scope.isel(cell=np.flatnonzero(scope["counted"].values > 0))
    statistic = float(counted["statistic"].max()) if counted.sizes["cell"] else None
    cells, cells_counted = scope.sizes["cell"], int((scope["distinct"] >= certificate.runs_per_cell).sum())
    wanted = everything if table.attrs["share_of"] == ALL_CELLS else cells
    return Finding(
        statistic=json_number(statistic),
        runs=int(scope["runs"].sum()),
        runs_certified=int(scope["certified"].sum()),
        runs_counted=int(scope["counted"].sum()),
        runs_distinct=int(scope["distinct"].sum()),
        cells_all=everything,
        cells=cells,
        cells_counted=cells_counted,
        cells_needed=ceil(certificate.cells * wanted),
        worst=None if statistic is None else _worst(counted),
    )


def _worst(counted: xr.Dataset) -> dict[str, Any]:
    cell = counted.isel(cell=int(counted["statistic"].values.argmax()))
    named = names_of(counted, "cell") + [str(name) for name in counted.data_vars if str(name).startswith("worst_")]
    return {name.removeprefix("worst_"): cell[name].item() for name in named}
