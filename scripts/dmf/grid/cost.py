"""What training and its jobs cost: seconds, bytes of a run, memory; from shapes alone, so before anything is drawn.

The constants of jobs are fitted to benchmarks/results/*-jobs.tsv.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from dmf.grid.cells import Group
from dmf.training.refinement import TOGETHER, pays
from dmf.training.settings import Lbfgs, Optimizer

if TYPE_CHECKING:
    from dmf.grid.chunks import Chunk
    from dmf.grid.tiles import Tile

MIB = 2**20
DEFAULT = Lbfgs(name="lbfgs")
SCALARS = 9  # objective, gradient norm and the like: numbers that every run has once
SIDE_BY_SIDE = 8  # runs in the compiled engine's registers (dmf.training.compiled_engine.instructions.LANES)
VECTORS = 5  # of a run's parameters beside the pairs of L-BFGS: two points, two gradients, a direction
COPIES = 6  # of a batch's parameters: drawn, scaled, joined, as the engine takes them, its own, the record's
STAGE_COPIES = 7  # of the parameters of runs that go through the stages of L-BFGS together, frames and targets included
NUMBER = 8  # bytes
PART = 2**21  # parameters of the runs that a job trains together: 16 MiB, about what a processor's nearer memory holds
MOST_AT_ONCE = 8192  # runs that the minimum search trains together at most
LEAST_PART = 256  # runs: with few, lanes stand idle while the last ones end
LARGEST_PART = 2**25  # parameters; of matrices so large that these are fewer than LEAST_PART runs, fewer are trained
# A Python with the libraries of a step before it holds a run; torch (not measured on a graphics card) brings more.
BASE_MIB, TORCH_MIB = 260.0, 700.0
# Of a job on a cluster: two Snakemakes beside the step, 750 MiB in all for the smallest as Slurm adds up processes.
SNAKEMAKES_MIB = 500.0
STUDY_MIB = 600.0  # of any other study; profiles for clusters ask for 1,000 MB
START_SECONDS = 3.5
TRAINED_COPIES, STORED_COPIES = 6.0, 2.2  # of the parameters of runs that torch trains, and of a tile's stored runs
CHUNK_COPIES, TILE_COPIES = 1.4, 2.5  # of all runs of a chunk, and of the tile being placed in it
# For progress: seconds of one core that a job of a step takes, its start included, and those for each run on top.
# Studies that take long have their own. Rough, within a factor of two: only shares are shown.
STEP_SECONDS = {
    "train": (1.1, 0.0),
    "train_controls": (4.5, 0.0),
    "draw_targets": (0.7, 0.0),
    "assemble": (0.7, 2e-6),
    "certify": (1.0, 1.4e-4),
    "prove": (1.0, 8e-3),
    "refute": (1.0, 1.8e-3),
    "judge_attempts": (0.8, 0.0),
    "check": (0.8, 0.0),
    "thin": (0.8, 2e-6),
    "draw": (2.7, 0.0),
    "join_cells": (1.5, 0.0),
    "write_report": (2.5, 0.0),
    "write_paper": (60.0, 0.0),
    "study": (1.8, 0.0),
    "recovery": (7.0, 0.0),
    "continuation": (6.5, 0.0),
    "trajectories": (4.5, 0.0),
    "minimum_search": (0.5, 3e-3),
}
OTHER_STEP = (0.6, 0.0)
SLACK = 1.5  # the mean over a tile is predicted; lambda, starts and the processor decide the rest


def seconds_per_run(group: Group) -> float:
    """Predicted seconds to train one run on one core; the constants are fitted in benchmarks/cost_model.py.

    An evaluation takes N d multiplications and larger problems take more evaluations, which together grow like L N d^2.
    """
    depth, size = group.depth, max(group.widths)
    parameters = sum(a * b for a, b in zip(group.widths[1:], group.widths[:-1], strict=True))
    return 2.7e-5 + parameters * (5.7e-7 + depth * (4.8e-8 + 1.8e-10 * size**2))


def run_bytes(group: Group, layers: bool) -> int:
    """Bytes that the values of one stored run take; `layers` says whether its layers are kept."""
    widths = group.widths
    numbers = widths[0] * widths[-1] + min(widths[0], widths[-1]) + group.depth + SCALARS
    return 8 * (numbers + (sum(a * b for a, b in pairwise(widths)) if layers else 0))


def runs_together(widths: Sequence[int], runs: int, device: str) -> int:
    """How many of so many runs a job draws, trains and records together; a graphics card wants all of them."""
    if device != "cpu":
        return runs
    parameters = sum(m * n for n, m in pairwise(widths))
    fewest = min(LEAST_PART, max(SIDE_BY_SIDE, LARGEST_PART // parameters))
    return min(runs, max(fewest, PART // parameters))


def bytes_to_train(widths: Sequence[int], runs: int, optimizer: Optimizer) -> int:
    """Memory in bytes that training `runs` runs of widths (d_0, ..., d_L) in one batch takes on a processor.

    An estimate, 2 to 6 percent above what was measured for widths of 8 to 400; programs and libraries come on top.
    """
    parameters = sum(m * n for n, m in pairwise(widths))
    entries, products = widths[-1] * widths[0], widths[0] * (sum(widths[2:]) + 2 * max(widths))
    pairs = getattr(optimizer, "memory", 0)
    state = (2 * pairs + VECTORS) * parameters + entries + products
    stages = STAGE_COPIES * min(runs * parameters, TOGETHER) if pays(widths) else 0
    return NUMBER * (SIDE_BY_SIDE * state + runs * (COPIES * parameters + 2 * entries) + stages)


def train_memory(tile: Tile, layers: bool, device: str, optimizer: Optimizer = DEFAULT) -> float:
    """Peak MiB of the job that trains a tile; `layers`, `device` and `optimizer` are the grid's."""
    together = runs_together(tile.group.widths, tile.runs, device)
    stored = STORED_COPIES * tile.runs * run_bytes(tile.group, layers)
    if device == "cpu":
        return BASE_MIB + (bytes_to_train(tile.group.widths, together, optimizer) + stored) / MIB
    parameters = sum(m * n for n, m in pairwise(tile.group.widths))
    return TORCH_MIB + (TRAINED_COPIES * NUMBER * parameters * together + stored) / MIB


def train_seconds(tile: Tile) -> float:
    """Seconds of one core of the job that trains a tile, its start included."""
    return START_SECONDS + SLACK * tile.seconds


def step_seconds(step: str, study: str = "", runs: int = 0) -> float:
    """Predicted seconds of one core of a job, for progress; `runs` are those that it reads, tries or may train.

    Of the minimum search, the cells that it searches.
    """
    start, each = STEP_SECONDS.get(study, STEP_SECONDS.get(step, OTHER_STEP))
    return start + each * runs


def search_memory(groups: Iterable[Group], device: str, optimizer: Optimizer) -> float:
    """Peak MiB of the job that searches a minimum in every cell of the groups."""
    needs = (bytes_to_train(one.widths, runs_together(one.widths, MOST_AT_ONCE, device), optimizer) for one in groups)
    return (BASE_MIB if device == "cpu" else TORCH_MIB) + max(needs, default=0) / MIB


def chunk_memory(chunks: Sequence[Chunk], layers: bool) -> float:
    """Peak MiB of a job that assembles a chunk, or certifies `chunks` together."""
    held = sum(chunk.block.runs * run_bytes(chunk.block.group, layers) for chunk in chunks)
    tiles = [tile.runs * run_bytes(tile.group, layers) for chunk in chunks for tile in chunk.tiles]
    return BASE_MIB + (CHUNK_COPIES * held + TILE_COPIES * max(tiles, default=0)) / MIB


def memory(predicted: float, attempt: int) -> int:
    """MB to ask for: a quarter and Snakemake's own more than predicted, and as much again at every new attempt."""
    return attempt * int(1.25 * predicted + SNAKEMAKES_MIB)


def minutes(seconds: float, attempt: int) -> int:
    """Minutes to ask for: five, and three times what is predicted; as much again at every new attempt."""
    return attempt * (5 + int(3 * seconds / 60))
