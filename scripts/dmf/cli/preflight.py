"""The preflight in the terminal: what a grid will take, beside what this machine has."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from dmf.dataset.preflight import Estimate, estimate, refuse
from dmf.dataset.project import Project, machine_memory

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def preflight(project: Project, console: Console, runs_here: bool) -> None:
    """Print what the grid will take. Raises UserError where it cannot fit; memory only counts where it `runs_here`."""
    data = project.ledger_path.parent
    whole, assembled = ({path.stem for path in (data / folder).glob("L*.nc")} for folder in ("tiles", "runs"))
    found = estimate(project, whole, assembled)
    there = next(folder for folder in (data, *data.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    machine = machine_memory() / 2**20
    console.print(preflight_table(project.grid.grid, found, free, machine if runs_here else None, os.environ))
    refuse(found, free, machine if runs_here else None, str(data))


def preflight_table(
    name: str, found: Estimate, free_bytes: int, machine_mib: float | None, environment: Mapping[str, str]
) -> Table:
    """One row a question; `machine_mib` is None where jobs run elsewhere."""
    table = Table(title=f"Preflight of grid {name}", title_justify="left", show_header=False)
    table.add_row("runs", f"{found.runs:,}, {found.new_runs:,} of them to be trained")
    table.add_row("tiles", f"{found.tiles:,}, {found.new_tiles:,} of them to be trained")
    made = f"{found.new_tiles:,} train, {found.new_chunks:,} assemble, {found.new_evidence_chunks:,} certify"
    table.add_row("jobs", f"at most {found.jobs:,}: {made}; and some dozens of checks, figures and studies")
    table.add_row("training", f"{found.core_hours:.3g} core-hours")
    table.add_row("disk", f"up to {found.data_bytes / 2**30:,.1f} GiB; {free_bytes / 2**30:,.1f} GiB free")
    has = "the queue's limit is not known here" if machine_mib is None else f"this machine has {machine_mib:,.0f} MiB"
    table.add_row("memory", f"{found.largest_mib:,.0f} MiB, {found.largest}; {has}")
    threads = ", ".join(f"{key}={environment[key]}" for key in THREADS if key in environment)
    table.add_row("threads", f"one a job, set by Snakemake; in this shell {threads or 'none is set'}")
    locking = environment.get("HDF5_USE_FILE_LOCKING", "not set: HDF5 locks files; set FALSE if they cannot be locked")
    table.add_row("HDF5 file locking", locking)
    return table
