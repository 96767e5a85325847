"""Trains one tile, unless a whole file of it is kept."""

import json
from pathlib import Path

from dmf.cli.progress import ProgressFile, progress_path
from dmf.dataset.project import require_device
from dmf.dataset.tile_cache import provide
from dmf.dataset.train import train_tile
from dmf.grid.config import validate
from dmf.grid.targets import build_targets
from dmf.grid.tiles import Tile
from dmf.step import step, tell

with step(snakemake.log[0], "train", snakemake.input) as log:
    tile = Tile.from_json(json.loads(snakemake.params.tile))
    grid = validate(snakemake.config, "configuration")
    require_device(grid.device, "configuration")
    data = Path(snakemake.output[0]).parents[1]
    progress = ProgressFile(progress_path(data, tile.name))
    log.info("%d runs of %s, predicted %.1f s", tile.runs, tile.group.name, tile.seconds)
    try:
        trained = provide(
            tile,
            data,
            snakemake.params.code,
            lambda tile: train_tile(
                tile, build_targets(grid, "configuration", dict(tile.targets)), grid, progress.note
            ),
            tell,
        )
    finally:
        progress.close()
    log.info("trained" if trained else "a whole file was kept: not trained again")
