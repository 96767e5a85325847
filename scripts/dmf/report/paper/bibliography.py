"""The BibTeX of a paper: works that the theory and this workflow rest on, and the workflow itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dmf.report.paper import tex

SOFTWARE = "dmflandscape"  # its key


def bibtex(citation: Mapping[str, Any], revision: str) -> str:
    """All entries. `citation` is CITATION.cff as read; `revision` of the code that made the numbers."""
    cited = Path(__file__).with_name("cited.bib").read_text(encoding="utf-8")
    return f"{cited}\n{software_entry(citation, revision)}"


def software_entry(citation: Mapping[str, Any], revision: str) -> str:
    """The workflow's own entry. Raises KeyError for a citation without title, authors, version or date."""
    fields = {
        "title": "{" + tex.plain(citation["title"]) + "}",
        "author": " and ".join(_author(author) for author in citation["authors"]),
        "year": str(citation["date-released"])[:4],
        "note": f"Version {tex.plain(str(citation['version']))}, revision {tex.plain(revision)}",
    }
    lines = ",\n".join(f"  {name:<6} = {{{value}}}" for name, value in fields.items())
    return f"@misc{{{SOFTWARE},\n{lines}\n}}\n"


def _author(author: Mapping[str, str]) -> str:
    """A person by family name, or a body by a name that is not to be taken apart."""
    if "name" in author:
        return "{" + tex.plain(author["name"]) + "}"
    return tex.plain(f"{author['family-names']}, {author['given-names']}")
