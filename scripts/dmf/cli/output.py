"""How commands print: the options that say so, numbers as people read them, and JSON with every digit."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from typing import Any, TextIO

from rich.console import Console

WIDE = 140  # columns, where the output is no terminal and COLUMNS is not set


def add_output(parser: argparse.ArgumentParser) -> None:
    """The options that `dmf cell` and `dmf study` share."""
    parser.add_argument("--claim", help="also show the statistic of this claim, in units of tolerance")
    parser.add_argument("--json", action="store_true", help="print JSON with every digit instead of a table")


def console(stream: TextIO | None = None) -> Console:
    """A stream, standard output if None, as wide as its terminal; text is printed as it is, brackets included."""
    file = stream or sys.stdout
    known = file.isatty() or "COLUMNS" in os.environ
    return Console(file=file, width=None if known else WIDE, highlight=False, emoji=False, markup=False)


def print_json(value: Any) -> None:
    """JSON with every digit; null for what is not finite, which JSON lacks."""
    print(json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False))


def digits(value: float | None, count: int = 6) -> str:
    """A number with that many significant digits; a dash where there is none."""
    if value is None or math.isnan(value):
        return "–"
    return f"{value:.{count}g}".replace("inf", "∞").replace("-", "−")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
