"""How commands print: the options that say so, numbers as people read them, and JSON with every digit."""

from __future__ import annotations

import argparse
import json
import math
import os
from typing import Any, TextIO

from rich.console import Console

from dmf.json_values import finite

WIDE = 140  # columns, where the output is no terminal and COLUMNS is not set


def add_output(parser: argparse.ArgumentParser) -> None:
    """The options that `dmf cell` and `dmf study` share."""
    parser.add_argument("--claim", help="also show the statistic of this claim, in units of tolerance")
    parser.add_argument("--json", action="store_true", help="print JSON with every digit instead of a table")


def console(stream: TextIO | None) -> Console:
    """A console on a stream, as wide as its terminal; text is printed as it is, brackets included.

    None is what Python has in place of a stream that is closed: what is printed there is lost.
    """
    known = "COLUMNS" in os.environ or (stream is not None and stream.isatty())
    width = None if known else WIDE
    return Console(file=stream, width=width, highlight=False, emoji=False, markup=False, quiet=stream is None)


def print_json(value: Any) -> None:
    """JSON with every digit; null for what is not finite, which JSON lacks."""
    print(json.dumps(finite(value), indent=2, ensure_ascii=False, allow_nan=False))


def digits(value: float | None, count: int = 6) -> str:
    """A number with that many significant digits; a dash where there is none."""
    if value is None or math.isnan(value):
        return "–"
    return f"{value:.{count}g}".replace("inf", "∞").replace("-", "−")
