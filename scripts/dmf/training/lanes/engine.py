"""Trains on the processor: shares the runs out to threads, watches them, and measures what they leave."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import pairwise

import numpy as np

from dmf.training.lanes.first_order import run_first_order
from dmf.training.lanes.group import Queue
from dmf.training.lanes.lbfgs import run_lbfgs
from dmf.training.result import Array, Finished
from dmf.training.settings import Adam, GradientDescent, Lbfgs, Nesterov

WATCH_SECONDS = 0.3  # between two looks at how many runs have finished


def minimize(
    targets: Array,
    lams: Array,
    tolerances: Array,
    points: Array,
    widths: tuple[int, ...],
    optimizer: Lbfgs | GradientDescent | Nesterov | Adam,
    threads: int,
    progress: Callable[[int], None] | None,
) -> Finished:
    """Train R runs from targets (R, d_L d_0), lambdas and tolerances (R,), and starts (R, N)."""
    count = len(lams)
    finished = Finished(
        points.copy(), np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count, dtype=np.int8)
    )
    bounds = np.linspace(0, count, min(threads, count) + 1).astype(int).tolist()
    shares = [
        Queue(targets[a:b], lams[a:b], tolerances[a:b], *_rows(finished, a, b), np.zeros(2, np.int64))
        for a, b in pairwise(bounds)
    ]

    def work(share: Queue) -> None:
        if isinstance(optimizer, Lbfgs):
            run_lbfgs(share, widths, optimizer.memory, optimizer.max_iterations)
        else:
            run_first_order(share, widths, optimizer)

    _watch(work, shares, progress)
    return finished


def _rows(finished: Finished, first: int, last: int) -> Finished:
    """Views of rows [first, last)."""
    points, iterations, evaluations, status = finished
    return Finished(points[first:last], iterations[first:last], evaluations[first:last], status[first:last])


def _watch(work: Callable[[Queue], None], shares: list[Queue], progress: Callable[[int], None] | None) -> None:
    """Work on every share in a thread of its own, so that this one can report, and can be interrupted."""
    with ThreadPoolExecutor(len(shares)) as pool:
        jobs = [pool.submit(work, share) for share in shares]
        try:
            seen, total = 0, sum(len(share.lams) for share in shares)
            while wait(jobs, timeout=WATCH_SECONDS).not_done:
                finished = sum(int(share.finished[0]) for share in shares)
                if progress is not None and seen < finished < total:
                    progress(seen := finished)
        except BaseException:
            for share in shares:
                share.finished[1] = 1
            raise
        for job in jobs:
            job.result()


def compile_kernels() -> float:
    """Compile every kernel, or load it where that was done before; return the seconds it took."""
    from dmf.training.lanes.measure import measure

    began = time.perf_counter()
    one, matrix = np.ones(1), np.ones((1, 1))
    for optimizer in (Lbfgs(name="lbfgs"), GradientDescent(name="gd")):
        minimize(matrix, one, one, np.ones((1, 2)), (1, 1, 1), optimizer, 1, None)
    measure(matrix, one, np.ones((1, 2)), (1, 1, 1))
    return time.perf_counter() - began
