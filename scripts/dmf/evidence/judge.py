"""The rule that turns evidence into a verdict: the same for every claim, grid and control."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from dmf.evidence.claim import Claim, Finding, Verdict, Word
from dmf.grid.config import Certificate

UNNAMED = ("group",)  # coordinates that follow from others


def judge(name: str, claim: Claim, evidence: xr.Dataset, controls: xr.Dataset, certificate: Certificate) -> Verdict:
    """Verdict on a claim from the grid's evidence, and from a control in which its statement is false."""
    return Verdict(
        name,
        claim.order,
        claim.title,
        claim.source,
        find(claim, evidence, certificate),
        find(claim, claim.counterexample(controls), certificate),
    )


def find(claim: Claim, evidence: xr.Dataset, certificate: Certificate) -> Finding:
    """What evidence (cell, start) says of a claim.

    Violated: some run that may speak has a ratio above 1 (or none at all: NaN). Otherwise inconclusive where
    too few cells have enough runs that speak, else confirmed.
    """
    scope = claim.scope(evidence)
    speaks = (claim.speaks(evidence) & scope).values
    ratio = claim.ratio(evidence).transpose("cell", "start").values
    ratio = np.where(np.isnan(ratio), np.inf, ratio)
    cells = int(scope.sum())
    cells_spoke = int(np.count_nonzero(speaks.sum(axis=1) >= certificate.runs_per_cell))
    statistic = float(np.max(ratio[speaks])) if speaks.any() else None
    word: Word
    if statistic is not None and statistic > 1:
        word = "violated"
    elif cells == 0 or cells_spoke < certificate.cells * cells:
        word = "inconclusive"
    else:
        word = "confirmed"
    in_scope = scope.values[:, None] & np.ones_like(speaks)
    return Finding(
        word=word,
        statistic=_json_number(statistic),
        margin=None if statistic is None else _json_number(1 - statistic),
        runs=int(in_scope.sum()),
        runs_certified=int((evidence["certified"].transpose("cell", "start").values[in_scope] == 1).sum()),
        runs_spoke=int(speaks.sum()),
        cells=cells,
        cells_spoke=cells_spoke,
        worst=_worst(evidence, speaks, ratio) if statistic is not None else None,
    )


def _json_number(value: float | None) -> float | None:
    """JSON has no infinity; the largest float stands for it and still compares as a violation."""
    return None if value is None else float(np.clip(value, -np.finfo(float).max, np.finfo(float).max))


def _worst(evidence: xr.Dataset, speaks: np.ndarray[Any, Any], ratio: np.ndarray[Any, Any]) -> dict[str, Any]:
    cell, start = np.argwhere(speaks)[np.argmax(ratio[speaks])]
    case = evidence.isel(cell=int(cell), start=int(start))
    return {str(name): case[name].item() for name in case.coords if name not in UNNAMED and case[name].ndim == 0}
