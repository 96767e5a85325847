"""Chunks: what one aggregation job holds in memory at once. Their size is bounded, their number grows with the grid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dmf.grid.cost import MIB, run_bytes
from dmf.grid.tiles import Tile, split

SAMPLE = 250_000  # runs that a figure draws at most, or one draw of one cell in many

Spans = NDArray[np.int64]


@dataclass(frozen=True)
class Chunk:
    """A block of runs that become one file, and the tiles that hold them."""

    name: str
    block: Tile
    tiles: tuple[Tile, ...]


def chunks_of(whole: Tile, tiles: Sequence[Tile], layers: bool, most_mib: float) -> list[Chunk]:
    """The chunks of all wanted runs `whole` of a group, each with those of `tiles` that hold some of its runs.

    A chunk holds at most `most_mib` MiB of values, or one run. It is named after its group, with a number where there
    are several.
    """
    blocks = list(split(whole, max(1, int(most_mib * MIB / run_bytes(whole.group, layers)))))
    if len(blocks) == 1:
        return [Chunk(whole.group.name, whole, tuple(tiles))]
    near = _neighbours(whole, blocks, tiles)
    return [
        Chunk(f"{whole.group.name}-{number}", block, tuple(tile for tile in some if _share_runs(block, tile)))
        for number, (block, some) in enumerate(zip(blocks, near, strict=True))
    ]


def evidence_chunks_of(chunks: Iterable[Sequence[Chunk]], layers: bool, most_mib: float) -> list[list[Chunk]]:
    """Chunks that are certified together: small groups side by side up to `most_mib`, the chunks of a large one alone.

    `chunks` has one sequence a group.
    """
    evidence_chunks: list[list[Chunk]] = []
    room = 0.0
    for group in chunks:
        for chunk in group:
            size = chunk.block.runs * run_bytes(chunk.block.group, layers)
            if len(group) > 1 or size > room:
                evidence_chunks.append([])
                room = 0 if len(group) > 1 else most_mib * MIB
            evidence_chunks[-1].append(chunk)
            room -= size
    return evidence_chunks


def thinning(cells: int, series: int, count: int, most: int = SAMPLE) -> tuple[int, int]:
    """Of `count` draws of each of `series` in each of `cells`, every which draw of every which cell makes about `most`.

    Draws are left out first, since all lambdas are wanted for a curve. (1, 1) where there are no more than `most`.
    """
    draw_step = min(count, -(-cells * series * count // most))
    return draw_step, -(-cells * series * -(-count // draw_step) // most)


def _neighbours(whole: Tile, blocks: Sequence[Tile], tiles: Sequence[Tile]) -> Iterator[list[Tile]]:
    """For each block the tiles whose extent along every axis meets its own: a quick sieve for many of both."""
    low, high = _extents(whole, tiles)
    for begin, end in zip(*_extents(whole, blocks), strict=True):
        meets = np.flatnonzero(((low < end) & (begin < high)).all(axis=1))
        yield [tiles[i] for i in meets.tolist()]


def _extents(whole: Tile, blocks: Sequence[Tile]) -> tuple[Spans, Spans]:
    """First and one past the last place of each block along (target, lambda, series, start), both (block, 4)."""
    axes = ("targets", "lambdas", "series")
    places = [{key: i for i, key in enumerate(getattr(whole, axis))} for axis in axes]
    low, high = np.empty((2, len(blocks), 4), dtype=np.int64)
    for row, block in enumerate(blocks):
        for column, (axis, place) in enumerate(zip(axes, places, strict=True)):
            found = [place[key] for key in getattr(block, axis) if key in place]
            low[row, column], high[row, column] = min(found), max(found) + 1
        low[row, 3], high[row, 3] = block.first, block.last
    return low, high


def _share_runs(one: Tile, other: Tile) -> bool:
    shared = (set(getattr(one, axis)) & set(getattr(other, axis)) for axis in ("targets", "lambdas", "series"))
    return all(shared) and one.first < other.last and other.first < one.last
