"""`dmf crate`: a finished report with its evidence as an RO-Crate, to be deposited."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_command(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "crate", help="pack a finished report and its evidence as an RO-Crate, for an archive that gives DOIs"
    )
    parser.add_argument(
        "grid", type=Path, help="the grid's YAML file; its report is in reports/NAME, data in data/NAME"
    )
    parser.add_argument("out", type=Path, help="new folder, or new file that ends in .zip")
    parser.add_argument("--runs", action="store_true", help="with all trained runs")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check the report as `dmf verify` does, and write the crate. Raises UserError unless it is finished and whole."""
    from dmf.grid.config import load
    from dmf.report.crate import write_crate

    grid = load(options.grid)
    report, data = Path("reports", grid.grid), Path("data", grid.grid)
    files = write_crate(report, data, grid.model_dump(mode="json"), options.out, options.runs)
    print(f"{options.out}: {files} files of {report}, {data} and the workflow, and ro-crate-metadata.json")
    return 0
