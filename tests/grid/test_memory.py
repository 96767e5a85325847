"""What training is said to need is what it takes."""

import tracemalloc

import numpy as np
import pytest

from dmf.grid.memory import SIDE_BY_SIDE, bytes_to_train
from dmf.training.compiled_engine.instructions import LANES
from dmf.training.engine import train
from dmf.training.settings import GradientDescent, Lbfgs
from dmf.training.starts import draw_start


@pytest.mark.parametrize(
    "optimizer", [Lbfgs(name="lbfgs", max_iterations=2), GradientDescent(name="gd", max_iterations=2)]
)
@pytest.mark.parametrize(("widths", "runs"), [((160,) * 4, 1), ((4,) * 4, 20_000)])
def test_the_estimate_is_near_the_peak_that_python_counts(widths, runs, optimizer):
    """One run, whose state counts, and many, whose copies do."""
    rng = np.random.default_rng(0)
    start = draw_start("gaussian", widths, rng)
    problem = np.ones((runs, widths[-1], widths[0])), np.ones(runs)
    tracemalloc.start()
    drawn = [np.stack([layer] * runs) for layer in start]  # as draw_starts does
    scaled = [2 * layer for layer in drawn]
    train(*problem, [layer.copy() for layer in scaled], np.full(runs, 1e-9), optimizer)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0.6 * peak < bytes_to_train(widths, runs, optimizer) < 1.6 * peak


def test_the_engine_trains_as_many_side_by_side():
    assert SIDE_BY_SIDE == LANES
