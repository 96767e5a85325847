"""The study trains the loss that each cell names, and nothing else: its numbers again, by other means."""

import numpy as np
import pytest
import torch
from scipy import optimize

from dmf import theory
from dmf.grid.seeds import generator
from dmf.studies import Settings, weights


@pytest.fixture(scope="module")
def made(study):
    return study("weights")


def test_in_every_cell_several_runs_reach_the_lowest_value(made):
    for half in made:
        assert ((half["lowest"] == 1).sum("start") >= 3).all()
        assert (half["certified"] == 1).mean() > 0.9


def test_every_convention_and_depth_two_to_four_is_there(made):
    honest, control = made
    assert len(set(honest["form"].values)) == len({form.name for form in [*weights.CONVENTIONS, *weights.UNEQUAL]})
    assert set(honest["depth"].values) == {2, 3, 4}
    assert set(control["unequal"].values) == {0, 1}


def test_what_one_reads_off_is_another_lambda_where_the_convention_is_another(made):
    honest, _ = made
    same = np.isclose(honest["lam"], honest["lam_read"], rtol=1e-12)
    expected = honest["form"].isin(["as in the paper", "half of both terms"])
    np.testing.assert_array_equal(same, expected)
    apart = honest["distance_read"].where(honest["lowest"] == 1).min("start")
    assert (apart[~same] > 1e-3).all()


@pytest.mark.parametrize("place", [2, 5, 9])
def test_scipy_ends_at_the_same_value_from_the_same_loss_written_anew(place, made):
    """L-BFGS-B with differences for gradients, from its own starts, and numpy for the loss."""
    form = [*weights.CONVENTIONS, *weights.UNEQUAL][place]
    case = made[0].isel(cell=place)
    target = weights._target(generator(["study", "weights", 3, form.name, form.depth, 0]))
    shapes = [(2, 2)] * (form.depth - 1) + [(3, 2)]
    ends = np.cumsum([m * n for m, n in shapes])[:-1]
    b = form.weights * float(case["lam"]) / theory.equivalent_lambda(form.weights, form.data)

    def loss(theta):
        layers = [part.reshape(shape) for part, shape in zip(np.split(theta, ends), shapes, strict=True)]
        x = np.linalg.multi_dot(layers[::-1])
        penalty = sum(w * np.sum(layer**2) for w, layer in zip(b, layers, strict=True))
        return form.data * np.sum((target - x) ** 2) + penalty

    rng = np.random.default_rng(0)
    found = [optimize.minimize(loss, 1.2 * rng.standard_normal(ends[-1] + 6), method="L-BFGS-B") for _ in range(12)]
    lowest = min(run.fun for run in found) / form.data
    minimum = theory.minimum_value(target, form.depth, float(case["lam"]))
    assert lowest == pytest.approx(minimum, rel=1e-6)
    eligible = case["lowest"].values == 1
    np.testing.assert_allclose(case["value_gap"].values[eligible], 0, atol=1e-12)


def test_the_gradient_that_certifies_is_that_of_the_loss_and_the_decay():
    form, layers, target = case()
    found = weights._gradients([layer.detach().numpy() for layer in layers], target.numpy(), form, 2.0)
    whole = sum(2 * float(w) * (layer**2).sum() for w, layer in zip(form.weights, layers, strict=True))
    product = layers[2] @ layers[1] @ layers[0]
    expected = torch.autograd.grad(0.5 * ((target - product) ** 2).sum() + whole, layers)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other.numpy(), atol=1e-12)


def test_training_takes_the_steps_of_torch_optim_sgd():
    form, layers, target = case()
    theirs = [torch.nn.Parameter(layer.detach().clone()) for layer in layers]
    optimizer = torch.optim.SGD(
        [{"params": [layer], "weight_decay": decay} for layer, decay in zip(theirs, form.decays, strict=True)],
        lr=1e-3,
        momentum=weights.MOMENTUM,
        nesterov=True,
    )
    ours = [layer.detach().numpy().copy() for layer in layers]
    velocities = [np.zeros_like(layer) for layer in ours]
    for _ in range(30):
        weights._step(ours, weights._gradients(ours, target.numpy(), form, 1.0), velocities, 1e-3)
        optimizer.zero_grad()
        misfit = form.data * (target - theirs[2] @ theirs[1] @ theirs[0]).square().sum()
        penalty = sum(p * layer.square().sum() for p, layer in zip(form.penalties, theirs, strict=True))
        (misfit + penalty).backward()
        optimizer.step()
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other.detach().numpy(), rtol=1e-12, atol=1e-13)


def case() -> tuple[weights.Form, list[torch.Tensor], torch.Tensor]:
    """A form with penalties and decays of its own for each of three layers, a few runs of it and a target."""
    rng = np.random.default_rng(1)
    drawn = [0.5 * rng.standard_normal((4, *shape)) for shape in ((2, 2), (2, 2), (3, 2))]
    layers = [torch.from_numpy(layer).requires_grad_() for layer in drawn]
    form = weights.Form("x", 3, 0.5, (0.2, 0.0, 1.0), (0.3, 0.7, 0.0))
    return form, layers, torch.from_numpy(rng.standard_normal((3, 2)))


def test_a_diverged_run_is_no_warning_and_does_not_speak(monkeypatch):
    monkeypatch.setattr(weights, "RATE", 30.0)
    row = weights._cell(weights.CONVENTIONS[0], 0, Settings(seed=3, gradient_norm=1e-10))
    assert not np.isfinite(row["gradient_norm"]).all()
    assert (row["certified"] == 0)[~np.isfinite(row["gradient_norm"])].all()
    assert (row["lowest"] <= row["certified"]).all()
