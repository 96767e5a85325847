"""A finished report as an RO-Crate, to be deposited where data get a DOI: files with hashes, and what made them.

It follows RO-Crate 1.3 and the profile Workflow Run Crate 0.6: the workflow is the main entity, and one action says
that it made the report from the grid's file. Two crates of one report have the same bytes: dates are the report's.
"""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from dmf import __version__
from dmf.dataset.store import replace_file
from dmf.errors import UserError, printable
from dmf.plan import plan_workflow
from dmf.report.provenance import read_provenance
from dmf.report.verify import APART, VERIFIED, verify
from dmf.shared import TOP

PROFILES = {  # of the root; Workflow Run Crate wants all three
    "https://w3id.org/ro/wfrun/process/0.6": ("Process Run Crate", "0.6"),
    "https://w3id.org/ro/wfrun/workflow/0.6": ("Workflow Run Crate", "0.6"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.1": ("Workflow RO-Crate", "1.1"),
}
FORMATS = {
    ".bib": "application/x-bibtex",
    ".cff": "application/yaml",
    ".css": "text/css",
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".nc": "application/netcdf",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".py": "text/x-python",
    ".smk": "text/x-python",
    ".svg": "image/svg+xml",
    ".tex": "application/x-tex",
    ".yaml": "application/yaml",
}
TEXT = "text/plain"  # of any other
MAIN = "Snakefile"
SOURCES = (MAIN, "workflow/Snakefile", "workflow/rules/*.smk", "scripts/*.py", "constraints.txt", "CITATION.cff")
LEDGER = ("grid.yaml", "tiles.jsonl", "tiles.jsonl.sha256", "trained.log")  # of the data folder
EPOCH = (1980, 1, 1, 0, 0, 0)  # of files in an archive: the earliest that it can say
MISSING = "rocrate is not installed, which writes RO-Crates; pip install 'dmf-landscape[crate]'"


def check_finished(report: Path, data: Path, configuration: Mapping[str, Any]) -> None:
    """Raise UserError unless a report is finished, whole, of this configuration and code, and follows from its data."""
    where = printable(str(report))
    if not (report / VERIFIED).is_file():
        raise UserError(f"{where}: no {VERIFIED} here; expected a finished report; run its grid to the end first")
    problems = verify(report, data).problems
    if problems:
        more = f"; {len(problems) - 1} more" if problems[1:] else ""
        raise UserError(
            f"{problems[0]}{more}; expected a report as the workflow wrote it; dmf verify {where} --data "
            f"{printable(str(data))} says all that is wrong; run the grid again"
        )
    if read_provenance(report / "provenance.json")["configuration"] != configuration:
        raise UserError(f"{where}: is of another configuration than the grid's file says now; run the grid again")


def write_crate(report: Path, data: Path, configuration: Mapping[str, Any], out: Path, runs: bool = False) -> int:
    """Write the crate of a finished report into a folder, or a zip archive where `out` ends so; how many files it has.

    Evidence, controls, studies and the ledger come from `data`, with `runs` the trained runs too. Raises UserError
    where rocrate is missing, `out` is there already, or the report is not what `check_finished` asks for.
    """
    try:
        from rocrate.rocrate import ROCrate
    except ModuleNotFoundError:
        raise UserError(MISSING) from None
    if out.exists():
        raise UserError(f"{printable(str(out))}: exists; expected a new folder, or a new file that ends in .zip")
    check_finished(report, data, configuration)
    files = dict(_files(report, data, runs))
    crate = ROCrate()
    _describe(
        crate, files, read_provenance(report / "provenance.json"), f"reports/{report.name}", f"data/{report.name}"
    )
    if out.suffix == ".zip":
        with tempfile.TemporaryDirectory() as folder:
            crate.write(folder)
            replace_file(out, lambda temporary: _zip(Path(folder), temporary))
    else:
        crate.write(out)
    return len(files)


def _files(report: Path, data: Path, runs: bool) -> Iterator[tuple[str, Path]]:
    """Every file of the crate by its name there, in an order that is always the same."""
    for pattern in SOURCES:
        yield from ((path.relative_to(TOP).as_posix(), path) for path in sorted(TOP.glob(pattern)))
    for path in (path for path in sorted(report.rglob("*")) if path.is_file()):
        inside = path.relative_to(report)
        if inside.parts[0] not in APART[1:] and "damaged" not in inside.parts:
            yield f"reports/{report.name}/{inside.as_posix()}", path
    config = yaml.safe_load((data / "grid.yaml").read_text(encoding="utf-8"))
    plan = plan_workflow(config, str(data / "grid.yaml"), trains_here=False)
    folder = f"{plan.folders.data}/"
    names = sorted(path.removeprefix(folder) for path in plan.products.paths if path.startswith(folder))
    for name in [*LEDGER, *(name for name in names if runs or not name.startswith("runs/"))]:
        if (data / name).is_file():
            yield f"data/{report.name}/{name}", data / name


def _describe(crate: Any, files: Mapping[str, Path], made: Mapping[str, Any], report: str, data: str) -> None:
    """Fill a crate: its files, and the people, licence, software and action that stand behind them."""
    from rocrate.model.contextentity import ContextEntity

    def entity(where: str, kind: str, **properties: Any) -> Any:
        return crate.add(ContextEntity(crate, where, properties={"@type": kind, **properties}))

    citation = yaml.safe_load((TOP / "CITATION.cff").read_text(encoding="utf-8"))
    licence = entity(f"https://spdx.org/licenses/{citation['license']}", "CreativeWork", name=citation["license"])
    authors = [entity(**one) for one in _authors(citation["authors"])]
    papers = [
        entity(
            f"https://arxiv.org/abs/{number['value'].removeprefix('arXiv:')}", "ScholarlyArticle", name=paper["title"]
        )
        for paper in citation.get("references", [])
        for number in paper["identifiers"]
    ]
    revision = str(made["report"]["git_revision"])
    software = entity(
        "#dmf-landscape", "SoftwareApplication", name="dmf-landscape", softwareVersion=__version__, version=__version__,
        identifier=f"git commit {revision}", license=licence, author=authors,
    )  # fmt: skip
    versions = dict(one.rsplit(" ", 1) for one in str(made["report"]["package_versions"]).split(", "))
    parts = {
        name: crate.add_file(path, name, properties=_properties(name, path))
        for name, path in files.items()
        if name != MAIN
    }
    workflow = crate.add_workflow(
        files[MAIN], MAIN, main=True, lang="snakemake", lang_version=versions.get("snakemake"),
        properties={
            **_properties(MAIN, files[MAIN]), "name": citation["title"], "version": __version__, "author": authors,
            "license": licence, "identifier": f"git commit {revision}", "softwareRequirements": software,
        },
    )  # fmt: skip
    results = [part for name, part in parts.items() if name.startswith((f"{report}/", f"{data}/"))]
    action = crate.add_action(
        workflow, "#run",
        object=[parts[f"{report}/grid.yaml"]],
        result=results,
        properties={
            "name": f"Run of the grid {made['grid']}: {made['runs']:,} factorizations, their verdicts and report",
            "startTime": made["training"]["first"], "endTime": made["report"]["date_created"],
            "actionStatus": "http://schema.org/CompletedActionStatus",
            "description": f"On {made['report']['machine']}; {made['report']['package_versions']}.",
        },
    )  # fmt: skip
    for profile, (name, version) in PROFILES.items():
        one = crate.get(profile) or entity(profile, "CreativeWork", name=name, version=version)
        if one not in (crate.root_dataset.get("conformsTo") or []):
            crate.root_dataset.append_to("conformsTo", one)
    crate.name = f"Report of the grid {made['grid']}" + (f": {made['title']}" if made.get("title") else "")
    crate.description = (
        f"Verdicts on the theory of regularized deep matrix factorization from {made['runs']:,} trained factorizations "
        f"by dmf-landscape {__version__}. {report}/index.html is the page."
    )
    crate.datePublished = made["report"]["date_created"]
    crate.license = licence
    crate.root_dataset["author"] = authors
    crate.root_dataset["citation"] = papers
    crate.root_dataset["mentions"] = [action]


def _authors(authors: Iterable[Mapping[str, str]]) -> Iterator[dict[str, Any]]:
    """Persons and organizations of a citation file; an ORCID is the name of its person."""
    for number, one in enumerate(authors, start=1):
        name = one.get("name") or f"{one.get('given-names', '')} {one.get('family-names', '')}".strip()
        kind = "Organization" if "name" in one else "Person"
        yield {"where": one.get("orcid") or one.get("website") or f"#author-{number}", "kind": kind, "name": name}


def _properties(name: str, path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {
        "name": name,
        "contentSize": str(len(content)),
        "encodingFormat": FORMATS.get(path.suffix, TEXT),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _zip(folder: Path, file: Path) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            one = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
            one.compress_type = zipfile.ZIP_DEFLATED
            one.external_attr = 0o644 << 16
            archive.writestr(one, path.read_bytes())
