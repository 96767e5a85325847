"""`dmf cell`: trains one cell of a grid again and shows its runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from dmf.cli.options import add_output

SHOWN = (
    "lam", "minimum", "objective", "gradient_norm", "certified", "minimal", "kept", "radius", "distance",
    "iterations", "status",
)  # fmt: skip


def add_command(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "cell", help="train one cell of a grid again, to the same bits, and show its runs"
    )
    parser.add_argument("grid", type=Path, help="the grid's YAML file; a report has its own, reports/NAME/grid.yaml")
    parser.add_argument("--target", required=True, help="name of the target")
    parser.add_argument("--depth", required=True, type=int)
    parser.add_argument("--lam", required=True, help="as in the grid: 0.9c for 0.9 lambda_c, 0.05 for the number")
    parser.add_argument("--scheme", help="only starts of this scheme")
    parser.add_argument("--scale", type=float, help="only starts of this scale")
    parser.add_argument("--draw", type=int, help="only the start with this number")
    add_output(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train and show. Raises UserError."""
    from dmf.cli.cases import asked_claim, heard_by, show
    from dmf.evidence.again import train_again
    from dmf.evidence.certify import certify
    from dmf.grid.config import load
    from dmf.grid.targets import build_targets

    claim = asked_claim(options.claim, "runs")
    grid = load(options.grid)
    targets = build_targets(grid, str(options.grid))
    cell = (options.target, options.depth, options.lam)
    evidence = certify([train_again(grid, targets, cell, options.scheme, options.scale, options.draw)])
    show(heard_by(claim, evidence), SHOWN, options.json)
    return 0
