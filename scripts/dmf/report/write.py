"""A report from its files to its files: the content of the page is gathered, and every table and page written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import yaml

from dmf.dataset.provenance import file_attributes
from dmf.dataset.store import read, read_header, write_text
from dmf.dataset.targets import targets_from_dataset
from dmf.figures import load_figures
from dmf.figures._svg import numbers_in
from dmf.grid.config import Grid
from dmf.grid.targets import TargetMatrix
from dmf.refute.record import read_record
from dmf.report import census
from dmf.report.explorer.page import drawn_runs, explorer_html
from dmf.report.page import Content, page_html
from dmf.report.pictures import Picture, picture
from dmf.report.practice import practice
from dmf.report.proofs import summarize_proofs
from dmf.report.provenance import provenance, runs_facts
from dmf.report.search import Searched, cells_with_minimum, cost
from dmf.report.summary import summarize
from dmf.report.verdicts import csv_text, read_verdicts
from dmf.studies.contract import check_study


class Inputs(Protocol):
    """Files that a report is made from, each list possibly empty but `evidence` and `runs`.

    `evidence` and `runs` are of the grid's runs; `found` and `searched` are what the two searches found, `measured`
    studies with a section on the page, `proofs` those of runs.
    """

    evidence: Sequence[str]
    targets: str
    runs: Sequence[str]
    verdicts: Sequence[str]
    found: Sequence[str]
    searched: Sequence[str]
    measured: Sequence[str]
    proofs: Sequence[str]
    svg: Sequence[str]


class Outputs(Protocol):
    """Files of a report: `table` has the verdicts, `proved` the sums of proofs, where there are some."""

    page: str
    explorer: str
    table: str
    proved: Sequence[str]
    census: str
    provenance: str
    grid: str


def gather(grid: Grid, files: Inputs, every: Sequence[int], absent: Sequence[str]) -> Content:
    """The content of the page; `every` and `absent` as in `Content`. Raises UserError for a file that is damaged."""
    verdicts = read_verdicts([Path(file) for file in files.verdicts])
    worst = {verdict.claim: verdict.finding.worst for verdict in verdicts}
    targets = targets_from_dataset(read(files.targets))
    draw_step, cell_step = every
    return Content(
        grid,
        targets,
        summarize((read(file) for file in files.evidence), grid.certificate.runs_per_cell, worst),
        verdicts,
        _pictures(files.svg),
        _provenance(grid, targets, files),
        found=next((read_record(file) for file in files.found), None),
        every=(draw_step, cell_step),
        searched=_searched(files),
        absent=absent,
        practice=practice({Path(file).stem: read(file, check_study) for file in files.measured}),
        runs=drawn_runs(grid, targets, (read(file) for file in files.evidence)),
        proved=next((summarize_proofs(read(file, check_study)) for file in files.proofs), None),
    )


def write_report(content: Content, files: Outputs) -> None:
    """Write every file of a report but its figures and the tables of cells."""
    source = content.provenance
    write_text(page_html(content), files.page)
    write_text(explorer_html(content.grid, content.targets, content.runs), files.explorer)
    write_text(csv_text(content.verdicts, content.proved), files.table)
    if content.proved:
        write_text(content.proved.as_json(), files.proved[0])
    write_text(census.csv_text(content.summary.census), files.census)
    write_text(yaml.safe_dump(source["configuration"], sort_keys=False, allow_unicode=True), files.grid)
    write_text(json.dumps(source, indent=2, ensure_ascii=False) + "\n", files.provenance)


def _provenance(grid: Grid, targets: Sequence[TargetMatrix], files: Inputs) -> dict[str, Any]:
    return provenance(
        grid,
        targets,
        [read_header(file).attrs for file in files.evidence],
        {Path(file).stem: runs_facts(read_header(file)) for file in files.runs},
        file_attributes("Report", "Verdicts on the theory"),
    )


def _pictures(drawings: Sequence[str]) -> list[Picture]:
    """The figures that are drawn, in the order of the report."""
    drawn = {Path(file).stem: Path(file) for file in drawings}
    return [
        picture(name, figure, drawn[name].stat().st_size, numbers_in(drawn[name]))
        for name, figure in load_figures().items()
        if name in drawn
    ]


def _searched(files: Inputs) -> Searched | None:
    """The numbers of the search for global minimizers, compared with what the grid's own runs reach."""
    for file in files.searched:
        return cost(read(file, check_study), cells_with_minimum(read(part) for part in files.evidence))
    return None
