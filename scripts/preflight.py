"""Prints what a grid will take, and refuses one that cannot fit."""

from rich.console import Console

from _step import step
from dmf.cli.preflight import preflight
from dmf.dataset.project import open_project

with step(snakemake.log[0], "preflight"):
    project = open_project(snakemake.config, "configuration", trains_here=False)
    preflight(project, Console(stderr=True, width=100), runs_here=snakemake.params.runs_here)
