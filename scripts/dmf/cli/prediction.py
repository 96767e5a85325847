"""How `dmf predict` shows what the theory says of one setting: tables, with the names of the explorer."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from rich.text import Text

from dmf.cli.output import console, digits
from dmf.cli.tables import Column, left_out, print_table
from dmf.errors import printable
from dmf.formulas import in_unicode
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
    """Print what `predict` found of the target called `name`, as tables."""
    screen = console(sys.stdout)
    shown = ", ".join(str(width) for width in widths)
    head = f": depth {len(widths) - 1}, λ = {digits(lam, 10)}, widths {shown}"
    screen.print(Text.assemble((printable(name), "bold"), head), soft_wrap=True)
    for note in found["notes"]:
        screen.print(note, style="bold yellow")
    for title, entries in NUMBERS.items():
        columns = [
            Column("", [in_unicode(f"${latex}$") for _, latex, _ in entries], 0),
            Column("", [digits(found["numbers"][key], 10) for key, _, _ in entries], 1),
            Column("", [words for _, _, words in entries], 2, least=12),
        ]
        print_table(screen, columns, title, header=False)
    tables = {
        "Singular values": _values_columns(found["values"]),
        "Levels: where training can end": _level_columns(found),
    }
    for (title, columns), rows in zip(tables.items(), (found["values"], found["levels"]), strict=True):
        missing = print_table(screen, columns, title)
        more = [f"{len(rows) - MOST_ROWS:,} more rows with --json."] if len(rows) > MOST_ROWS else []
        if line := " ".join([*more, left_out(missing, "--json has all")]).strip():
            screen.print(line)


def _values_columns(values: Sequence[dict[str, float]]) -> list[Column]:
    """One row a singular value."""
    ranks = {"minimizer": 2, "largeRoot": 6, "smallRoot": 7, "criticalLambda": 4, "branchLambda": 5}
    rows = values[:MOST_ROWS]
    numbers = [Column("σ", [digits(value["sigma"]) for value in rows], 1, right=True)]
    for key, words in VALUES.items():
        numbers.append(Column(in_unicode(words), [digits(value[key]) for value in rows], ranks[key], right=True))
    fates = ["kept" if value["minimizer"] > 0 else "collapsed" for value in rows]
    return [Column("", [str(i + 1) for i in range(len(rows))], 0), *numbers, Column("", fates, 3, right=True)]


def _level_columns(found: dict[str, Any]) -> list[Column]:
    """One row a level."""
    rows = found["levels"][:MOST_ROWS]
    indices = ["–" if level["morseIndex"] is None else str(level["morseIndex"]) for level in rows]
    return [
        Column("k", [str(level["kept"]) for level in rows], 0),
        Column("F", [digits(level["objective"], 10) for level in rows], 1, right=True),
        Column("F − F*", [digits(level["excess"]) for level in rows], 3, right=True),
        Column("Morse index", indices, 4, right=True),
        Column(in_unicode(r"$\lambda_{\max}$"), [digits(level["lambdaMax"]) for level in rows], 5, right=True),
        Column("", [level["kind"] for level in rows], 2, right=True),
    ]
