"""Trains a batch of runs: numpy in, numpy out."""

from collections.abc import Callable, Sequence

import numpy as np

from dmf.training.arguments import check, check_device
from dmf.training.record import points_of, record
from dmf.training.refinement import in_stages, pays
from dmf.training.result import Array, Finished, Measures, Runs, unstarted
from dmf.training.settings import Adam, Continuation, GradientDescent, Lbfgs, Nesterov, Status
from dmf.training.tasks import Minimize, Progress, Tasks


def train(
    targets: Array,
    lams: Array,
    starts: Sequence[Array],
    gradient_tolerance: Array,
    optimizer: Lbfgs | Continuation | GradientDescent | Nesterov | Adam,
    *,
    device: str = "cpu",
    progress: Progress = None,
    threads: int = 1,
    batch: int | None = None,
    inputs: Array | None = None,
) -> Runs:
    """Train B independent runs of one shape, each until its gradient norm is at most its own tolerance.

    Args:
        targets: M of each run, (B, d_L, d_0), or (B, d_L, n) with inputs, finite.
        lams: lambda of each run, (B,), positive.
        starts: L >= 2 layers (B, d_l, d_{l-1}). A run with a start that is not finite ends as DIVERGED.
        gradient_tolerance: absolute, on the Euclidean norm of the gradient of F over all parameters, (B,), positive.
        optimizer: the method and its settings.
        device: "cpu", the compiled engine; "torch", the reference engine on the processor; "cuda" or "cuda:N", the
            same on a graphics card; "auto", a graphics card where there is one.
        progress: called with the number of finished runs, a few times a second at most, and with B at the end.
        threads: threads that share the runs on the processor.
        batch: runs side by side in the torch engine; by default as many as suit the device.
        inputs: a constant factor X of each run, (B, d_0, n), finite: a deep linear network W_L ... W_1 is trained on
            inputs and outputs, F = ||M - W_L ... W_1 X||_F^2 + lambda sum_l ||W_l||_F^2. On "cpu", by the torch engine.

    Returns the record of the runs in the order given; all quantities are dimensionless. On "cpu" a run's record is the
    same bits whatever else is in the batch and however many threads there are; on "torch", with one thread. Raises
    ValueError, naming the argument, for ill-shaped or impossible input.
    """
    widths = check(targets, lams, starts, gradient_tolerance, threads, batch, inputs)
    device = check_device(device)
    if inputs is not None:
        device, inputs = "torch" if device == "cpu" else device, np.asarray(inputs, np.float64).reshape(len(lams), -1)
    tasks = Tasks(
        np.ascontiguousarray(targets, dtype=np.float64).reshape(len(lams), -1),
        np.ascontiguousarray(lams, dtype=np.float64),
        np.ascontiguousarray(gradient_tolerance, dtype=np.float64),
        inputs,
    )
    points = points_of(starts)
    minimize, measure = _engine(device, widths, threads, batch)
    if inputs is None and pays(widths):  # what refinement knows of the curvature is that without inputs
        minimize = in_stages(minimize, widths, sparing=device == "cpu")
    if isinstance(optimizer, Continuation):
        finished = _continue(minimize, tasks, points, optimizer, progress)
    else:
        finished = minimize(tasks, unstarted(points), optimizer, progress)
    runs = record(finished, measure(tasks, finished.points), widths)
    if progress is not None:
        progress(len(lams))
    return runs


Measure = Callable[[Tasks, Array], Measures]


def _engine(device: str, widths: tuple[int, ...], threads: int, batch: int | None) -> tuple[Minimize, Measure]:
    """The two things an engine does, for runs of one shape. Imports what the device needs, and no more."""
    if device == "cpu":
        from dmf.training.compiled_engine.engine import LanesEngine

        lanes = LanesEngine(widths, threads)
        return lanes.minimize, lambda tasks, points: lanes.measure(tasks.targets, tasks.lams, points)
    from dmf.training.torch_engine.engine import BatchEngine

    engine = BatchEngine("cpu" if device == "torch" else device, widths, threads, batch)
    return engine.minimize, engine.measure


def _continue(minimize: Minimize, tasks: Tasks, points: Array, settings: Continuation, progress: Progress) -> Finished:
    """Train at lambdas that rise to the wanted ones, every stage from where the last ended.

    Stages before the last need only follow the branch: they stop at the root of the tolerance relative to ||M||.
    """
    plain = Lbfgs(name="lbfgs", memory=settings.memory, max_iterations=settings.max_iterations)
    iterations, evaluations = np.zeros((2, len(points)), dtype=np.int64)
    rough = np.maximum(tasks.tolerances, np.sqrt(tasks.tolerances * np.linalg.norm(tasks.targets, axis=1)))
    for stage, share in enumerate(np.geomspace(settings.first, 1, settings.stages), start=1):
        last = stage == settings.stages
        easier = tasks._replace(lams=share * tasks.lams, tolerances=tasks.tolerances if last else rough)
        finished = minimize(easier, unstarted(points), plain, progress if last else None)
        iterations += finished.iterations
        evaluations += finished.evaluations
        points = np.where((finished.status == Status.DIVERGED)[:, None], np.nan, finished.points)
    return finished._replace(iterations=iterations, evaluations=evaluations)
