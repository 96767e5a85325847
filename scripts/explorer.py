"""Writes the page to play with the theory, filled with a grid's targets."""

import json

from _step import step
from dmf.dataset.store import read, write_text
from dmf.dataset.targets import targets_from_dataset
from dmf.report.explorer.page import explorer_html

with step(snakemake.log[0], "explorer", snakemake.input) as log:
    targets = targets_from_dataset(read(snakemake.input.targets))
    labels, depths = json.loads(snakemake.params.labels), json.loads(snakemake.params.depths)
    page = explorer_html(snakemake.params.title, targets, labels, depths)
    write_text(page, snakemake.output[0])
    log.info("%d targets, %d kB", len(targets), len(page) // 1000)
