"""Nesterov's method and Adam, step by step against references on autograd's gradients."""

import numpy as np
import pytest
import torch

from dmf.training.settings import Adam, GradientDescent, Nesterov, Status

pytestmark = pytest.mark.parametrize("device", ["cpu", "torch"])

WIDTHS = (3, 5, 2)


def start_of(batch, i):
    return torch.from_numpy(np.concatenate([w[i].ravel() for w in batch.starts]))


def final_of(runs, i):
    return np.concatenate([w[i].ravel() for w in runs.layers])


@pytest.mark.parametrize("steps", [1, 2, 60])
def test_adam_takes_the_steps_of_torch_optim(steps, draw_batch, objective):
    batch = draw_batch(WIDTHS, 5)
    settings = Adam(name="adam", step=0.03, beta_1=0.8, beta_2=0.99, epsilon=1e-6, max_iterations=steps)
    runs = batch.train(settings)
    assert np.all(runs.status == Status.ITERATION_LIMIT)
    assert np.all(runs.iterations == steps)
    assert np.all(runs.evaluations == steps + 1)
    for i in range(5):
        theta = start_of(batch, i).requires_grad_()
        adam = torch.optim.Adam([theta], lr=0.03, betas=(0.8, 0.99), eps=1e-6)
        for _ in range(steps):
            adam.zero_grad()
            objective(theta, torch.from_numpy(batch.targets[i]), batch.lams[i], WIDTHS).backward()
            adam.step()
        np.testing.assert_allclose(final_of(runs, i), theta.detach().numpy(), rtol=1e-9, atol=1e-11)


def nesterov(theta, gradient, step, steps):
    """O'Donoghue & Candes 2015, algorithm 1 with gradient restart; returns where the gradient is taken next."""
    x, y, t, restarts = theta, theta, 1.0, 0
    for _ in range(steps):
        g = gradient(y)
        new = y - step * g
        if g @ (new - x) > 0:
            beta, t, restarts = 0.0, 1.0, restarts + 1
        else:
            larger = (1 + np.sqrt(1 + 4 * t**2)) / 2
            beta, t = (t - 1) / larger, larger
        x, y = new, new + beta * (new - x)
    return y, restarts


def test_nesterov_takes_the_textbooks_steps_with_restarts(draw_batch, objective):
    batch, steps = draw_batch(WIDTHS, 5), 150
    runs = batch.train(Nesterov(name="nesterov", step=0.02, max_iterations=steps))
    total = 0
    for i in np.flatnonzero(runs.status == Status.ITERATION_LIMIT):

        def gradient(point, i=i):
            point = torch.from_numpy(point).requires_grad_()
            value = objective(point, torch.from_numpy(batch.targets[i]), batch.lams[i], WIDTHS)
            return torch.autograd.grad(value, point)[0].numpy()

        expected, restarts = nesterov(start_of(batch, i).numpy(), gradient, 0.02, steps)
        total += restarts
        np.testing.assert_allclose(final_of(runs, i), expected, rtol=1e-7, atol=1e-9)
    assert total > 0, "some run must have restarted"


def test_nesterov_needs_fewer_steps_than_gradient_descent(draw_batch):
    batch = draw_batch((3, 3, 3), 20, lams=(0.02, 0.1), tolerance=1e-7)
    plain = batch.train(GradientDescent(name="gd", step=0.02))
    fast = batch.train(Nesterov(name="nesterov", step=0.02))
    assert np.all(fast.status == Status.CONVERGED)
    assert fast.gradient_norm.max() <= 1e-7
    assert np.median(fast.iterations) < 0.5 * np.median(plain.iterations)


@pytest.mark.parametrize("settings", [Nesterov(name="nesterov", step=50.0), Nesterov(name="nesterov", step=1e300)])
def test_a_huge_step_diverges_and_says_so(settings, draw_batch):
    assert np.all(draw_batch((3, 3, 3), 5).train(settings).status == Status.DIVERGED)


@pytest.mark.parametrize("poison", [np.nan, np.inf, 1e200])
@pytest.mark.parametrize("name", ["gd", "nesterov", "adam"])
def test_a_start_without_a_finite_objective_diverges_and_costs_its_mates_nothing(name, poison, draw_batch):
    kinds = {"gd": GradientDescent, "nesterov": Nesterov, "adam": Adam}
    batch, settings = draw_batch((3, 3, 3), 9), kinds[name](name=name, max_iterations=50)
    clean = batch.train(settings)
    batch.starts[0][4, 0, 0] = poison
    runs, mates = batch.train(settings), np.arange(9) != 4
    assert (runs.status[4], runs.iterations[4]) == (Status.DIVERGED, 0)
    assert np.array_equal(runs.end_to_end[mates], clean.end_to_end[mates])
