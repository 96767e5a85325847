"""Draws one figure, as PNG and SVG."""

import json

from dmf.evidence.chunks import joined
from dmf.figures import FIGURES
from dmf.figures.figure import draw
from dmf.step import step
from dmf.studies.contract import read_evidence

with step(snakemake.log[0], "draw", snakemake.input, snakemake.params.identities) as log:
    name = snakemake.wildcards.figure
    parts, controls = read_evidence(
        FIGURES[name].study, snakemake.input.evidence, snakemake.input.controls, snakemake.params.made_with
    )
    draw(name, joined(parts), controls, json.loads(snakemake.params.labels), snakemake.output)
