"""Figures as the page shows them: their texts, and their files in the folder beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dmf.figures import FIGURES
from dmf.figures.figure import Figure

FOLDER = "figures"  # in the report's folder
LARGEST_SVG = 500_000  # bytes; above, the PNG is smaller and sharp enough


@dataclass(frozen=True)
class Picture:
    """A drawn figure with its texts; `source` is the file to show, relative to the page.

    `numbers` is what the drawing shows (`dmf.figures._drawn`), None where that is not known.
    """

    name: str
    title: str
    caption: str
    refuted_by: str
    claim: str | None
    source: str
    experiment: bool = False
    numbers: Mapping[str, Any] | None = None

    @property
    def files(self) -> dict[str, str]:
        """Files to download by format, relative to the page."""
        return {kind: f"{FOLDER}/{self.name}.{kind.lower()}" for kind in ("SVG", "PNG")}


def picture(name: str, figure: Figure, svg_bytes: int, numbers: Mapping[str, Any] | None = None) -> Picture:
    """A figure with its drawing: the SVG, or the PNG where the SVG has too many bytes."""
    suffix = "svg" if svg_bytes <= LARGEST_SVG else "png"
    source = f"{FOLDER}/{name}.{suffix}"
    return Picture(
        name,
        figure.title,
        figure.caption,
        figure.refuted_by,
        FIGURES[name].claim,
        source,
        figure.experiment,
        numbers,
    )


def numbers_json(pictures: Sequence[Picture]) -> str:
    """What the drawings show, by name, as JSON that may stand in a script element of a page; "" for nothing."""
    numbers = {picture.name: picture.numbers for picture in pictures if picture.numbers}
    text = json.dumps(numbers, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c") if numbers else ""
