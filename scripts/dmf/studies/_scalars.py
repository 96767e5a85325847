"""What studies of (m - w_L ... w_1)^2 + lambda sum w_l^2 share: signs of factors, and training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dmf.training.engine import train
from dmf.training.result import Runs
from dmf.training.settings import Lbfgs
from dmf.training.tasks import Tasks

Floats = NDArray[np.float64]
OPTIMIZER = Lbfgs(name="lbfgs", memory=10)  # as many pairs as these problems have parameters


def sign_patterns(depth: int, count: int) -> Floats:
    """Signs (count, depth) with product +1: all 2^(depth - 1) of them in turn, or the first `count`."""
    bits = np.arange(count)[:, None] >> np.arange(depth - 1)
    free = 1.0 - 2.0 * (bits & 1)
    return np.column_stack([free, free.prod(axis=1)])


def train_scalars(m: Floats, lam: Floats, factors: Floats, tolerance: Floats) -> tuple[Floats, Runs]:
    """Train B scalar problems with m, lam and tolerance (B,) from factors (B, L): final factors (B, L), and records."""
    starts = [np.ascontiguousarray(column)[:, None, None] for column in factors.T]
    runs = train(Tasks(m[:, None, None], lam, tolerance), starts, OPTIMIZER)
    return np.concatenate(runs.layers, axis=2)[:, 0, :], runs
