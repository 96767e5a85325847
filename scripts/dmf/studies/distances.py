"""True distances to the minimizers beside the bound 2 ||grad F|| / mu that every certificate rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf import theory
from dmf.dataset.train import Piece, train_starts
from dmf.grid.cells import Series, gradient_scale, lambda_value
from dmf.grid.kinds import SpectrumTarget, with_spectrum
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.studies._derivatives import Objective, flat
from dmf.studies._trained import LBFGS, Cell
from dmf.theory import certificate

Floats = NDArray[np.float64]
SIZES = tuple(10.0**-k for k in (1, 2, 3, 4, 5, 6, 7, 8))  # of a step off a minimizer, or the gradient norm to stop at
KINDS = ("random", "soft", "early")
DRAWS = 2
MOST_SWEEPS = 500
SERIES = Series("gaussian", 2.0)
CELLS = (
    Cell("square", (3, 3), [3, 2, 1], 3, "0.2c"),
    Cell("wide", (2, 4), [2, 1], 3, "0.3c", 3),
    Cell("deficient", (3, 3), [2, 1], 4, "0.2c"),
    Cell("repeated", (3, 3), [2, 2, 1], 3, "0.2c"),
    Cell("two-layers", (3, 3), [3, 2, 1], 2, "0.2c", 4),
    Cell("two-layers-cut", (3, 3), [3, 2, 1], 2, "1.5"),
    Cell("five-layers", (2, 2), [1.5, 1], 5, "0.2c"),
    Cell("scalar", (1, 1), [2], 4, "0.3c"),
    Cell("near-collapse", (2, 2), [2, 1], 3, "0.99c"),
    Cell("collapsed", (3, 3), [2, 1, 0.5], 3, "1.3c"),
)
# Depth 2 with lambda equal to a singular value: F is flat to third order along a direction that is not the symmetry's.
CONTROLS = (
    Cell("degenerate", (3, 3), [3, 2, 1], 2, "2.0"),
    Cell("degenerate-scalar", (1, 1), [2], 2, "2.0"),
)


FIELDS = {
    "control": ("cell", "1 for cells of the negative control"),
    "certified": ("cell start", "1 where distance <= mu / C"),
    "distance": ("cell start", "distance to the minimizers, from above"),
    "distance_below": ("cell start", "distance to the minimizers, from below"),
    "gradient_norm": ("cell start", "gradient norm by the chain rule"),
    "bound": ("cell start", "2 ||grad F|| / mu, and rounding"),
    "mu": ("cell", "smallest positive Hessian eigenvalue at a minimizer"),
    "extra_zero_modes": ("cell", "zero Hessian eigenvalues beyond the orbit's dimension"),
}


def make(settings: Settings) -> xr.Dataset:
    """Starts are points near a minimizer: steps off it at random or along its softest mode, and runs stopped early."""
    rows = [_measured(_problem(cell, settings.seed), settings.seed) for cell in (*CELLS, *CONTROLS)]
    kinds = np.repeat(np.array(KINDS, dtype=object), len(SIZES) * DRAWS)
    sizes = np.tile(np.repeat(SIZES, DRAWS), len(KINDS))
    numbers = np.tile(np.arange(DRAWS), len(SIZES) * len(KINDS))
    return assembled(FIELDS, rows, {"kind": ("start", kinds), "size": ("start", sizes), "number": ("start", numbers)})


@dataclass(frozen=True)
class Problem:
    """A cell with its target (d_L, d_0), and what theory says of its minimizers."""

    cell: Cell
    target: Floats
    lam: float
    value: Objective
    spectrum: Floats
    orbit: int
    top: float
    residual: float

    @property
    def mu(self) -> float:
        """Smallest positive Hessian eigenvalue at a minimizer."""
        return theory.smallest_positive_eigenvalue(self.spectrum)

    def minimizer(self, rng: np.random.Generator) -> list[Floats]:
        """A random point of the orbit, layers (d_l, d_{l-1})."""
        return theory.sample_minimizer(self.target, self.cell.group.widths, self.lam, rng)


def _problem(cell: Cell, seed: int) -> Problem:
    widths, values = cell.group.widths, list(cell.values or [])
    spec = SpectrumTarget(name=cell.name, kind="spectrum", shape=cell.shape, singular_values=values, label=None)
    target = with_spectrum(spec, generator(["distances", seed, cell.name]))
    lam = lambda_value(cell.lam, max(values), cell.depth)
    sigma = np.linalg.svd(target, compute_uv=False)
    if cell in CONTROLS:  # the SVD's rounding would part lambda from the singular value by a hair
        target, sigma = np.diag(np.array(values)), np.array(values)
    x = theory.scalar_minimizer(sigma, cell.depth, lam)
    return Problem(
        cell,
        target,
        lam,
        Objective(target, widths, lam),
        theory.hessian_spectrum(target, widths, lam),
        theory.zero_modes(widths, int(np.count_nonzero(x))),
        *certificate.reach(x, sigma, cell.depth),
    )


def _measured(problem: Problem, seed: int) -> Row:
    cell, mu = problem.cell, problem.mu
    rng = generator(["distances", seed, cell.name], counter=1)
    points = np.concatenate([*_steps(problem, rng), _stopped_early(problem, seed)])
    other = problem.minimizer(rng)  # another point of the orbit, so that the distance has to be found
    layered = [_layers(point, cell.group.widths) for point in points]
    distance = np.array([distance_above(layers, other) for layers in layered])
    below = np.array([distance_below(layers, other) for layers in layered])
    turning = certificate.turning(distance, cell.depth, problem.top, problem.residual)
    gradient_norm = np.linalg.norm(problem.value.gradients(points), axis=1)
    bound = certificate.radius(gradient_norm, mu, np.linalg.norm(points, axis=1))
    extra = int(np.count_nonzero(problem.spectrum < mu)) - problem.orbit
    return {
        "target": cell.name,
        "depth": cell.depth,
        "lam_label": cell.lam,
        "control": cell in CONTROLS,
        "certified": turning <= mu,
        "distance": distance,
        "distance_below": below,
        "gradient_norm": gradient_norm,
        "bound": bound,
        "mu": mu,
        "extra_zero_modes": extra,
    }


def _steps(problem: Problem, rng: np.random.Generator) -> list[Floats]:
    """Points off a minimizer, (step, N): by random steps, and back and forth along the softest mode, of all SIZES."""
    layers = problem.minimizer(rng)
    base, unit = flat(layers), float(np.linalg.norm(problem.target, 2)) ** (1 / problem.cell.depth)
    lengths = unit * np.repeat(SIZES, DRAWS)[:, None]
    directions = rng.standard_normal((len(lengths), base.size))
    random = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    soft = _softest(problem.value.hessians(base[None])[0], _tangents(layers))
    signs = np.tile([1.0, -1.0], len(SIZES))[:, None]
    return [base + lengths * random, base + lengths * signs * soft]


def _softest(hessian: Floats, tangents: Floats) -> Floats:
    """The direction of least curvature across the orbit, (N,), from tangents (any, N) of the orbit."""
    left, strength, _ = np.linalg.svd(tangents.T, full_matrices=True)
    along = int(np.count_nonzero(strength > 1e-10 * max(strength, default=0.0)))
    across = left[:, along:]
    direction: Floats = across @ np.linalg.eigh(across.T @ hessian @ across)[1][:, 0]
    return direction


def _tangents(layers: Sequence[Floats]) -> Floats:
    """Directions W_l -> A_l W_l - W_l A_{l-1} of the orbit, one for each entry of a skew A_l, (any, N)."""
    rows = [np.zeros(sum(layer.size for layer in layers))]
    for hidden in range(1, len(layers)):
        for i, j in combinations(range(len(layers[hidden - 1])), 2):
            skew = np.zeros((len(layers[hidden - 1]),) * 2)
            skew[i, j], skew[j, i] = 1, -1
            moves = [np.zeros_like(layer) for layer in layers]
            moves[hidden - 1], moves[hidden] = skew @ layers[hidden - 1], -layers[hidden] @ skew
            rows.append(flat(moves))
    return np.stack(rows)


def _stopped_early(problem: Problem, seed: int) -> Floats:
    """Where training ends that stops at gradient norms SIZES, (SIZES x DRAWS, N)."""
    cell, norm = problem.cell, float(np.linalg.norm(problem.target, 2))
    scale = gradient_scale(norm, cell.depth)
    pieces = [
        Piece(cell.name, problem.target, norm, cell.lam, problem.lam, size * scale, SERIES, range(DRAWS))
        for size in SIZES
    ]
    runs = train_starts(pieces, cell.group.widths, seed, LBFGS)
    return np.concatenate([layer.reshape(len(layer), -1) for layer in runs.layers], axis=1)


def _layers(point: Floats, widths: Sequence[int]) -> list[Floats]:
    shapes = [(rows, columns) for columns, rows in pairwise(widths)]
    ends = np.cumsum([rows * columns for rows, columns in shapes])
    return [part.reshape(shape) for part, shape in zip(np.split(point, ends[:-1]), shapes, strict=True)]


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


STUDY = Study(
    title="Distances to the minimizers",
    summary=(
        "Points off a minimizer, and runs stopped early: their distance to the orbit of minimizers, by alternating "
        r"Procrustes steps, beside the bound $2\|\nabla F\| / \mu$ that certificates rest on."
    ),
    make=make,
)
