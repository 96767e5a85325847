"""Puts the runs of a group, out of all its tiles, into one file."""

import json

from _step import step
from dmf.dataset.assemble import assemble
from dmf.dataset.provenance import file_attributes
from dmf.dataset.schema import check_runs
from dmf.dataset.store import read, write
from dmf.grid.tiles import Tile

with step(snakemake.log[0], "assemble") as log:
    block = Tile.from_json(json.loads(snakemake.params.block))
    runs = assemble(block, ((file, read(file, check_runs)) for file in snakemake.input.tiles))
    runs = runs.assign_attrs(
        **file_attributes(f"Runs of group {block.group.name}", "Wanted runs of one depth and list of widths"),
    )
    check_runs(runs, snakemake.output[0])
    write(runs, snakemake.output[0])
    log.info("%d runs from %d tiles", block.runs, len(snakemake.input.tiles))
