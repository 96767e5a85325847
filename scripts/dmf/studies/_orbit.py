"""The distance from a point to the minimizers: to one orbit of W_l -> Q_l W_l Q_{l-1}^T, Q_0 = Q_L = I."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MOST_SWEEPS = 500


def distance_above(layers: Sequence[Floats], minimizer: Sequence[Floats]) -> float:
    """A point of the orbit of `minimizer` as near to `layers` as alternating Procrustes steps find one: its distance.

    Minimizes sum_l ||W_l - Q_l W*_l Q_{l-1}^T||_F^2 over one Q_l at a time, from frames matched layer by layer from
    either end. It can only overestimate the distance to the orbit.
    """
    return min(
        _aligned(layers, minimizer, start)
        for start in (_from_input(layers, minimizer), _from_output(layers, minimizer))
    )


def distance_below(layers: Sequence[Floats], minimizer: Sequence[Floats]) -> float:
    """A lower bound on the distance to the orbit: every layer chooses its frames for itself.

    The outer layers have one free frame (Procrustes), an inner one has two (its singular values remain; Mirsky).
    """
    first, last = layers[0], layers[-1]
    free = [
        first - _polar(first @ minimizer[0].T) @ minimizer[0],
        last - minimizer[-1] @ _polar(last.T @ minimizer[-1]).T,
    ]
    inner = [
        np.linalg.svd(layer, compute_uv=False) - np.linalg.svd(other, compute_uv=False)
        for layer, other in zip(layers[1:-1], minimizer[1:-1], strict=True)
    ]
    return float(np.sqrt(sum(np.sum(part**2) for part in [*free, *inner])))


def _aligned(layers: Sequence[Floats], minimizer: Sequence[Floats], frames: list[Floats]) -> float:
    best = _distance(layers, minimizer, frames)
    for _ in range(MOST_SWEEPS):
        for hidden in range(1, len(layers)):
            below = layers[hidden - 1] @ frames[hidden - 1] @ minimizer[hidden - 1].T
            above = layers[hidden].T @ frames[hidden + 1] @ minimizer[hidden]
            frames[hidden] = _polar(below + above)
        now = _distance(layers, minimizer, frames)
        if not now < best * (1 - 1e-6):
            break
        best = now
    return min(now, best)


def _distance(layers: Sequence[Floats], minimizer: Sequence[Floats], frames: Sequence[Floats]) -> float:
    moved = [above @ layer @ below.T for layer, (below, above) in zip(minimizer, pairwise(frames), strict=True)]
    return float(np.sqrt(sum(np.sum((layer - other) ** 2) for layer, other in zip(layers, moved, strict=True))))


def _from_input(layers: Sequence[Floats], minimizer: Sequence[Floats]) -> list[Floats]:
    frames = [np.eye(layers[0].shape[1])]
    for layer, other in zip(layers[:-1], minimizer[:-1], strict=True):
        frames.append(_polar(layer @ frames[-1] @ other.T))
    return [*frames, np.eye(len(layers[-1]))]


def _from_output(layers: Sequence[Floats], minimizer: Sequence[Floats]) -> list[Floats]:
    frames = [np.eye(len(layers[-1]))]
    for layer, other in zip(layers[:0:-1], minimizer[:0:-1], strict=True):
        frames.append(_polar(layer.T @ frames[-1] @ other))
    return [np.eye(layers[0].shape[1]), *frames[::-1]]


def _polar(matrix: Floats) -> Floats:
    """The orthogonal Q nearest to a square matrix: it maximizes tr(Q^T matrix)."""
    left, _, right_t = np.linalg.svd(matrix)
    nearest: Floats = left @ right_t
    return nearest
