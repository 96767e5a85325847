"""`dmf verify`: whether a report that somebody sent is what the workflow wrote, alone or with its data."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def add_command(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "verify",
        help="check a report's folder: files, words, tables and page agree; with --data, verdicts are computed again",
    )
    parser.add_argument("report", type=Path, help="folder of the report, such as reports/default")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="the data of that report, such as data/default")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print a line for each problem; 1 where there is one. Raises UserError where the folder is no report."""
    from dmf.report.verify import verify

    found = verify(options.report, options.data)
    for line in found.problems:
        print(line, file=sys.stderr)
    if found.problems:
        return 1
    print(f"{options.report}: {found.files} files and {found.verdicts} verdicts agree with one another.")
    if options.data:
        print(
            f"The verdicts follow again from the runs in {options.data}, and every file is of these data and this code."
        )
    else:
        print("That the numbers come from trained runs was not checked: give the folder of the data with --data.")
    return 0
