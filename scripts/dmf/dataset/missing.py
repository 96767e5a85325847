"""A block of runs none of which is there: what an incomplete grid is assembled over."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import xarray as xr

from dmf.dataset.assemble import TRACED
from dmf.dataset.schema import MISSING
from dmf.dataset.train import label_runs
from dmf.grid.config import Grid
from dmf.grid.targets import TargetMatrix
from dmf.grid.tiles import Tile
from dmf.training.result import Runs


def missing_block(block: Tile, targets: Sequence[TargetMatrix], grid: Grid) -> xr.Dataset:
    """All runs of a block with status MISSING and NaN for every value, so that none can have a certificate.

    `targets` hold at least those of the block. What is no result (targets, lambdas, starts, tolerances) is there.
    """
    by_name = {target.name: target for target in targets}
    members = [by_name[name] for name, _ in block.targets]
    starts = [(series, index) for series in block.series for index in range(block.first, block.last)]
    runs = _no_runs(block.runs, block.group.widths)
    dataset = label_runs(block.group, members, block.lambdas, starts, runs, grid)
    return dataset.assign_attrs(dict.fromkeys(TRACED, ""))  # trained by nothing, nowhere


def _no_runs(count: int, widths: Sequence[int]) -> Runs:
    depth, rows, columns = len(widths) - 1, widths[-1], widths[0]

    def nothing(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return np.full((count, *shape), np.nan)

    return Runs(
        objective=nothing(),
        gradient_norm=nothing(),
        iterations=np.zeros(count, dtype=np.int64),
        evaluations=np.zeros(count, dtype=np.int64),
        status=np.full(count, MISSING, dtype=np.int8),
        end_to_end=nothing(rows, columns),
        singular_values=nothing(min(rows, columns)),
        layer_norm_sq=nothing(depth),
        imbalance=nothing(),
        hessian_trace=nothing(),
        layers=[nothing(above, below) for below, above in pairwise(widths)],
        singular_value_gap=nothing(),
        layer_spectral_norm=nothing(),
    )
