"""Trains one cell of a grid again, or single runs of it: the same numbers to the last bit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import xarray as xr

from dmf.dataset.train import train_block
from dmf.errors import UserError
from dmf.grid.cells import Series, group_of, lambda_labels, series_of
from dmf.grid.config import Grid
from dmf.grid.targets import TargetMatrix


def train_again(
    grid: Grid,
    targets: Sequence[TargetMatrix],
    cell: tuple[str, int, str],
    scheme: str | None = None,
    scale: float | None = None,
    draw: int | None = None,
) -> xr.Dataset:
    """Runs of the cell (target, depth, lambda's label) as they are stored, dimensions (target, lam_label, start).

    `scheme`, `scale` and `draw` choose among its starts; None is all. A run depends on its own coordinates and the
    grid's settings only. Raises UserError where the grid has no such cell or start.
    """
    name, depth, label = cell
    target = {target.name: target for target in targets}[_one_of("target", name, [t.name for t in targets])]
    _one_of("depth", depth, grid.depths)
    _one_of("lam", label, lambda_labels(grid.lambdas))
    for key, value, known in (("scheme", scheme, grid.starts.schemes), ("scale", scale, grid.starts.scales)):
        if value is not None:
            _one_of(key, value, known)
    if draw is not None and not 0 <= draw < grid.starts.count:
        raise UserError(f"draw: got {draw}, expected 0 to {grid.starts.count - 1}; the grid has no other starts")
    chosen = [s for s in series_of(grid) if scheme in (None, s.scheme) and scale in (None, s.scale)]
    span = range(grid.starts.count) if draw is None else range(draw, draw + 1)
    spans: dict[Series, range] = dict.fromkeys(chosen, span)
    group = group_of(target.shape, depth, grid.hidden_widths, f"target {name}, depth {depth}")
    return train_block(group, [target], [label], spans, grid)


def _one_of(key: str, value: Any, known: Sequence[Any]) -> Any:
    if value not in known:
        shown = ", ".join(map(str, known[:30])) + (", ..." if len(known) > 30 else "")
        raise UserError(f"{key}: got {value}, expected one of this grid's: {shown}")
    return value
