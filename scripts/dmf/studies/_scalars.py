"""What studies of (m - w_L ... w_1)^2 + lambda sum w_l^2 share: signs of factors, training, what rounding allows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dmf.training.engine import train
from dmf.training.result import Runs
from dmf.training.settings import Lbfgs

Floats = NDArray[np.float64]
EPS = float(np.finfo(np.float64).eps)
OPTIMIZER = Lbfgs(name="lbfgs", memory=10)  # as many pairs as these problems have parameters
SAFETY = 2.0  # dist <= ||grad|| / mu is first order; twice it covers the higher orders nearby


def sign_patterns(depth: int, count: int) -> Floats:
    """Signs (count, depth) with product +1: all 2^(depth - 1) of them in turn, or the first `count`."""
    bits = np.arange(count)[:, None] >> np.arange(depth - 1)
    free = 1.0 - 2.0 * (bits & 1)
    return np.column_stack([free, free.prod(axis=1)])


def train_scalars(m: Floats, lam: Floats, factors: Floats, tolerance: Floats) -> tuple[Floats, Runs]:
    """Train B scalar problems with m, lam and tolerance (B,) from factors (B, L): final factors (B, L), and records."""
    starts = [np.ascontiguousarray(column)[:, None, None] for column in factors.T]
    runs = train(m[:, None, None], lam, starts, tolerance, OPTIMIZER)
    return np.concatenate(runs.layers, axis=2)[:, 0, :], runs


def product_tolerance(size: Floats, radius: Floats, depth: int) -> Floats:
    """How far the product of L factors, `size` each, moves when their vector moves by `radius`."""
    tolerance: Floats = np.sqrt(depth) * (size + radius) ** (depth - 1) * radius
    return tolerance


def power_noise(*bases: Floats) -> Floats:
    """Relative rounding error of a quantity made of powers t^a, |a| <= 2, of the positive `bases`, and a few products.

    An exponent rounded by eps / 2 changes t^a by |ln t| eps / 2 of itself, and pow, product and sum round once each.
    """
    logs = [np.abs(np.log(base, out=np.zeros_like(base), where=base > 0)) for base in np.broadcast_arrays(*bases)]
    noise: Floats = EPS * (8 + sum(logs, np.zeros(1)))
    return noise
