"""Puts the runs of a group, out of all its tiles, into one file; a damaged tile is trained again."""

import json
from pathlib import Path

from dmf.dataset.assemble import assemble
from dmf.dataset.ledger import LEDGER, read_tiles
from dmf.dataset.provenance import file_attributes
from dmf.dataset.schema import check_runs
from dmf.dataset.store import write
from dmf.dataset.tile_cache import provide, read_or_repair
from dmf.dataset.train import train_tile
from dmf.grid.config import validate
from dmf.grid.targets import build_targets
from dmf.grid.tiles import Tile
from dmf.step import step, tell

with step(snakemake.log[0], "assemble", snakemake.input, snakemake.params.identities) as log:
    block = Tile.from_json(json.loads(snakemake.params.block))
    grid = validate(snakemake.config, "configuration")
    data = Path(snakemake.output[0]).parents[1]
    tiles = {tile.name: tile for tile in read_tiles(data / LEDGER)}

    def repair(tile):
        """Train a tile that is damaged."""
        targets = build_targets(grid, "configuration")
        provide(tile, data, snakemake.params.training, lambda tile: train_tile(tile, targets, grid), tell)

    parts = ((file, read_or_repair(Path(file), tiles[Path(file).stem], repair, tell)) for file in snakemake.input.tiles)
    runs = assemble(block, parts)
    runs = runs.assign_attrs(
        **file_attributes(f"Runs of group {block.group.name}", "Wanted runs of one depth and list of widths"),
    )
    check_runs(runs, snakemake.output[0])
    write(runs, snakemake.output[0])
    log.info("%d runs from %d tiles", block.runs, len(snakemake.input.tiles))
