"""The second stage of L-BFGS for wide layers: its matrix is what it is said to be, and it ends where plain runs end."""

import numpy as np
import pytest
import torch

from dmf.training import engine, refinement
from dmf.training.record import layers_of, points_of
from dmf.training.refinement import Frame, pays, rough_tolerances
from dmf.training.settings import Lbfgs, Status
from dmf.training.starts import draw_start
from dmf.training.tasks import Tasks
from dmf.training.torch_engine.lbfgs import apply_h0
from dmf.training.torch_engine.objective import Problems, fill_lines

LAM = 0.07


def gauss_newton(layers, lam):
    """2 lambda I + 2 J^T J with J by automatic differentiation."""

    def product(*matrices):
        out = matrices[0]
        for matrix in matrices[1:]:
            out = matrix @ out
        return out

    blocks = torch.autograd.functional.jacobian(product, tuple(torch.from_numpy(w) for w in layers))
    jacobian = torch.cat([block.flatten(2).flatten(0, 1) for block in blocks], dim=1).numpy()
    return 2 * lam * np.eye(jacobian.shape[1]) + 2 * jacobian.T @ jacobian


@pytest.mark.parametrize("widths", [(3, 3, 3), (4, 3, 3), (2, 4, 5, 3), (3, 3, 3, 3, 3)])
def test_where_layers_are_balanced_it_inverts_the_gauss_newton_matrix(widths):
    rng = np.random.default_rng(3)
    layers = [0.8 * w for w in draw_start("balanced", widths, rng)]
    points, lams = points_of([w[None] for w in layers]), np.array([LAM])
    frame = Frame.at(points, lams, widths)
    turned = frame.enter(points, widths)
    vector = rng.standard_normal(points.shape)
    targets = torch.zeros(1, widths[-1] * widths[0], dtype=torch.float64)
    problems = Problems.of(targets, torch.from_numpy(lams), widths, torch.from_numpy(frame.inverse))
    got = apply_h0(problems, *(fill_lines(torch.from_numpy(v)) for v in (turned, frame.enter(vector, widths))), widths)
    size = points.shape[1]
    np.testing.assert_allclose(
        frame.leave(got[:, :size].numpy(), widths)[0], np.linalg.solve(gauss_newton(layers, LAM), vector[0]), rtol=1e-11
    )


def test_a_frame_changes_neither_products_nor_distances():
    rng, widths = np.random.default_rng(4), (4, 2, 5, 3)
    points, targets = rng.standard_normal((6, 33)), rng.standard_normal((6, 12))
    frame = Frame.at(points, np.ones(6), widths)
    w, turned = layers_of(points, widths), layers_of(frame.enter(points, widths), widths)
    misfit = targets.reshape(6, 3, 4) - w[2] @ w[1] @ w[0]
    turned_misfit = frame.enter_targets(targets).reshape(6, 3, 4) - turned[2] @ turned[1] @ turned[0]
    np.testing.assert_allclose(np.linalg.norm(turned_misfit, axis=(1, 2)), np.linalg.norm(misfit, axis=(1, 2)))
    np.testing.assert_allclose(frame.leave(frame.enter(points, widths), widths), points, rtol=1e-12, atol=1e-13)


def test_the_place_where_it_begins_scales_with_the_problem():
    """M to c M and lambda to c^(2 - 2/L) lambda multiply gradients at corresponding points by c^(2 - 1/L)."""
    rng, depth, c = np.random.default_rng(5), 3, 7.0
    tasks = Tasks(rng.standard_normal((4, 6)), np.array([0.01, 0.02, 0.5, 3.0]), np.full(4, 1e-300))
    larger = tasks._replace(targets=c * tasks.targets, lams=c ** (2 - 2 / depth) * tasks.lams)
    rough = rough_tolerances(tasks, depth, 0.02)
    wanted = np.where(rough > 1e-300, c ** (2 - 1 / depth) * rough, 1e-300)
    np.testing.assert_allclose(rough_tolerances(larger, depth, 0.02), wanted)
    assert (rough > 1e-300).tolist() == [True, True, False, False]  # where lambda is large, never


@pytest.mark.parametrize("device", ["cpu", "torch"])
def test_refined_runs_end_at_the_levels_of_plain_ones_in_half_the_evaluations(device, draw_batch, monkeypatch):
    batch = draw_batch((6, 7, 6, 6), 40, lams=(0.01, 0.2), tolerance=1e-9)
    plain = batch.train(device=device)
    monkeypatch.setattr(engine, "pays", lambda widths: True)
    refined = batch.train(device=device)
    assert np.all(refined.status == Status.CONVERGED)
    np.testing.assert_allclose(refined.objective, plain.objective, rtol=1e-9)
    assert refined.evaluations.mean() < 0.65 * plain.evaluations.mean()


@pytest.mark.parametrize("device", ["cpu", "torch"])
def test_counts_go_on_from_those_of_the_plain_stage(device, draw_batch, monkeypatch):
    batch = draw_batch((5, 5, 5, 5), 20, lams=(0.02, 0.05), tolerance=1e-9)
    tasks = Tasks(batch.targets.reshape(20, -1), batch.lams, batch.tolerance)
    monkeypatch.setattr(batch, "tolerance", rough_tolerances(tasks, 3, refinement.ROUGH[0]))
    plain = batch.train(device=device)
    monkeypatch.setattr(batch, "tolerance", tasks.gradient_tolerance)
    monkeypatch.setattr(engine, "pays", lambda widths: True)
    refined = batch.train(device=device)
    assert np.all(refined.iterations > plain.iterations)
    assert np.all(refined.evaluations > plain.evaluations)


def test_how_many_go_through_the_stages_together_changes_no_bit(draw_batch, monkeypatch):
    monkeypatch.setattr(engine, "pays", lambda widths: True)
    batch, told = draw_batch((5, 5, 5), 30), []
    whole = batch.train()
    monkeypatch.setattr(refinement, "TOGETHER", 7 * 50)
    parts = batch.train(progress=told.append)
    assert np.array_equal(parts.end_to_end, whole.end_to_end)
    assert np.array_equal(parts.evaluations, whole.evaluations)
    assert told == [7, 14, 21, 28, 30]


def test_only_matrices_that_are_wide_and_nearly_square_are_refined():
    assert pays((16, 16, 16))
    assert pays((40, 20, 20))
    assert not pays((15, 99, 15))
    assert not pays((256, 16, 16))
    assert not pays((16, 16, 256))


@pytest.mark.parametrize("device", ["cpu", "torch"])
def test_runs_that_are_not_near_a_minimum_are_trained_on_without_it(device, draw_batch, monkeypatch):
    batch = draw_batch((5, 5, 5), 20, tolerance=1e-9)
    plain = batch.train(device=device)
    monkeypatch.setattr(engine, "pays", lambda widths: True)
    monkeypatch.setattr(refinement, "ROUGH", (1e9, 1e8))  # at the start
    runs = batch.train(device=device)
    assert np.all(runs.status == Status.CONVERGED)
    assert np.mean(np.isclose(runs.objective, plain.objective, rtol=1e-9)) > 0.5


@pytest.mark.parametrize("device", ["cpu", "torch"])
@pytest.mark.parametrize("most", [1, 30, 60])
def test_the_limit_of_iterations_counts_all_stages(device, most, draw_batch, monkeypatch):
    monkeypatch.setattr(engine, "pays", lambda widths: True)
    runs = draw_batch((5, 5, 5, 5), 30, lams=(0.05, 0.05)).train(
        Lbfgs(name="lbfgs", max_iterations=most), device=device
    )
    limited = runs.status == Status.ITERATION_LIMIT
    assert np.all(runs.iterations[limited] == most)
    assert np.all(runs.iterations <= most)
    assert limited.any()
    assert np.all(runs.evaluations >= runs.iterations)
