"""`dmf compare`: two reports side by side in one page."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_command(commands: Any) -> None:
    """Add the command to a parser's commands."""
    parser = commands.add_parser("compare", help="write one page with two reports side by side")
    parser.add_argument("first", type=Path, help="folder of a report, such as reports/default")
    parser.add_argument("second", type=Path, help="folder of the other report")
    parser.add_argument("--out", type=Path, default=Path("compare.html"), help="file to write; default compare.html")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from dmf.dataset.store import write_text
    from dmf.errors import printable
    from dmf.report.compare import compare_html, verdict_moves
    from dmf.report.folder import read_report

    first, second = read_report(options.first), read_report(options.second)
    write_text(compare_html(first, second), options.out)
    for move in verdict_moves(first, second):
        if move.change:
            print(printable(f"{move.claim} ({move.source}): {move.change}"))
    print(f"Comparison: {printable(str(options.out))}")
    return 0
