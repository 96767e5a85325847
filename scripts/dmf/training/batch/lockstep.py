"""Trains a queue of runs through a fixed number of slots, every slot evaluated once a round.

A run that finishes leaves its slot to the next one in the queue, so the batch stays full; when the queue is empty, idle
slots are squeezed out. Slots never exchange numbers, so a run's result does not depend on its company.

Here and in the optimizers, numpy holds what is one number a slot and torch what is a vector or matrix a slot: at these
sizes a numpy call costs a fraction of a torch call.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from dmf.training.objective import Problem
from numpy.typing import NDArray
from torch import Tensor

from dmf.training.result import Array

Ints = NDArray[np.int64]
Codes = NDArray[np.int8]

RUNNING = -1
"""The code of a slot whose run goes on; any other code is a Status."""

_REFILL_FRACTION = 1 / 16
_SQUEEZE_FRACTION = 1 / 4
# Below two rows the BLAS would take another path (see Problem), so one idle slot may stay.
_MIN_SLOTS = 2


class Method(Protocol):
    """An optimizer on the slots of a batch."""

    theta: Tensor
    iterations: Ints

    def enter(self, slots: Ints, theta: Tensor) -> None:
        """Forget what the slots held and begin runs there at theta (k, N)."""

    def advance(self, problem: Problem, tolerance: Array) -> Codes:
        """Evaluate every slot once, move on, and return a code (B,) for each: RUNNING or a Status."""

    def keep(self, slots: Ints) -> None:
        """Keep these slots only, in this order."""


class Outcome:
    """What training leaves of R runs: final parameters (R, N), iterations, evaluations and status (R,)."""

    def __init__(self, starts: Tensor) -> None:
        """Make room for as many runs as there are starts (R, N)."""
        count = len(starts)
        self.theta = torch.empty_like(starts)
        self.iterations = np.zeros(count, dtype=np.int64)
        self.evaluations = np.zeros(count, dtype=np.int64)
        self.status = np.zeros(count, dtype=np.int8)


class Lockstep:
    """The queue, the slots and the bookkeeping between them."""

    def __init__(self, problem: Problem, starts: Tensor, tolerance: Array, slots: int) -> None:
        """Queue R >= 2 runs: their problems, flat starts (R, N) and gradient tolerances (R,)."""
        self._queue_problem, self._starts, self._queue_tolerance = problem, starts, tolerance
        self.slots = max(_MIN_SLOTS, min(slots, len(starts)))
        self._run = np.arange(self.slots)
        self._entered = np.zeros(self.slots, dtype=np.int64)
        self._next, self._round = self.slots, 0
        self._problem = problem.take(self._run)
        self._tolerance = tolerance[self._run]
        self._outcome = Outcome(starts)

    def train(self, method: Method, progress: Callable[[int], None]) -> Outcome:
        """Run `method` until every run has finished; `progress` gets the number finished whenever it grows."""
        method.enter(np.arange(self.slots), self._starts[: self.slots])
        finished = 0
        while finished < len(self._starts):
            self._round += 1
            code = method.advance(self._problem, self._tolerance)
            done = np.flatnonzero((code != RUNNING) & (self._run >= 0))
            if len(done):
                self._retire(done, code[done], method)
                finished += len(done)
                progress(finished)
                self._refill(method)
                self._squeeze(method)
        return self._outcome

    def _retire(self, slots: Ints, code: Codes, method: Method) -> None:
        runs = self._run[slots]
        self._outcome.theta[runs] = method.theta[slots]
        self._outcome.iterations[runs] = method.iterations[slots]
        self._outcome.evaluations[runs] = self._round - self._entered[slots]
        self._outcome.status[runs] = code
        self._run[slots] = -1

    def _refill(self, method: Method) -> None:
        left = len(self._starts) - self._next
        idle = np.flatnonzero(self._run < 0)
        if left == 0 or len(idle) < _REFILL_FRACTION * len(self._run):
            return
        slots = idle[:left]
        runs = np.arange(self._next, self._next + len(slots))
        self._next += len(slots)
        self._run[slots], self._entered[slots] = runs, self._round
        self._problem.put(slots, self._queue_problem.take(runs))
        self._tolerance[slots] = self._queue_tolerance[runs]
        method.enter(slots, self._starts[runs])

    def _squeeze(self, method: Method) -> None:
        busy = self._run >= 0
        count = max(_MIN_SLOTS, int(busy.sum()))
        if self._next < len(self._starts) or count > (1 - _SQUEEZE_FRACTION) * len(self._run):
            return
        slots = np.argsort(~busy, kind="stable")[:count]
        self._run, self._entered = self._run[slots], self._entered[slots]
        self._problem, self._tolerance = self._problem.take(slots), self._tolerance[slots]
        method.keep(slots)
