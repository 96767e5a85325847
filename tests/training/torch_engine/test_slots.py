"""Slots: what enters, freezes and leaves."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from dmf.training.record import points_of
from dmf.training.settings import Adam, GradientDescent, Lbfgs, Nesterov, Status
from dmf.training.torch_engine.engine import bytes_of_a_run, runs_side_by_side
from dmf.training.torch_engine.first_order import FirstOrder
from dmf.training.torch_engine.lbfgs import LbfgsMethod
from dmf.training.torch_engine.objective import Problems, fill_lines
from dmf.training.torch_engine.slots import Run

METHODS = [
    lambda widths: LbfgsMethod(Lbfgs(name="lbfgs"), widths),
    lambda widths: LbfgsMethod(Lbfgs(name="lbfgs", memory=7), widths),
    lambda widths: FirstOrder(GradientDescent(name="gd"), widths),
    lambda widths: FirstOrder(Nesterov(name="nesterov"), widths),
    lambda widths: FirstOrder(Adam(name="adam"), widths),
]


def tensors(state: tuple) -> Iterator[Tensor]:
    for entry in state:
        yield from tensors(entry) if isinstance(entry, tuple) else (entry,)


def run_at(points: Tensor) -> Run:
    zeros = torch.zeros(len(points), dtype=torch.int64)
    return Run.at(points, zeros, zeros.clone())


@pytest.mark.parametrize("make", METHODS)
def test_a_run_that_has_ended_stays_as_it_is(make, draw_batch):
    widths = (3, 4, 2)
    batch, method = draw_batch(widths, 4), make(widths)
    targets, lams = torch.from_numpy(batch.targets).flatten(1), torch.from_numpy(batch.lams)
    problems, tolerances = Problems.of(targets, lams, widths), torch.full((4,), 1e-12, dtype=torch.float64)
    starts = fill_lines(torch.from_numpy(points_of(batch.starts)))
    starts[3] = torch.nan
    state = method.begin(run_at(starts))
    for number in range(method.rounds):
        method.advance(problems, tolerances, state, number)
    state[0].code[1] = Status.CONVERGED
    ended, before = [1, 3], [[entry[[1, 3]].clone() for entry in state[0]], state[0].point[[0, 2]].clone()]
    for number in range(method.rounds):
        method.advance(problems, tolerances, state, number)
    assert state[0].code.tolist() == [-1, Status.CONVERGED, -1, Status.DIVERGED]
    for entry, old in zip(state[0], before[0], strict=True):
        torch.testing.assert_close(entry[ended], old, rtol=0, atol=0, equal_nan=True)
    assert (state[0].point[[0, 2]] != before[1])[:, :20].all()
    assert state[0].evaluations.tolist() == [2 * method.rounds, method.rounds, 2 * method.rounds, 1]


@pytest.mark.parametrize("make", METHODS)
def test_every_tensor_has_one_row_a_run_and_the_memory_counted_holds_them(make):
    widths, pairs = (6, 5, 5, 4), 7
    state = make(widths).begin(run_at(torch.zeros(3, 80, dtype=torch.float64)))
    assert all(len(tensor) == 3 for tensor in tensors(state))
    held = sum(tensor[0].numel() * tensor.element_size() for tensor in tensors(state))
    assert held < bytes_of_a_run(widths, pairs)


def test_a_card_takes_the_runs_that_half_its_free_memory_holds(monkeypatch):
    widths = (8, 8, 8, 8)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (10**10, 10**11))
    count = runs_side_by_side("cuda:0", widths, 3)
    assert 0.49e10 < count * bytes_of_a_run(widths, 3) <= 0.5e10
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (0, 10**11))
    assert runs_side_by_side("cuda:0", widths, 3) == 2


@pytest.mark.parametrize("batch", [1, 2, 5, 100])
def test_what_comes_back_does_not_depend_on_how_slots_are_refilled(batch, draw_batch):
    problem = draw_batch((3, 3, 3), 23, tolerance=1e-4)
    problem.tolerance[::3] = 1e-11  # ends at very different times
    wanted, got = problem.train(device="torch"), problem.train(device="torch", batch=batch)
    assert np.array_equal(got.end_to_end, wanted.end_to_end)
    assert np.array_equal(got.evaluations, wanted.evaluations)
