"""A table is no wider than the terminal: where there is no room, columns go by rank, and no cell is cut."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from dmf.cli.tables import Column, left_out, print_table

WORDS = st.text("abcdefgλ−[]", min_size=1, max_size=9)
WIDTHS = st.integers(24, 160)


def printed(columns: list[Column], width: int, title: str = "") -> tuple[list[str], list[str]]:
    """The lines of a table, and the headings of what had no room."""
    screen = Console(file=io.StringIO(), width=width, color_system=None, markup=False, emoji=False, highlight=False)
    missing = print_table(screen, columns, title)
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue().splitlines(), missing


@st.composite
def tables(draw: st.DrawFn) -> list[Column]:
    rows = draw(st.integers(1, 4))
    cells = st.lists(WORDS, min_size=rows, max_size=rows)
    texts = st.lists(st.lists(WORDS, min_size=1, max_size=8).map(" ".join), min_size=rows, max_size=rows)
    ranks = draw(st.permutations(range(draw(st.integers(1, 7)))))
    made = []
    for rank in ranks:
        long = draw(st.booleans())
        made.append(Column(f"h{rank}", draw(texts if long else cells), rank, draw(st.booleans()), 9 if long else None))
    return made


def down(lines: list[str], place: int) -> list[str]:
    """What the lines of a table have in a column, from the top."""
    rows = [re.split("[│┃]", line)[1:-1] for line in lines if re.match("[│┃]", line)]
    return [row[place].strip() for row in rows]


@given(tables(), WIDTHS)
def test_no_line_is_wider_than_the_terminal_and_no_cell_is_cut(columns: list[Column], width: int) -> None:
    lines, missing = printed(columns, width)
    assert all(len(line) <= width for line in lines)
    kept = [column for column in columns if column.heading not in missing]
    ranks = sorted(column.rank for column in kept)
    assert ranks == list(range(len(kept)))  # what matters most is there
    for place, column in enumerate(kept):
        found = down(lines, place)
        if column.least is None:  # each cell on one line
            assert [text for text in found[1:] if text] == list(column.cells)
        assert "".join("".join(found).split()) == column.heading + "".join("".join(column.cells).split())


@given(tables())
def test_nothing_is_left_out_where_there_is_room(columns: list[Column]) -> None:
    assert printed(columns, 10_000)[1] == []


def test_a_number_is_on_one_line_and_a_text_may_take_several() -> None:
    columns = [
        Column("statistic", ["0.99999998"], 0, right=True),
        Column("what it says", ["As lambda vanishes, sharpness tends to another"], 1, least=12),
    ]
    lines, missing = printed(columns, 30)
    assert missing == []
    assert sum("0.99999998" in line for line in lines) == 1
    assert len(lines) > 5
    assert printed(columns, 20)[1] == ["what it says"]


def test_names_from_files_are_text_and_not_markup(capsys: pytest.CaptureFixture[str]) -> None:
    lines, _ = printed([Column("name", ["[red]x[/red]", ":smile:", "a\x1b[31m"], 0)], 80, "ratings[final]")
    text = "\n".join(lines)
    assert all(name in text for name in ("[red]x[/red]", ":smile:", r"a\x1b[31m", "ratings[final]"))


def test_a_terminal_without_some_letters_gets_a_table_that_fits_too() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="latin-1", errors="backslashreplace", write_through=True)
    screen = Console(file=stream, width=40, color_system=None)
    columns = [Column("λ", ["1", "2"], 0), Column("x", ["λ_c and λ_s and more", "−1"], 1, least=8)]
    assert print_table(screen, columns) == []
    lines = raw.getvalue().decode("ascii").splitlines()
    assert all(len(line) <= 40 for line in lines)
    assert r"\u03bb_c" in raw.getvalue().decode("ascii")


def test_what_has_no_room_is_named_with_where_it_is() -> None:
    assert left_out(["margin", "basis"], "the file has all") == "No room for margin, basis; the file has all."
    assert left_out([], "the file has all") == ""
