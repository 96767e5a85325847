"""Writes the page, the explorer, the tables and the provenance of a grid."""

import json

from dmf.grid.config import validate
from dmf.report.write import gather, write_report
from dmf.step import step

with step(snakemake.log[0], "report", snakemake.input, snakemake.params.identities) as log:
    grid = validate(snakemake.config, "configuration")
    every, absent = (json.loads(text) for text in (snakemake.params.every, snakemake.params.absent))
    content = gather(grid, snakemake.input, every, absent)
    write_report(content, snakemake.output)
    log.info("%d verdicts, %d figures", len(content.verdicts), len(content.pictures))
