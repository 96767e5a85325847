"""Writes the page, the explorer, the tables and the provenance of a grid."""

import json
from pathlib import Path

import yaml

from _step import step
from dmf.claims import load_claim
from dmf.dataset.provenance import file_attributes
from dmf.dataset.store import read, read_header, write, write_text
from dmf.dataset.targets import targets_from_dataset
from dmf.evidence.cases import shared_table
from dmf.figures import load_figures
from dmf.grid.config import validate
from dmf.refute.record import read_record
from dmf.report import census
from dmf.report.explorer.page import explorer_html
from dmf.report.page import page_html
from dmf.report.pictures import picture
from dmf.report.practice import practice
from dmf.report.provenance import provenance, runs_facts
from dmf.report.search import cells_with_minimum, cost
from dmf.report.summary import summarize
from dmf.report.verdicts import csv_text, read_verdicts
from dmf.studies.contract import check_study

with step(snakemake.log[0], "report", snakemake.input) as log:
    grid = validate(snakemake.config, "configuration")
    verdicts = read_verdicts([Path(file) for file in snakemake.input.verdicts])
    worst = {verdict.claim: verdict.finding.worst for verdict in verdicts}
    summary = summarize((read(file) for file in snakemake.input.evidence), grid.certificate.runs_per_cell, worst)
    targets = targets_from_dataset(read(snakemake.input.targets))
    source = provenance(
        grid,
        targets,
        [read_header(file).attrs for file in snakemake.input.evidence],
        {Path(file).stem: runs_facts(read_header(file)) for file in snakemake.input.runs},
        file_attributes("Report", "Verdicts on the theory"),
    )
    drawn = {Path(file).stem: Path(file).stat().st_size for file in snakemake.input.svg}
    pictures = [picture(name, figure, drawn[name]) for name, figure in load_figures().items() if name in drawn]
    cells = {Path(file).stem: file for file in snakemake.input.cells}
    found = next((read_record(file) for file in snakemake.input.found), None)
    searched = [
        cost(read(file, check_study), cells_with_minimum(read(part) for part in snakemake.input.evidence))
        for file in snakemake.input.searched
    ]
    measured = {Path(file).stem: read(file, check_study) for file in snakemake.input.measured}
    every, absent = (json.loads(text) for text in (snakemake.params.every, snakemake.params.absent))
    extra = (found, tuple(every), next(iter(searched), None), absent, practice(measured))
    for file in map(Path, snakemake.output.cells):
        own = [verdict.claim for verdict in verdicts if load_claim(verdict.claim).study == file.stem]
        told = file_attributes(f"Cells of all claims on {file.stem}", "What every cell contributes to each verdict")
        write(shared_table({claim: read(cells[claim]) for claim in own}).assign_attrs(**told), file)
    page = page_html(grid, targets, summary, verdicts, pictures, source, *extra)
    write_text(page, snakemake.output.page)
    write_text(explorer_html(grid, targets), snakemake.output.explorer)
    write_text(csv_text(verdicts), snakemake.output.table)
    write_text(census.csv_text(summary.census), snakemake.output.census)
    write_text(yaml.safe_dump(source["configuration"], sort_keys=False, allow_unicode=True), snakemake.output.grid)
    write_text(json.dumps(source, indent=2, ensure_ascii=False) + "\n", snakemake.output.provenance)
    log.info("%d verdicts, %d figures", len(verdicts), len(pictures))
