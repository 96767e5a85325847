"""A group of runs on its lanes: the queue they come from, which run each lane trains, and how it begins and ends."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dmf.training.compiled_engine import kernel
from dmf.training.compiled_engine.instructions import LANES
from dmf.training.compiled_engine.objective import Layout
from dmf.training.result import Array

Ints = NDArray[np.int64]

IDLE, PARKED = -1.0, -2.0  # a lane without a run, before and after its vectors are cleared
RUNNING = -1.0  # the code of a run that goes on; any other is a Status


class Queue(NamedTuple):
    """R runs waiting: everything of a run lies in one row."""

    targets: Array  # (R, d_L d_0), or (R, p n) with inputs
    inputs: Array  # (R, q n), or (R, 0)
    lams: Array  # (R,)
    tolerances: Array  # (R,)
    points: Array  # (R, N), the start, and at the end the final parameters
    iterations: Ints  # (R,) accepted steps, those before this queue included
    evaluations: Ints  # (R,) likewise
    status: NDArray[np.int8]  # (R,)
    finished: Ints  # (2,) how many have ended, for another thread to read, and not 0 once it wants training to stop


class Group(NamedTuple):
    """Places of what a group knows of the run in each lane, one number a lane each."""

    run: int  # its row in the queue, IDLE or PARKED
    code: int  # RUNNING, or the Status it ends with
    iterations: int
    evaluations: int
    double_lam: int  # 2 lambda
    tolerance: int
    energy: int  # ||M||_F^2


def lay_out_group(first: int) -> Group:
    """Lay out a group from place `first` on."""
    return Group(*range(first, first + len(Group._fields)))


@kernel
def clear_column(lanes: Array, v: int, first: int, count: int) -> None:
    """Set `count` places of lane v to zero; `lanes` is the workspace as (places, LANES)."""
    for n in range(first, first + count):
        lanes[n, v] = 0.0


@kernel
def copy_column(lanes: Array, v: int, goal: int, source: int, count: int) -> None:
    """Copy `count` places of lane v."""
    for n in range(count):
        lanes[goal + n, v] = lanes[source + n, v]


@kernel
def enter(lanes: Array, at: Layout, group: Group, queue: Queue, v: int, run: int, point: int) -> None:
    """Begin a run in lane v with its start at place `point`."""
    energy = 0.0
    for n in range(queue.inputs.shape[1]):
        lanes[at.inputs + n, v] = queue.inputs[run, n]
    for n in range(at.goals):
        lanes[at.target + n, v] = queue.targets[run, n]
        energy += queue.targets[run, n] ** 2
    for n in range(at.size):
        lanes[point + n, v] = queue.points[run, n]
    lanes[group.run, v], lanes[group.code, v] = run, RUNNING
    lanes[group.iterations, v], lanes[group.evaluations, v] = queue.iterations[run], queue.evaluations[run]
    lanes[group.double_lam, v], lanes[group.tolerance, v] = 2 * queue.lams[run], queue.tolerances[run]
    lanes[group.energy, v] = energy


@kernel
def retire(lanes: Array, at: Layout, group: Group, queue: Queue, v: int, point: int) -> None:
    """End the run in lane v, with its final parameters at place `point`."""
    run = int(lanes[group.run, v])
    for n in range(at.size):
        queue.points[run, n] = lanes[point + n, v]
    queue.iterations[run], queue.evaluations[run] = lanes[group.iterations, v], lanes[group.evaluations, v]
    queue.status[run] = lanes[group.code, v]
    queue.finished[0] += 1
    lanes[group.run, v] = IDLE


def workspace(places: int) -> Array:
    """Zeros for so many places, beginning at a cache line."""
    raw = np.zeros(places * LANES + LANES)
    start = (-(raw.ctypes.data // 8)) % LANES
    return raw[start : start + places * LANES]
