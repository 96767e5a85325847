"""What floats in a paper: the table of verdicts, and every figure with its caption."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dmf.evidence.claim import Verdict
from dmf.figures.figure import Figure
from dmf.report.paper import tex

ONE_COLUMN = 300  # points; no journal's column is wider


@dataclass(frozen=True)
class Float:
    """A figure's texts, its name, and whether it takes both columns."""

    name: str
    figure: Figure
    wide: bool


def verdict_table(verdicts: Sequence[Verdict], provenance: Mapping[str, Any]) -> str:
    """All verdicts as one LaTeX table, for booktabs."""
    return tex.environment().get_template("verdicts.tex.j2").render(verdicts=verdicts, provenance=provenance)


def figure_floats(floats: Sequence[Float]) -> str:
    """Every figure as a LaTeX float with its caption."""
    return tex.environment().get_template("figures.tex.j2").render(floats=floats)


def figure_float(name: str, figure: Figure, drawing: Path) -> Float:
    """The float of a figure drawn for print as PDF. Raises ValueError for a PDF that does not tell its size."""
    box = re.search(rb"/MediaBox \[ *0 0 ([0-9.]+) ", drawing.read_bytes())
    if box is None:
        raise ValueError(f"{drawing}: no page size; expected a PDF with one page")
    return Float(name, figure, float(box[1]) > ONE_COLUMN)
