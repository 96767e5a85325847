"""`dmf verdicts`: the table of a report's verdicts."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from dmf.cli.output import console
from dmf.cli.tables import Column, left_out, print_table
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
    """The table of a report's verdicts, what they come to in one line, and where its page is, if there is one."""
    screen = console(stream)
    title = f"Verdicts of grid {report.name}"
    missing = print_table(screen, verdict_columns(verdicts, read_proved(report)), title)
    print(summary(verdicts), file=stream)
    if missing:
        print(left_out(missing, f"{printable(str(report / 'verdicts.csv'))} has all"), file=stream)
    if (report / "index.html").exists():
        print(f"Report: {printable(str(report / 'index.html'))}", file=stream)


def verdict_columns(verdicts: Sequence[Verdict], proved: Proved | None = None) -> list[Column]:
    """One row a claim; colours repeat what the words say, they never stand alone.

    Cells are those that count, those in scope, and all.
    """
    found = [verdict.finding for verdict in verdicts]
    cells = [f"{one.cells_counted:,}/{one.cells:,}/{one.cells_all:,}" for one in found]
    controls = ["detected" if verdict.control_detected else "MISSED" for verdict in verdicts]
    return [
        Column("claim", [verdict.claim for verdict in verdicts], rank=0),
        Column("what it says", [verdict.title for verdict in verdicts], rank=5, least=24),
        Column("source", [verdict.source for verdict in verdicts], rank=6, least=14),
        Column("basis", [basis(verdict.claim) for verdict in verdicts], rank=10),
        Column("verdict", [one.word for one in found], rank=1, styles=STYLES),
        Column("statistic", [number(one.statistic) for one in found], rank=3, right=True),
        Column("margin", [number(one.margin) for one in found], rank=7, right=True),
        Column("counted", [f"{one.runs_counted:,}/{one.runs:,}" for one in found], rank=4, right=True),
        Column("proved", [proved_text(verdict.claim, proved) for verdict in verdicts], rank=8, right=True),
        Column("cells", cells, rank=9, right=True),
        Column("control", controls, rank=2, styles={"detected": "green", "MISSED": "bold red"}),
    ]


def summary(verdicts: Sequence[Verdict]) -> str:
    """What the verdicts come to, in one line; no margin where nothing counted."""
    words = Counter(verdict.finding.word for verdict in verdicts)
    counts = f"{words['confirmed']} confirmed, {words['violated']} violated"
    if words["inconclusive"]:
        counts += f", {words['inconclusive']} inconclusive"
    detected = sum(verdict.control_detected for verdict in verdicts)
    line = f"{counts}; {detected} of {len(verdicts)} controls detected"
    told = [one for one in verdicts if basis(one.claim) != "identity"]  # as on the page: of those, rounding decides
    margins = [(one.finding.margin, one.claim) for one in told if one.finding.margin is not None]
    if margins:
        least, claim = min(margins)
        line += f"; least margin: {printable(claim)} {number(least)}"
    return line
