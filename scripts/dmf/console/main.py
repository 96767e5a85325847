"""The `dmf` command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from dmf import __version__
from dmf.console import compare
from dmf.console.table import verdict_table
from dmf.errors import UserError
from dmf.report.verdicts import read_verdicts


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status, 1 after printing one line for a user's error."""
    parser = argparse.ArgumentParser(prog="dmf", description="Look at what a grid found.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    show = commands.add_parser("verdicts", help="print the table of verdicts of a report")
    show.add_argument("report", type=Path, help="folder of the report, such as reports/default")
    show.set_defaults(run=_verdicts)
    compare.add_command(commands)
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
        return status
    except UserError as error:
        print(error, file=sys.stderr)
        return 1


def _verdicts(options: argparse.Namespace) -> int:
    report = options.report
    files = sorted((report / "verdicts").glob("*.json"))
    if not files:
        raise UserError(f"{report}: no verdicts here; expected a folder such as reports/default after a run")
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(verdict_table(read_verdicts(files), f"Verdicts of grid {report.name}"))
    if (report / "index.html").exists():
        console.print(f"Report: {report / 'index.html'}", highlight=False, soft_wrap=True)
    return 0
