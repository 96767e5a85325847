"""L-BFGS for wide layers in stages: plain until a run is nearly critical, then refined, where that pays.

Near a critical point layers are nearly balanced (Theorem 2), so the Gauss-Newton matrix there,

    2 lambda I + 2 J^T J,   J D = sum_l A_l D_l B_l,   A_l = W_L ... W_{l+1},   B_l = W_{l-1} ... W_1,

can be inverted in closed form: (1 / 2 lambda) (I - J^T (lambda I + J J^T)^-1 J) by Woodbury's formula, and where
layers are balanced A_l A_l^T = (W_L W_L^T)^(L-l) and B_l^T B_l = (W_1^T W_1)^(l-1), so J J^T is diagonal in the
eigenvectors of W_L W_L^T and W_1^T W_1. A run is refined in these: F keeps its form when M, W_L and W_1 are turned
along. The Hessian differs from the matrix by the residual's share, of order lambda: in units of the matrix its
eigenvalues at minima are small, 0 on orbits, and at most 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dmf.training.constants import LIGHT, REFINED_WIDTH, ROUGH
from dmf.training.record import layers_of, points_of
from dmf.training.result import Array, Finished
from dmf.training.settings import Adam, GradientDescent, Lbfgs, Nesterov, Status
from dmf.training.tasks import Minimize, Progress, Tasks

TOGETHER = 2**22  # parameters of the runs that go through the stages together: a stage holds several copies of them


class Frame(NamedTuple):
    """Orthonormal bases of R runs in which J J^T is diagonal, where layers are balanced. Dimensionless."""

    rows: Array
    """(R, d_L, d_L) eigenvectors of W_L W_L^T"""
    columns: Array
    """(R, d_0, d_0) eigenvectors of W_1^T W_1"""
    inverse: Array
    """(R, d_L d_0) the diagonal of (lambda I + J J^T)^-1"""

    @classmethod
    def at(cls, points: Array, lams: Array, widths: Sequence[int]) -> Frame:
        """The frame at finite parameters (R, N)."""
        depth, layers = len(widths) - 1, layers_of(points, widths)
        above, rows = np.linalg.eigh(layers[-1] @ layers[-1].mT)
        below, columns = np.linalg.eigh(layers[0].mT @ layers[0])
        above, below = np.maximum(above, 0)[:, :, None], np.maximum(below, 0)[:, None, :]  # rounding may leave less
        square = sum(above ** (depth - layer) * below ** (layer - 1) for layer in range(1, depth + 1))
        return cls(rows, columns, (1 / (lams[:, None, None] + square)).reshape(len(lams), -1))

    def enter_targets(self, targets: Array) -> Array:
        """Targets (R, d_L d_0) in this frame."""
        matrices = targets.reshape(-1, self.rows.shape[1], self.columns.shape[1])
        return np.asarray((self.rows.mT @ matrices @ self.columns).reshape(targets.shape))

    def enter(self, points: Array, widths: Sequence[int]) -> Array:
        """Parameters (R, N) in this frame."""
        return self._turn(points, widths, self.rows.mT, self.columns)

    def leave(self, points: Array, widths: Sequence[int]) -> Array:
        """The inverse of enter."""
        return self._turn(points, widths, self.rows, self.columns.mT)

    @staticmethod
    def _turn(points: Array, widths: Sequence[int], rows: Array, columns: Array) -> Array:
        layers = layers_of(points, widths)
        return points_of([layers[0] @ columns, *layers[1:-1], rows @ layers[-1]])


def pays(widths: Sequence[int]) -> bool:
    """Whether runs of widths (d_0, ..., d_L) are refined: eigenvectors cost more than they save in small or long M."""
    small, large = sorted((widths[0], widths[-1]))
    return small >= REFINED_WIDTH and large <= 2 * small


def rough_tolerances(tasks: Tasks, depth: int, share: float) -> Array:
    """The gradient norms (R,) at which refinement begins: a share of lambda ||M||^(1/L), the scale of the penalty's.

    Where lambda is not small against ||M||^(2 - 2/L), plain runs are short, and go to their end.
    """
    norm = np.linalg.norm(tasks.targets, axis=1)
    light = tasks.lams <= LIGHT * norm ** (2 - 2 / depth)
    rough = np.maximum(tasks.gradient_tolerance, share * tasks.lams * norm ** (1 / depth))
    return np.where(light, rough, tasks.gradient_tolerance)


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
        rough = own._replace(gradient_tolerance=rough_tolerances(own, len(widths) - 1, share))
        plain = minimize(rough, finished.take(rows), optimizer, None)
        finished.put(rows, plain)
        near = (plain.status == Status.CONVERGED) & (rough.gradient_tolerance > own.gradient_tolerance)
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
