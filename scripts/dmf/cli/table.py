"""The table of verdicts in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from dmf.evidence.claim import Verdict
from dmf.report.verdicts import number

STYLES = {"confirmed": "green", "violated": "bold red", "inconclusive": "yellow"}


def verdict_table(verdicts: Sequence[Verdict], title: str) -> Table:
    """One row a claim; colours repeat what the words say, they never stand alone."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for heading in ("source", "claim", "verdict", "statistic", "margin", "counted", "cells", "control"):
        right = heading in ("statistic", "margin", "counted", "cells")
        narrow = right or heading in ("verdict", "control")
        table.add_column(
            heading, justify="right" if right else "left", no_wrap=narrow, min_width=None if narrow else 16
        )
    for verdict in verdicts:
        finding = verdict.finding
        table.add_row(
            verdict.source,
            verdict.title,
            Text(finding.word, style=STYLES[finding.word]),
            number(finding.statistic),
            number(finding.margin),
            f"{finding.runs_counted:,}/{finding.runs:,}",
            f"{finding.cells_counted:,}/{finding.cells:,}",
            Text("detected", style="green") if verdict.control_detected else Text("MISSED", style="bold red"),
        )
    return table
