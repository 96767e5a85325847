"""Brackets of lambda between a nonzero and a zero minimum, narrowed by training many starts at every lambda.

Two questions are asked: globally, whether the lowest trained run lies below zero's value ||M||_F^2; on the branch,
whether any run converges away from zero. No closed form enters.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from dmf.training.engine import train
from dmf.training.settings import Lbfgs, Status
from dmf.training.tasks import Tasks

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Layers = list[Floats]

RUNGS = 12
LOWEST_RUNG = 1e-3  # in units of ||M||_F^(2 - 2/L), how lambda scales with M; rungs double
WIDTH = 9e-7  # final relative width of a bracket with its upper end widened
MISSED = 0.1  # share of a bracket's width by which the round that asks there can miss an upper end: `_branch_starts`
SECTIONS = 8
MOST_ROUNDS = 40
# Narrower brackets, relative to lambda, are not asked from cold starts again: what these find, the ladder and the wide
# brackets found, and they crawl where curvature is as small as the bracket.
COLD = 1e-2
NEAR_ZERO = 0.1  # of the last minimizer's layers
NONZERO = 1e-9  # ||X||_F / ||M||_F above which a converged run is away from zero


@dataclass
class Brackets:
    """R brackets of lambda: at `low` (R,) a nonzero run, `layers` (R, d_l, d_(l-1)); at `high` (R,) none.

    `sizes` (R, 2) are the largest singular values of X at the runs that decided either end, and `high_sure` (R,) says
    whether all runs at the upper end converged. `missed` (R,) is how far above `high` a nonzero run may lie that the
    search did not see; infinite where nobody asked there.
    """

    low: Floats
    high: Floats
    missed: Floats
    layers: Layers
    sizes: Floats
    gradient_norm: Floats
    high_sure: Mask


@dataclass
class Best:
    """What training found at every lambda (R, P): is some run nonzero, and did all converge.

    And of the run that decides its layers, the largest singular value of its X, and its gradient norm.
    """

    nonzero: Mask
    layers: Layers
    size: Floats
    gradient: Floats
    converged: Mask


def ladder(matrices: Floats, cold: Layers, tolerance: float) -> Brackets:
    """Brackets between rungs of lambda, trained from cold starts: the last one with a nonzero run, and the top."""
    unit = LOWEST_RUNG * np.linalg.norm(matrices, axis=(1, 2)) ** (2 - 2 / len(cold))
    rungs = unit[:, None] * 2.0 ** np.arange(RUNGS)
    starts = [np.broadcast_to(layer[:, None], (len(matrices), RUNGS, *layer.shape[1:])) for layer in cold]
    found = _best(matrices, rungs, starts, tolerance, branch=False)
    last = found.nonzero.cumsum(axis=1).argmax(axis=1)
    rows = np.arange(len(matrices))
    return Brackets(
        rungs[rows, last],
        rungs[:, -1],
        np.full(len(matrices), np.inf),
        [layer[rows, last] for layer in found.layers],
        np.column_stack([found.size[rows, last], found.size[:, -1]]),
        found.gradient[rows, last],
        found.converged[:, -1],
    )


def refine(
    matrices: Floats, first: Brackets, cold: Layers, tolerance: float, *, branch: bool, exhaustive: bool
) -> Brackets:
    """Narrow the brackets of targets (R, d_L, d_0) to WIDTH, by cold starts alone unless `exhaustive`.

    Every round asks at the points that cut a bracket into SECTIONS, and again at its top.
    A nonzero run at the top, found from a start that only now came near enough, moves the bracket up.
    """
    found = deepcopy(first)
    for _ in range(MOST_ROUNDS):
        rows = np.flatnonzero(~closed(found))
        if not len(rows):
            break
        low, width = found.low[rows, None], (found.high - found.low)[rows, None]
        lam = low + width * np.arange(1, SECTIONS + 1) / SECTIONS
        lam[:, -1] = found.high[rows]
        gap = width[:, 0] / found.high[rows]
        warm = [layer[rows] for layer in found.layers]
        starts = [layer[rows] for layer in cold]
        if exhaustive:
            starts = _branch_starts(warm, gap) if branch else _global_starts(warm, starts, gap)
        spread = [np.broadcast_to(layer[:, None], (len(rows), SECTIONS, *layer.shape[1:])) for layer in starts]
        _move(found, rows, lam, _best(matrices[rows], lam, spread, tolerance, branch=branch))
    return found


def _move(found: Brackets, rows: NDArray[np.int64], lam: Floats, best: Best) -> None:
    """Lower ends go to the highest lambda with a nonzero run, upper ends to the lambda after it."""
    for i, row in enumerate(rows):
        hits = np.flatnonzero(best.nonzero[i])
        width = found.high[row] - found.low[row]
        found.missed[row] = MISSED * width
        if not len(hits):
            _set_high(found, row, lam[i, 0], best.size[i, 0], best.converged[i, 0])
            continue
        j = hits[-1]
        found.low[row], found.sizes[row, 0], found.gradient_norm[row] = lam[i, j], best.size[i, j], best.gradient[i, j]
        for kept, layer in zip(found.layers, best.layers, strict=True):
            kept[row] = layer[i, j]
        if j + 1 < SECTIONS:
            _set_high(found, row, lam[i, j + 1], best.size[i, j + 1], best.converged[i, j + 1])
        else:  # not asked yet: the next round asks it as a top
            _set_high(found, row, lam[i, j] + width, np.nan, False)
            found.missed[row] = np.inf


def _set_high(found: Brackets, row: int, lam: float, size: float, sure: bool) -> None:
    found.high[row], found.sizes[row, 1], found.high_sure[row] = lam, size, sure


def _global_starts(warm: Layers, cold: Layers, gap: Floats) -> Layers:
    """Starts (R, S, d_l, d_(l-1)): the last minimizer, its leading parts of every rank, one near zero, cold ones."""
    ranks = [truncated(warm, rank) for rank in range(1, min(layer.shape[1] for layer in warm) + 1)]
    ranks.append([NEAR_ZERO * layer for layer in warm])
    starts = [np.stack(layers, axis=1) for layers in zip(*ranks, strict=True)]
    if gap.max() <= COLD:
        return starts
    return [np.concatenate(pair, axis=1) for pair in zip(starts, cold, strict=True)]


def _branch_starts(warm: Layers, gap: Floats) -> Layers:
    """The largest singular value of the last nonzero minimum alone, shrunk by several steps.

    The branch ends in a fold: at a distance t below it, relative to lambda, a minimum and a saddle lie about sqrt(t)
    above and below one point. From above the minimum a first step may leap over both; from between them it cannot. A
    distance t is at most the bracket's width `gap`, which sets the scale of the steps; their spacing finds every branch
    whose t is a tenth of `gap` or more, so that an upper end is missed by no more than that.
    """
    depth = len(warm)
    steps = np.sqrt(gap)[:, None] * 0.2 * 1.45 ** np.arange(8)
    shrink = np.maximum(1 - steps, 0.2) ** (1 / depth)
    return [layer[:, None] * shrink[:, :, None, None] for layer in truncated(warm, 1)]


def truncated(layers: Layers, rank: int) -> Layers:
    """Layers (R, d_l, d_(l-1)) of balanced, aligned points, restricted to the leading `rank` singular values of X."""
    product = reduce(lambda x, layer: layer @ x, layers)
    frame = np.swapaxes(np.linalg.svd(product)[2][:, :rank], 1, 2)
    found = []
    for layer in layers:
        image = layer @ frame
        found.append(image @ np.swapaxes(frame, 1, 2))
        size = np.linalg.norm(image, axis=1, keepdims=True)
        frame = np.divide(image, size, out=np.zeros_like(image), where=size > 0)
    return found


def _best(matrices: Floats, lam: Floats, starts: Layers, tolerance: float, *, branch: bool) -> Best:
    """Train every start (R, P, S, d_l, d_(l-1)) at lam (R, P), and take the run that decides.

    Globally that is the lowest run. F - ||M||_F^2 is summed as ||X||^2 - 2 <M, X> + lambda sum ||W_l||^2, so that
    zero's value cancels before it is rounded. On the branch it is the run farthest from zero.
    """
    count = starts[0].shape[2]
    shape = (*lam.shape, count)
    size = matrices.shape[1:]
    target = np.broadcast_to(matrices[:, None, None], (*shape, *size)).reshape(-1, *size)
    each_lam = np.repeat(lam.ravel(), count)
    scale = np.linalg.norm(matrices, ord=2, axis=(1, 2)) ** (2 - 1 / len(starts))
    each_tolerance = np.repeat(tolerance * scale, lam.shape[1] * count)
    flat = [np.ascontiguousarray(layer).reshape(-1, *layer.shape[3:]) for layer in starts]
    runs = train(Tasks(target, each_lam, each_tolerance), flat, Lbfgs(name="lbfgs", memory=10))
    x = runs.end_to_end
    excess = (x * (x - 2 * target)).sum(axis=(1, 2)) + each_lam * runs.layer_norm_sq.sum(axis=1)
    converged = (runs.status == Status.CONVERGED).reshape(shape)
    norm = np.linalg.norm(x, axis=(1, 2)) / np.linalg.norm(target, axis=(1, 2))
    away = np.where(converged, (norm if branch else -excess).reshape(shape), -np.inf)
    chosen = away.argmax(axis=2)[..., None]

    def take(values: Floats) -> Floats:
        return np.take_along_axis(values.reshape(shape), chosen, axis=2)[..., 0]

    index = np.arange(len(x)).reshape(shape)
    index = np.take_along_axis(index, chosen, axis=2)[..., 0]
    return Best(
        away.max(axis=2) > (NONZERO if branch else 0),
        [layer[index] for layer in runs.layers],
        take(runs.singular_values[:, 0]),
        take(runs.gradient_norm),
        converged.all(axis=2),
    )


def closed(found: Brackets) -> Mask:
    """Which brackets are as narrow as they are to be, (R,)."""
    narrow: Mask = found.high + found.missed - found.low <= WIDTH * found.high
    return narrow


def ends(found: Brackets) -> Floats:
    """Lower and widened upper ends, (R, 2)."""
    return np.column_stack([found.low, found.high + found.missed])
