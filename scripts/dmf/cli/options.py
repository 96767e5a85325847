"""Options that `dmf cell` and `dmf study` share. What they show with needs libraries that take a second to load."""

from __future__ import annotations

import argparse


def add_output(parser: argparse.ArgumentParser) -> None:
    """The options that both commands share."""
    parser.add_argument("--claim", help="also show the statistic of this claim, in units of tolerance")
    parser.add_argument("--json", action="store_true", help="print JSON with every digit instead of a table")
