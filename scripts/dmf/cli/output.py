"""How commands print: the options that say so, numbers as people read them, and JSON with every digit."""

from __future__ import annotations

import argparse
import json
import math
import sys
from typing import Any

from rich.console import Console
from rich.markup import escape

from dmf.errors import printable

WIDE = 120  # columns, where the output is no terminal


def add_output(parser: argparse.ArgumentParser) -> None:
    """The options that `dmf cell` and `dmf study` share."""
    parser.add_argument("--claim", help="also show the statistic of this claim, in units of tolerance")
    parser.add_argument("--json", action="store_true", help="print JSON with every digit instead of a table")


def console() -> Console:
    """Standard output: as wide as the terminal, or WIDE where there is none."""
    return Console(width=None if sys.stdout.isatty() else WIDE, highlight=False, emoji=False)


def verbatim(text: str) -> str:
    """A stranger's text for a console: on one line, and brackets are brackets, not the console's markup."""
    return escape(printable(text))


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
