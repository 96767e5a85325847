"""`dmf report`: writes the report of a data folder, such as a copy from a cluster, without training."""

from __future__ import annotations

import argparse
from typing import Any

from dmf.cli.run import add_options, call


def add_command(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "report", help="write the report of a data folder, such as a copy from a cluster; trains nothing"
    )
    parser.add_argument("data", help="the data folder; the report goes to reports/NAME")
    parser.add_argument("--incomplete", action="store_true", help="report what there is where runs are missing")
    add_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check the folder and run the workflow on it; the exit status of Snakemake. Raises UserError."""
    from dmf.dataset.archive import asked, check_name, configuration_of
    from dmf.grid.config import load

    asked({"archive": options.data})
    check_name(options.data)
    load(configuration_of(options.data))
    more = ["incomplete=true"] if options.incomplete else []
    return call(options, ["--config", f"archive={options.data}", *more])
