"""Trains candidates of many shapes and certifies them: evidence in the form of every other run's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from dmf.dataset.schema import Block, runs_dataset
from dmf.dataset.train import Piece, train_starts
from dmf.evidence.certify import certify
from dmf.grid.cells import Group, Series, gradient_scale
from dmf.grid.config import Grid
from dmf.refute.candidate import MOST_RANK, MOST_WIDER, Candidate

# Both basins of a cell: small starts fall to zero, large ones keep what can be kept.
SERIES = (
    *(Series("gaussian", scale) for scale in (0.1, 0.5, 1.0, 2.0, 4.0)),
    *(Series("balanced", scale) for scale in (0.3, 1.0, 2.0)),
)


def train_candidates(candidates: Mapping[str, Candidate], grid: Grid) -> xr.Dataset:
    """Evidence (cell, start) of named candidates, in their order, trained with the settings of `grid`."""
    groups: dict[Group, list[str]] = {}
    for name, candidate in candidates.items():
        groups.setdefault(candidate.shape.group, []).append(name)
    runs: dict[str, xr.Dataset] = {}
    for group, names in groups.items():
        runs |= _train_group(group, {name: candidates[name] for name in names}, grid)
    evidence = certify(runs[name] for name in candidates)
    # One width for all generations, so that they can be joined.
    return evidence.pad(singular=(0, MOST_RANK + MOST_WIDER - evidence.sizes["singular"]), constant_values=np.nan)


def _train_group(group: Group, candidates: Mapping[str, Candidate], grid: Grid) -> dict[str, xr.Dataset]:
    """Runs of each candidate, all of one shape and trained in one batch."""
    targets = [candidate.target(name, grid.seed) for name, candidate in candidates.items()]
    lams = [candidate.lam for candidate in candidates.values()]
    norms = [float(candidate.singular_values[0]) for candidate in candidates.values()]
    tolerances = [grid.certificate.gradient_norm * gradient_scale(norm, group.depth) for norm in norms]
    pieces = [
        Piece(target.name, target.values, norm, repr(lam), lam, tolerance, series, range(1))
        for target, norm, lam, tolerance in zip(targets, norms, lams, tolerances, strict=True)
        for series in SERIES
    ]
    runs = train_starts(pieces, group.widths, grid.seed, grid.optimizer)
    count, starts = len(SERIES), [(series, 0) for series in SERIES]
    return {
        target.name: runs_dataset(
            Block(group, [target], [repr(lam)], np.array([[lam]]), np.array([tolerance]), starts),
            runs.take(slice(place * count, (place + 1) * count)),
        )
        for place, (target, lam, tolerance) in enumerate(zip(targets, lams, tolerances, strict=True))
    }
