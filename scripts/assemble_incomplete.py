"""Puts what there is of a group into one file; the runs that are not there say so."""

import json

from dmf.dataset.assemble import assemble
from dmf.dataset.missing import missing_block
from dmf.dataset.provenance import file_attributes
from dmf.dataset.schema import LACKS, MISSING, check_runs
from dmf.dataset.store import read, write
from dmf.dataset.targets import targets_from_dataset
from dmf.grid.config import validate
from dmf.grid.tiles import Tile
from dmf.step import step

with step(snakemake.log[0], "assemble_incomplete", snakemake.input, snakemake.params.identities) as log:
    block = Tile.from_json(json.loads(snakemake.params.block))
    targets = targets_from_dataset(read(snakemake.input.targets))
    nothing = missing_block(block, targets, validate(snakemake.config, "configuration"))
    trained = [(file, read(file, check_runs)) for file in snakemake.input.found]
    runs = assemble(block, [("no file", nothing), *trained])
    missing = int((runs["status"] == MISSING).sum())
    runs = runs.assign_attrs(
        **file_attributes(f"Runs of group {block.group.name}", "What there is of one depth and list of widths"),
        **{LACKS: missing},
    )
    check_runs(runs, snakemake.output[0])
    write(runs, snakemake.output[0])
    log.info("%d of %d runs are missing", missing, block.runs)
