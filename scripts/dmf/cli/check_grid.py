"""`dmf check-grid`: whether a grid's YAML file is one, before Snakemake reads it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_command(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "check-grid", help="check a grid's YAML file and print the grid's name; trains and writes nothing"
    )
    parser.add_argument("grid", type=Path, help="the grid's YAML file")
    parser.add_argument("--archive", metavar="FOLDER", help="check also that Snakemake will read this name as it is")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the name. Raises UserError where the file is no grid's, or the archive has another name for Snakemake."""
    from dmf.grid.config import load

    grid = load(options.grid)
    if options.archive:
        from dmf.dataset.archive import check_name

        check_name(options.archive)
    print(grid.grid)
    return 0
