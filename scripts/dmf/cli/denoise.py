"""`dmf denoise`: a matrix of a file without its noise, with what was kept, and what it costs."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.text import Text

from dmf.cli.grammar import STDIN, standard_input
from dmf.cli.output import console, print_json
from dmf.cli.tables import Column, left_out, print_table
from dmf.errors import UserError, printable
from dmf.grid.kinds import FileTarget

if TYPE_CHECKING:
    from dmf.api.denoised import Denoised
    from dmf.grid.labelled import LabelledMatrix

OF_THE_FILE = ("variable", "header", "index")  # keys of a target of kind file


def add_command(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "denoise", help="a matrix without its noise, at the depth and lambda that the noise chooses"
    )
    parser.add_argument("file", help="a matrix in any format that a grid reads, or - (CSV from stdin)")
    parser.add_argument("--depth", type=int, help="number of layers L, at least 2; default: by the estimated risk")
    parser.add_argument("--noise", type=float, help="standard deviation of the noise; default: estimated")
    parser.add_argument(
        "--choose",
        choices=("edge", "stein"),
        default="edge",
        help="lambda at the edge of the noise (default), or by Stein's estimate of the risk",
    )
    parser.add_argument("--missing", action="store_true", help="let cells be empty or NaN; held-out ones choose lambda")
    parser.add_argument("--seed", type=int, default=0, help="of the entries that are held out; default 0")
    for key in OF_THE_FILE:
        kind: dict[str, Any] = {} if key == "variable" else {"action": argparse.BooleanOptionalAction}
        parser.add_argument(f"--{key}", help=FileTarget.model_fields[key].description, default=None, **kind)
    parser.add_argument("--compare", action="store_true", help="print what other shrinkages would cost")
    parser.add_argument("--out", type=Path, help="write the matrix: .npz, .csv or .nc")
    parser.add_argument("--page", type=Path, help="write a page about it: .html")
    parser.add_argument("--json", nargs="?", const="-", metavar="FILE", help="print JSON with every digit, or write it")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Denoise. Raises UserError."""
    from dmf.api.denoise import denoised
    from dmf.api.denoised_files import check_out, page_html, write_matrix
    from dmf.api.inputs import read_depth
    from dmf.dataset.store import write_text

    name = "standard input" if options.file == STDIN else Path(options.file).name
    if options.out is not None:
        check_out(options.out)
    if options.noise is not None and not 0 < options.noise < float("inf"):
        raise UserError(f"--noise: got {options.noise}, expected a number > 0")
    if options.compare and options.missing:
        raise UserError("--compare: got --missing too, with which there is no risk to compare; leave one out")
    if options.seed < 0:
        raise UserError(f"--seed: got {options.seed}, expected a number >= 0")
    try:
        depth = None if options.depth is None else read_depth(options.depth)
    except ValueError as error:
        raise UserError(f"--{error}") from None
    content, suffixed = _content(options.file)
    try:
        matrix = _parsed(content, suffixed, options, options.missing)
        found = denoised(matrix, depth, options.noise, options.choose, options.seed)
    except (UserError, ValueError, TypeError) as error:
        remedy = ""
        with suppress(UserError, ValueError, TypeError):
            if not options.missing and np.isnan(_parsed(content, suffixed, options, missing=True).values).any():
                remedy = "; --missing fills cells that are empty or NaN"
        raise UserError(f"{printable(name)}: {str(error).removeprefix('target: ')}{remedy}") from None
    page = None if options.page is None else page_html(found, name)  # before anything is written
    if options.out is not None:
        write_matrix(found, options.out)
    if page is not None:
        write_text(page, options.page)
    if options.json not in (None, STDIN):
        write_text(json.dumps(found.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n", options.json)
    if options.json == STDIN:
        print_json(found.to_dict())
    else:
        _show(found, name, options.compare)
    return 0


def _content(file: str) -> tuple[bytes, str]:
    """What is in the file, and a name whose suffix says its format. Raises UserError."""
    from dmf.grid.readers import MAX_BYTES
    from dmf.grid.user_files import regular_file

    if file == STDIN:
        content, suffix = standard_input()
        return content, f"standard-input{suffix}"
    try:
        return regular_file(Path(file), MAX_BYTES), file
    except UserError as error:
        raise UserError(f"{printable(file)}: {error}") from None


def _parsed(content: bytes, name: str, options: argparse.Namespace, missing: bool) -> LabelledMatrix:
    from dmf.api.inputs import checked
    from dmf.grid.readers import Options, parse

    return checked(parse(content, name, Options(options.variable, options.header, options.index, missing)), missing)


def _show(found: Denoised, name: str, compare: bool) -> None:
    from dmf.api.denoised_files import MOST_DIRECTIONS, comparison

    screen = console(sys.stdout)
    screen.print(Text.assemble((printable(name), "bold"), f": {found.lines()[0]}"), soft_wrap=True)
    for line in found.lines()[1:]:
        screen.print(printable(line), style="bold yellow" if line in found.notes else "", soft_wrap=True)
    if shown := found.directions[:MOST_DIRECTIONS]:
        columns = [
            Column("", [str(at + 1) for at in range(len(shown))], 0),
            Column("σ", [f"{one.observed:.4g}" for one in shown], 1, right=True),
            Column("shrunk to", [f"{one.shrunk:.4g}" for one in shown], 2, right=True),
            Column("rows that load most", [_listed(one.rows) for one in shown], 3, least=20),
            Column("columns that load most", [_listed(one.columns) for one in shown], 4, least=20),
        ]
        missing = print_table(screen, columns, "What is kept")
        more = len(found.directions) - len(shown)
        rest = [f"{more:,} more directions with --json."] if more else []
        if line := " ".join([*rest, left_out(missing, "--json has them")]).strip():
            screen.print(line)
    if compare:
        heads = ("", "λ", "threshold", "kept", "freedom", "asymptotic risk", "by Stein")
        cells = list(zip(*comparison(found), strict=True))
        table = [
            Column(head, column, (0, 5, 4, 2, 6, 1, 3)[at], right=at > 0)
            for at, (head, column) in enumerate(zip(heads, cells, strict=True))
        ]
        if line := left_out(print_table(screen, table, "Compared with others"), "--json has them"):
            screen.print(line)


def _listed(names: tuple[tuple[str, float], ...]) -> str:
    return ", ".join(f"{name} {share:+.2f}" for name, share in names)
