"""Tables as text, cells separated by commas or tabs, with or without labels in the first row and column."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from dmf.errors import UserError, shown
from dmf.grid.labelled import Floats, LabelledMatrix, labels
from dmf.grid.limits import LARGEST_DIMENSION
from dmf.grid.readers._contract import Options
from dmf.grid.readers._decimals import number, whole

SUFFIXES = (".csv", ".tsv")
USES = ("header", "index")
ISOLATED = False
LONGEST_ROW = 2**20  # characters; a row of 4,096 numbers with 17 digits has a tenth
LONGEST_CELL = 40  # characters of one in an error
SEPARATOR = {".csv": (",", "commas"), ".tsv": ("\t", "tabs")}
# Words for a missing or impossible value that begin with a letter; in lower case, without points, blanks and slashes.
WORDS = (
    "na nan nans nanq nanind nat null nil none nd nv nr dnf bdl blq blod lod loq tbd tba void empty blank "
    "missing missingvalue unknown undefined unavailable notavailable notapplicable notdetected notanumber "
    "nodata novalue masked invalid error false true inf infinity ind"
)
MISSING = frozenset(WORDS.split())
WRONG = frozenset(("invalid", "error", "false", "true", "inf", "infinity", "ind"))  # of these, what is not missing
BARE = str.maketrans("", "", " ._-/()")
YEARS = range(1800, 2100)
DATE = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2}([T ][0-9:.]+Z?)?)?")
# What pandas and readr call a first column without a heading when they write a table again.
NAMELESS = ("Unnamed:", "...1")


class Line(NamedTuple):
    """A line of the file that is not empty: its number and cells, without blanks around them."""

    number: int
    cells: list[str]


class _Rows:
    """The numbers of a table below its labels, line by line; its first column as text, which may be labels."""

    def __init__(self, width: int, separators: str, options: Options) -> None:
        self.width, self._separators, self._options = width, separators, options
        self.heads: list[str] = []
        self.lines: list[int] = []
        self.rest: list[Floats] = []

    def add(self, line: Line, first: bool = False) -> None:
        """Read a line's numbers but for the first cell. Raises UserError for what is none."""
        self.heads.append(line.cells[0])
        self.lines.append(line.number)
        self.rest.append(
            np.array([self.number(cell, line.number, 2 + at, first) for at, cell in enumerate(line.cells[1:])])
        )
        if len(self.rest) > LARGEST_DIMENSION + 1:
            raise _too_large()

    def first_column(self, header: bool) -> Floats:
        """The first column as numbers, (n, 1). Raises UserError for a cell that is none."""
        numbers = [
            self.number(cell, line, 1, first=not header and at == 0)
            for at, (cell, line) in enumerate(zip(self.heads, self.lines, strict=True))
        ]
        return np.array(numbers, dtype=np.float64).reshape(-1, 1)

    def number(self, cell: str, line: int, column: int, first: bool) -> float:
        """The number in a cell. Raises UserError, with the key that settles it, where that is none."""
        if self._options.missing and cell.lower().translate(BARE) in {"", "?"} | MISSING - WRONG:
            return math.nan
        try:
            return number(cell)
        except ValueError as error:
            got = shown(cell, LONGEST_CELL, quoted=True) if cell else "an empty cell"
            keys = [f"header: true if line {line} is labels"] if first and self._options.header is None else []
            if column == 1 < self.width and self._options.index is None:
                keys.append("index: true if column 1 is labels")
            remedy = f"; say {', '.join(keys)}" if keys else ""
            raise UserError(
                f"line {line}, column {column}: got {got}, {error}; {self._separators} separate cells{remedy}"
            ) from None


def read(content: bytes, suffix: str, options: Options) -> LabelledMatrix:
    """The table's numbers and labels.

    Where `options` do not say so, the first row or column is labels only if its cells are different words: texts that
    begin with a letter and are no word for a missing value, or dates. The first column also if it has no heading and
    is different whole numbers, the index that pandas and R write. All else must be numbers, and is refused where
    numbers could be labels.
    """
    separator, name = SEPARATOR[suffix]
    lines = _lines(content, separator)
    first, line = next(lines, None), next(lines, None)
    if first is None:
        raise UserError("is empty; expected rows of numbers")
    short = line is not None and len(line.cells) == len(first.cells) + 1 and options.index is not False
    top = _Top(first.number, "", first.cells) if short else _Top(first.number, first.cells[0], first.cells[1:])
    header = _is_header(top, options)
    short = short and header is not False
    width = len(first.cells) + short
    rows = _Rows(width, name, options)
    if header is False:
        rows.add(first, first=True)
    while line is not None:
        if len(line.cells) != width:
            raise UserError(f"line {line.number} has {len(line.cells)} cells, line {first.number} has {width}")
        rows.add(line)
        line = next(lines, None)
    if header is None:  # no heading and numbers across: labels if what stands below says so, else no table
        header = _words(rows.heads) or (_counts(top.names, 0) and (options.index or _counts(rows.heads, 0)))
        if not header:
            rows.number(top.corner, first.number, 1, first=True)
    index = _is_index(top, rows, header) if options.index is None else options.index
    across = top.names if index else first.cells
    if not header and options.header is None and len(rows.heads) > 1 and (_counts(across, 0) or _years(across)):
        raise UserError(
            f"line {first.number} is {_few(across)}, which could be labels; "
            f"say header: true if line {first.number} is labels, else header: false"
        )
    values = np.array(rows.rest, dtype=np.float64).reshape(len(rows.rest), width - 1)
    if not index:
        values = np.column_stack([rows.first_column(header), values])
    columns = (top.names if index else first.cells) if header else ()
    return LabelledMatrix(values, labels(rows.heads) if index else (), labels(columns))


class _Top(NamedTuple):
    """The first line: its number, what is above the first column, and what is above the others."""

    line: int
    corner: str
    names: list[str]

    @property
    def nameless(self) -> bool:
        """Whether the first column has no heading."""
        return not self.corner or self.corner.startswith(NAMELESS)


def _is_header(top: _Top, options: Options) -> bool | None:
    """Whether the first row is labels; None where the first column decides, because the corner is no number."""
    if options.header is not None:
        return options.header
    if not top.names:
        return _words([top.corner])
    if _words(top.names):
        return top.nameless or options.index is True or _words([top.corner, *top.names])
    return None if top.nameless and options.index is not False and _wholes(top.names) else False


def _is_index(top: _Top, rows: _Rows, header: bool) -> bool:
    """Whether the first column is labels. Raises UserError where it is numbers that could be labels."""
    if rows.width == 1:
        return False
    if _words(rows.heads):
        return True
    if header and top.nameless:
        if _wholes(rows.heads):
            return True
        reason = "column 1 has no heading"
    elif len(rows.heads) > 1 and (
        _counts(rows.heads, 0) or _counts(rows.heads, 1, 2 if header else 3) or _years(rows.heads)
    ):
        reason = f"column 1 is {_few(rows.heads)}, which could be labels"
    else:
        return False
    raise UserError(f"{reason}; say index: true if column 1 is labels, else index: false")


def _words(cells: Sequence[str]) -> bool:
    return len(set(cells)) == len(cells) > 0 and all(map(_is_word, cells))


def _is_word(cell: str) -> bool:
    return (cell[:1].isalpha() and cell.lower().translate(BARE) not in MISSING) or DATE.fullmatch(cell) is not None


def _wholes(cells: Sequence[str]) -> bool:
    return len(set(cells)) == len(cells) > 0 and None not in map(whole, cells)


def _counts(cells: Sequence[str], start: int, least: int = 2) -> bool:
    return len(cells) >= least and [whole(cell) for cell in cells] == list(range(start, start + len(cells)))


def _years(cells: Sequence[str]) -> bool:
    numbers = [found for cell in cells if (found := whole(cell)) is not None and found in YEARS]
    return len(cells) > 1 and len(numbers) == len(cells) and numbers == sorted(set(numbers))


def _few(cells: Sequence[str]) -> str:
    return ", ".join(cells[:3]) + (", ..." if len(cells) > 3 else "")


def _lines(content: bytes, separator: str) -> Iterator[Line]:
    """The lines that are not empty. Raises UserError for an empty one between the rows of a table of one column."""
    text = _Text(content)
    table = csv.reader(text, delimiter=separator, strict=True)
    width = empty = 0
    for cells in table:
        text.taken = 0
        if len(cells) > LARGEST_DIMENSION + 1:
            raise _too_large()
        if not cells or (len(cells) == 1 and cells[0].isspace()):
            empty = empty or (table.line_num if width == 1 else 0)
            continue
        width = len(cells)
        if empty:
            raise UserError(f"line {empty} is empty; expected a number, or no such line")
        yield Line(table.line_num, [cell.strip() for cell in cells])


class _Text:
    """The lines of a text, read one by one; refuses a row that is longer than any table's, before it is read."""

    def __init__(self, content: bytes) -> None:
        # Not StringIO, which takes four bytes a character.
        self._file = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
        self._number = 0
        self.taken = 0
        """Characters read since the last row began: a cell in quotes may hold several lines."""

    def __iter__(self) -> Iterator[str]:
        while text := self._next():
            self._number += 1
            self.taken += len(text)
            if self.taken > LONGEST_ROW:
                raise UserError(
                    f"line {self._number}: a row of more than {LONGEST_ROW:,} characters, expected a table of at most "
                    f"{LARGEST_DIMENSION} columns; reduce the matrix"
                )
            yield text

    def _next(self) -> str:
        try:
            return self._file.readline(LONGEST_ROW + 1)
        except UnicodeDecodeError as error:
            byte = f"0x{error.object[error.start]:02x}"
            raise UserError(f"is no text in UTF-8 (byte {byte} after line {self._number}); save it so") from None


def _too_large() -> UserError:
    return UserError(f"has more than {LARGEST_DIMENSION} rows or columns; reduce the matrix")
