"""A run's bits do not depend on its company: the batch, its size, its order, how many train side by side."""

import os
import subprocess
import sys
from dataclasses import fields

import numpy as np
import pytest

from dmf.training.settings import Adam, GradientDescent, Lbfgs, Nesterov

pytestmark = pytest.mark.parametrize("device", ["cpu", "torch"])

SHAPES = [
    (1, 1, 1),
    (3, 4, 2),
    (6, 6, 6),
    (7, 7, 7, 7),
    (4, 4, 4, 4, 4),
    (1, 9, 5),
    (8, 8, 8),
    (5, 16, 16, 3),
    (32, 32, 1),
    (17, 16, 16),  # refined
]


def assert_same(runs, rows, other):
    for field in fields(runs):
        a, b = getattr(runs, field.name), getattr(other, field.name)
        pairs = zip(a, b, strict=True) if field.name == "layers" else [(a, b)]
        for x, y in pairs:
            assert np.array_equal(x[rows], y), field.name


@pytest.mark.parametrize("widths", SHAPES)
def test_alone_in_seven_and_in_many_are_the_same_bits(widths, draw_batch):
    batch = draw_batch(widths, 60, tolerance=1e-7)
    together = batch.train(Lbfgs(name="lbfgs", max_iterations=120))
    for rows in ([0], [41], [59], list(range(20, 27))):
        assert_same(together, rows, batch.take(rows).train(Lbfgs(name="lbfgs", max_iterations=120)))


def test_order_and_batch_change_nothing_in_three_hundred_runs(draw_batch):
    batch = draw_batch((6, 6, 6, 6), 300)
    together = batch.train()
    order = np.random.default_rng(1).permutation(300)
    assert_same(together, order, batch.take(order).train())
    for side_by_side in (37, 64, 1000):
        assert_same(together, slice(None), batch.train(batch=side_by_side))
    assert_same(together, slice(10), batch.take(range(10)).train(batch=1))
    assert len(set(together.iterations)) > 20


def test_odd_shapes_are_invariant_even_where_the_blas_is_not_told_to_be(device, tmp_path):
    """A BLAS without MKL_CBWR rounds by alignment: zeros that fill rows to cache lines must keep it the same."""
    code = """
import sys
import numpy as np
from dmf.training.engine import train
from dmf.training.settings import Lbfgs
from dmf.training.tasks import Execution, Tasks
rng = np.random.default_rng(0)
targets, layers = rng.standard_normal((30, 9, 9)), [rng.standard_normal((30, 9, 9)) / 3 for _ in range(3)]
def run(rows):
    full, starts = np.full(len(rows), 0.1), [w[rows] for w in layers]
    return train(Tasks(targets[rows], full, full * 1e-6), starts, Lbfgs(name="lbfgs"), on=Execution(sys.argv[1]))
together, some = run(np.arange(30)), run(np.arange(7, 10))
for name in ("objective", "gradient_norm", "end_to_end", "imbalance", "hessian_trace", "iterations"):
    assert np.array_equal(getattr(together, name)[7:10], getattr(some, name)), name
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "MKL_CBWR": ""}
    subprocess.run([sys.executable, "-c", code, device], check=True, env=environment, cwd=tmp_path)


@pytest.mark.parametrize("memory", [1, 7, 25])
def test_every_memory_is_invariant(memory, draw_batch):
    batch, settings = draw_batch((5, 5, 5), 40, tolerance=1e-6), Lbfgs(name="lbfgs", memory=memory, max_iterations=100)
    together = batch.train(settings)
    for rows in ([7], range(11, 18)):
        assert_same(together, list(rows), batch.take(rows).train(settings))


FIXED_STEP = [
    GradientDescent(name="gd", step=0.02, max_iterations=500),
    Nesterov(name="nesterov", step=0.02, max_iterations=300),
    Adam(name="adam", max_iterations=300),
]


@pytest.mark.parametrize("settings", FIXED_STEP, ids=lambda settings: settings.name)
def test_methods_of_a_fixed_step_are_invariant_too(settings, draw_batch):
    batch = draw_batch((5, 5, 5, 5), 80, tolerance=1e-3)
    together = batch.train(settings)
    assert_same(together, slice(None), batch.train(settings, batch=7))
    assert_same(together, [33], batch.take([33]).train(settings))
