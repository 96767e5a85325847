"""Missing entries: proximal steps on the observed ones, from large to small lambda, which held-out entries choose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from dmf import theory
from dmf.theory.completion import FINE, Completion, Stop, complete

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
DEPTHS = (2, 3, 4)
FOLDS = 3  # each holds out SHARE of the observed entries, others than the other folds
SHARE = 0.1
FALLS = 0.75  # of one threshold to the next
MOST = 24  # thresholds: down to 0.1 % of the first
PATIENCE = 3  # thresholds of rising errors before a path ends
WORSE = 1.15  # times the best error: a path ends at once
ROUGH = Stop(1e-4, 200)  # of steps on a path
FEWEST = 10  # observed entries
SURE = 2.0  # standard errors by which predictions must be better than zeros
ONE = 1.0  # standard error by which the chosen lambda, the largest such, may be worse than the best


@dataclass(frozen=True)
class HeldOut:
    """How well a depth and lambda predict entries that they were not shown."""

    depth: int
    lam: float
    error: float
    """root of the mean square over the held-out entries of all folds"""


@dataclass(frozen=True, eq=False)
class Completed:
    """A matrix without missing entries, and how it was found."""

    found: Completion
    observed: Mask
    chosen: HeldOut
    tried: tuple[HeldOut, ...]
    zero_error: float
    """root of the mean square of held-out entries themselves: the error of predicting zeros"""


def completed(matrix: Array, depths: Sequence[int], seed: int) -> Completed:
    """Fill the NaN of `matrix` (d_L, d_0): the depth and lambda are those that predict held-out entries best.

    Of that depth, the largest lambda that is not worse by more than a standard error, as is usual for cross-validation;
    the one that keeps nothing where zeros predict as well. `seed` draws the held-out entries. The last path is on all
    observed entries; the steps of its end are followed to a fixed point. Raises ValueError where too few entries are
    observed, or all of them are zero.

    >>> matrix = np.outer(np.arange(1.0, 7.0), np.arange(1.0, 6.0))  # of rank 1
    >>> matrix[0, 0] = np.nan
    >>> float(completed(matrix, depths=[3], seed=0).found.x[0, 0].round(2))
    1.0
    """
    with threadpool_limits(1, "blas"):  # for steps on matrices so small, two threads mostly wait for each other
        return _completed(matrix, depths, seed)


def _completed(matrix: Array, depths: Sequence[int], seed: int) -> Completed:
    observed = ~np.isnan(matrix)
    known = np.where(observed, matrix, 0.0)
    places = np.flatnonzero(observed)
    if len(places) < FEWEST:
        raise ValueError(f"target: got {len(places)} entries that are not missing, expected at least {FEWEST}")
    order = np.random.default_rng(seed).permutation(places)
    folds = np.split(order[: FOLDS * max(int(len(order) * SHARE), 1)], FOLDS)
    tops = np.asarray(1.01 * np.linalg.norm(known, 2) * FALLS ** np.arange(MOST), dtype=np.float64)
    tried = {depth: _tried(known, observed, depth, tops, folds) for depth in depths}
    best = min((one for path in tried.values() for one in path), key=lambda one: one.held.error)
    zeros = known.ravel()[np.concatenate(folds)] ** 2
    path = tried[best.held.depth]
    # The first X* of a path is zero, and each lambda is below the one before it.
    at = (
        0
        if _gain(zeros, best.squares) < SURE
        else next(at for at, one in enumerate(path) if _gain(one.squares, best.squares) <= ONE)
    )
    start = None
    for one in path[: at + 1]:
        start = complete(known, observed, one.held.depth, one.held.lam, start, ROUGH).x
    chosen = path[at].held
    found = complete(known, observed, chosen.depth, chosen.lam, start, FINE)
    every = tuple(one.held for path in tried.values() for one in path)
    return Completed(found, observed, chosen, every, float(np.sqrt(np.mean(zeros))))


class _Tried(NamedTuple):
    held: HeldOut
    squares: Array
    """(entry,) errors of all folds"""


def _gain(worse: Array, better: Array) -> float:
    """How much lower the mean of `better` is, in standard errors of the difference, entry by entry."""
    gains = worse - better
    spread = float(np.std(gains)) / float(np.sqrt(len(gains)))
    return float(np.mean(gains)) / spread if spread else 0.0


def _tried(known: Array, observed: Mask, depth: int, tops: Array, folds: Sequence[Array]) -> list[_Tried]:
    """Errors of one depth from large to small lambda, until they rise."""
    tried: list[_Tried] = []
    paths = [_path(known, observed, depth, tops, fold) for fold in folds]
    for parts, top in zip(zip(*paths, strict=True), tops, strict=False):
        squares = np.concatenate(parts)
        lam, error = float(theory.critical_lambda(top, depth)), float(np.sqrt(np.mean(squares)))
        tried.append(_Tried(HeldOut(depth, lam, error), squares))
        best = min(range(len(tried)), key=lambda at: tried[at].held.error)
        if len(tried) - 1 - best >= PATIENCE or error > WORSE * tried[best].held.error:
            break
    return tried


def _path(known: Array, observed: Mask, depth: int, tops: Array, fold: Array) -> Iterator[Array]:
    """Squared errors of the entries in a fold, without them in the fit."""
    fitted = observed.copy()
    fitted.ravel()[fold] = False
    x = np.zeros_like(known)
    for top in tops:
        if (known[fitted] != 0).any():
            x = complete(known, fitted, depth, float(theory.critical_lambda(top, depth)), x, ROUGH).x
        yield np.asarray((known.ravel()[fold] - x.ravel()[fold]) ** 2)
