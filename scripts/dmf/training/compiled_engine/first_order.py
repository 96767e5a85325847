"""Gradient descent, Nesterov's method and Adam with a fixed step, on groups of runs; a round evaluates every lane."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dmf.training.compiled_engine import kernel
from dmf.training.compiled_engine.group import (
    IDLE,
    PARKED,
    RUNNING,
    Group,
    Queue,
    clear_column,
    enter,
    lay_out_group,
    retire,
    workspace,
)
from dmf.training.compiled_engine.instructions import LANES
from dmf.training.compiled_engine.objective import Layout, Table, add_gradient, lay_out
from dmf.training.compiled_engine.vectors import adapt, descend, dot, extrapolate
from dmf.training.constants import LOST
from dmf.training.result import Array
from dmf.training.settings import Adam, GradientDescent, Nesterov, Status

CONVERGED, LIMIT, DIVERGED = (float(s) for s in (Status.CONVERGED, Status.ITERATION_LIMIT, Status.DIVERGED))
PLAIN, ACCELERATED, ADAPTIVE = range(3)


class Rule(NamedTuple):
    """Which method, and its numbers."""

    method: int
    step: float
    beta_1: float
    beta_2: float
    epsilon: float
    most_iterations: int


class State(NamedTuple):
    """Places of vectors and, from `square` on, of one number a lane each."""

    point: int  # where the gradient is taken
    gradient: int
    new: int  # Nesterov's iterates; Adam's first and second moments
    old: int
    square: int  # |theta|^2
    gradient_square: int
    along: int  # gradient . (new - old)
    momentum: int
    pace: int  # Nesterov's t
    first: int  # F at the start
    numbers: int  # Adam's five
    step: int
    end: int


def rule_of(settings: GradientDescent | Nesterov | Adam) -> Rule:
    """The numbers of an optimizer."""
    if isinstance(settings, Adam):
        return Rule(
            ADAPTIVE, settings.step, settings.beta_1, settings.beta_2, settings.epsilon, settings.max_iterations
        )
    method = ACCELERATED if isinstance(settings, Nesterov) else PLAIN
    return Rule(method, settings.step, 0.0, 0.0, 0.0, settings.max_iterations)


def run_first_order(queue: Queue, widths: tuple[int, ...], settings: GradientDescent | Nesterov | Adam) -> None:
    """Train every run of the queue."""
    table, at = lay_out(widths, queue.targets.shape[1], queue.inputs.shape[1])
    group = lay_out_group(at.end)
    sizes = [*[at.length] * 4, *[1] * 6, 5, 1]
    state = State(*(at.end + len(group) + np.cumsum([0, *sizes])).tolist())
    _train(workspace(state.end), table, at, group, state, queue, rule_of(settings))


@kernel
def _train(w: Array, table: Table, at: Layout, group: Group, s: State, queue: Queue, rule: Rule) -> None:
    lanes = w.reshape((-1, LANES))
    lanes[group.run, :], lanes[s.step, :] = IDLE, rule.step
    entered, new, old = 0, s.new, s.old
    while True:
        entered = _fill(lanes, at, group, s, queue, entered, old, rule.method)
        add_gradient(w, table, at, s.point, s.gradient)
        dot(w, s.gradient_square, s.gradient, s.gradient, at.length)
        _judge(lanes, at, group, s, queue, rule.most_iterations)
        if queue.finished[0] == len(queue.lams) or queue.finished[1]:
            return
        if rule.method == ADAPTIVE:
            _correct(lanes, group, s, rule)
            adapt(w, s.point, s.gradient, s.new, s.old, s.numbers, group.double_lam, s.square, at.length)
        else:
            descend(w, new, s.point, s.step, s.gradient, old, s.along, at.length)
            if rule.method == ACCELERATED:
                _pace(lanes, s)
            extrapolate(w, s.point, new, old, s.momentum, s.gradient, group.double_lam, s.square, at.length)
            new, old = old, new


@kernel
def _fill(lanes: Array, at: Layout, group: Group, s: State, queue: Queue, entered: int, old: int, method: int) -> int:
    """Give idle lanes the next runs of the queue, or nothing to do; return how many runs have entered."""
    for v in range(LANES):
        if lanes[group.run, v] != IDLE:
            continue
        clear_column(lanes, v, s.point, s.step - s.point)
        if entered == len(queue.lams):
            lanes[group.run, v], lanes[group.double_lam, v] = PARKED, 0.0
            continue
        enter(lanes, at, group, queue, v, entered, s.point)
        entered += 1
        for n in range(at.size):
            x = lanes[s.point + n, v]
            lanes[s.gradient + n, v] = lanes[group.double_lam, v] * x
            lanes[s.square, v] += x * x
            if method == ACCELERATED:
                lanes[old + n, v] = x
    return entered


@kernel
def _judge(lanes: Array, at: Layout, group: Group, s: State, queue: Queue, most_iterations: int) -> None:
    """End the runs that have a reason to."""
    for v in range(LANES):
        if lanes[group.run, v] < 0:
            continue
        value = lanes[at.misfit, v] + 0.5 * lanes[group.double_lam, v] * lanes[s.square, v]
        norm = np.sqrt(lanes[s.gradient_square, v])
        if lanes[group.evaluations, v] == 0:
            lanes[s.first, v], lanes[s.pace, v] = value, 1.0
        lanes[group.iterations, v] = lanes[group.evaluations, v]  # the start took no step
        lanes[group.evaluations, v] += 1
        code = RUNNING
        if lanes[group.iterations, v] >= most_iterations:
            code = LIMIT
        if norm <= lanes[group.tolerance, v]:
            code = CONVERGED
        if not value <= LOST * (lanes[s.first, v] + lanes[group.energy, v]) or not np.isfinite(norm):
            code = DIVERGED
        if code != RUNNING:
            lanes[group.code, v] = code
            retire(lanes, at, group, queue, v, s.point)


@kernel
def _pace(lanes: Array, s: State) -> None:
    """Nesterov's momentum, dropped where it points uphill (O'Donoghue & Candes 2015, gradient scheme)."""
    for v in range(LANES):
        pace = lanes[s.pace, v]
        if lanes[s.along, v] > 0:
            lanes[s.momentum, v], lanes[s.pace, v] = 0.0, 1.0
        else:
            faster = (1 + np.sqrt(1 + 4 * pace * pace)) / 2
            lanes[s.momentum, v], lanes[s.pace, v] = (pace - 1) / faster, faster


@kernel
def _correct(lanes: Array, group: Group, s: State, rule: Rule) -> None:
    """Adam's numbers for the step it is about to take (Kingma & Ba 2015, algorithm 1)."""
    for v in range(LANES):
        taken = max(lanes[group.evaluations, v], 1.0)
        lanes[s.numbers, v], lanes[s.numbers + 1, v] = 1 - rule.beta_1, 1 - rule.beta_2
        lanes[s.numbers + 2, v] = rule.step / (1 - rule.beta_1**taken)
        lanes[s.numbers + 3, v] = 1 / (1 - rule.beta_2**taken)
        lanes[s.numbers + 4, v] = rule.epsilon
