"""Fixed-step gradient descent: the textbook iteration, its stopping, its divergence."""

import numpy as np
import pytest
import torch

from dmf.training.settings import GradientDescent, Lbfgs, Status

pytestmark = pytest.mark.parametrize("device", ["cpu", "torch"])


@pytest.mark.parametrize("widths", [(3, 5, 2), (1, 1, 1), (6, 1, 4), (1, 7, 3, 5), (4, 4, 4, 4, 4)])
def test_steps_are_those_of_autograd(widths, draw_batch, objective):
    batch = draw_batch(widths, 4)
    runs = batch.train(GradientDescent(name="gd", step=0.02, max_iterations=25))
    assert np.all(runs.status == Status.ITERATION_LIMIT)
    assert np.all(runs.iterations == 25)
    assert np.all(runs.evaluations == 26)
    for i in range(4):
        theta = torch.from_numpy(np.concatenate([w[i].ravel() for w in batch.starts]))
        for _ in range(25):
            theta.requires_grad_()
            value = objective(theta, torch.from_numpy(batch.targets[i]), batch.lams[i], widths)
            theta = theta.detach() - 0.02 * torch.autograd.grad(value, theta)[0]
        final = np.concatenate([w[i].ravel() for w in runs.layers])
        np.testing.assert_allclose(final, theta.numpy(), rtol=1e-11, atol=1e-13)


def test_it_converges_to_where_lbfgs_does_when_there_is_one_minimum(draw_batch):
    batch = draw_batch((3, 3, 3), 20, lams=(0.3, 0.8), tolerance=1e-8)
    batch.targets = 2 * np.linalg.qr(batch.targets).Q  # singular values 2, far from every lambda
    slow, fast = batch.train(GradientDescent(name="gd", step=0.05)), batch.train(Lbfgs(name="lbfgs"))
    assert np.all(slow.status == Status.CONVERGED)
    assert slow.gradient_norm.max() <= 1e-8
    np.testing.assert_allclose(slow.objective, fast.objective, rtol=1e-9)


@pytest.mark.parametrize("reason", ["far start", "NaN start", "huge lambda"])
def test_a_diverging_run_costs_its_mates_nothing(reason, draw_batch):
    batch = draw_batch((4, 4, 4, 4), 12, tolerance=1e-2)
    settings = GradientDescent(name="gd", step=0.02, max_iterations=500)
    clean = batch.train(settings)
    if reason == "huge lambda":
        batch.lams[5] = 1e3
    else:
        batch.starts[0][5] *= 1e3 if reason == "far start" else np.nan
    runs, mates = batch.train(settings), np.arange(12) != 5
    assert len(set(clean.status)) == 2, "some mates converge, some do not"
    assert runs.status[5] == Status.DIVERGED
    assert runs.iterations[5] < 100
    for name in ("objective", "iterations", "status", "end_to_end"):
        assert np.array_equal(getattr(runs, name)[mates], getattr(clean, name)[mates])


def test_a_huge_step_diverges_everywhere(draw_batch):
    runs = draw_batch((3, 3, 3), 10).train(GradientDescent(name="gd", step=50.0))
    assert np.all(runs.status == Status.DIVERGED)
