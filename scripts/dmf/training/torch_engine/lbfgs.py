"""Limited-memory BFGS for a batch of runs: the algorithm of compiled_engine/lbfgs.py, as tensors and masks."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from dmf.training.constants import FIRST_STEP, PATIENCE, REFINED_TRIALS, TRIALS
from dmf.training.settings import Lbfgs, Status
from dmf.training.torch_engine.line_search import Search, begin, judge, put
from dmf.training.torch_engine.objective import (
    Problems,
    carry_down,
    layer_views,
    prefix_products,
    value_and_gradient,
)
from dmf.training.torch_engine.slots import RUNNING, Run

Objective = Callable[[Any, Tensor, tuple[int, ...]], tuple[Tensor, Tensor]]
"""The value (B,) and gradient (B, N) of problems at flat parameters (B, N), given the widths."""

_ROUNDS = 16  # at least, in a chunk: a run that ends in one waits for its end, which some fifty rounds can afford


class State(NamedTuple):
    """B runs with m pairs each; all runs store their pair of a round in the same place of a ring."""

    run: Run
    search: Search
    gradient: Tensor  # (B, N) at the point
    direction: Tensor  # (B, N)
    pairs: Tensor  # (B, 2 m, N) steps s_i, then changes of the gradient y_i
    along: Tensor  # (B, 2 m) products of these with the gradient
    reciprocal: Tensor  # (B, m) 1 / s_i . y_i, 0 for a pair of zeros
    steps_changes: Tensor  # (B, m, m) s_i . y_j, for s_i older than y_j
    changes_changes: Tensor  # (B, m, m) y_i . y_j
    square: Tensor  # (B,) |gradient|^2
    scale: Tensor  # (B,) gamma: H = gamma I without pairs
    fresh: Tensor  # (B,) the start is not yet evaluated
    plain: Tensor  # (B,) the direction is steepest descent
    best: Tensor  # (B,) the smallest gradient norm so far
    waited: Tensor  # (B,) evaluations since anything improved
    spent: Tensor  # (B,) evaluations in all


class Trial(NamedTuple):
    """What a round finds of B runs, and makes of it."""

    point: Tensor
    value: Tensor
    gradient: Tensor
    square: Tensor  # |gradient|^2
    along: Tensor  # (B, 2 m)
    change_square: Tensor
    curvature: Tensor  # s . y
    accepted: Tensor
    failed: Tensor  # the line search found nothing, but along another direction one might
    learned: Tensor  # accepted, and not as the start


class LbfgsMethod:
    """L-BFGS with given settings for runs of given widths; refining, from the matrix of dmf.training.refinement."""

    def __init__(
        self,
        settings: Lbfgs,
        widths: tuple[int, ...],
        refining: bool = False,
        objective: Objective = value_and_gradient,
    ) -> None:
        """Take the settings, the widths (d_0, ..., d_L), and whether the problems know their curvature.

        `objective` is what is minimized, where it is another than F: of problems with an `energy` (B,), the size of
        its largest terms.
        """
        self._settings, self._widths, self._refining, self._objective = settings, widths, refining, objective
        self.rounds = settings.memory * -(-_ROUNDS // settings.memory)  # a run begins with the ring

    def begin(self, run: Run) -> State:
        """The state of runs that begin; their first trial is the start itself."""
        (count, size), pairs = run.point.shape, self._settings.memory
        zeros = run.point.new_zeros
        yes = torch.ones(count, dtype=torch.bool, device=run.point.device)
        return State(
            run=run,
            search=Search.none(count, run.point.device),
            gradient=zeros(count, size),
            direction=zeros(count, size),
            pairs=zeros(count, 2 * pairs, size),
            along=zeros(count, 2 * pairs),
            reciprocal=zeros(count, pairs),
            steps_changes=zeros(count, pairs, pairs),
            changes_changes=zeros(count, pairs, pairs),
            square=zeros(count),
            scale=zeros(count),
            fresh=yes,
            plain=yes.clone(),
            best=run.point.new_full((count,), torch.inf),
            waited=zeros(count),
            spent=zeros(count),
        )

    def advance(self, problems: Problems, tolerances: Tensor, state: State, number: int) -> None:
        """Evaluate every running slot once and move it on, in place."""
        head = number % self._settings.memory
        trial = self._try(problems, tolerances, state, head)
        _learn(state, trial, head)
        direction = self._refined(problems, state, head) if self._refining else _direction(state, head)
        turning = trial.accepted | trial.failed
        slope = (direction * state.gradient).sum(1)
        steepest = turning & (trial.failed | ~(slope < 0))
        state.reciprocal.masked_fill_(steepest.unsqueeze(1), 0.0)
        state.plain.logical_or_(steepest)
        put(state.direction, turning, direction)
        put(state.direction, steepest, state.gradient * -state.scale.unsqueeze(1))
        slope = torch.where(steepest, -state.scale * state.square, slope)
        begin(state.search, turning, torch.where(trial.accepted, trial.value, state.search.value), slope)
        state.spent.add_(state.run.code == RUNNING)
        if self._refining:  # a run for which the matrix is useless, or has had its time, was not near a minimum
            useless = (state.run.code == RUNNING) & (steepest | (state.spent >= REFINED_TRIALS))
            state.run.code.masked_fill_(useless, Status.STALLED)

    def _refined(self, problems: Problems, state: State, head: int) -> Tensor:
        """The direction -H g (B, N) from the Gauss-Newton matrix H_0."""
        pairs = self._settings.memory
        steps, changes = state.pairs[:, :pairs], state.pairs[:, pairs:]
        alpha = _first_loop(state, head)
        left = state.gradient - torch.bmm(alpha.unsqueeze(1), changes).squeeze(1)
        bent = apply_h0(problems, state.run.point, left, self._widths)
        weights = _second_loop(state, head, alpha, torch.bmm(changes, bent.unsqueeze(2)).squeeze(2))
        return torch.bmm(weights.unsqueeze(1), steps).squeeze(1) - bent

    def _try(self, problems: Problems, tolerances: Tensor, state: State, head: int) -> Trial:
        """Evaluate the trial points, judge them, and say which runs end with that."""
        run, search, pairs = state.run, state.search, self._settings.memory
        step, change = state.pairs[:, head], state.pairs[:, pairs + head]
        torch.mul(state.direction, search.t.unsqueeze(1), out=step)
        point = run.point + step
        value, gradient = self._objective(problems, point, self._widths)
        torch.sub(gradient, state.gradient, out=change)
        along = torch.bmm(state.pairs, gradient.unsqueeze(2)).squeeze(2)
        square = gradient.square().sum(1)
        norm, forward = square.sqrt(), along[:, head]
        curvature = forward - search.t * search.slope
        running, fresh = run.code == RUNNING, state.fresh
        searching = running & ~fresh
        found, flat = judge(search, searching, value, forward / search.t, value + problems.energy)
        accepted = torch.where(fresh, running & (value + norm).isfinite(), found)
        failed = searching & ~found & (search.tried >= TRIALS)
        learned = accepted & ~fresh
        improved = accepted & (~flat | fresh | (norm < state.best))
        state.waited.add_(1).masked_fill_(improved, 0.0)
        put(state.best, accepted, torch.minimum(state.best, norm))
        run.evaluations.add_(running)
        run.iterations.add_(learned)
        stalled = searching & ((failed & state.plain) | (state.waited >= PATIENCE))
        run.code.masked_fill_(stalled, Status.STALLED)
        run.code.masked_fill_(running & fresh & ~accepted, Status.DIVERGED)
        run.code.masked_fill_(accepted & (run.iterations >= self._settings.max_iterations), Status.ITERATION_LIMIT)
        run.code.masked_fill_(accepted & (norm <= tolerances), Status.CONVERGED)
        change_square = change.square().sum(1)
        return Trial(point, value, gradient, square, along, change_square, curvature, accepted, failed, learned)


def apply_h0(problems: Problems, theta: Tensor, vectors: Tensor, widths: Sequence[int]) -> Tensor:
    """H_0 = (1 / 2 lambda) (I - J^T inverse J) of dmf.training.refinement times vectors (B, N), J at theta (B, N)."""
    layers = layer_views(theta, widths)
    products = prefix_products(layers, problems.targets.shape[2])
    out = vectors.clone()
    parts = layer_views(out, widths)
    change = prefix_products(parts[:1], problems.targets.shape[2])[0]
    for i in range(1, len(layers)):
        change = torch.bmm(layers[i], change) + torch.bmm(parts[i], products[i - 1])
    carry_down(layers, products, change * -problems.inverse, parts)
    return out / (2 * problems.lams).unsqueeze(1)


def _learn(state: State, trial: Trial, head: int) -> None:
    """Take the accepted trials, and store what every run learns: a pair, or zeros in its place."""
    accepted, learned, pairs = trial.accepted, trial.learned, state.reciprocal.shape[1]
    nothing = ~learned
    # the line search rules out any other sign, but rounding does not
    sound = learned & (trial.curvature > 0) & (trial.change_square > 0)
    state.reciprocal[:, head] = torch.where(sound, 1 / trial.curvature, 0.0)
    put(state.scale, sound, trial.curvature / trial.change_square)
    first = FIRST_STEP * (trial.point.square().sum(1) / trial.square).sqrt()
    put(state.scale, accepted & state.fresh, first)
    state.plain.logical_and_(nothing)
    state.fresh.logical_and_(~accepted)
    put(state.run.point, accepted, trial.point)
    put(state.gradient, accepted, trial.gradient)
    put(state.square, accepted, trial.square)
    along = torch.where(accepted.unsqueeze(1), trial.along, state.along)
    for place in (head, pairs + head):
        state.pairs[:, place].masked_fill_(nothing.unsqueeze(1), 0.0)
        along[:, place].masked_fill_(nothing, 0.0)
    # The other pairs' products with the newest change are differences of those with the gradient.
    difference = along - state.along
    state.steps_changes[:, :, head] = difference[:, :pairs]
    state.changes_changes[:, :, head] = state.changes_changes[:, head] = difference[:, pairs:]
    state.changes_changes[:, head, head] = trial.change_square.masked_fill(nothing, 0.0)
    state.along.copy_(along)


def _direction(state: State, head: int) -> Tensor:
    """The direction -H g (B, N) from H_0 = gamma I, by the two loops of L-BFGS on inner products."""
    pairs = state.reciprocal.shape[1]
    alpha = _first_loop(state, head)
    rest = state.along[:, pairs:]
    for j in range(pairs):
        rest = rest - alpha[:, j : j + 1] * state.changes_changes[:, :, j]
    scale = state.scale.unsqueeze(1)
    weights = torch.cat((_second_loop(state, head, alpha, rest * scale), alpha * scale), dim=1)
    return torch.bmm(weights.unsqueeze(1), state.pairs).squeeze(1) - state.gradient * scale


def _first_loop(state: State, head: int) -> Tensor:
    """Alpha (B, m): what the first loop leaves of the gradient is q = g - the sum of alpha_i y_i.

    Column by column, here and below: what a pair contributes is taken from all that are still to come, those of wrong
    age being done.
    """
    pairs = state.reciprocal.shape[1]
    rest, alpha = state.along[:, :pairs], torch.empty_like(state.reciprocal)
    for age in range(pairs):
        i = (head - age) % pairs
        alpha[:, i] = rest[:, i] * state.reciprocal[:, i]
        rest = rest - alpha[:, i : i + 1] * state.steps_changes[:, :, i]
    return alpha


def _second_loop(state: State, head: int, alpha: Tensor, rest: Tensor) -> Tensor:
    """Weights (B, m) of the steps in -H g + H_0 q, from y_i . H_0 q."""
    pairs, weights = state.reciprocal.shape[1], torch.empty_like(state.reciprocal)
    for age in reversed(range(pairs)):
        i = (head - age) % pairs
        weights[:, i] = rest[:, i] * state.reciprocal[:, i] - alpha[:, i]
        rest = rest - weights[:, i : i + 1] * state.steps_changes[:, i]
    return weights
