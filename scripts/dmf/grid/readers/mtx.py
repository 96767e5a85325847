"""Matrix Market files, dense or sparse (Boisvert, Pozo and Remington 1996).

Not by scipy.io.mmread, which in version 1.17 crashes the process on a file that ends within a number.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable

import numpy as np

from dmf.errors import UserError
from dmf.grid.labelled import Floats, LabelledMatrix, refuse_shape
from dmf.grid.readers._contract import Options

SUFFIXES = (".mtx",)
USES: tuple[str, ...] = ()
ISOLATED = False
LAYOUTS = {"array": 2, "coordinate": 3}  # numbers in the line of sizes
FIELDS = ("real", "integer")
SYMMETRIES = {"general": 0, "symmetric": 1, "skew-symmetric": -1}  # what mirrors the lower triangle


def read(content: bytes, suffix: str, options: Options) -> LabelledMatrix:
    """The matrix, made dense; its size is asked of the header first."""
    text = io.StringIO(content.decode("utf-8"))
    layout, sign = _banner(text.readline())
    sizes = next((line for line in text if line.strip() and not line.startswith("%")), "").split()
    if len(sizes) != LAYOUTS[layout] or not all(size.isascii() and size.isdigit() for size in sizes):
        raise UserError(f"got sizes {' '.join(sizes)[:40]!r}, expected {LAYOUTS[layout]} whole numbers")
    rows, columns, *entries = map(int, sizes)
    refuse_shape((rows, columns))
    if sign and rows != columns:
        raise UserError(f"got {rows} rows and {columns} columns of a symmetric matrix")
    if layout == "array":
        numbers = _numbers(text, rows * (rows + sign) // 2 if sign else rows * columns, 1)
        return LabelledMatrix(_dense(numbers[:, 0], rows, columns, sign))
    return LabelledMatrix(_sparse(_numbers(text, entries[0], 3), rows, columns, sign))


def _banner(line: str) -> tuple[str, int]:
    words = line.lower().split()
    if len(words) != 5 or words[:2] != ["%%matrixmarket", "matrix"] or words[2] not in LAYOUTS:
        raise UserError(
            f"begins with {line[:40].strip()!r}, expected '%%MatrixMarket matrix array real general' or alike"
        )
    if words[3] not in FIELDS or words[4] not in SYMMETRIES:
        raise UserError(f"is {words[3]} {words[4]}, expected real or integer, and one of {', '.join(SYMMETRIES)}")
    return words[2], SYMMETRIES[words[4]]


def _numbers(text: Iterable[str], count: int, width: int) -> Floats:
    """Numbers (count, width) of as many lines."""
    lines = filter(str.strip, text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of no line at all, which may be right
        numbers = np.loadtxt(lines, dtype=np.float64, comments=None, ndmin=2, max_rows=count)
    numbers = numbers.reshape(0, width) if numbers.size == 0 else numbers
    more = next(lines, None)
    if len(numbers) != count or more:
        raise UserError(f"has {'more than ' if more else ''}{len(numbers)} entries, expected {count}")
    if numbers.shape[1] != width:
        raise UserError(f"has {numbers.shape[1]} numbers a line, expected {width}")
    return numbers


def _dense(numbers: Floats, rows: int, columns: int, sign: int) -> Floats:
    """Columns one after the other; of a symmetric matrix their lower parts."""
    if not sign:
        return numbers.reshape(columns, rows).T
    matrix = np.zeros((rows, rows))
    column, row = np.triu_indices(rows, 0 if sign == 1 else 1)
    matrix[column, row] = sign * numbers
    matrix[row, column] = numbers
    return matrix


def _sparse(entries: Floats, rows: int, columns: int, sign: int) -> Floats:
    """Row, column and value a line, counted from 1; values at one place add up."""
    row, column, values = entries[:, 0], entries[:, 1], entries[:, 2]
    inside = (row >= 1) & (row <= rows) & (column >= 1) & (column <= columns)
    if not (inside & (row % 1 == 0) & (column % 1 == 0)).all():
        raise UserError(f"has an entry outside of its {rows} rows and {columns} columns")
    places = row.astype(int) - 1, column.astype(int) - 1
    matrix = np.zeros((rows, columns))
    np.add.at(matrix, places, values)
    if sign:
        apart = places[0] != places[1]
        np.add.at(matrix, (places[1][apart], places[0][apart]), sign * values[apart])
    return matrix
