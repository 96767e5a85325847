"""Figures as data URIs, so that the page is one file."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass

from dmf.figures import Figure

LARGEST_SVG = 500_000  # bytes; above, the PNG is smaller and sharp enough


@dataclass(frozen=True)
class Picture:
    """A drawn figure with its texts; `source` is a data URI."""

    name: str
    title: str
    caption: str
    refuted_by: str
    claim: str | None
    source: str


def picture(name: str, figure: Figure, svg: bytes, png: bytes) -> Picture:
    """A figure with its drawing embedded: as SVG, or as PNG where the SVG is large."""
    kind, content = ("svg+xml", svg) if len(svg) <= LARGEST_SVG else ("png", png)
    source = f"data:image/{kind};base64,{b64encode(content).decode('ascii')}"
    return Picture(name, figure.title, figure.caption, figure.refuted_by, figure.claim, source)
