"""Trains on the processor: shares the runs out to threads, watches them, and measures what they leave."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from itertools import pairwise

import llvmlite.binding as llvm
import numba
import numpy as np
from filelock import FileLock, Timeout

from dmf.training.compiled_engine import CACHE, FOLDER
from dmf.training.compiled_engine.first_order import run_first_order
from dmf.training.compiled_engine.group import Queue
from dmf.training.compiled_engine.lbfgs import run_lbfgs
from dmf.training.compiled_engine.measure import measure
from dmf.training.result import Array, Finished, Measures, unstarted
from dmf.training.settings import Adam, GradientDescent, Lbfgs, Nesterov
from dmf.training.tasks import Progress, Tasks

PATIENCE = 600  # seconds that a process waits for another one that compiles
WATCH_SECONDS = 0.3  # between two looks at how many runs have finished


class LanesEngine:
    """The compiled engine for runs of widths (d_0, ..., d_L), shared out to threads."""

    def __init__(self, widths: tuple[int, ...], threads: int) -> None:
        """Take the widths and the number of threads."""
        self._widths, self._threads = widths, threads

    def minimize(
        self,
        tasks: Tasks,
        begun: Finished,
        optimizer: Lbfgs | GradientDescent | Nesterov | Adam,
        progress: Progress,
        inverse: Array | None = None,
    ) -> Finished:
        """Train R runs (see dmf.training.tasks.Minimize)."""
        count = len(tasks.lams)
        finished = begun.take(np.arange(count))
        bounds = np.linspace(0, count, min(self._threads, count) + 1).astype(int).tolist()
        rows = [slice(a, b) for a, b in pairwise(bounds)]

        def work(share: Queue, own: slice) -> None:
            if isinstance(optimizer, Lbfgs):
                matrices = None if inverse is None else inverse[own]
                run_lbfgs(share, self._widths, optimizer.memory, optimizer.max_iterations, matrices)
            else:
                run_first_order(share, self._widths, optimizer)

        inputs = np.empty((count, 0)) if tasks.inputs is None else tasks.inputs
        shares = [
            Queue(
                targets=tasks.targets[i],
                inputs=inputs[i],
                lams=tasks.lams[i],
                tolerances=tasks.gradient_tolerance[i],
                points=finished.points[i],
                iterations=finished.iterations[i],
                evaluations=finished.evaluations[i],
                status=finished.status[i],
                finished=np.zeros(2, np.int64),
            )
            for i in rows
        ]
        _watch(work, shares, rows, progress)
        return finished

    def measure(self, tasks: Tasks, points: Array) -> Measures:
        """Measure R runs at parameters (R, N)."""
        return measure(tasks, points, self._widths)


def _watch(work: Callable[[Queue, slice], None], shares: list[Queue], rows: list[slice], progress: Progress) -> None:
    """Work on every share in a separate thread, so that this one can report, and can be interrupted."""
    with ThreadPoolExecutor(len(shares)) as pool:
        jobs = [pool.submit(work, *each) for each in zip(shares, rows, strict=True)]
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
    began = time.perf_counter()
    one, matrix, begun = np.ones(1), np.ones((1, 1)), unstarted(np.ones((1, 2)))
    engine = LanesEngine((1, 1, 1), 1)
    for optimizer in (Lbfgs(name="lbfgs"), GradientDescent(name="gd")):
        engine.minimize(Tasks(matrix, one, one), begun, optimizer, None)
    engine.measure(Tasks(matrix, one, one), begun.points)
    return time.perf_counter() - began


def compile_once() -> float:
    """Compile every kernel unless a process on such a processor has done so; return the seconds it took.

    Of jobs that begin together on a new kind of node one compiles, and the others wait for it.
    """
    began = time.perf_counter()
    kind = f"{llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()} {numba.__version__} {sys.version}"
    done = FOLDER / f"compiled-{hashlib.sha256(kind.encode()).hexdigest()[:16]}"
    if CACHE and not done.exists():
        # A file system without locks, and whoever holds one for ever, cost a compilation and no more.
        with suppress(OSError, NotImplementedError, Timeout), FileLock(f"{done}.lock", timeout=PATIENCE):
            if not done.exists():
                compile_kernels()
                done.touch()
    return time.perf_counter() - began
