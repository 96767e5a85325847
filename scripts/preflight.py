"""Prints what a grid will take, and refuses one that cannot fit."""

import sys
from pathlib import Path

from dmf.cli.output import console
from dmf.cli.preflight import preflight
from dmf.dataset.project import open_project
from dmf.step import step

with step(snakemake.log[0], "preflight"):
    project = open_project(snakemake.config, "configuration", Path(snakemake.params.root), trains_here=False)
    preflight(project, console(sys.stderr), runs_here=snakemake.params.runs_here)
