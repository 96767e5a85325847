"""Figures as the page shows them: their texts, and their files in the folder beside it."""

from __future__ import annotations

from dataclasses import dataclass

from dmf.figures import FIGURES
from dmf.figures.figure import Figure

FOLDER = "figures"  # in the report's folder
LARGEST_SVG = 500_000  # bytes; above, the PNG is smaller and sharp enough


@dataclass(frozen=True)
class Picture:
    """A drawn figure with its texts; `source` is the file to show, relative to the page."""

    name: str
    title: str
    caption: str
    refuted_by: str
    claim: str | None
    source: str
    experiment: bool = False

    @property
    def files(self) -> dict[str, str]:
        """Files to download by format, relative to the page."""
        return {kind: f"{FOLDER}/{self.name}.{kind.lower()}" for kind in ("SVG", "PNG")}


def picture(name: str, figure: Figure, svg_bytes: int) -> Picture:
    """A figure with its drawing: the SVG, or the PNG where the SVG has too many bytes."""
    suffix = "svg" if svg_bytes <= LARGEST_SVG else "png"
    source = f"{FOLDER}/{name}.{suffix}"
    return Picture(
        name, figure.title, figure.caption, figure.refuted_by, FIGURES[name].claim, source, experiment=figure.experiment
    )
