"""L-BFGS finds critical points, the right ones where there is only one kind, and says how it ended."""

import numpy as np
import pytest
import torch

from dmf.training.settings import Lbfgs, Status

pytestmark = pytest.mark.parametrize("device", ["cpu", "torch"])

SHAPES = [(1, 1, 1, 1), (4, 4, 4), (3, 5, 2), (5, 5, 5, 5), (2, 6, 4, 6, 3), (4, 4, 4, 4, 4, 4, 4)]


@pytest.mark.parametrize("widths", SHAPES)
def test_converged_means_the_gradient_is_below_each_runs_own_tolerance(widths, draw_batch, objective):
    batch = draw_batch(widths, 30)
    batch.tolerance[::2] = 1e-5
    runs = batch.train(batch=8)
    assert np.median(runs.gradient_norm[::2]) > 1e-9
    assert np.all(runs.status == Status.CONVERGED)
    for i in range(30):
        theta = torch.from_numpy(np.concatenate([w[i].ravel() for w in runs.layers])).requires_grad_()
        value = objective(theta, torch.from_numpy(batch.targets[i]), batch.lams[i], widths)
        (gradient,) = torch.autograd.grad(value, theta)
        assert torch.linalg.vector_norm(gradient).item() <= 1.001 * batch.tolerance[i] + 1e-13
        assert runs.objective[i] == pytest.approx(value.item(), rel=1e-13)


def test_tolerances_far_below_the_square_root_of_eps_are_reached(draw_batch):
    runs = draw_batch((6, 6, 6, 6), 200, tolerance=1e-11).train()
    assert np.all(runs.status == Status.CONVERGED)
    assert runs.gradient_norm.max() <= 1e-11


def test_a_looser_tolerance_stops_earlier(draw_batch):
    batch = draw_batch((5, 5, 5, 5), 50)
    tight = batch.train()
    batch.tolerance[:] = 1e-3
    loose = batch.train()
    assert np.all(loose.iterations < tight.iterations)
    assert np.median(loose.gradient_norm) > 1e-6


@pytest.mark.parametrize("widths", [(4, 4, 4), (3, 5, 6), (6, 4, 4)])
def test_depth_two_gives_the_soft_thresholded_target(widths, draw_batch):
    batch = draw_batch(widths, 40, tolerance=1e-10)
    u, s, vt = np.linalg.svd(batch.targets, full_matrices=False)
    expected = (u * np.maximum(s - batch.lams[:, None], 0)[:, None, :]) @ vt
    runs = batch.train()
    np.testing.assert_allclose(runs.end_to_end, expected, atol=1e-5)


def test_converged_deep_runs_are_balanced(draw_batch):
    runs = draw_batch((4, 6, 5, 3), 100, tolerance=1e-10).train()
    assert np.all(runs.status == Status.CONVERGED)
    assert runs.imbalance.max() < 1e-8
    assert np.ptp(runs.layer_norm_sq, axis=1).max() < 1e-8


def test_the_objective_never_rises_above_the_start(draw_batch):
    batch = draw_batch((4, 4, 4, 4), 100)
    start = np.array([np.sum((m - c @ b @ a) ** 2) for m, a, b, c in zip(batch.targets, *batch.starts, strict=True)])
    start += batch.lams * sum((w**2).sum(axis=(1, 2)) for w in batch.starts)
    for limit in (1, 5, 2000):
        assert np.all(batch.train(Lbfgs(name="lbfgs", max_iterations=limit)).objective <= start)


def test_the_iteration_limit_stops_a_run(draw_batch):
    runs = draw_batch((5, 5, 5, 5), 20).train(Lbfgs(name="lbfgs", max_iterations=7))
    assert np.all(runs.status == Status.ITERATION_LIMIT)
    assert np.all(runs.iterations == 7)
    assert np.all(runs.evaluations >= 8)


def test_a_tolerance_below_the_rounding_level_stalls(draw_batch):
    runs = draw_batch((4, 4, 4, 4), 30, tolerance=1e-30).train()
    assert np.all(runs.status == Status.STALLED)
    assert runs.gradient_norm.max() < 1e-12


def test_a_start_at_a_critical_point_takes_no_step(draw_batch):
    batch = draw_batch((3, 3, 3), 4)
    batch.starts[0][1], batch.starts[1][1] = 0, 0
    runs = batch.train()
    assert runs.status[1] == Status.CONVERGED
    assert (runs.iterations[1], runs.evaluations[1]) == (0, 1)


def test_a_slot_keeps_nothing_of_its_last_run(draw_batch):
    batch = draw_batch((3, 3, 3), 12)
    for layer in batch.starts:
        layer[:4] = 0  # zero gradients leave infinite scales behind
    batch.starts[0][4:7] = np.nan
    runs, alone = batch.train(batch=2), batch.take(range(7, 12)).train()
    assert list(runs.status) == [Status.CONVERGED] * 4 + [Status.DIVERGED] * 3 + [Status.CONVERGED] * 5
    assert np.array_equal(runs.end_to_end[7:], alone.end_to_end)


@pytest.mark.parametrize("poison", [np.nan, np.inf, 1e200])
def test_a_start_without_a_finite_objective_diverges_and_costs_its_mates_nothing(poison, draw_batch):
    batch = draw_batch((4, 4, 4), 9)
    clean = batch.train()
    batch.starts[1][3, 0, 0] = poison
    runs, mates = batch.train(), np.arange(9) != 3
    assert runs.status[3] == Status.DIVERGED
    assert runs.iterations[3] == 0
    assert np.array_equal(runs.objective[mates], clean.objective[mates])
    assert np.array_equal(runs.iterations[mates], clean.iterations[mates])


@pytest.mark.parametrize("memory", [1, 3, 30])
def test_every_memory_converges(memory, draw_batch):
    runs = draw_batch((4, 4, 4), 30, lams=(0.1, 0.5)).train(Lbfgs(name="lbfgs", memory=memory, max_iterations=20_000))
    assert np.all(runs.status == Status.CONVERGED)


@pytest.mark.parametrize("scale", [1e-4, 1e4])
def test_rescaling_the_problem_changes_nothing_but_the_units(scale, draw_batch):
    # With M -> c^L M, W -> c W and lam -> c^(2L-2) lam, F scales by c^(2L) and its gradient by c^(2L-1).
    batch, depth = draw_batch((4, 4, 4, 4), 40, lams=(0.1, 0.5), tolerance=1e-6), 3
    reference = batch.train()
    batch.targets *= scale**depth
    batch.lams *= scale ** (2 * depth - 2)
    batch.starts = [w * scale for w in batch.starts]
    batch.tolerance *= scale ** (2 * depth - 1)
    runs = batch.train()
    assert np.all(runs.status == Status.CONVERGED)
    np.testing.assert_allclose(runs.objective / scale ** (2 * depth), reference.objective, rtol=1e-8)
