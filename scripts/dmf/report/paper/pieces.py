"""What a paper takes of a report: the table of verdicts, figures with captions, a paragraph on methods, references.

Every number in them comes from the run's own provenance, configuration and verdicts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dmf.evidence.claim import Verdict
from dmf.figures.figure import Figure
from dmf.grid.config import Grid, Lambdas
from dmf.report.census import AT_MINIMUM, WITHOUT_CERTIFICATE
from dmf.report.folder import Series
from dmf.report.paper import tex

ONE_COLUMN = 300  # points; no journal's column is wider
SOFTWARE = "dmflandscape"  # the key of this workflow in the references
KINDS = {
    "gaussian": "with independent standard normal entries",
    "spectrum": "with a prescribed spectrum",
    "file": "read from files",
    "dataset": "made from real data",
    "network": "that linear networks on data factorize",
}
HASH = 16  # digits of a file's hash
OPTIMIZERS = {
    "lbfgs": "L-BFGS",
    "continuation": r"L-BFGS with continuation in $\lambda$",
    "gd": "gradient descent",
    "nesterov": "Nesterov's accelerated gradient",
    "adam": "Adam",
}
SCHEMES = {"gaussian": "Gaussian", "orthogonal": "orthogonal", "balanced": "balanced", "identity": "identity"}


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


def methods(
    grid: Grid,
    provenance: Mapping[str, Any],
    verdicts: Sequence[Verdict],
    census: Mapping[Series, Mapping[str, int]],
    citation: Mapping[str, Any],
) -> str:
    """The paragraph as LaTeX, citing keys of the BibTeX beside it."""
    counts = list(census.values())
    words = Counter(verdict.finding.word for verdict in verdicts)
    return (
        tex.environment()
        .get_template("methods.tex.j2")
        .render(
            grid=grid,
            provenance=provenance,
            version=citation["version"],
            kinds=_kinds(provenance["targets"]),
            data=_data(provenance["targets"]),
            shapes=_shapes(provenance["targets"]),
            lambdas=_lambdas(grid.lambdas),
            optimizer=OPTIMIZERS[grid.optimizer.name],
            schemes=[SCHEMES[scheme] for scheme in grid.starts.schemes],
            starts=len(grid.starts.schemes) * len(grid.starts.scales) * grid.starts.count,
            uncertified=sum(row[WITHOUT_CERTIFICATE] for row in counts),
            minimal=sum(row[AT_MINIMUM] for row in counts),
            words=words,
            claims=len(verdicts),
            detected=sum(verdict.control_detected for verdict in verdicts),
        )
    )


def _kinds(targets: Sequence[Mapping[str, Any]]) -> str:
    counted = Counter(str(target["kind"]) for target in targets)
    return tex.listed([f"{n} {KINDS[kind]}" for kind, n in counted.items()])


def _data(targets: Sequence[Mapping[str, Any]]) -> list[str]:
    """A sentence on each target that is made of data: its name, the file or data set, and how it was standardised."""
    return [
        f"Target {tex.escaped(target['name'])} is from {tex.escaped(_origin(target))}."
        for target in targets
        if target.get("origin")
    ]


def _origin(target: Mapping[str, Any]) -> str:
    origin = re.sub(rf"(SHA-256 [0-9a-f]{{{HASH}}})[0-9a-f]+", r"\1", target["origin"])
    return f"{origin}; {target['standardisation']}" if target.get("standardisation") else origin


def _shapes(targets: Sequence[Mapping[str, Any]]) -> str:
    shapes = dict.fromkeys(tuple(target["shape"]) for target in targets)
    shown = [rf"${rows}\times{columns}$" for rows, columns in shapes]
    return tex.listed(shown) if len(shown) <= 6 else rf"{len(shown)} shapes from {shown[0]} to {shown[-1]}"


def _lambdas(lambdas: Lambdas) -> str:
    own = r"in units of each target's $\lambda_c(\sigma_1, L)$"
    given = [(lambdas.relative, own), (lambdas.absolute, "the same for all targets and depths")]
    return tex.listed(
        [f"{len(values)} {_value(values)} {unit}" for values, unit in given if values],
    )


def _value(values: Sequence[float]) -> str:
    if len(values) == 1:
        return rf"value of $\lambda$, {tex.given(values[0])},"
    return rf"values of $\lambda$ from {tex.given(min(values))} to {tex.given(max(values))}"


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
