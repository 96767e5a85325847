"""`dmf new-grid`: writes a grid's YAML file from options, or from questions where a terminal is attached."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dmf.errors import UserError

FOLDER = Path("config/grids")
DEFAULTS = {"depths": "2 3 4", "lams": "0.1c 0.5c 0.9c 1.1c"}
TARGETS = "5x5: Gaussian of that shape; 4,2,1: singular values; digits, iris, ...: real data; else the path of a file"
LAMS = "0.9c: 0.9 lambda_c of each target and depth; 0.05: the number itself"
QUESTIONS = {
    "name": "Name of the grid",
    "targets": f"Targets, separated by spaces ({TARGETS})",
    "depths": "Depths, separated by spaces",
    "lams": f"Lambdas, separated by spaces ({LAMS})",
}


def add_command(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "new-grid", help="write a commented grid file; asks for what is not given where a terminal is attached"
    )
    parser.add_argument("name", nargs="?", help="name of the grid: results go to data/NAME and reports/NAME")
    parser.add_argument("--targets", nargs="+", help=TARGETS)
    parser.add_argument("--depths", nargs="+", help=f"numbers of layers; default {DEFAULTS['depths']}")
    parser.add_argument("--lams", nargs="+", help=f"{LAMS}; default {DEFAULTS['lams']}")
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="KEY=VALUE", help="any other key: starts.count=4, studies=[], seed=7"
    )
    parser.add_argument("--out", type=Path, help=f"file to write; default {FOLDER}/NAME.yaml")
    parser.add_argument("--force", action="store_true", help="write over a file that is there")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the file, and say how to run it. Raises UserError."""
    from dmf.cli.grid_file import configuration, grid_text
    from dmf.dataset.store import write_text
    from dmf.grid.config import validate
    from dmf.grid.targets import build_targets
    from dmf.grid.tiles import groups_of

    given = answers(options, _ask if sys.stdin.isatty() else None)
    path = place(options, given["name"])
    grid = validate(configuration(given, options.set), str(path))
    groups_of(grid, build_targets(grid, str(path)), str(path))  # refuses unreadable files and widths that do not fit
    write_text(grid_text(grid, path), path)
    print(f"Grid: {path}\nRun it: make GRID={path}")
    return 0


def answers(options: argparse.Namespace, ask: Callable[[str, str | None], str] | None) -> dict[str, Any]:
    """Name, targets, depths and lams: as given, else asked for, else by default.

    Questions are put only where something without a default is missing. Raises UserError where nobody can be asked.
    """
    given = {key: getattr(options, key) for key in QUESTIONS}
    missing = [key for key in ("name", "targets") if given[key] is None]
    if missing and ask is None:
        raise UserError(f"new-grid: {' and '.join(missing)} missing; give NAME and --targets, or run it in a terminal")
    for key, question in QUESTIONS.items():
        if given[key] is None:
            answer = ask(question, DEFAULTS.get(key)) if ask and missing else DEFAULTS[key]
            given[key] = answer.strip() if key == "name" else answer.split()
    return given


def place(options: argparse.Namespace, name: str) -> Path:
    """The file to write. Raises UserError where it is there already, and where another file has the grid's name."""
    from dmf.grid.config import load

    path: Path = options.out or FOLDER / f"{name}.yaml"
    if options.out is None and not FOLDER.is_dir():
        raise UserError(f"{FOLDER}: no such folder here; go to the checkout, or give the file with --out")
    if options.out is None and "/" in name:
        raise UserError(f"grid: got {name!r}, expected letters, digits, '_', '.' and '-' only")
    for other in (FOLDER.parent / "config.yaml", *sorted(FOLDER.glob("*.yaml"))):
        if other.exists() and other.resolve() != path.resolve() and load(other).grid == name:
            raise UserError(f"grid: {name} is the name of {other}, and both would write data/{name}; choose another")
    if (path.exists() or path.is_symlink()) and not options.force:
        raise UserError(f"{path}: there already; choose another name, or write over it with --force")
    return path


def _ask(question: str, default: str | None) -> str:
    from rich.prompt import Prompt

    while True:
        answer = Prompt.ask(question, default=default) if default else Prompt.ask(question)
        if answer and answer.strip():
            return answer
