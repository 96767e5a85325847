"""What a job takes: MiB and seconds of one core, fitted to the jobs in benchmarks/results/*-jobs.tsv."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from dmf.grid.chunks import MIB, Chunk, run_bytes
from dmf.grid.memory import runs_together
from dmf.grid.tiles import Tile

# A Python with the libraries of a step before it holds a run; torch (not measured on a graphics card) brings more.
BASE_MIB, TORCH_MIB = 260.0, 700.0
START_SECONDS = 3.5
TRAINED_COPIES, STORED_COPIES = 6.0, 2.2  # of the parameters of runs trained together, and of a tile's stored runs
CHUNK_COPIES, TILE_COPIES = 1.4, 2.5  # of all runs of a chunk, and of the tile being placed in it
SLACK = 1.5  # the mean over a tile is predicted; lambda, starts and the processor decide the rest


def train_memory(tile: Tile, layers: bool, device: str) -> float:
    """Peak MiB of the job that trains a tile; `layers` and `device` are the grid's."""
    base = BASE_MIB if device == "cpu" else TORCH_MIB
    parameters = sum(m * n for n, m in pairwise(tile.group.widths))
    trained = 8 * parameters * runs_together(tile.group.widths, tile.runs, device)
    stored = tile.runs * run_bytes(tile.group, layers)
    return base + (TRAINED_COPIES * trained + STORED_COPIES * stored) / MIB


def train_seconds(tile: Tile) -> float:
    """Seconds of one core of the job that trains a tile, its start included."""
    return START_SECONDS + SLACK * tile.seconds


def chunk_memory(chunks: Sequence[Chunk], layers: bool) -> float:
    """Peak MiB of a job that assembles a chunk, or certifies `chunks` together."""
    held = sum(chunk.block.runs * run_bytes(chunk.block.group, layers) for chunk in chunks)
    tiles = [tile.runs * run_bytes(tile.group, layers) for chunk in chunks for tile in chunk.tiles]
    return BASE_MIB + (CHUNK_COPIES * held + TILE_COPIES * max(tiles, default=0)) / MIB


def memory(predicted: float, attempt: int) -> int:
    """MB to ask for: a quarter and Snakemake's own 250 more than predicted, and as much again at every new attempt."""
    return attempt * int(1.25 * predicted + 250)


def minutes(seconds: float, attempt: int) -> int:
    """Minutes to ask for: five, and three times what is predicted; as much again at every new attempt."""
    return attempt * (5 + int(3 * seconds / 60))
