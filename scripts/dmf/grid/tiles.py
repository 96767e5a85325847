"""Tiles: blocks of cells of one group that one job trains, laid so that nothing is ever trained twice."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from dmf.errors import UserError
from dmf.grid.cells import Group, Series, group_of, lambda_labels, series_of
from dmf.grid.config import MOST_RUNS, Grid
from dmf.grid.cost import MIB, run_bytes, seconds_per_run
from dmf.grid.seeds import digest
from dmf.grid.targets import TargetMatrix

MOST_JOBS = 100_000  # that train, and that assemble; Snakemake plans 10,000 in 11 s


@dataclass(frozen=True)
class Tile:
    """A full block targets x lambdas x series x [first, last) of starts, all of one group.

    `targets` are pairs (name, fingerprint); `training` is the fingerprint of everything else that shapes a
    run's numbers (seed, optimizer, certificate, what is kept). A tile's name is the hash of all of it: a file
    of that name holds exactly these runs.
    """

    group: Group
    targets: tuple[tuple[str, str], ...]
    lambdas: tuple[str, ...]
    series: tuple[Series, ...]
    first: int
    last: int
    training: str

    @property
    def runs(self) -> int:
        """Number of factorizations in the tile."""
        return len(self.targets) * len(self.lambdas) * len(self.series) * (self.last - self.first)

    @property
    def name(self) -> str:
        """Group and content hash: the stem of the tile's file."""
        return f"{self.group.name}-{digest(self.as_json(), 12)}"

    @property
    def seconds(self) -> float:
        """Predicted seconds of training on one core."""
        return self.runs * seconds_per_run(self.group)

    def as_json(self) -> dict[str, Any]:
        """The tile as JSON values, in a fixed order."""
        return {
            "widths": list(self.group.widths),
            "targets": [list(target) for target in self.targets],
            "lambdas": list(self.lambdas),
            "series": [[s.scheme, s.scale] for s in self.series],
            "starts": [self.first, self.last],
            "training": self.training,
        }

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Tile:
        """Inverse of `as_json`."""
        first, last = raw["starts"]
        return cls(
            Group(tuple(raw["widths"])),
            tuple((name, fingerprint) for name, fingerprint in raw["targets"]),
            tuple(raw["lambdas"]),
            tuple(Series(scheme, scale) for scheme, scale in raw["series"]),
            first,
            last,
            raw["training"],
        )


@dataclass(frozen=True)
class Plan:
    """The groups of a grid, each with the tiles that hold its runs; `laid` are the tiles new to the ledger."""

    groups: dict[Group, list[TargetMatrix]]
    tiles: dict[Group, list[Tile]]
    laid: list[Tile]

    @property
    def wanted(self) -> list[Tile]:
        """Every tile the grid needs."""
        return [tile for tiles in self.tiles.values() for tile in tiles]


def training_fingerprint(grid: Grid) -> str:
    """Fingerprint of the settings that shape every run of a grid."""
    return digest(
        [
            grid.seed,
            grid.optimizer.model_dump(),
            "cpu" if grid.device == "cpu" else "torch",  # the engines agree to certificates, not to bits
            grid.certificate.gradient_norm,
            grid.keep.model_dump(),
        ]
    )


def groups_of(grid: Grid, targets: Sequence[TargetMatrix], source: str) -> dict[Group, list[TargetMatrix]]:
    """Targets by group, in the grid's order. Raises UserError where hidden widths do not fit a target."""
    groups: dict[Group, list[TargetMatrix]] = {}
    for depth in grid.depths:
        for target in targets:
            where = f"{source}: target {target.name}, depth {depth}"
            groups.setdefault(group_of(target.shape, depth, grid.hidden_widths, where), []).append(target)
    return groups


def lay(grid: Grid, targets: Sequence[TargetMatrix], ledger: Iterable[Tile], source: str = "config") -> Plan:
    """Tiles for a grid: those of the ledger that hold its cells, and new ones for the cells that none holds.

    A pure function: the same grid and ledger give the same plan, and a plan laid over its own tiles is itself.
    """
    groups = groups_of(grid, targets, source)
    _refuse_many_jobs(grid, groups, source)
    training = training_fingerprint(grid)
    known: dict[Group, list[Tile]] = {}
    for tile in ledger:
        if tile.training == training:
            known.setdefault(tile.group, []).append(tile)
    axes = lambda_labels(grid.lambdas), series_of(grid), grid.starts.count
    tiles: dict[Group, list[Tile]] = {}
    laid: list[Tile] = []
    for group, members in groups.items():
        identities = [(target.name, target.fingerprint) for target in members]
        used, covered = _covered(known.get(group, []), identities, *axes)
        blocks = _rectangles(
            covered, Tile(group, tuple(identities), tuple(axes[0]), tuple(axes[1]), 0, axes[2], training)
        )
        most = _tile_runs(group, grid)
        new = [piece for block in blocks for piece in split(block, most)]
        tiles[group] = used + new
        laid += new
    return Plan(groups, tiles, laid)


def _tile_runs(group: Group, grid: Grid) -> int:
    return max(1, int(min(grid.tiles.seconds / seconds_per_run(group), MOST_RUNS)))


def _refuse_many_jobs(grid: Grid, groups: Mapping[Group, Sequence[TargetMatrix]], source: str) -> None:
    """Raise UserError where tiles or chunks are so small that nobody could plan them."""
    cells = len(lambda_labels(grid.lambdas)) * len(series_of(grid))
    runs = {group: len(members) * cells * grid.starts.count for group, members in groups.items()}
    held = {group: max(1, int(grid.tiles.chunk_mib * MIB / run_bytes(group, grid.keep.layers))) for group in groups}
    for key, value, most in (
        ("seconds", grid.tiles.seconds, {group: _tile_runs(group, grid) for group in groups}),
        ("chunk_mib", grid.tiles.chunk_mib, held),
    ):
        jobs = sum(-(-number // most[group]) for group, number in runs.items())
        if jobs > MOST_JOBS:
            raise UserError(
                f"{source}: tiles.{key}: got {value:g}, which makes {jobs:,} jobs, expected at most {MOST_JOBS:,}; "
                "raise it"
            )


def _covered(
    known: Iterable[Tile], targets: list[tuple[str, str]], lambdas: list[str], series: list[Series], count: int
) -> tuple[list[Tile], np.ndarray[Any, np.dtype[np.int64]]]:
    """The tiles that hold some wanted cell, and for each (target, lambda, series) how many starts they hold.

    Starts are trained from 0 upwards, so what is held of a series is a range [0, n).
    """
    places = [{key: i for i, key in enumerate(axis)} for axis in (targets, lambdas, series)]
    held = np.zeros((len(targets), len(lambdas), len(series)), dtype=np.int64)
    used = []
    for tile in sorted(known, key=lambda tile: tile.first):
        axes = [
            [place[key] for key in keys if key in place]
            for place, keys in zip(places, (tile.targets, tile.lambdas, tile.series), strict=True)
        ]
        block = np.ix_(*axes)
        extends = (held[block] >= tile.first) & (held[block] < min(tile.last, count))
        if extends.any():
            held[block] = np.where(extends, tile.last, held[block])
            used.append(tile)
    return used, np.minimum(held, count)


def _rectangles(held: np.ndarray[Any, np.dtype[np.int64]], whole: Tile) -> Iterator[Tile]:
    """The cells not yet held, as few full blocks: targets with the same gaps share a block."""
    for first in np.unique(held[held < whole.last]).tolist():
        blocks: dict[tuple[tuple[Series, ...], tuple[str, ...]], list[tuple[str, str]]] = {}
        for target, gaps in zip(whole.targets, held == first, strict=True):
            by_series: dict[tuple[Series, ...], list[str]] = {}
            for label, row in zip(whole.lambdas, gaps, strict=True):
                missing = tuple(s for s, gap in zip(whole.series, row, strict=True) if gap)
                if missing:
                    by_series.setdefault(missing, []).append(label)
            for gap, labels in by_series.items():
                blocks.setdefault((gap, tuple(labels)), []).append(target)
        for (gap, lambdas), members in blocks.items():
            yield replace(whole, targets=tuple(members), lambdas=lambdas, series=gap, first=first)


def split(block: Tile, most: int) -> Iterator[Tile]:
    """Cut a block into blocks of at most `most` runs: along the targets, then lambdas, then series, then starts.

    In the order of the runs: all pieces of one (target, lambda) follow one another, and where a (target, lambda) is in
    several pieces, each holds nothing else.
    """
    if block.runs <= most:
        yield block
        return
    for axis in ("targets", "lambdas", "series"):
        members = getattr(block, axis)
        if len(members) > 1:
            for i, j in _even(0, len(members), max(1, most * len(members) // block.runs)):
                yield from split(replace(block, **{axis: members[i:j]}), most)
            return
    for first, last in _even(block.first, block.last, most):
        yield replace(block, first=first, last=last)


def _even(first: int, last: int, most: int) -> Iterator[tuple[int, int]]:
    """Cut [first, last) into as few pieces of at most `most` as there can be, all of nearly the same size."""
    size = last - first
    pieces = -(-size // most)
    edges = [first + size * i // pieces for i in range(pieces + 1)]
    return pairwise(edges)


def read_ledger(text: str) -> list[Tile]:
    """Tiles of a ledger, one JSON object a line. Raises ValueError for a damaged line."""
    return [Tile.from_json(json.loads(line)) for line in text.splitlines() if line.strip()]


def ledger_text(tiles: Iterable[Tile]) -> str:
    """Inverse of `read_ledger`."""
    return "".join(tile_text(tile) + "\n" for tile in tiles)


def tile_text(tile: Tile) -> str:
    """A tile as one line of JSON: what the ledger holds, and the tile's own file."""
    return json.dumps(tile.as_json(), separators=(",", ":"))
