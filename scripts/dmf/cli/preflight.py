"""What a grid will take before it takes it: jobs, core-hours, memory and bytes, compared with what this machine has."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from dmf.cli.output import console
from dmf.cli.tables import Column, print_table
from dmf.dataset.project import Project, machine_memory, open_project
from dmf.errors import UserError
from dmf.grid.cost import BASE_MIB, chunk_memory, run_bytes, train_memory, train_seconds
from dmf.grid.factors import FILE, Factors, of, read_factors

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
EVIDENCE_BYTES = 210  # of a run, in its file of evidence
ROOM = 2**26  # bytes for targets, controls, studies, logs and the report, which do not grow with the runs


def add_command(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "preflight", help="print what a grid will take, and refuse one that does not fit this machine; trains nothing"
    )
    parser.add_argument("grid", type=Path, help="the grid's YAML file")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the table. Raises UserError where the grid is none or cannot fit."""
    from dmf.grid.config import load

    grid = load(options.grid)
    project = open_project(grid.model_dump(mode="json"), str(options.grid))
    preflight(project, console(sys.stdout), runs_here=True)
    return 0


@dataclass(frozen=True)
class Estimate:
    """Of all runs: `runs`, `tiles`. Still to be made: `new_runs`, `new_tiles`, `core_hours` and `new_chunks` (of runs,
    and of evidence, `new_evidence_chunks`).

    `data_bytes` is an upper bound of what will be written, as if nothing could be compressed; `largest_mib` is the peak
    of the largest job, and `largest` says which.
    """

    runs: int
    tiles: int
    new_runs: int
    new_tiles: int
    new_chunks: int
    new_evidence_chunks: int
    core_hours: float
    data_bytes: int
    largest_mib: float
    largest: str

    @property
    def jobs(self) -> int:
        """Jobs that train, assemble or certify; checks, figures and studies come on top, some dozens in any grid."""
        return self.new_tiles + self.new_chunks + self.new_evidence_chunks


def estimate(
    project: Project, whole: Collection[str], assembled: Collection[str], factors: Factors | None = None
) -> Estimate:
    """The estimate for a grid whose tiles named `whole` and chunks named `assembled` are on the disk already; `factors`
    are what this machine takes of what is predicted.
    """
    factor = partial(of, factors or {})
    layers, device, optimizer = project.grid.keep.layers, project.grid.device, project.grid.optimizer
    new = [tile for tile in project.plan.wanted if tile.name not in whole]
    evidence_chunks = {
        name: evidence_chunk
        for name, evidence_chunk in project.evidence_chunks().items()
        if any(chunk.name not in assembled for chunk in evidence_chunk)
    }
    chunks = [
        chunk for evidence_chunk in evidence_chunks.values() for chunk in evidence_chunk if chunk.name not in assembled
    ]
    written = sum(tile.runs * run_bytes(tile.group, layers) for tile in new)
    written += sum(chunk.block.runs * (run_bytes(chunk.block.group, layers) + EVIDENCE_BYTES) for chunk in chunks)
    peaks = [
        (
            factor("train").memory * train_memory(tile, layers, device, optimizer),
            f"training {tile.runs:,} runs of {tile.group.name}",
        )
        for tile in new
    ]
    peaks += [
        (factor("assemble").memory * chunk_memory([chunk], layers), f"assembling {chunk.name}") for chunk in chunks
    ]
    peaks += [
        (factor("certify").memory * chunk_memory(evidence_chunk, layers), f"certifying {name}")
        for name, evidence_chunk in evidence_chunks.items()
    ]
    largest_mib, largest = max(peaks, default=(BASE_MIB, "a check"))
    return Estimate(
        runs=project.runs,
        tiles=len(project.plan.wanted),
        new_runs=sum(tile.runs for tile in new),
        new_tiles=len(new),
        new_chunks=len(chunks),
        new_evidence_chunks=len(evidence_chunks),
        core_hours=factor("train").seconds * sum(train_seconds(tile) for tile in new) / 3600,
        data_bytes=written + ROOM,
        largest_mib=largest_mib,
        largest=largest,
    )


def refuse(found: Estimate, free_bytes: int, most_mib: float | None, where: str) -> None:
    """Raise UserError where a grid cannot fit: its bytes on the disk, or its largest job in `most_mib` of memory.

    None for a memory that this machine does not know, as on a cluster; there the queue refuses. `where` is the folder.
    """
    if found.data_bytes > free_bytes:
        raise UserError(
            f"{where}: the grid writes up to {found.data_bytes / 2**30:.3g} GiB, but {free_bytes / 2**30:.3g} GiB are "
            "free; make room, or train fewer runs"
        )
    if most_mib is not None and found.largest_mib > most_mib:
        raise UserError(
            f"{found.largest} takes about {found.largest_mib:,.0f} MiB of memory, but this machine has "
            f"{most_mib:,.0f} MiB; lower tiles.seconds for training, tiles.chunk_mib for the rest"
        )


def preflight(project: Project, screen: Console, runs_here: bool) -> None:
    """Print what the grid will take. Raises UserError where it cannot fit; memory only counts where it `runs_here`."""
    data = project.ledger_path.parent
    whole, assembled = ({path.stem for path in (data / folder).glob("L*.nc")} for folder in ("tiles", "runs"))
    found = estimate(project, whole, assembled, read_factors(data.parent / Path(FILE).name))
    there = next(folder for folder in (data, *data.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    machine = machine_memory() / 2**20
    rows = preflight_rows(found, free, machine if runs_here else None, os.environ)
    columns = [Column("", list(rows), 0), Column("", list(rows.values()), 1, least=20)]
    print_table(screen, columns, f"Preflight of grid {project.grid.grid}", header=False)
    refuse(found, free, machine if runs_here else None, str(data))


def preflight_rows(
    found: Estimate, free_bytes: int, machine_mib: float | None, environment: Mapping[str, str]
) -> dict[str, str]:
    """One row a question; `machine_mib` is None where jobs run elsewhere."""
    made = f"{found.new_tiles:,} train, {found.new_chunks:,} assemble, {found.new_evidence_chunks:,} certify"
    has = "the queue's limit is not known here" if machine_mib is None else f"this machine has {machine_mib:,.0f} MiB"
    threads = ", ".join(f"{key}={environment[key]}" for key in THREADS if key in environment)
    locking = environment.get("HDF5_USE_FILE_LOCKING", "not set: HDF5 locks files; set FALSE if they cannot be locked")
    return {
        "runs": f"{found.runs:,}, {found.new_runs:,} of them to be trained",
        "tiles": f"{found.tiles:,}, {found.new_tiles:,} of them to be trained",
        "jobs": f"at most {found.jobs:,}: {made}; and some dozens of checks, figures and studies",
        "training": f"{found.core_hours:.3g} core-hours",
        "disk": f"up to {found.data_bytes / 2**30:,.1f} GiB; {free_bytes / 2**30:,.1f} GiB free",
        "memory": f"{found.largest_mib:,.0f} MiB, {found.largest}; {has}",
        "threads": f"one a job, set by Snakemake; in this shell {threads or 'none is set'}",
        "HDF5 file locking": locking,
    }
