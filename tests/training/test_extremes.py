"""Problems at the edges of float64 and of shape end with a named status, finite numbers and in time."""

import time

import numpy as np
import pytest

from dmf.training.settings import Adam, Continuation, GradientDescent, Lbfgs, Nesterov, Status

pytestmark = pytest.mark.parametrize("device", ["cpu", "torch"])

METHODS = [
    Lbfgs(name="lbfgs", max_iterations=1000),
    Continuation(name="continuation", stages=3, max_iterations=300),
    GradientDescent(name="gd", max_iterations=300),
    Nesterov(name="nesterov", max_iterations=300),
    Adam(name="adam", max_iterations=300),
]
by_method = pytest.mark.parametrize("settings", METHODS, ids=lambda settings: settings.name)


def behaves(batch, settings):
    began = time.process_time()
    runs = batch.train(settings)
    assert time.process_time() - began < 10  # not of the wall's, which other work on the machine takes
    assert set(runs.status.tolist()) <= set(Status)
    sane = runs.status != Status.DIVERGED
    for name in ("objective", "gradient_norm", "end_to_end", "singular_values", "layer_norm_sq", "imbalance"):
        assert np.isfinite(getattr(runs, name)[sane]).all(), name
    assert np.isfinite(runs.hessian_trace[sane]).all()
    converged = runs.status == Status.CONVERGED
    assert np.all(runs.gradient_norm[converged] <= 1.001 * batch.tolerance[converged] + 1e-12)
    return runs


@by_method
@pytest.mark.parametrize("scale", [1e-310, 1e-160])
@pytest.mark.parametrize("what", ["targets", "starts", "both"])
def test_entries_that_are_denormal_or_have_denormal_squares(scale, what, settings, draw_batch):
    batch = draw_batch((3, 3, 3), 6)
    if what != "starts":
        batch.targets *= scale
    if what != "targets":
        batch.starts = [w * scale for w in batch.starts]
    behaves(batch, settings)


@by_method
@pytest.mark.parametrize("lam", [1e-8, 1e3])
def test_a_lambda_far_from_the_targets_scale(lam, settings, draw_batch):
    batch = draw_batch((4, 4, 4, 4), 6, tolerance=1e-7)
    batch.lams[:] = lam
    runs = behaves(batch, settings)
    if lam > 1 and settings.name == "lbfgs":
        assert np.all(runs.status == Status.CONVERGED)
        assert np.abs(runs.end_to_end).max() < 1e-9, "above lambda_c all collapses to zero"


@by_method
def test_depth_forty(settings, draw_batch):
    behaves(draw_batch((2,) * 41, 6), settings)


@by_method
@pytest.mark.parametrize("widths", [(9, 3, 1), (1, 3, 9), (9, 1, 1), (1, 1, 9), (1, 4, 4, 7)])
def test_targets_of_one_row_or_column(widths, settings, draw_batch):
    runs = behaves(draw_batch(widths, 6), settings)
    if settings.name == "lbfgs":
        assert np.all(runs.status == Status.CONVERGED)


def test_width_256(draw_batch):
    runs = behaves(draw_batch((256, 256, 256), 1, lams=(0.3, 0.3), tolerance=1e-2), Lbfgs(name="lbfgs"))
    assert runs.status[0] == Status.CONVERGED
