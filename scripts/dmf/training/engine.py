"""Trains a batch of runs: numpy in, numpy out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dmf.training.arguments import check, check_device
from dmf.training.record import points_of, record
from dmf.training.refinement import in_stages, pays
from dmf.training.result import Array, Finished, Measures, Runs, unstarted
from dmf.training.settings import Adam, Continuation, GradientDescent, Lbfgs, Nesterov, Status
from dmf.training.tasks import PROCESSOR, Execution, Minimize, Progress, Tasks

if TYPE_CHECKING:
    from jaxtyping import Float64


def train(
    tasks: Tasks,
    starts: Sequence[Float64[Array, "run _d_l _d_below"]],
    optimizer: Lbfgs | Continuation | GradientDescent | Nesterov | Adam,
    *,
    on: Execution = PROCESSOR,
    progress: Progress = None,
) -> Runs:
    """Train B independent runs of one shape, each until its gradient norm is at most its own tolerance.

    Args:
        tasks: what is minimized, and the gradient norm that ends each run: targets (B, d_L, d_0), lams (B,) and
            gradient_tolerance (B,); with inputs (B, d_0, n), targets (B, d_L, n) and a deep linear network in place
            of a factorization; with inputs (B, d_L d_0, n), targets (B, 1, n) and measurements of its entries.
        starts: L >= 2 layers (B, d_l, d_{l-1}). A run with a start that is not finite ends as DIVERGED.
        optimizer: the method and its settings.
        on: the device, threads, and how many runs side by side.
        progress: called with the number of finished runs, a few times a second at most, and with B at the end.

    Returns the record of the runs in the order given; all quantities are dimensionless. On "cpu" a run's record is the
    same bits whatever else is in the batch and however many threads there are; on "torch", with one thread. Raises
    ValueError, naming the argument, for ill-shaped or impossible input.
    """
    widths = check(tasks, starts, on)
    device = check_device(on.device)
    tasks, points = tasks.flat(), points_of(starts)
    minimize, measure = _engine(replace(on, device=device), widths)
    if tasks.inputs is None and pays(widths):  # what refinement knows of the curvature is that without inputs
        minimize = in_stages(minimize, widths, sparing=device == "cpu")
    if isinstance(optimizer, Continuation):
        finished = _continue(minimize, tasks, points, optimizer, progress)
    else:
        finished = minimize(tasks, unstarted(points), optimizer, progress)
    runs = record(finished, measure(tasks, finished.points), widths)
    if progress is not None:
        progress(len(points))
    return runs


Measure = Callable[[Tasks, Array], Measures]


def _engine(on: Execution, widths: tuple[int, ...]) -> tuple[Minimize, Measure]:
    """The two things an engine does, for runs of one shape. Imports what the device needs, and no more."""
    if on.device == "cpu":
        from dmf.training.compiled_engine.engine import LanesEngine, compile_once

        compile_once()
        lanes = LanesEngine(widths, on.threads)
        return lanes.minimize, lanes.measure
    from dmf.training.torch_engine.engine import BatchEngine

    engine = BatchEngine("cpu" if on.device == "torch" else on.device, widths, on.threads, on.batch)
    return engine.minimize, engine.measure


def _continue(minimize: Minimize, tasks: Tasks, points: Array, settings: Continuation, progress: Progress) -> Finished:
    """Train at lambdas that rise to the wanted ones, every stage from where the last ended.

    Stages before the last need only follow the branch: they stop at the root of the tolerance relative to ||M||.
    """
    plain = Lbfgs(name="lbfgs", memory=settings.memory, max_iterations=settings.max_iterations)
    iterations, evaluations = np.zeros((2, len(points)), dtype=np.int64)
    rough = np.maximum(
        tasks.gradient_tolerance, np.sqrt(tasks.gradient_tolerance * np.linalg.norm(tasks.targets, axis=1))
    )
    for stage, share in enumerate(np.geomspace(settings.first, 1, settings.stages), start=1):
        last = stage == settings.stages
        easier = tasks._replace(lams=share * tasks.lams, gradient_tolerance=tasks.gradient_tolerance if last else rough)
        finished = minimize(easier, unstarted(points), plain, progress if last else None)
        iterations += finished.iterations
        evaluations += finished.evaluations
        points = np.where((finished.status == Status.DIVERGED)[:, None], np.nan, finished.points)
    return finished._replace(iterations=iterations, evaluations=evaluations)
