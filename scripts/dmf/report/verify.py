"""A report that somebody sent, held against itself and against its data: one line for each thing that is wrong.

Alone, a report shows that its files are those that one set of jobs recorded, and that its words, tables and page say
what its numbers say. It cannot show that the numbers come from runs: who has this code can make a report of anything.
With its data, the verdicts are computed again from the runs, and every file must be of these data, settings and code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from html import unescape
from math import isclose
from pathlib import Path
from typing import Any, NamedTuple

import xarray as xr

from dmf.claims import CLAIMS, load_claim
from dmf.dataset.manifest import MANIFEST, Entry, problem, read_entries, records
from dmf.dataset.schema import check_runs
from dmf.dataset.store import DamagedFile, read
from dmf.errors import UserError, printable
from dmf.evidence.cases import OF_CELLS, cell_table, table_csv
from dmf.evidence.certify import certify
from dmf.evidence.claim import Detection, Finding, Verdict
from dmf.evidence.judge import finding, judge
from dmf.grid.config import Grid, validate
from dmf.grid.seeds import digest
from dmf.grid.user_files import read_yaml
from dmf.plan import WorkflowPlan, plan_workflow
from dmf.products import REPORT_FILES
from dmf.refute.record import problems as refutations
from dmf.refute.record import read_record
from dmf.report.proofs import FILE as PROOFS
from dmf.report.proofs import Proved, read_proved, summarize_proofs
from dmf.report.provenance import read_provenance
from dmf.report.verdicts import csv_text, read_verdicts
from dmf.studies.contract import OF_THE_GRID, check_study, read_evidence

VERIFIED = "verified.txt"
APART = (MANIFEST, "damaged", "incomplete")  # folders of a report that are not part of it
SAME = 1e-6  # relative; another machine's LAPACK may change the last digits of a statistic
ROW = re.compile(r'<tr data-words="(\w+)( missed)?">.*?href="#claim-(\w+)"(.*?)</tr>', re.DOTALL)
VALUE = re.compile(r'<td class="n" data-value="([^"]*)"')
LINK = re.compile(r'(?:src|href)="((?:figures|verdicts|cells)/[^"#]+|[\w.]+\.(?:html|csv|json|yaml|nc))"')


class Found(NamedTuple):
    """What is wrong, a line each; how many files and verdicts were looked at; and the revision that made them."""

    problems: list[str]
    files: int
    verdicts: int
    revision: str


def verify(folder: Path, data: Path | None = None) -> Found:
    """Check a report's folder alone, or with the folder of its data. Raises UserError where it is no report at all."""
    if not records(folder):
        raise UserError(
            f"{printable(str(folder))}: no folder {MANIFEST} here; expected a report such as reports/default, as the "
            "workflow wrote it"
        )
    entries, lines = _entries(folder)
    lines += _files(folder, entries)
    verdicts: list[Verdict] = []
    for name in sorted(entries):
        if re.fullmatch(r"verdicts/\w+\.json", name) and (folder / name).exists():
            lines += _collected(verdicts, folder / name)
    verdicts = read_verdicts([folder / "verdicts" / f"{one.claim}.json" for one in verdicts])  # in their order
    grid, provenance, told = _settings(folder)
    lines += told
    if grid:
        lines += _tables(folder, verdicts, grid)
    lines += _page(folder, verdicts)
    lines += _verified(folder, verdicts)
    revision = str(provenance.get("report", {}).get("git_revision", "unknown"))
    if data and grid:
        lines += _with_data(folder, data, grid, entries, verdicts, revision)
    return Found(list(dict.fromkeys(lines)), len(entries), len(verdicts), revision)


def _entries(folder: Path) -> tuple[dict[str, Entry], list[str]]:
    found: dict[str, Entry] = {}
    lines = []
    for path in records(folder):
        try:
            found |= read_entries(path)
        except DamagedFile as error:
            lines.append(f"{path}: {error.what}")
    return found, lines


def _files(folder: Path, entries: Mapping[str, Entry]) -> Iterator[str]:
    """The folder holds what its manifest says, all of it and nothing else."""
    for name in sorted({*entries, *REPORT_FILES}):
        path = folder / name
        if not path.is_file():
            if name != VERIFIED:
                yield f"{path}: is missing"
        elif name in entries and (what := problem(path, entries[name])):
            yield f"{path}: {what}"
        elif path.suffix == ".nc":
            yield from _readable(path)
    there = (path for path in sorted(folder.rglob("*")) if not path.is_dir())
    names = (path.relative_to(folder) for path in there)
    for one in (name.as_posix() for name in names if name.parts[0] not in APART and "damaged" not in name.parts):
        if one not in entries:
            yield f"{folder / printable(one)}: no record in {MANIFEST}/ says who wrote it"


def _readable(path: Path) -> Iterator[str]:
    try:
        read(path)
    except UserError as error:
        yield str(error)


def _collected(verdicts: list[Verdict], path: Path) -> list[str]:
    try:
        verdicts += read_verdicts([path])
    except DamagedFile as error:
        return [f"{path}: {error.what}"]
    return []


def _settings(folder: Path) -> tuple[Grid | None, Mapping[str, Any], list[str]]:
    """The grid, the provenance, and where these disagree with each other and with the file of the grid."""
    path = folder / "provenance.json"
    try:
        provenance = read_provenance(path)
        grid = validate(provenance["configuration"], str(path))
        copy = read_yaml(folder / "grid.yaml")
    except (UserError, OSError, ValueError) as error:
        return None, {}, [f"{path}, grid.yaml: cannot be compared ({' '.join(str(error).split())})"]
    lines = []
    if copy != provenance["configuration"]:
        lines.append(f"{folder / 'grid.yaml'}: is not the configuration of provenance.json")
    if provenance.get("configuration_fingerprint") != digest(provenance["configuration"]):
        lines.append(f"{path}: the configuration does not match its fingerprint")
    return grid, provenance, lines


def _tables(folder: Path, verdicts: Sequence[Verdict], grid: Grid) -> Iterator[str]:
    """Findings, and the tables for spreadsheets, are what the cells add up to."""
    shared: dict[str, xr.Dataset] = {}
    for verdict in verdicts:
        if verdict.claim not in CLAIMS:
            yield f"{folder / 'verdicts' / verdict.claim}.json: a claim that this version does not know"
            continue
        study = load_claim(verdict.claim).study
        try:
            cells = shared.setdefault(study, read(folder / "cells" / f"{study}.nc"))
            table = _table(cells, verdict.claim)
            again, rows = finding(table, grid.certificate), table_csv(table)
        except (UserError, KeyError, ValueError) as error:
            yield f"{folder / 'cells' / study}.nc: has no table of {verdict.claim} ({' '.join(str(error).split())})"
            continue
        if again != verdict.finding:
            differs = _difference(verdict.finding, again)
            yield f"{folder / 'verdicts' / verdict.claim}.json: says other than its cells: {differs}"
        if _text(folder / "verdicts" / f"{verdict.claim}.csv") != rows:
            yield f"{folder / 'verdicts' / verdict.claim}.csv: is not the table of its cells"
    if _text(folder / "verdicts.csv") != csv_text(verdicts, _proved(folder)):
        yield f"{folder / 'verdicts.csv'}: is not the table of the verdicts"


def _proved(folder: Path) -> Proved | None:
    """The sums of proofs beside the report; None where there are none that can be read."""
    try:
        return read_proved(folder)
    except DamagedFile:  # its record says so
        return None


def _table(shared: xr.Dataset, claim: str) -> xr.Dataset:
    """A claim's table of cells out of that of all claims on a study: the inverse of `shared_table`."""
    one = shared.isel(claim=shared["claim"].values.tolist().index(claim)).drop_vars("claim")
    return one.set_coords([name for name in one.coords if name not in OF_CELLS])


def _page(folder: Path, verdicts: Sequence[Verdict]) -> Iterator[str]:
    """The page's table says what the verdicts say, and what it links to is there."""
    path = folder / "index.html"
    page, proofs = _text(path), _proved(folder)
    shown = {}
    for word, missed, claim, rest in ROW.findall(page):
        shown[claim] = (word, not missed, *[unescape(value) for value in VALUE.findall(rest)])
    for verdict in verdicts:
        own = verdict.finding
        numbers = ("" if one is None else str(one) for one in (own.statistic, own.margin))
        of_proofs = proofs.claims.get(verdict.claim) if proofs else None
        counts = (own.runs_counted, of_proofs.proved if of_proofs else "", own.cells_counted)
        says = (own.word, verdict.control_detected, *numbers, *map(str, counts))
        if shown.pop(verdict.claim, None) != says:
            yield f"{path}: does not show the verdict on {verdict.claim} as verdicts/{verdict.claim}.json says it"
    for claim in shown:
        yield f"{path}: shows a verdict on {claim}, of which there is no file"
    for name in sorted(set(LINK.findall(page))):
        if not (folder / unescape(name)).is_file():
            yield f"{path}: shows or links to {name}, which is missing"


def _verified(folder: Path, verdicts: Sequence[Verdict]) -> Iterator[str]:
    path = folder / VERIFIED
    refuted = folder / "refute.json"
    failed = [verdict.claim for verdict in verdicts if verdict.fails]
    try:
        failed += refutations(read_record(refuted), str(refuted)) if refuted.exists() else []
    except DamagedFile as error:
        yield f"{refuted}: {error.what}"
    if path.exists():
        words = "".join(f"{verdict.claim}: {verdict.finding.word}\n" for verdict in verdicts)
        if failed or _text(path) != words:
            yield f"{path}: is there, but {'; '.join(failed) or 'its words are not those of the verdicts'}"


def _with_data(
    folder: Path, data: Path, grid: Grid, entries: Mapping[str, Entry], verdicts: Sequence[Verdict], revision: str
) -> Iterator[str]:
    """The data are of the report's grid, its files are of these data and this code, and its verdicts follow again."""
    try:
        plan = plan_workflow({**grid.model_dump(mode="json"), "archive": str(data)}, str(folder), trains_here=False)
        yield from _identities(folder, plan, entries, revision)
        yield from _judged_again(folder, plan, verdicts)
    except UserError as error:
        yield str(error)


def _identities(folder: Path, plan: WorkflowPlan, entries: Mapping[str, Entry], revision: str) -> Iterator[str]:
    table, reports = plan.products, plan.folders.reports
    wanted = {
        Path(path).relative_to(reports).as_posix(): table.identity(path)
        for path in table.paths
        if path.startswith(f"{reports}/")
    }
    other = sorted(name for name, entry in entries.items() if wanted.get(name) != entry.identity)
    if len(other) == len(entries):
        yield (
            f"{folder}: was made by other code than this, or of other data; its provenance says revision "
            f"{printable(revision)[:12]}: check it with that version"
        )
        return
    yield from (f"{folder / name}: is not of these data, settings and code" for name in other)


def _judged_again(folder: Path, plan: WorkflowPlan, verdicts: Sequence[Verdict]) -> Iterator[str]:
    certificate = plan.grid.certificate
    runs = [certify(read(file, check_runs) for file in plan.runs_of(name)) for name in plan.evidence_chunks]
    for verdict in verdicts:
        claim = load_claim(verdict.claim)
        files, controls = plan.evidence_of(claim.study), plan.controls_of(claim.study)
        own = claim.study in OF_THE_GRID
        parts, false = read_evidence(claim.study, [] if own else files, controls, plan.made_with(claim.study))
        cells = cell_table(claim, runs if own else parts, certificate)
        again = judge(verdict.claim, claim, cells, false, certificate)
        path = f"{folder / 'verdicts' / verdict.claim}.json"
        if not _alike(verdict.finding, again.finding):
            yield f"{path}: finding is not what the data say: {_difference(verdict.finding, again.finding)}"
        if [_control(one) for one in verdict.controls] != [_control(one) for one in again.controls] or not all(
            _close(one.statistic, other.statistic) for one, other in zip(verdict.controls, again.controls, strict=True)
        ):
            yield f"{path}: controls are not what the data say"
    told = _proved(folder)
    for file in plan.proofs:
        if told != (found := summarize_proofs(read(file, check_study))):
            yield f"{folder / PROOFS}: says other than {printable(file)}: {told} instead of {found}"[:400]
    missing = plan.claims.keys() - {verdict.claim for verdict in verdicts}
    yield from (f"{folder / 'verdicts' / name}.json: is missing" for name in sorted(missing))


def _alike(one: Finding, other: Finding) -> bool:
    """The same counts and words, and the same statistic up to rounding."""
    counts = [{**asdict(finding), "word": finding.word, "statistic": None, "worst": None} for finding in (one, other)]
    return counts[0] == counts[1] and _close(one.statistic, other.statistic)


def _close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return isclose(one, other, rel_tol=SAME, abs_tol=SAME)


def _control(one: Detection) -> tuple[Any, ...]:
    return one.arm, one.distance, one.cells, one.detected


def _difference(told: Finding, found: Finding) -> str:
    one, other = told.as_json(), found.as_json()
    return ", ".join(f"{name} {one[name]!r} instead of {other[name]!r}" for name in one if one[name] != other[name])


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
