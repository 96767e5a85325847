"""Tables as text, cells separated by commas or tabs, with or without labels in the first row and column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from dmf.errors import UserError
from dmf.grid.fields import LARGEST_DIMENSION
from dmf.grid.labelled import Floats, LabelledMatrix, labels
from dmf.grid.readers._contract import Options

SUFFIXES = (".csv", ".tsv")
USES = ("header", "index")
ISOLATED = False
LONGEST_ROW = 2**20  # characters; a row of 4,096 numbers with 17 digits has a tenth
SEPARATOR = {".csv": (",", "commas"), ".tsv": ("\t", "tabs")}


class Line(NamedTuple):
    """A line of the file: its number, its first cell, and the rest."""

    number: int
    head: str
    rest: Sequence[str]


def read(content: bytes, suffix: str, options: Options) -> LabelledMatrix:
    """The table's numbers and labels.

    Where `options` do not say so, the first row is labels if all of its cells but the first are text, or if only its
    first is empty; the first column is labels if all of it is text. What mixes text and numbers is refused.
    """
    separator, name = SEPARATOR[suffix]
    lines = _lines(content, separator)
    first = next(lines, None)
    if first is None:
        raise UserError("is empty; expected rows of numbers")
    header = _is_header(first) if options.header is None else options.header
    heads: list[str] = []
    numbers: list[int] = []
    body: list[Floats] = []
    for line in lines if header else chain([first], lines):
        if len(line.rest) != len(first.rest):
            widths = 1 + len(line.rest), 1 + len(first.rest)
            raise UserError(f"line {line.number} has {widths[0]} cells, line {first.number} has {widths[1]}")
        numbers.append(line.number)
        heads.append(line.head)
        body.append(np.array([_number(cell, line.number, 2 + i, name) for i, cell in enumerate(line.rest)]))
        if len(body) > LARGEST_DIMENSION + 1:
            raise _too_large()
    values = np.array(body, dtype=np.float64).reshape(len(body), len(first.rest))
    index = bool(first.rest) and _is_index(heads) if options.index is None else options.index
    if not index:
        lead = [_number(head, number, 1, name) for head, number in zip(heads, numbers, strict=True)]
        values = np.column_stack([np.array(lead, dtype=np.float64), values])
    columns = first.rest if index else [first.head, *first.rest]
    return LabelledMatrix(values, labels(heads) if index else (), labels(columns) if header else ())


def _lines(content: bytes, separator: str) -> Iterator[Line]:
    text = _Text(content)
    table = csv.reader(text, delimiter=separator, strict=True)
    for cells in table:
        text.taken = 0
        if any(cell.strip() for cell in cells):
            if len(cells) > LARGEST_DIMENSION + 1:
                raise _too_large()
            yield Line(table.line_num, cells[0].strip(), [cell.strip() for cell in cells[1:]])


class _Text:
    """The lines of a text, read one by one; refuses a row that is longer than any table's, before it is read."""

    def __init__(self, content: bytes) -> None:
        # Not StringIO, which takes four bytes a character.
        self._file = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
        self._number = 0
        self.taken = 0
        """Characters read since the last row began: a cell in quotes may hold several lines."""

    def __iter__(self) -> Iterator[str]:
        while text := self._file.readline(LONGEST_ROW + 1):
            self._number += 1
            self.taken += len(text)
            if self.taken > LONGEST_ROW:
                raise UserError(
                    f"line {self._number}: a row of more than {LONGEST_ROW:,} characters, expected a table of at most "
                    f"{LARGEST_DIMENSION} columns; reduce the matrix"
                )
            yield text


def _too_large() -> UserError:
    return UserError(f"has more than {LARGEST_DIMENSION} rows or columns; reduce the matrix")


def _is_header(first: Line) -> bool:
    if not first.rest:
        return _is_text(first.head)
    return _all_text(first.rest, f"line {first.number}", "header") or not first.head


def _is_index(heads: Sequence[str]) -> bool:
    return _all_text(heads, "the first column", "index")


def _all_text(cells: Sequence[str], place: str, key: str) -> bool:
    texts = sum(map(_is_text, cells))
    if 0 < texts < len(cells):
        raise UserError(f"{place} mixes text and numbers; say {key}: true if it is labels, else {key}: false")
    return texts > 0


def _is_text(cell: str) -> bool:
    if not cell:
        return False
    try:
        float(cell)
    except ValueError:
        return True
    return False


def _number(cell: str, line: int, column: int, separators: str) -> float:
    try:
        if "_" in cell:  # Python reads 1_000 as a number; no table means it so
            raise ValueError
        return float(cell)
    except ValueError:
        shown = f"{cell[:40]!r}" if cell else "an empty cell"
        raise UserError(
            f"line {line}, column {column}: got {shown}, expected a number; {separators} separate cells"
        ) from None
