"""A prediction as tables in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from dmf.cli.formulas import in_unicode
from dmf.cli.output import console, digits
from dmf.report.explorer.page import NUMBERS

MOST_ROWS = 20  # of a table; --json has all
VALUES = {
    "minimizer": r"$x^*$",
    "largeRoot": "large root",
    "smallRoot": "small root",
    "criticalLambda": r"$\lambda_c$",
    "branchLambda": r"$\lambda_s$",
}


def show(found: dict[str, Any], name: str, widths: Sequence[int], lam: float) -> None:
    """Print what `dmf.cli.prediction.predict` found of the target called `name`."""
    screen = console()
    shown = " × ".join(str(width) for width in reversed(widths))
    screen.print(f"[bold]{name}[/bold]: depth {len(widths) - 1}, λ = {digits(lam, 10)}, widths {shown}", soft_wrap=True)
    for note in found["notes"]:
        screen.print(f"[bold yellow]{note}[/bold yellow]")
    for title, entries in NUMBERS.items():
        table = _table(title)
        for key, latex, words in entries:
            table.add_row(in_unicode(f"${latex}$"), digits(found["numbers"][key], 10), words)
        screen.print(table)
    screen.print(_values(found["values"]))
    screen.print(_levels(found))


def _table(title: str, *headings: str) -> Table:
    table = Table(*headings, title=title, title_justify="left", show_header=bool(headings), header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _values(values: Sequence[dict[str, float]]) -> Table:
    table = _table("Singular values", "", "σ", *map(in_unicode, VALUES.values()), "")
    for i, value in enumerate(values[:MOST_ROWS]):
        fate = "kept" if value["minimizer"] > 0 else "collapsed"
        table.add_row(str(i + 1), digits(value["sigma"]), *(digits(value[key]) for key in VALUES), fate)
    return _cut(table, len(values))


def _levels(found: dict[str, Any]) -> Table:
    table = _table(
        "Levels: where training can end", "k", "F", "F − F*", "Morse index", in_unicode(r"$\lambda_{\max}$"), ""
    )
    levels = found["levels"]
    for level in levels[:MOST_ROWS]:
        index = "–" if level["morseIndex"] is None else str(level["morseIndex"])
        numbers = (digits(level["objective"], 10), digits(level["excess"]), index, digits(level["lambdaMax"]))
        table.add_row(str(level["kept"]), *numbers, level["kind"])
    return _cut(table, len(levels))


def _cut(table: Table, rows: int) -> Table:
    if rows > MOST_ROWS:
        table.caption = f"{rows - MOST_ROWS:,} more with --json"
    return table
