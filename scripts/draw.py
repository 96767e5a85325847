"""Draws one figure, as PNG and SVG."""

import json

from dmf.evidence.chunks import joined, thinned
from dmf.figures import FIGURES
from dmf.figures.figure import draw
from dmf.step import step
from dmf.studies.contract import OF_THE_GRID, read_evidence

with step(snakemake.log[0], "draw", snakemake.input, snakemake.params.identities) as log:
    name = snakemake.wildcards.figure
    study = FIGURES[name].study
    parts, controls = read_evidence(
        study, snakemake.input.evidence, snakemake.input.controls, snakemake.params.made_with
    )
    evidence = thinned(parts, *json.loads(snakemake.params.every)) if study in OF_THE_GRID else joined(parts)
    draw(name, evidence, controls, json.loads(snakemake.params.labels), snakemake.output)
