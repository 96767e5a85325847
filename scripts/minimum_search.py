"""Searches every cell for a certified global minimizer, and counts what it takes."""

from _step import step
from dmf.dataset.provenance import file_attributes
from dmf.dataset.store import write
from dmf.grid.config import validate
from dmf.grid.targets import build_targets
from dmf.grid.tiles import groups_of
from dmf.search.search import search
from dmf.studies.contract import check_study

with step(snakemake.log[0], "minimum_search") as log:
    grid = validate(snakemake.config, "configuration")
    found = search(grid, groups_of(grid, build_targets(grid, "configuration"), "configuration"))
    found = found.assign_attrs(
        **file_attributes("Search for minimizers", "Runs until the first global minimizer"),
        settings=snakemake.params.settings,
    )
    check_study(found, snakemake.output[0])
    write(found, snakemake.output[0])
    log.info("found in %d of %d cells", int(found["certified"].sum()), found.sizes["cell"])
