"""`python -m dmf.cli.licences` writes docs/licences.md: the licence of every package that an installation brings.

Names, versions and licences are what the installed packages say of themselves; the list starts at this package's own
requirements, without extras, and follows theirs.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT, FILE = Path("pyproject.toml"), Path("docs/licences.md")
CLASSIFIER = "License :: OSI Approved :: "
LONGEST = 120  # characters; a longer field is the licence's own text, of which the first line names it
HEAD = """# Licences

What `pip install` of this package brings, and under which licence, as each package says itself. Made by
`python -m dmf.cli.licences`; a test compares it with what is installed. This project itself is under the
[MIT licence](../LICENSE). Extras are not listed: tools for development and clusters, and torch, whose build from PyPI
brings NVIDIA's CUDA libraries under NVIDIA's licence on Linux; builds for processors only do not.

| package | version | licence | required by |
|---|---|---|---|
"""


def requirements() -> list[Requirement]:
    """What this package requires, without extras."""
    return list(map(Requirement, tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]))


def closure(wanted: Iterable[Requirement]) -> dict[str, set[str]]:
    """The packages that are required here, in all depths, each with those that require it ("" for this project)."""
    found: dict[str, set[str]] = {}
    left = [(one, "") for one in wanted]
    seen = set()
    while left:
        one, by = left.pop()
        name = canonicalize_name(one.name)
        found.setdefault(name, set()).add(by)
        for extra in ("", *one.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for text in metadata.requires(name) or ():
                inner = Requirement(text)
                if inner.marker is None or inner.marker.evaluate({"extra": extra}):
                    left.append((inner, name))
    return found


def licence(name: str) -> str:
    """The licence that an installed package declares: its expression, else its field, else its classifiers."""
    fields = metadata.metadata(name)
    given = next((fields[key].strip() for key in ("License-Expression", "License") if key in fields), "")
    classified = [text.removeprefix(CLASSIFIER) for text in fields.get_all("Classifier") or () if CLASSIFIER in text]
    if len(given) > LONGEST or "\n" in given:
        given = "; ".join(classified) or given.partition("\n")[0]
    text = given or "; ".join(classified) or _first_line(name)
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


def _first_line(name: str) -> str:
    """The first line of a package's licence file, which names it; for packages that declare none."""
    for file in metadata.files(name) or ():
        if file.name.upper().startswith(("LICENSE", "LICENCE", "COPYING")):
            lines = file.locate().read_text(encoding="utf-8").split("\n")  # type: ignore[attr-defined]
            return next(line for line in map(str.strip, lines) if line)
    return "not declared"


def page() -> str:
    """The file, as text."""
    packages = closure(requirements())
    rows = []
    for name, bys in sorted(packages.items()):
        version = metadata.version(name).partition("+")[0]  # without the build
        rows.append(
            f"| {name} | {version} | {licence(name)} | {', '.join(sorted(by or 'this project' for by in bys))} |\n"
        )
    return HEAD + "".join(rows)


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
