"""Which source files a step of the workflow depends on, and one fingerprint of them: a step reruns when it changes.

The files follow from the imports: those of the step's script, of its plug-ins (the file of the claim, figure or study
that it loads by name) and of everything that these import in turn. The search stops at the modules of EXEMPT.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator
from fnmatch import translate
from functools import cache
from itertools import accumulate
from pathlib import Path

from dmf.shared import PACKAGE, TOP

SCRIPTS = TOP / "scripts"  # holds the script of every step

# Modules that no number or text of a step's output depends on, and why not; by step, "*" for every step.
_PARAMETERS = "checks the configuration, whose values reach this step as parameters"
_TARGETS = "draws or reads targets, which this step holds against the fingerprints in its parameters or inputs"
_GIVEN = dict.fromkeys(["dmf.grid.config", "dmf.grid.fields"], _PARAMETERS)
_READ = dict.fromkeys(["dmf.grid.readers*"], "reads files of users, whose targets have fingerprints")
_DRAWN = dict.fromkeys(["dmf.grid.targets", "dmf.grid.kinds*", "dmf.grid.datasets", "dmf.grid.standard"], _TARGETS)
_UNIT = {"dmf.theory.certificate": "says what a run's gradient allows; this step takes EPS of it, which float64 fixes"}
EXEMPT: dict[str, dict[str, str]] = {
    "*": {
        "dmf": "holds no code",
        "dmf.code": "this rule; what it finds is in every fingerprint",
        "dmf.errors": "the type of a user's error",
        "dmf.cli.progress": "draws a bar in the terminal",
        "dmf.dataset.ledger": "lists tiles; a tile's content is a parameter",
        "dmf.dataset.locks": "keeps two runs apart",
        "dmf.dataset.manifest": "records what a step wrote, and refuses what no step wrote",
        "dmf.dataset.owner": "keeps jobs of an earlier run from writing",
        "dmf.dataset.project": "plans; what it decides reaches a step as parameters",
        "dmf.dataset.provenance": "says when and where a file was written",
        "dmf.dataset.stamps": "stamps files with what they are of; readers check it",
        "dmf.dataset.store": "writes and reads files; readers check the fingerprint of the values",
        "dmf.grid.cost": "predicts time and memory; how many runs it trains together changes no bit of them",
        "dmf.grid.tiles": "cuts a grid into tiles; a tile's content is a parameter",
        "dmf.step": "logs a step and reports its failure",
    },
    "certify": _GIVEN | _DRAWN,
    "check": _GIVEN | _DRAWN | {"dmf.claims": "lists all claims; the file of the one that is checked is a plug-in"},
    "controls": _GIVEN | _READ,
    "draw": _GIVEN
    | _DRAWN
    | {
        "dmf.figures": "lists all figures; the file of the one that is drawn is a plug-in",
        "dmf.claims": "says which study a figure reads, whose files are inputs",
    },
    "prove": _GIVEN
    | _READ
    | dict.fromkeys(_DRAWN, "draws targets; a run of another target does not train to the bits in the evidence"),
    "refute": _GIVEN | _READ,
    "join_cells": _GIVEN | _DRAWN,
    "judge_attempts": _GIVEN | _DRAWN,
    "paper": _GIVEN | _DRAWN,
    "report": _GIVEN | _DRAWN,
    "study": _READ,
    "thin": _GIVEN | _DRAWN,
    "verify": _GIVEN | _DRAWN,
    "train": _GIVEN
    | _DRAWN
    | _UNIT
    | {
        "dmf.dataset.tile_cache": "decides whether a tile is trained, not how",
        "dmf.dataset.schema": "names and checks variables; its version is in every file",
    },
    "assemble": _GIVEN
    | _DRAWN
    | _UNIT
    | {
        "dmf.dataset.tile_cache": "repairs a damaged tile",
        "dmf.dataset.train": "trains a damaged tile again, with the code whose fingerprint is in its parameters",
    },
    "assemble_incomplete": _GIVEN
    | _DRAWN
    | _UNIT
    | {"dmf.dataset.train": "labels runs that are missing; a file of runs says which schema it follows"},
}


@cache
def code_fingerprint(step: str, *plugins: str) -> str:
    """The fingerprint of all source files that a step depends on: their places in the checkout and their content.

    Sources are read once a process: one plan has one state of them.
    """
    lines = sorted(f"{_place_in_checkout(path)} {_digest(path)}" for path in code_of(step, *plugins))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


@cache
def code_of(step: str, *plugins: str) -> tuple[Path, ...]:
    """The source files that the step with the script SCRIPTS/`step`.py depends on.

    `plugins` are the modules that it loads by name, such as "dmf.claims.collapse". A module whose folder also holds
    templates, style sheets or scripts for a page brings these along.
    """
    modules = [_file(name) for name in closure(step, *plugins)]
    folders = {path.parent for path in modules} - {SCRIPTS}
    return tuple(sorted([*modules, *(path for folder in folders for path in _beside(folder))]))


_CODE = (".py", ".typed")


@cache
def _beside(folder: Path) -> tuple[Path, ...]:
    """The files of a folder that are no code."""
    return tuple(path for path in folder.iterdir() if path.suffix not in _CODE and path.is_file())


def closure(step: str, *plugins: str) -> set[str]:
    """Names of the modules of this checkout that a step imports, its own script and `plugins` included, less EXEMPT."""
    exempt = re.compile("|".join(map(translate, [*EXEMPT["*"], *EXEMPT.get(step, ())])))
    found: set[str] = set()
    wanted = {step, *plugins}
    while wanted:
        name = wanted.pop()
        if not exempt.match(name):
            found.add(name)
            wanted |= _imports(_file(name)) - found
    # Python also runs the folders' own modules. What these import is a matter of those who use their names.
    folders = {folder for name in found for folder in accumulate(name.split(".")[:-1], "{}.{}".format)}
    return found | {folder for folder in folders if not exempt.match(folder)}


@cache
def _imports(file: Path) -> set[str]:
    """Names of the modules of this checkout that a file imports, at its top or inside functions, types aside."""
    content = file.read_bytes()
    pairs = _imported_in_plain_lines(content) or _imported(content)
    names = {_module(f"{source}.{name}") or source if source else name for source, name in pairs}
    return {name for name in names if _module(name)}


def _imported(content: bytes) -> list[tuple[str, str]]:
    """Each imported name after the module that it is from, "" for `import name`: by Python's parser."""
    return [
        (str(node.module) if isinstance(node, ast.ImportFrom) else "", alias.name)
        for node in _run(ast.parse(content).body)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    ]


def _imported_in_plain_lines(content: bytes) -> list[tuple[str, str]]:
    """The same, thirty times as fast; empty where a file has more than plain lines.

    No statement imports without the word. Where each such word is in a line that is a statement as ruff writes it,
    nothing else is there to be found.
    """
    content = _TYPES.sub(b"", content)
    found = _STATEMENT.findall(content)
    if len(found) != len(_WORD.findall(content)) or b"if TYPE_CHECKING" in content:
        return []
    return [
        (source.decode(), name.split()[0].decode())
        for source, inside, plain in found
        for name in (inside or plain).split(b",")
        if name.split()
    ]


_WORD = re.compile(rb"\bimport\b")
_STATEMENT = re.compile(rb"^[ ]*(?:from (\w[\w.]*) )?import (?:\(([\w\s,]+)\)|(\w[\w., ]*))[ ]*(?:#.*)?$", re.MULTILINE)
_TYPES = re.compile(rb"^if TYPE_CHECKING:\n(?: +.*\n|\n)+", re.MULTILINE)


@cache
def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _run(statements: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Statements and all below them, less those for type checkers alone. Expressions import nothing."""
    for one in statements:
        if isinstance(one, ast.If) and ast.unparse(one.test) == "TYPE_CHECKING":
            yield from _run(one.orelse)
        else:
            yield one
            for name in _BLOCKS:
                yield from _run(getattr(one, name, ()))


_BLOCKS = ("body", "orelse", "handlers", "finalbody", "cases")


def _module(name: str) -> str | None:
    """The name itself where it is a module of this checkout."""
    return name if _is_module(name, SCRIPTS, PACKAGE) else None


@cache
def _is_module(name: str, *_: Path) -> bool:
    path = _path(name)
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def _path(name: str) -> Path:
    """Where a module is, without suffix. Beside an installed package are those of others."""
    package, *inside = name.split(".")
    return PACKAGE.joinpath(*inside) if package == PACKAGE.name else SCRIPTS.joinpath(package, *inside)


@cache
def _place_in_checkout(path: Path) -> str:
    """The same of an installed package and of a checkout."""
    below = PACKAGE.parent if path.is_relative_to(PACKAGE) and not path.is_relative_to(SCRIPTS) else SCRIPTS
    return f"scripts/{path.relative_to(below).as_posix()}"


def _file(name: str) -> Path:
    return _found(name, SCRIPTS, PACKAGE)


@cache
def _found(name: str, *_: Path) -> Path:
    path = _path(name)
    return path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"
