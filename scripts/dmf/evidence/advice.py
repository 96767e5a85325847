"""Which lambda keeps a wanted rank, and how many trained runs really end with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dmf import theory
from dmf.dataset.train import train_block
from dmf.errors import UserError
from dmf.evidence.certify import certify
from dmf.grid.cells import group_of, lambda_labels, series_of
from dmf.grid.config import Grid
from dmf.grid.targets import TargetMatrix


@dataclass(frozen=True)
class Advice:
    """Lambdas that keep `rank` leading singular values of a target, and a census of runs at one of them.

    All lambdas are those of F of eq. 2. Infinite ends are ends that do not exist.
    """

    rank: int
    low: float
    """from here on the global minimizer keeps no more than the rank: lambda_c(sigma_{r+1})"""
    high: float
    """below it, no less: lambda_c(sigma_r)"""
    kept_until: float
    """below it some local minimum keeps the rank: lambda_s(sigma_r)"""
    more_until: float
    """below it some local minimum keeps more, where runs may end: lambda_s(sigma_{r+1}); 0 where none keeps more"""
    lam: float
    """where the census was taken: in the middle of what keeps the rank and, if possible, where nothing keeps more"""


def advise(sigma: np.ndarray[tuple[int], np.dtype[np.float64]], depth: int, rank: int) -> Advice:
    """The lambdas for singular values (n,), non-increasing. Raises UserError for a rank that no lambda keeps."""
    try:
        low, high = theory.lambda_to_keep(sigma, depth, rank)
    except ValueError as error:
        raise UserError(str(error)) from None
    more = float(theory.branch_lambda(sigma[rank], depth)) if low else 0.0
    begin = more if more < high else low
    middle = float(np.sqrt(begin * high)) if begin else high / 4
    lam = middle if rank else 1.25 * begin
    return Advice(rank, low, high, theory.lambda_where_kept(sigma, depth, rank), more, lam)


def census(grid: Grid, target: TargetMatrix) -> dict[int, int]:
    """How many runs of a grid of one cell end, certified, on each level k; -1 for those that end on none."""
    (depth,), (label,) = grid.depths, lambda_labels(grid.lambdas)
    group = group_of(target.shape, depth, grid.hidden_widths, f"target {target.name}")
    runs = train_block(group, [target], [label], dict.fromkeys(series_of(grid), range(grid.starts.count)), grid)
    kept, counts = np.unique(certify([runs])["kept"].values, return_counts=True)
    return dict(zip(kept.tolist(), counts.tolist(), strict=True))
