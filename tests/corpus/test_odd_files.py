"""Odd files: each is read to the last bit as its bytes say, or refused in one line that names it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from corpus.odd_files import FAMILIES, Odd, odd_files
from dmf.errors import UserError
from dmf.grid.config import validate
from dmf.grid.targets import TargetMatrix, build_targets
from files import in_process

SEED = int(os.environ.get("DMF_ODD_SEED", "0"))  # another one draws other files
# Of each format how many are read and how many refused.
TOTALS = {
    "table": (57, 53), "png": (30, 20), "pgm": (18, 12), "bmp": (22, 8), "tiff": (40, 30), "mtx": (35, 25),
    "mat": (43, 17), "netcdf": (52, 18), "npy": (29, 11), "npz": (28, 12),
}  # fmt: skip


def build(odd: Odd) -> TargetMatrix | str:
    """The target, or the line that refuses it."""
    path = f"odd{odd.suffix}"
    Path(path).write_bytes(odd.content)
    target = {"name": "m", "kind": "file", "path": path, **odd.keys}
    grid = {"grid": "x", "targets": [target], "depths": [2], "lambdas": {"relative": [1]}}
    try:
        return build_targets(validate(grid, "x.yaml"), "x.yaml")[0]
    except UserError as error:
        return str(error)


def problem(odd: Odd) -> str:
    """What is wrong with how a file is read; empty where nothing is."""
    found = build(odd)
    if isinstance(found, str):
        fair = odd.refusal and odd.refusal in found and found.startswith(f"x.yaml: targets.0 (m): odd{odd.suffix}: ")
        return "" if fair and found.isprintable() else f"refused: {found}; expected {odd.refusal or 'its numbers'!r}"
    if odd.truth is None:
        return f"read as {found.values.tolist()}; expected {odd.refusal!r}"
    if found.shape != odd.truth.shape or not np.array_equal(found.values, odd.truth.astype(np.float64)):
        return f"read as {found.values.tolist()}; expected {odd.truth.tolist()}"
    if odd.rows is not None and odd.rows != found.rows:
        return f"rows {found.rows}; expected {odd.rows}"
    if odd.columns is not None and odd.columns != found.columns:
        return f"columns {found.columns}; expected {odd.columns}"
    return ""


@pytest.mark.parametrize("family", FAMILIES)
def test_odd_files_are_read_as_their_bytes_say_or_refused_by_name(family: str, in_tmp: Path) -> None:
    files = odd_files(family, SEED)
    with in_process():
        problems = [f"{odd.name}: {wrong}" for odd in files if (wrong := problem(odd))]
    assert not problems, f"{len(problems)} of {len(files)}\n" + "\n".join(problems)
    read = sum(odd.truth is not None for odd in files)
    if SEED == 0:
        assert (read, len(files) - read) == TOTALS[family]


@pytest.mark.parametrize("family", FAMILIES)
def test_other_libraries_read_the_same_numbers_from_the_same_bytes(family: str) -> None:
    files = [odd for odd in odd_files(family, SEED) if odd.witness is not None and odd.truth is not None]
    for odd in files:
        assert odd.witness is not None
        np.testing.assert_array_equal(odd.witness(odd.content), odd.truth, err_msg=odd.name)
    assert SEED or len(files) >= (0 if family in ("bmp", "tiff") else 2)


def test_there_are_at_least_four_hundred_of_which_most_are_read() -> None:
    read, refused = (sum(pair[at] for pair in TOTALS.values()) for at in (0, 1))
    assert read + refused >= 400
    assert read > 300
