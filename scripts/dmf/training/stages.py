"""L-BFGS for wide layers in stages: plain until a run is nearly critical, then refined, where that pays."""

from __future__ import annotations

import numpy as np

from dmf.training.constants import ROUGH
from dmf.training.refinement import Frame, rough_tolerances
from dmf.training.result import Array, Finished
from dmf.training.settings import Adam, GradientDescent, Lbfgs, Nesterov, Status
from dmf.training.tasks import Minimize, Progress, Tasks

TOGETHER = 2**22  # parameters of the runs that go through the stages together: a stage holds several copies of them


def in_stages(minimize: Minimize, widths: tuple[int, ...], *, sparing: bool) -> Minimize:
    """Make an engine's L-BFGS one of stages, for runs of widths (d_0, ..., d_L); what else it does stays as it is.

    `sparing` memory, a limited number of runs goes through the stages together, which changes no run.
    """

    def staged(
        tasks: Tasks,
        begun: Finished,
        optimizer: Lbfgs | GradientDescent | Nesterov | Adam,
        progress: Progress,
        inverse: Array | None = None,
    ) -> Finished:
        if not isinstance(optimizer, Lbfgs):
            return minimize(tasks, begun, optimizer, progress)
        count, size = begun.points.shape
        together = max(1, TOGETHER // size) if sparing else count
        finished = begun.take(np.arange(count))
        for first in range(0, count, together):
            rows = np.arange(first, min(first + together, count))
            finished.put(rows, _through_stages(minimize, tasks.take(rows), finished.take(rows), widths, optimizer))
            if progress is not None and rows[-1] + 1 < count:
                progress(int(rows[-1]) + 1)
        return finished

    return staged


def _through_stages(
    minimize: Minimize, tasks: Tasks, begun: Finished, widths: tuple[int, ...], optimizer: Lbfgs
) -> Finished:
    """Train runs to their end."""
    finished, rows = begun, np.arange(len(tasks.lams))
    for share in ROUGH:
        if len(rows) == 0:
            return finished
        own = tasks.take(rows)
        rough = own._replace(tolerances=rough_tolerances(own, len(widths) - 1, share))
        plain = minimize(rough, finished.take(rows), optimizer, None)
        finished.put(rows, plain)
        near = (plain.status == Status.CONVERGED) & (rough.tolerances > own.tolerances)
        rows = rows[near]
        if len(rows):
            refined = _refine(minimize, own.take(near), plain.take(near), widths, optimizer)
            finished.put(rows, refined)
            rows = rows[refined.status == Status.STALLED]
    if len(rows):
        finished.put(rows, minimize(tasks.take(rows), finished.take(rows), optimizer, None))
    return finished


def _refine(minimize: Minimize, tasks: Tasks, begun: Finished, widths: tuple[int, ...], optimizer: Lbfgs) -> Finished:
    """Train nearly critical runs in the frame in which their curvature is diagonal."""
    frame = Frame.at(begun.points, tasks.lams, widths)
    turned = tasks._replace(targets=frame.enter_targets(tasks.targets))
    begun = begun._replace(points=frame.enter(begun.points, widths))
    finished = minimize(turned, begun, optimizer, None, frame.inverse)
    return finished._replace(points=frame.leave(finished.points, widths))
