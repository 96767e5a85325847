"""`dmf cell`: trains one cell of a grid again and shows its runs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dmf.cli.grammar import LAM, lam_label
from dmf.cli.output import add_output
from dmf.errors import UserError, near

if TYPE_CHECKING:
    import xarray as xr

    from dmf.grid.config import Grid
    from dmf.grid.targets import TargetMatrix

SHOWN = (  # what matters most comes first: a narrow terminal has no room for the rest
    "objective", "certified", "minimal", "kept", "gradient_norm", "status", "minimum", "iterations", "radius",
    "distance",
)  # fmt: skip


def add_command(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "cell", help="train one cell of a grid again, to the same bits, and show its runs"
    )
    parser.add_argument("grid", type=Path, help="the grid's YAML file; a report has its own, reports/NAME/grid.yaml")
    parser.add_argument("--target", required=True, help="name of the target")
    parser.add_argument("--depth", required=True, type=int)
    parser.add_argument("--lam", required=True, help=LAM)
    parser.add_argument("--scheme", help="only starts of this scheme")
    parser.add_argument("--scale", type=float, help="only starts of this scale")
    parser.add_argument("--draw", type=int, help="only the start with this number")
    add_output(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train and show. Raises UserError."""
    from dmf.cli.cases import asked_claim, show, with_statistic
    from dmf.evidence.certify import certify
    from dmf.grid.config import load
    from dmf.grid.targets import build_targets

    claim = asked_claim(options.claim, "runs")
    grid = load(options.grid)
    targets = build_targets(grid, str(options.grid))
    cell = (options.target, options.depth, lam_label(options.lam))
    evidence = certify([train_again(grid, targets, cell, options.scheme, options.scale, options.draw)])
    show(with_statistic(claim, evidence), SHOWN, options.json)
    return 0


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
    from dmf.dataset.train import train_block
    from dmf.grid.cells import Series, group_of, lambda_labels, series_of

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
        hint = near(value, known) if isinstance(value, str) else ""
        raise UserError(f"{key}: got {value}, expected one of this grid's: {shown}{hint}")
    return value
