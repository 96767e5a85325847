"""Makes of a report what a paper takes: figures in print size, the table of verdicts, references and methods."""

import json
from pathlib import Path

import yaml

from dmf.claims import in_order
from dmf.dataset.store import write_text
from dmf.evidence.chunks import joined
from dmf.figures import FIGURES, load_figures
from dmf.figures.figure import draw
from dmf.grid.config import validate
from dmf.report.folder import read_report
from dmf.report.paper.pieces import bibtex, figure_float, figure_floats, methods, verdict_table
from dmf.step import step
from dmf.studies.contract import OF_THE_GRID, read_evidence

with step(snakemake.log[0], "paper", snakemake.input, snakemake.params.identities) as log:
    files = snakemake.input
    controls = {"runs": files.controls, "targets": files.targets}
    studies = {Path(file).stem: file for file in files.studies}
    labels, made_with = (json.loads(text) for text in (snakemake.params.labels, snakemake.params.made_with))
    drawings = {Path(file).stem: Path(file) for file in snakemake.output.figures}
    floats = []
    for name, figure in load_figures().items():
        if name not in drawings:
            continue
        study = FIGURES[name].study
        beside = controls[study] if study in OF_THE_GRID else studies[study]
        parts, false = read_evidence(study, files.evidence, beside, made_with[study])
        draw(name, joined(parts), false, labels, [drawings[name]], paper=True)
        floats.append(figure_float(name, figure, drawings[name]))
    report = read_report(Path(files.page).parent)
    citation = yaml.safe_load(snakemake.params.citation)
    verdicts = sorted(report.verdicts.values(), key=lambda verdict: in_order(verdict.claim))
    grid = validate(snakemake.config, "configuration")
    write_text(figure_floats(floats), snakemake.output.captions)
    write_text(verdict_table(verdicts, report.provenance), snakemake.output.table)
    write_text(bibtex(citation, report.provenance["report"]["git_revision"]), snakemake.output.references)
    write_text(methods(grid, report.provenance, verdicts, report.census, citation), snakemake.output.methods)
    log.info("%d figures, %d verdicts", len(floats), len(verdicts))
