"""`dmf verdicts`: the table of a report's verdicts."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dmf.dataset.manifest import recorded
from dmf.errors import UserError, printable
from dmf.evidence.claim import Verdict
from dmf.report.folder import verdict_files
from dmf.report.proofs import Proved, proved_text, read_proved
from dmf.report.provenance import read_provenance
from dmf.report.verdicts import basis, number, read_verdicts

STYLES = {"confirmed": "green", "violated": "bold red", "inconclusive": "yellow"}


def add_command(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser("verdicts", help="print the table of verdicts of a report")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("report", type=Path, nargs="?", help="folder of the report, such as reports/default")
    which.add_argument("--grid", type=Path, metavar="FILE", help="a grid's YAML file; its report is in reports/NAME")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the table. Raises UserError where the folder has no verdicts, or the grid's file has no name."""
    report: Path = options.report
    if options.grid:
        from dmf.grid.config import grid_name

        report = Path("reports", grid_name(options.grid))
    with recorded(report) as recorded_files:
        verdicts = read_verdicts(verdict_files(report, recorded_files))
        if options.grid and report / "provenance.json" in recorded_files:
            _check_configuration(options.grid, report)
    if not verdicts:
        raise UserError(
            f"{printable(str(report))}: no verdicts here; expected a folder such as reports/default after a run"
        )
    print_verdicts(verdicts, report, sys.stdout)
    return 0


def _check_configuration(file: Path, report: Path) -> None:
    """Raise UserError where a report is of an earlier state of a grid's file, if that is one."""
    from dmf.grid.config import load

    try:
        wanted = load(file).model_dump(mode="json")
    except UserError:
        return
    if read_provenance(report / "provenance.json")["configuration"] != wanted:
        raise UserError(
            f"{printable(str(report))}: is of an earlier configuration than {printable(str(file))}; run it again"
        )


def print_verdicts(verdicts: Sequence[Verdict], report: Path, stream: TextIO) -> None:
    """The table of a report's verdicts, and where its page is, if there is one."""
    console = Console(file=stream, width=None if stream.isatty() else 140, emoji=False, markup=False)
    console.print(verdict_table(verdicts, f"Verdicts of grid {report.name}", read_proved(report)))
    if (report / "index.html").exists():
        console.print(f"Report: {printable(str(report / 'index.html'))}", highlight=False, soft_wrap=True)


def verdict_table(verdicts: Sequence[Verdict], title: str, proved: Proved | None = None) -> Table:
    """One row a claim; colours repeat what the words say, they never stand alone.

    Cells are those that count, those in scope, and all.
    """
    table = Table(title=Text(printable(title)), title_justify="left", header_style="bold")
    for heading in (
        "source",
        "claim",
        "basis",
        "verdict",
        "statistic",
        "margin",
        "counted",
        "proved",
        "cells",
        "control",
    ):
        right = heading in ("statistic", "margin", "counted", "proved", "cells")
        narrow = right or heading in ("basis", "verdict", "control")
        table.add_column(
            heading, justify="right" if right else "left", no_wrap=narrow, min_width=None if narrow else 16
        )
    for verdict in verdicts:
        finding = verdict.finding
        table.add_row(
            Text(printable(verdict.source)),
            Text(printable(verdict.title)),
            basis(verdict.claim),
            Text(finding.word, style=STYLES[finding.word]),
            number(finding.statistic),
            number(finding.margin),
            f"{finding.runs_counted:,}/{finding.runs:,}",
            proved_text(verdict.claim, proved),
            f"{finding.cells_counted:,}/{finding.cells:,}/{finding.cells_all:,}",
            Text("detected", style="green") if verdict.control_detected else Text("MISSED", style="bold red"),
        )
    return table
