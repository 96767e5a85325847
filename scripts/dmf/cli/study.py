"""`dmf study`: makes a study's evidence again with a grid's settings and shows the cases asked for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from dmf.cli.output import add_output
from dmf.errors import UserError, near
from dmf.studies import load_study, study_names


def add_command(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "study", help="make a study again, to the same bits, and show the cases asked for"
    )
    parser.add_argument("grid", type=Path, help="the grid's YAML file; a report has its own, reports/NAME/grid.yaml")
    parser.add_argument("name", help="name of the study")
    parser.add_argument(
        "--case", nargs="+", default=[], metavar="KEY=VALUE", help="only cases with these coordinates; default all"
    )
    add_output(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Make and show. Raises UserError."""
    from dmf.cli.cases import asked_claim, choose, show, with_statistic
    from dmf.grid.config import load
    from dmf.studies.contract import halves

    if options.name not in study_names():
        raise UserError(
            f"study: got {options.name}, expected one of {', '.join(study_names())}{near(options.name, study_names())}"
        )
    claim = asked_claim(options.claim, options.name)
    evidence, _ = halves(load_study(options.name).make_for(load(options.grid)))
    evidence = with_statistic(claim, evidence)
    fields = [str(name) for name, value in evidence.data_vars.items() if set(value.dims) == {"cell", "start"}]
    show(choose(evidence, options.case), fields, options.json)
    return 0
