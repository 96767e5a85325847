"""Trains a queue of runs through slots, the rows of a batch: every slot is evaluated once a round.

Rounds go in chunks. Within one, a run that ends is frozen by a mask; between two, the host reads how each slot's run
ended, writes the ended ones down, and gives their slots to the next in the queue, or drops them when none is left.
Slots never exchange numbers, and a run always begins with a chunk, so its result does not depend on its company.
"""

import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dmf.training.result import Array, Finished
from dmf.training.settings import Status
from dmf.training.tasks import Tasks
from dmf.training.torch_engine.objective import Problems, fill_lines

RUNNING = -1
"""The code of a slot whose run goes on; any other code is a Status."""

MIN_SLOTS = 2  # below two rows the BLAS would take another path (see dmf.training.torch_engine.objective)
_SQUEEZE_SHARE = 0.75  # of slots in use, below which the others are dropped
_REPORT_SECONDS = 0.3

Rows = TypeVar("Rows", bound=tuple[Any, ...])


class Run(NamedTuple):
    """What every method keeps of B runs."""

    point: Tensor
    """(B, N) the last accepted parameters."""
    iterations: Tensor
    """(B,)"""
    evaluations: Tensor
    """(B,)"""
    code: Tensor
    """(B,) RUNNING or a Status."""

    @classmethod
    def at(cls, points: Tensor, iterations: Tensor, evaluations: Tensor) -> "Run":
        """Runs that begin at points (B, N) with so many iterations and evaluations (B,) behind them."""
        return cls(points.clone(), iterations, evaluations, torch.full_like(iterations, RUNNING))


class Method(Protocol):
    """An optimizer; its state is a tuple of tensors, and of such tuples, with one row a run."""

    rounds: int
    """in a chunk"""

    def begin(self, run: Run) -> Any:
        """The state of runs that begin; its first entry is their Run."""

    def advance(self, problems: Problems, tolerances: Tensor, state: Any, number: int) -> None:
        """Evaluate every running slot once and move it on, in place; `number` counts a chunk's rounds from 0."""


class Waiting(Protocol):
    """R runs that wait, on the host."""

    @property
    def begun(self) -> Finished:
        """Where they stand."""

    def problems(self, rows: NDArray[np.int64], widths: tuple[int, ...], device: str) -> tuple[Any, Tensor]:
        """Problems, a tuple of tensors with one row a run, and tolerances of the runs `rows`."""

    def runs(self, rows: NDArray[np.int64], device: str) -> Run:
        """The runs `rows`, with zeros past the last parameter."""


class Queue(NamedTuple):
    """R runs of factorizations that wait."""

    tasks: Tasks
    begun: Finished
    inverse: Array | None
    """of a refinement"""

    def problems(self, rows: NDArray[np.int64], widths: tuple[int, ...], device: str) -> tuple[Problems, Tensor]:
        """Problems and tolerances of the runs `rows`."""
        tasks, inverse = self.tasks.take(rows), None if self.inverse is None else self.inverse[rows]
        return Problems.on(device, tasks, widths, inverse), torch.from_numpy(tasks.gradient_tolerance).to(device)

    def runs(self, rows: NDArray[np.int64], device: str) -> Run:
        """The runs `rows`, with zeros past the last parameter."""
        points, iterations, evaluations, _ = (torch.from_numpy(array).to(device) for array in self.begun.take(rows))
        return Run.at(fill_lines(points), iterations, evaluations)


def train(
    queue: Waiting, widths: tuple[int, ...], method: Method, slots: int, device: str, progress: Callable[[int], None]
) -> Finished:
    """Train the queue's R runs; `progress` gets the number finished, fewer than R, a few times a second at most."""
    count = len(queue.begun.status)
    finished = queue.begun.take(np.arange(count))
    run = np.arange(max(MIN_SLOTS, min(slots, count)))  # each slot's run, -1 without one
    entered, done, reported = min(len(run), count), 0, time.monotonic()
    run[entered:] = -1
    rows = np.maximum(run, 0)
    entries = (*queue.problems(rows, widths, device), method.begin(queue.runs(rows, device)))
    entries[2][0].code[entered:] = Status.STALLED  # any code freezes the slot without a run
    while True:
        for number in range(method.rounds):
            method.advance(*entries, number)
        code = entries[2][0].code.cpu().numpy()  # the one wait for the device
        ended = np.flatnonzero((code != RUNNING) & (run >= 0))
        if len(ended) == 0:
            continue
        _retire(finished, run[ended], _take(entries[2][0], torch.from_numpy(ended).to(device)))
        run[ended], done = -1, done + len(ended)
        if done == count:
            return finished
        if time.monotonic() - reported > _REPORT_SECONDS:
            progress(done)
            reported = time.monotonic()
        idle = np.flatnonzero(run < 0)[: count - entered]
        if len(idle):
            run[idle] = np.arange(entered, entered + len(idle))
            entered += len(idle)
            fresh = (*queue.problems(run[idle], widths, device), method.begin(queue.runs(run[idle], device)))
            _put(entries, torch.from_numpy(idle).to(device), fresh)
        busy = max(MIN_SLOTS, int((run >= 0).sum()))
        if busy <= _SQUEEZE_SHARE * len(run):
            kept = np.argsort(run < 0, kind="stable")[:busy]
            run, entries = run[kept], _take(entries, torch.from_numpy(kept).to(device))


def _retire(finished: Finished, runs: NDArray[np.int64], ended: Run) -> None:
    finished.points[runs] = ended.point[:, : finished.points.shape[1]].cpu().numpy()
    finished.iterations[runs] = ended.iterations.cpu().numpy()
    finished.evaluations[runs] = ended.evaluations.cpu().numpy()
    finished.status[runs] = ended.code.cpu().numpy()


def _take(entries: Rows, rows: Tensor) -> Rows:
    """A copy of some rows of all tensors, in this order."""
    parts = [_take(entry, rows) if isinstance(entry, tuple) else entry.index_select(0, rows) for entry in entries]
    return type(entries)(*parts) if hasattr(entries, "_fields") else type(entries)(parts)


def _put(entries: tuple[Any, ...], rows: Tensor, fresh: tuple[Any, ...]) -> None:
    """Overwrite some rows of all tensors."""
    for goal, source in zip(entries, fresh, strict=True):
        if isinstance(goal, tuple):
            _put(goal, rows, source)
        else:
            goal.index_copy_(0, rows, source)
