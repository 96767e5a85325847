"""Removes what one grid produced."""

import shutil

from dmf.step import step

with step(snakemake.log[0], "clean") as log:
    for folder in snakemake.params.folders:
        shutil.rmtree(folder, ignore_errors=True)
        log.info("removed %s", folder)
