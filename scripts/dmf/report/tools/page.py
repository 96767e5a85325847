"""One page about one file: sentences, tables and figures. Nothing is loaded, and every text is escaped."""

from __future__ import annotations

import tempfile
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

MOST_ROWS = 200  # of a table
DIGITS = "0123456789-+–"
PNG = "data:image/png;base64,"


@dataclass(frozen=True)
class Table:
    """A table of texts. The first column is words; another is numbers if all its cells begin with a digit or sign."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    @property
    def numbers(self) -> list[bool]:
        """Whether each column is numbers."""
        return [at > 0 and all(row[at][:1] in DIGITS for row in self.rows) for at in range(len(self.head))]

    @property
    def more(self) -> int:
        """Rows for which the page has no room."""
        return max(len(self.rows) - MOST_ROWS, 0)


@dataclass(frozen=True)
class Picture:
    """A figure as the bytes of a PNG, with what it shows in words."""

    title: str
    png: bytes
    caption: str

    @property
    def source(self) -> str:
        """Its data URI."""
        return PNG + b64encode(self.png).decode("ascii")


@dataclass(frozen=True)
class ToolPage:
    """What a page says: `tool` names it, `subject` the file; `lead` is the answer, `limits` what it does not say."""

    tool: str
    subject: str
    lead: Sequence[str]
    limits: Sequence[str]
    tables: Sequence[Table] = field(default_factory=tuple)
    pictures: Sequence[Picture] = field(default_factory=tuple)


def drawn(plot: Callable[..., object]) -> bytes:
    """The PNG of what `plot` draws on axes, in the style of the reports."""
    from dmf.figures._style import WIDTH, applied, blank, save  # here and below: seconds to load, for pages alone

    with applied(), tempfile.TemporaryDirectory() as folder:
        canvas, axes = blank(0.6 * WIDTH)
        plot(axes[0, 0])
        path = Path(folder, "figure.png")
        save(canvas, path)
        return path.read_bytes()


def tool_html(page: ToolPage) -> str:
    """The page. Everything that a user can name is escaped.

    >>> "&lt;b&gt;" in tool_html(ToolPage("dmf denoise", "<b>.csv", ["keeps 1 of 3"], ["of white noise only"]))
    True
    """
    from dmf.report.template import environment

    return environment().get_template("tools/tool.html.j2").render(page=page, most=MOST_ROWS)
