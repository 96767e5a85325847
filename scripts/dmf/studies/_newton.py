"""Minimizes functions from many starts at once by Newton's method, and says what their own Hessians show at the ends.

The method knows gradients alone, taken at complex points for Hessians (see `_derivatives`), and no closed form. Steps
are -|H|^{-1} grad F, which go down also where H is indefinite (Dauphin et al. 2014), damped until F decreases.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from dmf.studies._derivatives import STEP, Floats, Numbers
from dmf.theory.certificate import ZERO_MODE

LEAST_DAMPING, MOST_DAMPING = 1e-8, 1e8  # in units of the largest curvature
LESS, MORE = 0.25, 8.0  # damping after a step that was taken, and after one that was not
FLAT = 1e-8  # curvature, in units of the largest, below which no step is taken: near an orbit it is the gradient's size
STEPS = 400
POLISHING = 6  # Newton steps at the end, from a damped step's accuracy to rounding


class Smooth(Protocol):
    """A function of points (..., N) and its gradients, polynomials or analytic functions of complex points too."""

    def values(self, points: Floats) -> Floats:
        """Values (...) at points (..., N)."""

    def gradients(self, points: Numbers) -> Numbers:
        """Gradients (..., N) at real or complex points (..., N)."""


class Ends(NamedTuple):
    """Where runs ended: points (S, N), values and gradient norms (S,), and eigenvalues (S, N), ascending."""

    points: Floats
    values: Floats
    gradient_norm: Floats
    spectrum: Floats


def hessians(function: Smooth, points: Floats) -> Floats:
    """Hessians (S, N, N) at points (S, N) by complex steps, symmetric to the last bit."""
    moved = points[:, None, :] + 1j * STEP * np.eye(points.shape[1])
    found = function.gradients(moved).imag / STEP
    return np.asarray((found + found.mT) / 2)


def minimize(function: Smooth, starts: Floats, tolerance: float, steps: int = STEPS) -> Ends:
    """Minimize from starts (S, N) until gradient norms are below `tolerance`, then polish to rounding."""
    points, damping = starts.copy(), np.ones(len(starts))
    values = function.values(points)
    for _ in range(steps):
        slopes = np.asarray(function.gradients(points))
        active = np.flatnonzero(np.linalg.norm(slopes, axis=1) > tolerance)
        if not active.size:
            break
        moved = points[active] + _step(function, points[active], slopes[active], damping[active])
        after = function.values(moved)
        lower = after < values[active]
        points[active[lower]], values[active[lower]] = moved[lower], after[lower]
        factor = np.where(lower, LESS, MORE)
        damping[active] = np.clip(damping[active] * factor, LEAST_DAMPING, MOST_DAMPING)
        if not lower.any() and (damping[active] >= MOST_DAMPING).all():
            break
    return _polished(function, points)


def _polished(function: Smooth, points: Floats) -> Ends:
    norm = _norms(function, points)
    for _ in range(POLISHING):
        slopes = np.asarray(function.gradients(points))
        moved = points + _step(function, points, slopes, np.zeros(len(points)))
        after = _norms(function, moved)
        better = after < norm
        points = np.where(better[:, None], moved, points)
        norm = np.where(better, after, norm)
    spectrum = np.asarray(np.linalg.eigvalsh(hessians(function, points)), dtype=np.float64)
    return Ends(points, function.values(points), norm, spectrum)


def _eigen(matrices: Floats) -> tuple[Floats, Floats]:
    """Eigenvalues (S, N) and vectors (S, N, N); one by one where LAPACK's fast driver gives up, as it rarely does."""
    try:
        values, vectors = np.linalg.eigh(matrices)
    except np.linalg.LinAlgError:
        pairs = [scipy.linalg.eigh(matrix, driver="evr") for matrix in matrices]
        values, vectors = (np.array(parts) for parts in zip(*pairs, strict=True))
    return values, vectors


def _norms(function: Smooth, points: Floats) -> Floats:
    return np.asarray(np.linalg.norm(function.gradients(points), axis=1), dtype=np.float64)


def _step(function: Smooth, points: Floats, slopes: Floats, damping: Floats) -> Floats:
    """-(|H| + damping |H|_max)^{-1} grad F, (S, N); nothing along directions that are nearly flat."""
    curvature, axes = _eigen(hessians(function, points))
    size = np.abs(curvature)
    top = size.max(axis=1, keepdims=True)
    along = np.einsum("sij,si->sj", axes, slopes)
    some = size > FLAT * top
    moved = np.divide(along, size + damping[:, None] * top, out=np.zeros_like(along), where=some)
    return np.asarray(-np.einsum("sij,sj->si", axes, moved))


def smallest_curvature(spectrum: Floats) -> tuple[NDArray[np.int64], Floats]:
    """How many eigenvalues (S, N) are zero but for rounding, and the smallest one above these, (S,) each.

    NaN curvature where an eigenvalue is negative: the end is no minimum.
    """
    floor = ZERO_MODE * np.abs(spectrum).max(axis=1, keepdims=True)
    zeros = np.sum(np.abs(spectrum) <= floor, axis=1)
    above = np.where(spectrum > floor, spectrum, np.inf).min(axis=1)
    return zeros, np.where((spectrum < -floor).any(axis=1), np.nan, above)
