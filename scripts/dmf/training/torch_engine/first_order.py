"""Gradient descent, Nesterov's method and Adam with a fixed step, as tensors and masks (see lanes.first_order)."""

from typing import NamedTuple

import torch
from torch import Tensor

from dmf.training.constants import LOST
from dmf.training.settings import Adam, GradientDescent, Nesterov, Status
from dmf.training.torch_engine.line_search import put
from dmf.training.torch_engine.objective import Problems, value_and_gradient
from dmf.training.torch_engine.slots import RUNNING, Run


class State(NamedTuple):
    """B runs; what a method has no use for, it leaves alone."""

    run: Run
    first_value: Tensor  # (B,) F at the start
    old: Tensor  # (B, N) Nesterov's last iterate, Adam's first moment
    second: Tensor  # (B, N) Adam's second moment
    numbers: Tensor  # (B, 2) Nesterov's t; beta_1^t and beta_2^t


class FirstOrder:
    """One of the methods with given settings for runs of given widths."""

    rounds = 32

    def __init__(self, settings: GradientDescent | Nesterov | Adam, widths: tuple[int, ...]) -> None:
        """Take the settings and the widths (d_0, ..., d_L)."""
        self._settings, self._widths = settings, widths

    def begin(self, run: Run) -> State:
        """The state of runs that begin."""
        points = run.point
        adaptive = isinstance(self._settings, Adam)
        old = torch.zeros_like(points) if adaptive else points.clone()
        second = torch.zeros_like(points) if adaptive else points[:, :0].clone()
        return State(run, points.new_zeros(len(points)), old, second, points.new_ones(len(points), 2))

    def advance(self, problems: Problems, tolerances: Tensor, state: State, number: int) -> None:
        """Evaluate every running slot once and move it on, in place."""
        value, gradient = value_and_gradient(problems, state.run.point, self._widths)
        running = self._judge(problems, tolerances, state, value, gradient)
        if isinstance(self._settings, Adam):
            _adapt(self._settings, state, gradient, running)
        elif isinstance(self._settings, Nesterov):
            _accelerate(self._settings, state, gradient, running)
        else:
            put(state.run.point, running, state.run.point - gradient * self._settings.step)

    def _judge(self, problems: Problems, tolerances: Tensor, state: State, value: Tensor, gradient: Tensor) -> Tensor:
        """End the runs that have a reason to; return the mask of those that go on."""
        run = state.run
        running = run.code == RUNNING
        norm = gradient.square().sum(1).sqrt()
        put(state.first_value, running & (run.evaluations == 0), value)
        put(run.iterations, running, run.evaluations)  # the start took no step
        run.evaluations.add_(running)
        sane = (value <= LOST * (state.first_value + problems.energy)) & norm.isfinite()
        run.code.masked_fill_(running & (run.iterations >= self._settings.max_iterations), Status.ITERATION_LIMIT)
        run.code.masked_fill_(running & (norm <= tolerances), Status.CONVERGED)
        run.code.masked_fill_(running & ~sane, Status.DIVERGED)
        return run.code == RUNNING


def _accelerate(settings: Nesterov, state: State, gradient: Tensor, running: Tensor) -> None:
    """Nesterov's step, its momentum dropped where it points uphill (O'Donoghue & Candes 2015, gradient scheme)."""
    new = state.run.point - gradient * settings.step
    moved = new - state.old
    uphill = (gradient * moved).sum(1) > 0
    pace = state.numbers[:, 0]
    faster = (1 + (1 + 4 * pace * pace).sqrt()) / 2
    momentum = torch.where(uphill, 0.0, (pace - 1) / faster)
    put(state.run.point, running, new + moved * momentum.unsqueeze(1))
    put(state.old, running, new)
    put(pace, running, torch.where(uphill, 1.0, faster))


def _adapt(settings: Adam, state: State, gradient: Tensor, running: Tensor) -> None:
    """Adam's step (Kingma & Ba 2015, algorithm 1)."""
    first = state.old + (gradient - state.old) * (1 - settings.beta_1)
    second = state.second + (gradient * gradient - state.second) * (1 - settings.beta_2)
    powers = torch.stack((state.numbers[:, 0] * settings.beta_1, state.numbers[:, 1] * settings.beta_2), dim=1)
    length = settings.step / (1 - powers[:, :1])
    size = (second / (1 - powers[:, 1:])).sqrt() + settings.epsilon
    put(state.run.point, running, state.run.point - length * first / size)
    put(state.old, running, first)
    put(state.second, running, second)
    put(state.numbers, running, powers)
