"""Joins the tables of the claims on each study, by claim, into one file of the report for each study."""

import json
from pathlib import Path

from dmf.dataset.provenance import file_attributes
from dmf.dataset.store import read, write
from dmf.evidence.cases import shared_table
from dmf.step import step

with step(snakemake.log[0], "join_cells", snakemake.input, snakemake.params.identities) as log:
    studies = json.loads(snakemake.params.studies)
    told = file_attributes("", "What every cell contributes to each verdict")
    for path in map(Path, snakemake.output):
        files = {Path(file).stem: file for file in snakemake.input if studies[Path(file).stem] == path.stem}
        table = shared_table({claim: read(file) for claim, file in files.items()})
        write(table.assign_attrs({**told, "title": f"Cells of all claims on {path.stem}"}), path)
    log.info("%d tables of %d claims", len(snakemake.output), len(snakemake.input))
