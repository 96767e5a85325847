"""Limited-memory BFGS (Nocedal & Wright, algorithm 7.5) on groups of runs, one evaluation of every lane a round.

All lanes store their pair of a round in the same place of a ring; where a lane's trial was rejected, a pair of zeros
takes it, which changes nothing but shortens that run's memory for a while.
"""

from __future__ import annotations

import numpy as np

from dmf.training.compiled_engine import kernel, line_search
from dmf.training.compiled_engine.group import (
    IDLE,
    PARKED,
    RUNNING,
    Group,
    Queue,
    clear_column,
    copy_column,
    enter,
    lay_out_group,
    retire,
    workspace,
)
from dmf.training.compiled_engine.instructions import LANES
from dmf.training.compiled_engine.objective import Layout, Table, add_gradient, lay_out
from dmf.training.compiled_engine.recursion import Memory, direction, lay_out_memory, learn
from dmf.training.compiled_engine.refine import Matrix, doubt, in_twos, lay_out_matrix, load_matrix, turn_refined
from dmf.training.compiled_engine.vectors import advance, change, copy, dots
from dmf.training.constants import FIRST_STEP, PATIENCE, TRIALS
from dmf.training.result import Array
from dmf.training.settings import Status

CONVERGED, LIMIT, DIVERGED, STALLED = (
    float(s) for s in (Status.CONVERGED, Status.ITERATION_LIMIT, Status.DIVERGED, Status.STALLED)
)


@kernel
def minimize(
    w: Array, table: Table, at: Layout, group: Group, p: Memory, h: Matrix, queue: Queue, inverse: Array,
    most_iterations: int,
) -> None:  # fmt: skip
    """Train every run of the queue in the workspace w, with the matrix H_0 if `inverse` has a row for each."""
    lanes, refining = w.reshape((-1, LANES)), len(inverse) > 0
    lanes[group.run, :], lanes[p.one, :], lanes[p.zero, :] = IDLE, 1.0, 0.0
    here, there, g_here, g_there = p.point, p.other_point, p.gradient, p.other_gradient
    head, entered, needed = 0, 0, in_twos(p.pairs) if refining else 2 * p.pairs
    while True:
        _retire_ended(lanes, at, group, queue, here)
        if queue.finished[0] == len(queue.lams) or queue.finished[1]:
            return
        if head == 0:  # sums over the ring depend on where it begins, so a run always begins with it
            before, entered = entered, _fill(lanes, at, group, p, queue, entered, here)
            if refining:
                load_matrix(lanes, at, group, h, inverse, before)
        step, new_change = p.steps + head * at.length, p.steps + (p.pairs + head) * at.length
        advance(w, there, step, here, p.direction, p.t, g_there, group.double_lam, p.square, at.length)
        add_gradient(w, table, at, there, g_there)
        change(w, new_change, g_there, g_here, p.gradient_square, p.change_square, at.length)
        for i in range(2 * p.pairs):
            copy(w, p.along_before + i, p.along + i)
        dots(w, p.along, g_there, p.steps, at.length, needed, at.length)
        _judge(lanes, at, group, p, head, most_iterations)
        _store_pair(lanes, at, p, head, here, there, g_here, g_there)
        learn(w, p, head)
        if refining:
            turn_refined(w, table, at, p, h, head, there, g_there)
            doubt(lanes, group, p, h)
        else:
            direction(w, at, p, head, g_there)
        _begin(lanes, at, p, g_there)
        head = (head + 1) % p.pairs
        here, there, g_here, g_there = there, here, g_there, g_here


@kernel
def _retire_ended(lanes: Array, at: Layout, group: Group, queue: Queue, point: int) -> None:
    """End the runs that have a reason to."""
    for v in range(LANES):
        if lanes[group.run, v] >= 0 and lanes[group.code, v] != RUNNING:
            retire(lanes, at, group, queue, v, point)


@kernel
def _fill(lanes: Array, at: Layout, group: Group, p: Memory, queue: Queue, entered: int, point: int) -> int:
    """Give idle lanes the next runs of the queue, or nothing to do; return how many runs have entered."""
    for v in range(LANES):
        if lanes[group.run, v] != IDLE:
            continue
        clear_column(lanes, v, p.point, p.one - p.point)
        if entered < len(queue.lams):
            enter(lanes, at, group, queue, v, entered, point)
            lanes[p.fresh, v], lanes[p.plain, v], lanes[p.best, v] = 1.0, 1.0, np.inf
            entered += 1
        else:
            lanes[group.run, v], lanes[group.double_lam, v] = PARKED, 0.0
    return entered


@kernel
def _judge(lanes: Array, at: Layout, group: Group, p: Memory, head: int, most_iterations: int) -> None:
    """Accept or reject every lane's trial, and say whether its run ends with that."""
    for v in range(LANES):
        lanes[p.accepted, v] = lanes[p.failed, v] = 0.0
        if lanes[group.run, v] < 0:
            continue
        value = lanes[at.misfit, v] + 0.5 * lanes[group.double_lam, v] * lanes[p.square, v]
        norm, t, fresh = np.sqrt(lanes[p.gradient_square, v]), lanes[p.t, v], lanes[p.fresh, v] != 0
        along = lanes[p.along + head, v]  # s . g(t), which is t F'(t)
        lanes[group.evaluations, v] += 1
        code = RUNNING
        if fresh:
            accepted, flat = np.isfinite(value + norm), False
            if not accepted:
                code = DIVERGED
        else:
            lanes[p.curvature, v] = along - t * lanes[p.search + line_search.SLOPE, v]
            scale = value + lanes[group.energy, v]
            accepted, flat, lanes[p.t, v] = line_search.judge(lanes, p.search, v, t, value, along / t, scale)
        failed = not accepted and lanes[p.search + line_search.TRIED, v] >= TRIALS
        improved = accepted and (not flat or norm < lanes[p.best, v])
        lanes[p.waited, v] = 0.0 if improved else lanes[p.waited, v] + 1
        if (failed and lanes[p.plain, v] != 0) or lanes[p.waited, v] >= PATIENCE:
            code = STALLED
        if accepted:
            lanes[p.best, v] = min(lanes[p.best, v], norm)
            lanes[p.search + line_search.VALUE, v] = value
            lanes[group.iterations, v] += 0 if fresh else 1
            if lanes[group.iterations, v] >= most_iterations:
                code = LIMIT
            if norm <= lanes[group.tolerance, v]:
                code = CONVERGED
        lanes[group.code, v] = code
        lanes[p.accepted, v], lanes[p.failed, v] = 1.0 * accepted, 1.0 * failed


@kernel
def _store_pair(
    lanes: Array, at: Layout, p: Memory, head: int, here: int, there: int, g_here: int, g_there: int
) -> None:
    """Store what every lane learns from its trial, a pair or zeros in its place, and how to weigh the old direction."""
    for v in range(LANES):
        accepted, first, m = lanes[p.accepted, v] != 0, lanes[p.fresh, v] != 0, p.pairs
        lanes[p.reciprocal + head, v] = 0.0
        if accepted and not first:
            curvature, square = lanes[p.curvature, v], lanes[p.change_square, v]
            if curvature > 0 and square > 0:  # the line search rules out anything else, but rounding does not
                lanes[p.reciprocal + head, v] = 1 / curvature
                lanes[p.scale, v] = curvature / square
            lanes[p.plain, v] = 0.0
        else:
            clear_column(lanes, v, p.steps + head * at.length, at.length)
            clear_column(lanes, v, p.steps + (m + head) * at.length, at.length)
            lanes[p.change_square, v] = 0.0
        if accepted and first:
            length = 0.0
            for n in range(there, there + at.size):
                length += lanes[n, v] ** 2
            lanes[p.scale, v] = FIRST_STEP * np.sqrt(length / lanes[p.gradient_square, v])
            lanes[p.fresh, v] = 0.0
        if not accepted:
            copy_column(lanes, v, there, here, at.length)
            copy_column(lanes, v, g_there, g_here, at.length)
            copy_column(lanes, v, p.along, p.along_before, 2 * m)
        if first or not accepted:
            lanes[p.along + head, v] = lanes[p.along + m + head, v] = 0.0
        turning = accepted or lanes[p.failed, v] != 0
        lanes[p.share, v] = 0.0 if turning else 1.0
        lanes[p.factor, v] = -lanes[p.scale, v] if turning else 0.0


@kernel
def _begin(lanes: Array, at: Layout, p: Memory, gradient: int) -> None:
    """Start the next line search of lanes with a new direction, along steepest descent where that does not fall."""
    for v in range(LANES):
        if lanes[p.share, v] != 0:
            continue
        slope, scale = lanes[p.slope, v], lanes[p.scale, v]
        if lanes[p.failed, v] != 0 or not slope < 0:
            clear_column(lanes, v, p.reciprocal, p.pairs)
            slope = 0.0
            for n in range(at.length):
                g = lanes[gradient + n, v]
                lanes[p.direction + n, v] = -scale * g
                slope -= scale * g * g
            lanes[p.plain, v] = 1.0
        lanes[p.t, v] = 1.0
        line_search.begin(lanes, p.search, v, lanes[p.search + line_search.VALUE, v], slope)


def run_lbfgs(
    queue: Queue, widths: tuple[int, ...], pairs: int, most_iterations: int, inverse: Array | None = None
) -> None:
    """Train every run of the queue with `pairs` stored pairs; refine them if given the inverse (R, d_L d_0)."""
    table, at = lay_out(widths, queue.targets.shape[1], queue.inputs.shape[1])
    group = lay_out_group(at.end)
    memory = lay_out_memory(at, pairs, at.end + len(group))
    matrix = lay_out_matrix(at, pairs, memory.end, inverse is not None)
    inverse = np.empty((0, at.entries)) if inverse is None else inverse
    minimize(workspace(matrix.end), table, at, group, memory, matrix, queue, inverse, most_iterations)
