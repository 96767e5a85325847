"""Targets and lambdas as every command takes them: 5x5, 4,2,1, a data set, a file or - for standard input; 0.5c."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import yaml

from dmf.errors import UserError, near, shown
from dmf.grid.kinds import DatasetTarget

Config = dict[str, Any]
DATASETS: tuple[str, ...] = get_args(DatasetTarget.model_fields["dataset"].annotation)
STDIN = "-"
TARGET = (
    "a file in any format that a grid reads, 5x5 (Gaussian), 4,2,1 (singular values), a data set, or - (CSV from stdin)"
)
LAM = "0.9c for 0.9 lambda_c of the target and depth, 0.05 for the number itself"
LONGEST_NAME = 60  # characters, so that a number behind it still makes a name
MOST_BYTES = 2**26  # of standard input; a grid's files are as large at most


@contextmanager
def target_of(text: str) -> Iterator[Config]:
    """A target in its short form as a grid has it; inside, what came on standard input is a file.

    Raises UserError for a file that is not there, and for any that the block raises, in words of the command line.
    """
    if text != STDIN:
        yield target(text)
        return
    content, suffix = standard_input()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"standard-input{suffix}")
        path.write_bytes(content)
        try:
            yield {**target(str(path)), "name": "standard-input"}
        except UserError as error:
            raise UserError(str(error).replace(str(path), "standard input")) from None


def target(text: str) -> Config:
    """A target from its short form. Names are those of `dmf new-grid`: random numbers depend on them.

    Raises UserError for a file that is not there.
    """
    shape = re.fullmatch(r"(\d+)x(\d+)", text)
    if shape:
        return {"name": f"gaussian-{text}", "kind": "gaussian", "shape": [int(size) for size in shape.groups()]}
    if re.fullmatch(r"[-+.,\deE]*\d[-+.,\deE]*", text):
        values = [plain(value) for value in text.split(",")]
        return {"name": "spectrum", "kind": "spectrum", "shape": [len(values)] * 2, "singular_values": values}
    if text in DATASETS:
        return {"name": text, "kind": "dataset", "dataset": text}
    if not os.path.lexists(text):
        raise UserError(
            f"target: {shown(text)}: no such file{near(text, [*DATASETS, *_files_by(text)])}; expected {TARGET}"
        )
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", Path(text).stem).strip("-_.")[:LONGEST_NAME]
    return {"name": name or "file", "kind": "file", "path": text}


def named(targets: Sequence[Config]) -> list[Config]:
    """The targets with a number behind every name that another one has already."""
    taken: list[str] = []
    for one in targets:
        number, free = 1, one["name"]
        while free in taken:
            number += 1
            free = f"{one['name']}-{number}"
        taken.append(free)
    return [{**one, "name": name} for one, name in zip(targets, taken, strict=True)]


def lambdas(texts: Sequence[str]) -> dict[str, list[Any]]:
    """The two lists of a grid, from lambdas as they are written: relative ones end in c."""
    return {
        "relative": [plain(text.removesuffix("c")) for text in texts if text.endswith("c")],
        "absolute": [plain(text) for text in texts if not text.endswith("c")],
    }


def lam_label(text: str) -> str:
    """The label that a grid has for a lambda, however it is written: 0.5c for 0.50c, .5c and 5e-1c."""
    from dmf.api import inputs

    try:
        return inputs.lam_label(text)
    except ValueError:
        raise UserError(f"--lam: got {shown(text, quoted=True)}, expected {LAM}") from None


def plain(text: str) -> Any:
    """A value as YAML reads it. Raises UserError for what is none."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):  # ValueError: a date such as 2026-13-01
        raise UserError(f"got {text!r}, expected a value as in YAML: a number, text or a list such as [2, 3]") from None


def standard_input() -> tuple[bytes, str]:
    """What is on standard input, and the suffix of its format: .npy, .tsv or .csv. Raises UserError for nothing."""
    if sys.stdin is None:
        raise UserError("standard input is closed; expected a matrix in CSV, or the path of a file in place of -")
    content = sys.stdin.buffer.read(MOST_BYTES + 1)
    if not content or len(content) > MOST_BYTES:
        what = "is empty" if not content else f"is larger than {MOST_BYTES // 2**20} MiB"
        raise UserError(f"standard input {what}; expected a matrix in CSV, or the path of a file in place of -")
    if content.startswith(b"\x93NUMPY"):
        return content, ".npy"
    return content, ".tsv" if b"\t" in content.partition(b"\n")[0] else ".csv"


def _files_by(text: str) -> list[str]:
    """The paths of the files in the folder that a path names."""
    folder = Path(text).parent
    try:
        return [str(path) for path in folder.iterdir() if path.is_file()]
    except (OSError, ValueError):
        return []
