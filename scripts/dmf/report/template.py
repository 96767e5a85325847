"""How pages are made from templates: everything a user can name is escaped, and a name without a value is an error."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dmf.report import listing, text
from dmf.report.verdicts import cell_text, missed_text

HERE = Path(__file__).parent


@cache
def environment() -> Environment:
    """Templates of this folder, with the filters of `dmf.report.text`; `verbatim(path)` is a file of it as it is."""
    made = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {filter.__name__: filter for filter in (*text.FILTERS, listing.status_text, cell_text, missed_text)}
    made.globals["verbatim"] = lambda path: Markup((HERE / path).read_text(encoding="utf-8"))
    return made
