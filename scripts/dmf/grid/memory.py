"""How much memory a batch of runs takes to train, from shapes alone: known before anything is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from dmf.training.settings import Optimizer

SIDE_BY_SIDE = 8  # runs in the compiled engine's registers (dmf.training.lanes.instructions.LANES)
VECTORS = 5  # of a run's parameters beside the pairs of L-BFGS: two points, two gradients, a direction
COPIES = 6  # of a batch's parameters: drawn, scaled, joined, as the engine takes them, its own, the record's
NUMBER = 8  # bytes


def bytes_to_train(widths: Sequence[int], runs: int, optimizer: Optimizer) -> int:
    """Memory in bytes that training `runs` runs of widths (d_0, ..., d_L) in one batch takes on a processor.

    An estimate, 2 to 6 percent above what was measured for widths of 8 to 400; programs and libraries come on top.
    """
    parameters = sum(m * n for n, m in pairwise(widths))
    entries, products = widths[-1] * widths[0], widths[0] * (sum(widths[2:]) + 2 * max(widths))
    pairs = getattr(optimizer, "memory", 0)
    state = (2 * pairs + VECTORS) * parameters + entries + products
    return NUMBER * (SIDE_BY_SIDE * state + runs * (COPIES * parameters + 2 * entries))
