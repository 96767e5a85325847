"""The documentation as a site, by Sphinx: `make docs` writes it to docs/site, which needs no network and no server.

The pages are those of the repository, where they lie; the examples run while the site is made.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from docutils import nodes
from sphinx.errors import SphinxError

import dmf
from dmf.formulas import in_unicode
from dmf.report.text import formula

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator

LOADED = re.compile(r'<(?:script|img|iframe|source|link)\b[^>]*\b(?:src|href)="(?:https?:)?//[^"]*"')

project = "dmf-landscape"
version = release = dmf.__version__
root_doc = "docs/index"
# Sphinx starts at the root of the repository, so that links from page to page are those of its files.
include_patterns = ["*.md", "docs/**", *(f"{room}/README.md" for room in ("benchmarks", "config", "data", "reports"))]
exclude_patterns = [".*", "docs/site", "docs/examples/*.rst"]
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
]

html_theme = "furo"
html_title = f"dmf-landscape {version}"
html_math_renderer = "mathml"
html_css_files = ["site.css"]
html_static_path = ["site.css"]
html_show_copyright = False
html_copy_source = False
html_additional_pages = {"index": "start.html"}  # so that the folder itself opens
templates_path = ["."]

myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 4

autodoc_typehints = "none"  # signatures would repeat every type that the text gives
add_module_names = False
napoleon_use_param = False
default_role = "code"

sphinx_gallery_conf = {
    "examples_dirs": "docs/examples",
    "gallery_dirs": "docs/gallery",
    "filename_pattern": r"\.py$",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "write_computation_times": False,
}


def setup(app: Sphinx) -> None:
    """What Sphinx calls: formulas as in the report, and docstrings as they are written here."""
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))
    app.connect("autodoc-process-docstring", _docstring, priority=400)  # before Napoleon
    app.connect("build-finished", _offline)


def _inline(writer: HTML5Translator, node: nodes.math) -> None:
    _append(writer, node, "inline")


def _display(writer: HTML5Translator, node: nodes.math_block) -> None:
    _append(writer, node, "block")


def _append(writer: HTML5Translator, node: nodes.Element, display: Literal["inline", "block"]) -> None:
    try:
        writer.body.append(formula(node.astext(), display))
    except ValueError as error:
        raise SphinxError(f"{node.source}:{node.line}: {error}") from error
    raise nodes.SkipNode


def _docstring(app: Sphinx, what: str, name: str, item: object, options: object, lines: list[str]) -> None:
    """Docstrings are plain text with LaTeX's names of letters; marks of reStructuredText in it mean themselves."""
    code = False
    for place, line in enumerate(lines):
        code = bool(line.strip()) and (code or line.lstrip().startswith(">>>"))
        if not code:
            named = re.sub(r"\\[a-z]+", lambda letter: in_unicode(f"${letter[0]}$"), line)
            lines[place] = re.sub(r"([*|_])", r"\\\1", named)
    if what in ("attribute", "property"):
        lines.insert(0, "\\ ")  # nothing, before which Napoleon would take words before a colon for a type


def _offline(app: Sphinx, failed: Exception | None) -> None:
    """Raises SphinxError for a page that loads anything from the network."""
    for page in [] if failed else sorted(Path(app.outdir).rglob("*.html")):
        if found := LOADED.search(page.read_text(encoding="utf-8")):
            raise SphinxError(f"{page}: {found[0]} needs a network; pages must load what lies beside them only")
