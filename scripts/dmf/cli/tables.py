"""Tables that fit the terminal: where there is no room, columns go, the least important first; no cell is cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dmf.errors import printable

FRAME = 3  # columns that a cell takes on top of its text: a line and two spaces


@dataclass(frozen=True)
class Column:
    """A column of a table: `cells` are plain text, `styles` of a cell by its text.

    `rank` says how much it matters, 0 most. Text of a column with `least` may go on in further lines, down to that
    width; any other has every cell on one line, and only its heading may take several.
    """

    heading: str
    cells: Sequence[str]
    rank: int
    right: bool = False
    least: int | None = None
    styles: Mapping[str, str] = field(default_factory=dict)

    @property
    def full(self) -> int:
        """The width at which nothing goes on in another line."""
        return max(map(cell_len, [self.heading, *self.cells]))

    @property
    def narrowest(self) -> int:
        """The width below which the column is left out."""
        words = [word for text in (self.heading, *(self.cells if self.least else ())) for word in text.split()]
        unbroken = [*words, *(() if self.least else self.cells), " " * (self.least or 1)]
        return min(self.full, max(map(cell_len, unbroken)))


def print_table(screen: Console, columns: Sequence[Column], title: str = "", header: bool = True) -> list[str]:
    """Print the columns for which there is room, in the order given; returns the headings of the others."""
    shown = [_of_letters(column, screen.encoding) for column in columns]
    ranked = sorted(shown, key=lambda column: column.rank)
    while len(ranked) > 1 and _width(ranked) > screen.width:
        ranked.pop()
    kept = [column for column in shown if column in ranked]
    room = max(screen.width - _width(kept), 0)
    table = Table(title=Text(printable(title)) if title else None, title_justify="left", show_header=header)
    for column in kept:
        wider = min(column.full - column.narrowest, room)
        room -= wider
        table.add_column(
            Text(column.heading),
            width=column.narrowest + wider,
            justify="right" if column.right else "left",
            overflow="fold",
            header_style="bold",
        )
    for row in zip(*(column.cells for column in kept), strict=True):
        table.add_row(*(Text(text, column.styles.get(text, "")) for text, column in zip(row, kept, strict=True)))
    screen.print(table)
    return [column.heading for column in shown if column not in kept]


def left_out(headings: Sequence[str], instead: str) -> str:
    """A line that names the columns for which there was no room, and says where they are."""
    return f"No room for {', '.join(headings)}; {instead}." if headings else ""


def _width(columns: Sequence[Column]) -> int:
    return sum(column.narrowest + FRAME for column in columns) + 1


def _of_letters(column: Column, encoding: str) -> Column:
    """The column in letters that the terminal has, as wide as it will print them."""

    def text(words: str) -> str:
        return printable(words).encode(encoding, "backslashreplace").decode(encoding)

    styles = {text(words): style for words, style in column.styles.items()}
    cells = [text(words) for words in column.cells]
    return Column(text(column.heading), cells, column.rank, column.right, column.least, styles)
