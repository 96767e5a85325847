"""Trains one tile."""

import json
from pathlib import Path

from _step import step
from dmf.console.progress import ProgressFile, progress_path
from dmf.dataset.store import write
from dmf.dataset.train import train_tile
from dmf.grid.config import validate
from dmf.grid.targets import build_targets
from dmf.grid.tiles import Tile

with step(snakemake.log[0], "train") as log:
    tile = Tile.from_json(json.loads(snakemake.params.tile))
    grid = validate(snakemake.config, "configuration")
    output = Path(snakemake.output[0])
    progress = ProgressFile(progress_path(output.parents[1], tile.name))
    log.info("%d runs of %s, predicted %.1f s", tile.runs, tile.group.name, tile.seconds)
    try:
        dataset = train_tile(tile, build_targets(grid, "configuration"), grid, progress.note)
        write(dataset, output)
    finally:
        progress.close()
    log.info("trained in %.1f s", dataset.attrs["train_seconds"])
