"""How pages are made from templates: everything a user can name is escaped, and a name without a value is an error.

Every page also has a Content-Security-Policy: only its own style sheet and scripts, known by their hashes, are used,
and nothing is loaded but pictures next to the page. Text that were not escaped, by some mistake, would not run either.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from dmf.report import listing, text
from dmf.report.verdicts import cell_text, missed_text

HERE = Path(__file__).parent
CHARSET = '<meta charset="utf-8">\n'  # after it comes the policy: before anything that it is about
NONE = "'none'"
INLINE = re.compile("<(style|script)>(.*?)</\\1>", re.DOTALL)  # not <script type="application/json">, which is data


class Page(Template):
    """A template whose text is a page with a policy."""

    def render(self, *values: Any, **more: Any) -> str:
        """The text; a page, which is one with CHARSET, gets its policy."""
        return with_policy(super().render(*values, **more))


def with_policy(html: str) -> str:
    """The page with the policy that fits its own style sheets and scripts.

    Bars set their length in the attribute `style`, which a policy can allow but not by hash.
    """
    hashes: dict[str, list[str]] = {"style": [], "script": []}
    for kind, source in INLINE.findall(html):
        digest = b64encode(hashlib.sha256(source.encode()).digest()).decode()
        hashes[kind].append(f"'sha256-{digest}'")
    policy = "; ".join(
        [
            f"default-src {NONE}",
            f"style-src {' '.join(hashes['style']) or NONE}",
            "style-src-attr 'unsafe-inline'",
            f"script-src {' '.join(hashes['script']) or NONE}",
            "img-src 'self' data:",
            f"base-uri {NONE}",
            f"form-action {NONE}",
        ]
    )
    return html.replace(CHARSET, f'{CHARSET}<meta http-equiv="Content-Security-Policy" content="{policy}">\n', 1)


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
    made.template_class = Page
    made.filters |= {filter.__name__: filter for filter in (*text.FILTERS, listing.status_text, cell_text, missed_text)}
    made.globals["verbatim"] = lambda path: Markup((HERE / path).read_text(encoding="utf-8"))
    return made
