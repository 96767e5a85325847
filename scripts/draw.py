"""Draws one figure, as PNG and SVG."""

import json

from _step import step
from dmf.dataset.store import read
from dmf.figures import draw

with step(snakemake.log[0], "draw") as log:
    draw(
        snakemake.wildcards.figure,
        read(snakemake.input.evidence),
        read(snakemake.input.controls),
        json.loads(snakemake.params.labels),
        snakemake.output,
    )
