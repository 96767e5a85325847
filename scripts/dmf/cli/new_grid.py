"""`dmf new-grid`: writes a grid's YAML file from options, or from questions where a terminal is attached."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dmf.cli.grammar import LAM, STDIN, TARGET, standard_input
from dmf.errors import UserError

if TYPE_CHECKING:
    from dmf.grid.config import Grid

FOLDER = Path("config/grids")
DEFAULTS = {"depths": "2 3 4", "lams": "0.1c 0.5c 0.9c 1.1c"}
QUESTIONS = {
    "name": "Name of the grid",
    "targets": "Targets, separated by spaces (5x5: Gaussian; 4,2,1: singular values; iris: real data; or a file)",
    "depths": "Depths, separated by spaces",
    "lams": "Lambdas, separated by spaces (0.9c: 0.9 lambda_c; 0.05: the number itself)",
}
SMALLEST = {"name": "x", "targets": ["2x2"]}  # in place of what is not asked yet


def add_command(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "new-grid", help="write a commented grid file; in a terminal, ask for what is not given"
    )
    parser.add_argument("name", nargs="?", help="name of the grid: results go to data/NAME and reports/NAME")
    parser.add_argument(
        "--targets", nargs="+", metavar="TARGET", help=f"each {TARGET}; that is then kept in a file beside the grid's"
    )
    parser.add_argument("--depths", nargs="+", help=f"numbers of layers; default {DEFAULTS['depths']}")
    parser.add_argument("--lams", nargs="+", help=f"{LAM}; default {DEFAULTS['lams']}")
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="KEY=VALUE", help="any other key: starts.count=4, studies=[], seed=7"
    )
    parser.add_argument("--out", type=Path, help=f"file to write; default NAME.yaml, in {FOLDER} where that is")
    parser.add_argument("--force", action="store_true", help="overwrite an existing file")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the file, and say how to run it. Raises UserError."""
    from dmf.cli.grid_file import grid_text
    from dmf.dataset.store import write_text

    given = answers(options, _ask if sys.stdin is not None and sys.stdin.isatty() else None)
    path = place(options, given["name"])
    with _kept(given["targets"], path, options.force) as targets:
        grid = check({**given, "targets": targets}, options.set, str(path))
    write_text(grid_text(grid, path), path)
    print(f"Grid: {path}\nRun it: {'make GRID=' if FOLDER.is_dir() else 'dmf run '}{path}")
    return 0


def check(given: Mapping[str, Any], settings: Sequence[str], source: str) -> Grid:
    """The grid of these answers. Raises UserError where it is none, or a file is unreadable or does not fit."""
    from dmf.cli.grid_file import configuration
    from dmf.grid.config import validate
    from dmf.grid.targets import build_targets
    from dmf.grid.tiles import groups_of

    grid = validate(configuration(given, settings), source)
    groups_of(grid, build_targets(grid, source), source)
    return grid


def answers(options: argparse.Namespace, ask: Callable[[str], str] | None) -> dict[str, Any]:
    """Name, targets, depths and lams: as given, else asked for, else by default.

    Questions are put only where something without a default is missing, each again until its answer is good. Raises
    UserError where nobody can be asked, and for options that no answer could mend.
    """
    given = {key: getattr(options, key) for key in QUESTIONS}
    missing = [key for key in ("name", "targets") if given[key] is None]
    defaults = {key: text.split() for key, text in DEFAULTS.items()}
    if not missing:
        return {key: defaults[key] if value is None else value for key, value in given.items()}
    if ask is None:
        raise UserError(f"new-grid: {' and '.join(missing)} missing; give NAME and --targets, or run it in a terminal")
    known = {**SMALLEST, **defaults, **{key: value for key, value in given.items() if value is not None}}
    check(known, options.set, "new-grid")
    for key, question in QUESTIONS.items():
        while given[key] is None:
            text = ask(f"{question} [{DEFAULTS[key]}]: " if key in DEFAULTS else f"{question}: ").strip()
            words = text.split() or defaults.get(key, [])
            if not words:
                continue
            try:
                answer = text if key == "name" else words
                if key == "name":
                    place(options, text)
                check({**known, key: answer}, options.set, "answer")
                known[key] = given[key] = answer
            except UserError as error:
                print(error)
    return given


@contextmanager
def _kept(targets: Sequence[str], path: Path, force: bool) -> Iterator[list[str]]:
    """The targets with what is on standard input in a file beside the grid's, which goes if the block fails."""
    if STDIN not in targets:
        yield list(targets)
        return
    if targets.count(STDIN) > 1:
        raise UserError("--targets: got - twice; standard input is one matrix")
    content, suffix = standard_input()
    file = path.with_suffix(suffix)
    before = os.path.lexists(file)
    if before and not force:
        raise UserError(f"{file}: already exists; choose another name, or overwrite it with --force")
    file.write_bytes(content)
    try:
        yield [str(file) if text == STDIN else text for text in targets]
    except UserError:
        if not before:
            file.unlink()
        raise


def place(options: argparse.Namespace, name: str) -> Path:
    """The file to write. Raises UserError where it is there already, and where another file has the grid's name."""
    checkout = FOLDER.is_dir()
    path: Path = options.out or (FOLDER if checkout else Path()) / f"{name}.yaml"
    if options.out is None and "/" in name:
        raise UserError(f"grid: got {name!r}, expected letters, digits, '_', '.' and '-' only")
    others = [FOLDER.parent / "config.yaml", *FOLDER.glob("*.yaml")] if checkout else Path().glob("*.yaml")
    for other in sorted(others):
        if other.exists() and other.resolve() != path.resolve() and _name(other, checkout) == name:
            raise UserError(f"grid: {name} is the name of {other}, and both would write data/{name}; choose another")
    if (path.exists() or path.is_symlink()) and not options.force:
        raise UserError(f"{path}: already exists; choose another name, or overwrite it with --force")
    return path


def _name(file: Path, grids_only: bool) -> str | None:
    """The name of a grid's file, None for another file; raises UserError for that where there are `grids_only`."""
    from dmf.grid.config import load

    try:
        return load(file).grid
    except UserError:
        if grids_only:
            raise
        return None


def _ask(question: str) -> str:
    try:
        return input(question)
    except EOFError:
        raise UserError("new-grid: no answer; give NAME and --targets, or answer every question") from None
