"""`dmf verdicts`: the table of a report's verdicts."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from dmf.cli.table import verdict_table
from dmf.errors import UserError
from dmf.report.verdicts import read_verdicts


def add_command(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser("verdicts", help="print the table of verdicts of a report")
    parser.add_argument("report", type=Path, help="folder of the report, such as reports/default")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the table. Raises UserError where the folder has no verdicts."""
    report: Path = options.report
    files = sorted((report / "verdicts").glob("*.json"))
    if not files:
        raise UserError(f"{report}: no verdicts here; expected a folder such as reports/default after a run")
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(verdict_table(read_verdicts(files), f"Verdicts of grid {report.name}"))
    if (report / "index.html").exists():
        console.print(f"Report: {report / 'index.html'}", highlight=False, soft_wrap=True)
    return 0
