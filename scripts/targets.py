"""Draws or reads every target and writes them to one file."""

from dmf.dataset.store import write
from dmf.dataset.targets import targets_dataset
from dmf.grid.config import validate
from dmf.grid.targets import build_targets
from dmf.step import step

with step(snakemake.log[0], "targets", snakemake.input, snakemake.params.identities) as log:
    grid = validate(snakemake.config, "configuration")
    targets = build_targets(grid, "configuration")
    write(targets_dataset(targets, grid.seed), snakemake.output[0])
    log.info("%d targets", len(targets))
