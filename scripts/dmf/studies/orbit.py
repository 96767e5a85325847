"""Minimizers of one target, pair by pair: on one orbit of orthogonal maps, and F along two paths between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf import theory
from dmf.grid.cells import Series
from dmf.studies import Settings, Study
from dmf.studies._assemble import assembled
from dmf.studies._trained import Cell, TrainedCell, train_cells
from dmf.theory.certificate import ROUNDING_PATHS, gradient_distance

Floats = NDArray[np.float64]
DRAWS = 24
STARTS = {Series("gaussian", 1.0): range(DRAWS)}
SPECTRUM = (2.0, 1.0)
POINTS = 41
CELLS = (
    Cell("two-layers", (2, 2), SPECTRUM, 2, "0.1c"),
    Cell("three-layers", (2, 2), SPECTRUM, 3, "0.05c"),
    Cell("two-layers-weak", (2, 2), SPECTRUM, 2, "0.3c"),
    Cell("four-layers", (2, 2), SPECTRUM, 4, "0.02c"),
)
CONTROLS = (Cell("levels", (2, 2), SPECTRUM, 3, "0.3c"),)  # where runs end on several levels

FIELDS = {
    "minimal": ("cell start", "1 where both runs of a pair are certified global minimizers"),
    "pair_certified": ("cell start", "1 where both runs of a pair are certified"),
    "angle": (
        "cell start",
        "angle of the orthogonal Q_1 that takes W_1 of the cell's first minimizer to that of the run, in radians",
    ),
    "orientation": ("cell start", "determinant of that Q_1: the component of the orbit, where L = 2"),
    "orbit_gap": (
        "cell start",
        "distance of the partner from one point of the run's orbit, no less than that from the orbit",
    ),
    "orbit_tolerance": ("cell start", "what both gradient norms and rounding allow for it"),
    "shared": (
        "cell start",
        "1 where rotations alone take the run to its partner, so that a path in the orbit joins them",
    ),
    "line_tolerance": ("cell start", "what both gradient norms and rounding allow for F along the line"),
    "path_tolerance": ("cell start", "what both gradient norms and rounding allow for F along the path in the orbit"),
    "line": ("cell start t", "F minus its minimum along the line"),
    "line_predicted": ("cell start t", "F minus its minimum along the closed form of it"),
    "path": ("cell start t", "F minus its minimum along the path in the orbit"),
    "control": ("cell", "1 for cells of the control"),
}


def make(settings: Settings) -> xr.Dataset:
    """Evidence of `dmf.evidence.certify` and FIELDS, each run paired with the next minimizer, over (cell, start).

    `line` and `line_predicted` (NaN for L > 2) are F - F* along W_l + t (W_l' - W_l), and `path` along the rotations
    from the run to its partner (NaN where there are none), over (cell, start, t).
    """
    evidence, trained = train_cells([*CELLS, *CONTROLS], STARTS, settings)
    rows = [
        _paired(evidence.isel(cell=place), cell) | {"control": place >= len(CELLS)}
        for place, cell in enumerate(trained)
    ]
    return evidence.assign(assembled(FIELDS, rows, {"t": ("t", np.linspace(0, 1, POINTS))}))


def _paired(evidence: xr.Dataset, trained: TrainedCell) -> dict[str, Any]:
    """FIELDS of one cell: the run after each, cyclically, is its partner."""
    count = evidence.sizes["start"]
    layers = [_layers(trained, start) for start in range(count)]
    minimal, certified = evidence["minimal"].values, evidence["certified"].values
    first = layers[int(np.argmax(minimal))][0]
    pairs = [_pair(trained, evidence, (start, (start + 1) % count), layers, first) for start in range(count)]
    both = {"minimal": minimal & np.roll(minimal, -1), "pair_certified": certified & np.roll(certified, -1)}
    return both | {name: np.array([pair[name] for pair in pairs]) for name in pairs[0]}


def _pair(
    trained: TrainedCell, evidence: xr.Dataset, pair: tuple[int, int], runs: Sequence[list[Floats]], first: Floats
) -> dict[str, Floats | float]:
    """The fields of one pair of runs."""
    one, other = runs[pair[0]], runs[pair[1]]
    lam, target, depth = trained.lam, trained.target, trained.cell.depth
    energy = float(np.sum(target**2))
    mu = float(evidence["mu"])
    norms = evidence["gradient_norm"].values[list(pair)]
    alpha = float(np.sqrt(max(sum(float(np.sum(layer**2)) for layer in run) for run in (one, other))))
    away = float(gradient_distance(norms.sum(), mu)) + ROUNDING_PATHS * alpha
    frames = _frames(one, other)
    shared = all(np.linalg.det(frame) > 0 for frame in frames)
    turned = [np.eye(2), *frames, np.eye(2)]
    moved_to = [turned[i + 1] @ layer @ turned[i].T for i, layer in enumerate(one)]
    t = np.linspace(0, 1, POINTS)
    lowest = theory.minimum_value(target, depth, lam)
    moved = _polar(one[0] @ np.linalg.inv(first)) if np.linalg.matrix_rank(first) == 2 else np.full((2, 2), np.nan)
    # ||grad F|| and that of the closed form, wherever all layers together have norm alpha or less
    slope = 2 * np.sqrt(depth) * (np.sqrt(energy) + alpha**depth) * alpha ** (depth - 1) + 2 * lam * alpha + alpha**3
    return {
        "angle": float(np.arctan2(moved[1, 0], moved[0, 0])),
        "orientation": float(np.sign(np.linalg.det(moved))),
        "orbit_gap": float(np.sqrt(sum(np.sum((a - b) ** 2) for a, b in zip(moved_to, other, strict=True)))),
        "orbit_tolerance": away,
        "shared": float(shared),
        "line_tolerance": slope * away + ROUNDING_PATHS * energy,
        "path_tolerance": slope * away + ROUNDING_PATHS * energy,
        "line": np.array([theory.objective(_between(one, other, s), target, lam) for s in t]) - lowest,
        "line_predicted": _line(one, other, t) if depth == 2 else np.full(POINTS, np.nan),
        "path": (
            np.array([theory.objective(_turned(one, frames, s), target, lam) for s in t]) - lowest
            if shared
            else np.full(POINTS, np.nan)
        ),
    }


def _line(one: Sequence[Floats], other: Sequence[Floats], t: Floats) -> Floats:
    r"""t^2 (1-t)^2 ||(W_2' - W_2)(W_1' - W_1)||_F^2: F - F* between two minimizers of depth 2 (docs/theory.md)."""
    step = (other[1] - one[1]) @ (other[0] - one[0])
    return np.asarray((t * (1 - t)) ** 2 * np.sum(step**2))


def _between(one: Sequence[Floats], other: Sequence[Floats], t: float) -> list[Floats]:
    return [(1 - t) * a + t * b for a, b in zip(one, other, strict=True)]


def _frames(one: Sequence[Floats], other: Sequence[Floats]) -> list[Floats]:
    """Q_1, ..., Q_{L-1} that take the first run's layers to the other's, from the input on."""
    frames = [np.eye(2)]
    for layer, partner in zip(one[:-1], other[:-1], strict=True):
        frames.append(_polar(partner @ frames[-1] @ layer.T))
    return frames[1:]


def _turned(layers: Sequence[Floats], frames: Sequence[Floats], t: float) -> list[Floats]:
    """The layers turned by the fraction t of each rotation's angle."""
    angles = [t * np.arctan2(frame[1, 0], frame[0, 0]) for frame in frames]
    turns = [np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) for a in angles]
    turns = [np.eye(2), *turns, np.eye(2)]
    return [turns[i + 1] @ layer @ turns[i].T for i, layer in enumerate(layers)]


def _polar(matrix: Floats) -> Floats:
    left, _, right_t = np.linalg.svd(matrix)
    return np.asarray(left @ right_t)


def _layers(trained: TrainedCell, start: int) -> list[Floats]:
    return list(trained.parameters[start].reshape(trained.cell.depth, 2, 2))


STUDY = Study(
    title="Pairs of minimizers",
    summary=(
        r"A $2 \times 2$ target trained from many starts at depths 2 to 4; $F$ along the straight line between two "
        "minimizers, and along the rotations that take one to the other."
    ),
    make=make,
)
