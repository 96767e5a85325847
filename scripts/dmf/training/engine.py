"""Trains a batch of runs: numpy in, numpy out."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from dmf.training.arguments import check
from dmf.training.gradient_descent import GradientDescentMethod
from dmf.training.lbfgs import LbfgsMethod
from dmf.training.lockstep import Lockstep, Method
from dmf.training.measure import measure
from dmf.training.objective import Problem, flatten
from dmf.training.result import Array, Runs
from dmf.training.settings import GradientDescent, Lbfgs

_REPORT_SECONDS = 0.3  # between two calls of progress
_STATE_BYTES = 32e6  # measured: a smaller state gains less from the cache than it loses on calls
_SLOTS = (64, 512)  # fewer waste time on the cost of a call, more on the last runs of a batch


def train(
    targets: Array,
    lams: Array,
    starts: Sequence[Array],
    gradient_tolerance: Array,
    optimizer: Lbfgs | GradientDescent,
    *,
    progress: Callable[[int], None] | None = None,
    threads: int = 1,
    batch: int | None = None,
) -> Runs:
    """Train B independent runs of one shape, each until its gradient norm is at most its own tolerance.

    Args:
        targets: M of each run, (B, d_L, d_0), finite.
        lams: lambda of each run, (B,), positive.
        starts: L >= 2 layers (B, d_l, d_{l-1}). A run with a start that is not finite ends as DIVERGED.
        gradient_tolerance: absolute, on the Euclidean norm of the gradient of F over all parameters, (B,), positive.
        optimizer: the method and its settings.
        progress: called with the number of finished runs, a few times a second at most, and with B at the end.
        threads: torch threads; one is best at these sizes, and only a fixed number keeps bits the same.
        batch: runs trained side by side; by default as many as fit the cache. It changes no result.

    Returns the record of the runs in the order given; all quantities are dimensionless. On the CPU with one thread a
    run's record is the same bits whatever else is in the batch. Raises ValueError, naming the argument, for ill-shaped
    or impossible input.
    """
    widths = check(targets, lams, starts, gradient_tolerance, threads, batch)
    with _torch_threads(threads), torch.inference_mode():
        problem = Problem(_tensor(targets), _tensor(lams), widths)
        theta = flatten([_tensor(layer) for layer in starts])
        tolerance = np.array(gradient_tolerance, dtype=np.float64)
        count = len(problem)
        if count == 1:  # two rows, for the reason Problem gives
            twice = np.zeros(2, dtype=np.int64)
            problem, theta, tolerance = problem.take(twice), theta[twice], tolerance[twice]
        slots = batch or _slots(theta.shape[1], optimizer)
        lockstep = Lockstep(problem, theta, tolerance, slots)
        method = _method(optimizer, lockstep.slots, theta.shape[1])
        outcome = lockstep.train(method, _at_intervals(progress, count))
        return measure(problem, outcome).take(slice(0, count))


def _method(optimizer: Lbfgs | GradientDescent, slots: int, size: int) -> Method:
    if isinstance(optimizer, Lbfgs):
        return LbfgsMethod(optimizer, slots, size)
    return GradientDescentMethod(optimizer, slots, size)


def _slots(size: int, optimizer: Lbfgs | GradientDescent) -> int:
    """How many runs of `size` parameters share the cost of a torch call before their state outgrows it."""
    vectors = 12 + (2 * optimizer.memory if isinstance(optimizer, Lbfgs) else 0)
    return int(np.clip(_STATE_BYTES / (8 * vectors * size), *_SLOTS))


def _tensor(array: Array) -> Tensor:
    return torch.from_numpy(np.array(array, dtype=np.float64))


@contextmanager
def _torch_threads(threads: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _at_intervals(progress: Callable[[int], None] | None, count: int) -> Callable[[int], None]:
    """Pass a count on when the last report is old enough, or when it is complete."""
    last = time.monotonic()

    def report(finished: int) -> None:
        nonlocal last
        now = time.monotonic()
        if progress is not None and (finished >= count or now - last >= _REPORT_SECONDS):
            last = now
            progress(min(finished, count))

    return report
