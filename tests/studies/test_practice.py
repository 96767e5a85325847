"""The experiment with torch's optimizers: its conventions, its control, and that it repeats to the bit."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import xarray as xr

from dmf.studies import Settings, practice
from dmf.studies.practice import DRAWS, LAMBDAS, METHODS, End, _facts, digits_of_unit_variance

Halves = tuple[xr.Dataset, xr.Dataset]


def test_inputs_have_unit_variance_so_that_the_mean_loss_is_a_factorization() -> None:
    x, y = digits_of_unit_variance()
    count = x.shape[1]
    np.testing.assert_allclose(x @ x.T / count, np.eye(16), atol=1e-12)
    w = np.random.default_rng(0).standard_normal((10, 16))
    target = y @ x.T / count
    constant = np.sum(y**2) / count - np.sum(target**2)
    assert np.sum((y - w @ x) ** 2) / count == pytest.approx(np.sum((target - w) ** 2) + constant, rel=1e-12)


def test_weight_decay_of_torch_is_twice_lambda() -> None:
    """One step of SGD from known weights, on the loss alone with decay, and on F written out."""
    rng = np.random.default_rng(1)
    start, target, lam = rng.standard_normal((3, 3)), torch.from_numpy(rng.standard_normal((3, 3))), 0.2
    decayed, penalized = (torch.tensor(start, requires_grad=True) for _ in range(2))
    first = torch.optim.SGD([decayed], lr=0.1, weight_decay=2 * lam)
    (decayed - target).square().sum().backward()
    first.step()
    second = torch.optim.SGD([penalized], lr=0.1)
    ((penalized - target).square().sum() + lam * penalized.square().sum()).backward()
    second.step()
    torch.testing.assert_close(decayed, penalized, rtol=1e-14, atol=0)


def test_runs_through_one_pass_are_those_of_a_loop_over_one_network_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plain way, torch.nn.Sequential and one optimizer, against the study's stack of all runs."""
    monkeypatch.setattr(practice, "EPOCHS", 1)
    settings = Settings(3, 1e-10)
    x, y = digits_of_unit_variance()
    starts = practice._starts(settings, 0.3)
    ends = practice._trained(x, y, [0.003, 0.01], starts, settings)
    batches = list(practice._batches(x.shape[1], settings))
    assert len(batches) == x.shape[1] // practice.BATCH
    for place, draw in ((1, 0), (3, 2), (5, 1), (6, 3), (9, 0)):
        method, lam = METHODS[place // 2], (0.003, 0.01)[place % 2]
        model = torch.nn.Sequential(*(torch.nn.Linear(w.shape[2], w.shape[1], bias=False).double() for w in starts))
        with torch.no_grad():
            for module, layer in zip(model, starts, strict=True):
                module.weight.copy_(torch.from_numpy(layer[draw]))
        optimizer = getattr(torch.optim, method.optimizer)
        one = optimizer(model.parameters(), lr=method.rate, weight_decay=2 * lam * method.decays)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(one, len(batches)) if method.falls else None
        for rows in batches:
            one.zero_grad()
            misfit = model(torch.from_numpy(x.T[rows])) - torch.from_numpy(y.T[rows])
            misfit.square().sum(1).mean().backward()
            one.step()
            if schedule is not None:
                schedule.step()
        for module, layer in zip(model, ends[place].layers, strict=True):
            np.testing.assert_allclose(layer[draw], module.weight.detach(), rtol=1e-8, atol=1e-10)
        if method.optimizer == "AdamW":
            for module, root in zip(model, ends[place].roots, strict=True):
                state = one.state[module.weight]
                expected = (state["exp_avg_sq"] / (1 - 0.999 ** int(state["step"]))).sqrt()
                np.testing.assert_allclose(root[draw], expected, rtol=1e-8)


def test_no_run_has_a_certificate_and_the_control_has_no_decay(study: Callable[[str], Halves]) -> None:
    evidence, control = study("practice")
    assert (evidence["certified"] == 0).all()
    assert set(control["method"].values) == {"SGD without decay"}
    assert (abs(control["effective_lambda"]) < 0.05).all()
    assert (control["objective_gap"] > 0.1).all()
    assert (control["kept"] == 9).all(), "all that the target has"
    assert (control["kept_at_minimum"] < 9).any()


def test_decay_in_the_gradient_comes_to_a_critical_point_of_f_and_decoupled_decay_does_not(
    study: Callable[[str], Halves],
) -> None:
    evidence, _ = study("practice")
    by = {
        name: evidence.isel(cell=np.flatnonzero(evidence["method"].values == name))
        for name in {*evidence["method"].values}
    }
    for name in ("SGD, falling rate", "Adam, falling rate"):
        np.testing.assert_allclose(by[name]["effective_lambda"], 1, atol=0.1)
    adamw = by["AdamW, falling rate"]
    assert (adamw["effective_lambda"] < 0.5).all()
    assert float(by["SGD, falling rate"]["objective_gap"].median()) < float(adamw["objective_gap"].median())


def test_what_is_measured_of_a_minimizer_is_no_distance_and_lambda_itself() -> None:
    from dmf import theory

    rng = np.random.default_rng(2)
    target, lam = np.diag([0.5, 0.4, 0.3]), 0.01
    runs = [theory.sample_minimizer(target, [3, 3, 3, 3], lam, rng) for _ in range(DRAWS)]
    end = End([np.stack(layer) for layer in zip(*runs, strict=True)], None)
    found = _facts(end, target, lam, Settings(3, 1e-10))
    for name in ("objective_gap", "distance", "norm_misfit", "gradient_norm"):
        np.testing.assert_allclose(found[name], 0, atol=1e-12)
    np.testing.assert_allclose(found["effective_lambda"], 1, rtol=1e-11)
    np.testing.assert_array_equal(found["kept"], theory.kept_at_minimum(target, 3, lam))
    assert found["certified"].all()


def test_the_experiment_repeats_to_the_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(practice, "EPOCHS", 2)
    one, other = (practice.make(Settings(3, 1e-10)) for _ in range(2))
    xr.testing.assert_identical(one, other)
    assert one.sizes["cell"] == len(METHODS) * len(LAMBDAS)
