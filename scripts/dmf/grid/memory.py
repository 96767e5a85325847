"""How much memory a batch of runs takes to train, from shapes alone: known before anything is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from dmf.training.refinement import pays
from dmf.training.settings import Optimizer
from dmf.training.stages import TOGETHER

SIDE_BY_SIDE = 8  # runs in the compiled engine's registers (dmf.training.compiled_engine.instructions.LANES)
VECTORS = 5  # of a run's parameters beside the pairs of L-BFGS: two points, two gradients, a direction
COPIES = 6  # of a batch's parameters: drawn, scaled, joined, as the engine takes them, its own, the record's
STAGE_COPIES = 7  # of the parameters of runs that go through the stages of L-BFGS together, frames and targets included
NUMBER = 8  # bytes
PART = 2**21  # parameters of the runs that a job trains together: 16 MiB, about what a processor's nearer memory holds
LEAST_PART = 256  # runs: with few, lanes stand idle while the last ones end


def runs_together(widths: Sequence[int], runs: int, device: str) -> int:
    """How many of so many runs a job draws, trains and records together; a graphics card wants all of them."""
    if device != "cpu":
        return runs
    return min(runs, max(LEAST_PART, PART // sum(m * n for n, m in pairwise(widths))))


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
