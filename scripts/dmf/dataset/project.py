"""A grid on disk: its configuration, targets, plan and ledger in one place, for the workflow and the console."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dmf.dataset.ledger import LEDGER, ledger_problem, read_tiles, write_tiles
from dmf.dataset.store import set_aside, write_text
from dmf.errors import UserError
from dmf.grid.cells import Group, group_of, lambda_labels, series_of
from dmf.grid.chunks import Chunk, chunks_of, evidence_chunks_of
from dmf.grid.config import Grid, validate
from dmf.grid.cost import bytes_to_train, runs_together
from dmf.grid.targets import TargetMatrix, build_targets
from dmf.grid.tiles import Plan, Tile, lay, training_fingerprint
from dmf.training.arguments import check_device

SMALLER = "use smaller targets or hidden widths, or fewer layers"
CONFIGURATION = "grid.yaml"  # of a data folder


@dataclass(frozen=True)
class Project:
    """A checked grid, its targets, the plan that trains it, and the ledger of every tile ever planned."""

    grid: Grid
    targets: list[TargetMatrix]
    plan: Plan
    ledger: list[Tile]
    ledger_path: Path

    @property
    def training(self) -> str:
        """Fingerprint of the settings that shape every run."""
        return training_fingerprint(self.grid)

    def block(self, group: Group) -> Tile:
        """All wanted cells of a group as one block."""
        members = tuple((target.name, target.fingerprint) for target in self.plan.groups[group])
        labels, series = tuple(lambda_labels(self.grid.lambdas)), tuple(series_of(self.grid))
        return Tile(group, members, labels, series, 0, self.grid.starts.count, self.training)

    @property
    def cells(self) -> int:
        """Number of (target, depth, lambda)."""
        return sum(len(members) for members in self.plan.groups.values()) * len(lambda_labels(self.grid.lambdas))

    @property
    def series(self) -> int:
        """Number of (scheme, scale) in every cell."""
        return len(series_of(self.grid))

    @property
    def runs(self) -> int:
        """Number of runs of the grid."""
        return self.cells * self.series * self.grid.starts.count

    def chunks(self) -> list[list[Chunk]]:
        """What is assembled: the chunks of every group."""
        keep, most = self.grid.keep.layers, self.grid.tiles.chunk_mib
        return [chunks_of(self.block(group), tiles, keep, most) for group, tiles in self.plan.tiles.items()]

    def evidence_chunks(self) -> dict[str, list[Chunk]]:
        """What is certified together, by the stem of the file of evidence."""
        evidence_chunks = evidence_chunks_of(self.chunks(), self.grid.keep.layers, self.grid.tiles.chunk_mib)
        if len(evidence_chunks) == 1:
            return {"evidence": evidence_chunks[0]}
        return {f"evidence/{number}": evidence_chunk for number, evidence_chunk in enumerate(evidence_chunks)}

    def record(self, say: Callable[[str], None] = print) -> None:
        """Write beside the data what they are of, so that a copy of the folder can be reported anywhere, and the
        planned tiles, so that a later and larger grid leaves them as they are.

        To be called while holding the grid; the ledger is read again, since another run may have ended meanwhile.
        `say` is given a line where it is damaged; it is moved aside and made again from what there is.
        """
        text = configuration_text(self.grid)
        path = self.ledger_path.with_name(CONFIGURATION)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_text(text, path)
        wrong = ledger_problem(self.ledger_path)
        if self.plan.laid or wrong:
            tiles = [*read_tiles(self.ledger_path), *self.plan.laid]
            if wrong:
                moved = f"moved to {set_aside(self.ledger_path)}, " if self.ledger_path.exists() else ""
                say(f"{self.ledger_path}: {wrong}; {moved}made again from the tiles")
            write_tiles(tiles, self.ledger_path)


def open_project(raw: Any, source: str, root: Path = Path(), trains_here: bool = True) -> Project:
    """Check a configuration, build its targets and lay its tiles over those already in the ledger.

    `source` is the file to name in a complaint; data lie in root/data/NAME. Raises UserError, also for a device or
    a memory that this machine lacks if it `trains_here`. Writes nothing.
    """
    grid = validate(raw, source)
    if trains_here:
        require_device(grid.device, source)
    machine = machine_memory()
    drawn = sum(8 * math.prod(getattr(spec, "shape", (0,))) for spec in grid.targets)  # others come from small files
    if drawn > machine:
        raise UserError(f"{source}: targets: take {_gigabytes(drawn, machine)}; use fewer or smaller ones")
    if trains_here:
        _refuse_too_large_to_draw(grid, source, machine)
    targets = build_targets(grid, source)
    ledger_path = root / "data" / grid.grid / LEDGER
    ledger = read_tiles(ledger_path)
    project = Project(grid, targets, lay(grid, targets, ledger, source), ledger, ledger_path)
    if trains_here:
        _refuse_too_large(project, source, machine)
    return project


def _refuse_too_large_to_draw(grid: Grid, source: str, machine: int) -> None:
    """Raise UserError where no run of a target that is to be drawn fits into memory: drawing may take minutes."""
    shapes: dict[tuple[int, int], str] = {}
    for spec in grid.targets:
        if (shape := getattr(spec, "shape", None)) is not None:
            shapes.setdefault(shape, spec.name)
    for depth in grid.depths:
        for shape, name in shapes.items():
            group = group_of(shape, depth, grid.hidden_widths, f"{source}: target {name}, depth {depth}")
            need = bytes_to_train(group.widths, 1, grid.optimizer)
            if need > machine:
                raise UserError(
                    f"{source}: runs of depth {depth}, with layers up to {max(group.widths)} wide, side by side take "
                    f"{_gigabytes(need, machine)}; {SMALLER}"
                )


def machine_memory() -> int:
    """Bytes of memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _refuse_too_large(project: Project, source: str, machine: int) -> None:
    """Raise UserError where a tile cannot be trained in this machine's memory, before any job starts."""
    optimizer, device = project.grid.optimizer, project.grid.device
    for tile in project.plan.wanted:
        runs = runs_together(tile.group.widths, tile.runs, device)
        need = bytes_to_train(tile.group.widths, runs, optimizer)
        if need > machine:
            remedy = SMALLER
            remedy += ", or lower tiles.seconds" if runs > 1 else ""
            raise UserError(
                f"{source}: {runs} run{'s' if runs > 1 else ''} of depth {tile.group.depth}, with layers up "
                f"to {max(tile.group.widths)} wide, side by side take {_gigabytes(need, machine)}; {remedy}"
            )


def _gigabytes(need: int, machine: int) -> str:
    return f"{need / 2**30:.3g} GiB of memory, expected at most the {machine / 2**30:.3g} GiB that this machine has"


def require_device(device: str, source: str) -> None:
    """Raise UserError where this machine lacks the device that a grid wants."""
    try:
        check_device(device)
    except ValueError as error:
        raise UserError(f"{source}: {error}") from None


def configuration_text(grid: Grid) -> str:
    """A grid's configuration as YAML, every key written out."""
    head = "# The configuration of the data in this folder, as it was last run.\n"
    return head + yaml.safe_dump(grid.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
