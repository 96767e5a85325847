"""Extension: a hidden width below the rank. Targets on, beside and across its second exceptional set, trained."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf import theory
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.studies._near import near_minimizers
from dmf.studies._trained import LBFGS
from dmf.theory import haar
from dmf.training.engine import train
from dmf.training.result import Runs
from dmf.training.settings import Status
from dmf.training.starts import draw_stacked
from dmf.training.tasks import Tasks

Floats = NDArray[np.float64]
M_STAR = 0.5  # lambda is put where singular values above it pay
SCALES = (0.7, 1.4)
DRAWS = 12
GAPS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
SHARP = 1e-12  # a gap of 1e-5 leaves a curvature of that size: a looser run could not tell its sides
TIED = 1e-12  # singular values this close count as tied


@dataclass(frozen=True)
class Shape:
    """Widths d_0, ..., d_L, the smallest of them hidden."""

    widths: tuple[int, ...]

    @property
    def depth(self) -> int:
        """Number of layers."""
        return len(self.widths) - 1

    @property
    def cut(self) -> int:
        """The rank that fits through."""
        return min(self.widths)

    @property
    def name(self) -> str:
        """The widths from output to input, as in W_L ... W_1."""
        return " x ".join(str(width) for width in reversed(self.widths))


@dataclass(frozen=True)
class Target:
    """Singular values of a target along fixed axes, its name, and half of the second minus the third."""

    name: str
    sigma: tuple[float, ...]
    gap: float


SHAPES = (Shape((3, 2, 3)), Shape((3, 2, 2, 3)), Shape((4, 3, 2, 3, 3)))
ACROSS = [Target("across the cut", (2.0, 1.0 + gap, 1.0 - gap), gap) for gap in (*GAPS, *(-gap for gap in GAPS))]
ON = Target("on the cut", (2.0, 1.0, 1.0), 0.0)
APART = [
    Target("m* below the cut", (2.0, 1.0, M_STAR), 0.25),
    Target("fewer pay than fit", (2.0, 0.4, 0.3), 0.05),
    Target("spread", (2.0, 1.3, 0.9), 0.2),
]
NARROW = Shape((3, 1, 3, 3))
ALL_TIED = Target("all tied", (1.0, 1.0, 1.0), 0.0)

FIELDS = {
    "control": ("cell", "1 for cells of the controls"),
    "lam": ("cell", "regularization parameter lambda"),
    "threshold_distance": ("cell", "smallest |sigma_i - m*| / m* over the values that fit through the bottleneck"),
    "cut_distance": ("cell", "(sigma_r - sigma_{r+1}) / sigma_1; infinite where sigma_{r+1} does not pay"),
    "minimum": ("cell", "closed-form minimum of F"),
    "spread": ("cell", "largest distance between the products of two runs at the minimum"),
    "many": ("cell", "1 where the closed form has more than one minimizer because of the tie at the cut"),
    "certified": ("cell start", "1 where the gradient norm is within tolerance and the distance bound holds"),
    "lowest": ("cell start", "1 where no certified run of the cell has a lower objective, but for rounding"),
    "gradient_norm": ("cell start", "gradient norm at the final point"),
    "distance": ("cell start", "||X - X*||_F with X* the thresholded and cut target"),
    "set_distance": ("cell start", "distance of X from the nearest minimizer that the tie at the cut allows"),
    "distance_tolerance": ("cell start", "what the gradient norm and rounding allow for both"),
    "value_gap": ("cell start", "F minus its closed-form minimum"),
    "value_tolerance": ("cell start", "what the gradient norm and rounding allow for it"),
    "norm_gap": ("cell start", "largest distance of a squared layer norm from its closed form"),
    "norm_tolerance": ("cell start", "what the gradient norm and rounding allow for it"),
    "turn": (
        "cell start",
        "share of the second axis in what X keeps of the second and third, 1 or 0 where it keeps one of them",
    ),
}


def make(settings: Settings) -> xr.Dataset:
    """Cells (widths, target), starts by scale and draw."""
    cells = [(shape, target, 0) for shape in SHAPES for target in (*ACROSS, ON, *APART)]
    cells += [(NARROW, ALL_TIED, 0)]
    cells += [(shape, target, 1) for shape in SHAPES for target in (ON, ACROSS[1])]
    rows = [_cell(shape, target, control, settings) for shape, target, control in cells]
    scales, draws = np.repeat(SCALES, DRAWS), np.tile(np.arange(DRAWS), len(SCALES))
    return assembled(FIELDS, rows, {"scale": ("start", scales), "draw": ("start", draws)})


def _cell(shape: Shape, target: Target, control: int, settings: Settings) -> Row:
    rng = generator(["study", "bottleneck", settings.seed, shape.name, control])  # one basis for a whole family
    left, right = _bases(shape, rng)
    matrix = (left * np.array(target.sigma)) @ right.T
    lam = float(theory.critical_lambda(M_STAR, shape.depth))
    count = DRAWS * len(SCALES)
    size = target.sigma[0] ** (1 / shape.depth) * np.repeat(SCALES, DRAWS)[:, None, None]
    starts = [size * layer for layer in draw_stacked("gaussian", shape.widths, [rng] * count)]
    tolerance = min(SHARP, settings.gradient_norm) * target.sigma[0] ** (2 - 1 / shape.depth)
    matrices = np.broadcast_to(matrix, (count, *matrix.shape))
    runs = train(Tasks(matrices, np.full(count, lam), np.full(count, tolerance)), starts, LBFGS)
    sigma = np.sort(target.sigma)[::-1]
    threshold, cut = theory.bottleneck_distances(sigma, shape.depth, lam, shape.cut)
    facts = _facts(runs, matrix, lam, (left, right), np.array(target.sigma), shape)
    x = runs.end_to_end[facts["lowest"]]
    return {
        "widths": shape.name,
        "depth": shape.depth,
        "target": target.name,
        "gap": target.gap,
        "control": bool(control),
        "lam": lam,
        "threshold_distance": threshold,
        "cut_distance": cut,
        "minimum": theory.bottleneck_minimum(matrix, shape.widths, lam),
        "spread": np.linalg.norm(x[:, None] - x[None], axis=(2, 3)).max(initial=0.0),
        "many": cut <= TIED,
        **facts,
    }


def _bases(shape: Shape, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Random orthonormal columns, (d_L, n) and (d_0, n)."""
    n = min(shape.widths[0], shape.widths[-1])
    sides = (shape.widths[-1], shape.widths[0])
    left, right = (haar.orthogonal(side, rng, fixed_signs=False)[:, :n] for side in sides)
    return left, right


def _facts(
    runs: Runs, matrix: Floats, lam: float, bases: tuple[Floats, Floats], sigma: Floats, shape: Shape
) -> dict[str, NDArray[Any]]:
    near = near_minimizers(runs.layers, runs.gradient_norm, matrix, lam)
    x = runs.end_to_end
    certified = (runs.status == Status.CONVERGED) & np.isfinite(near.radius)
    value = runs.objective
    lowest = certified & (value <= np.min(value[certified], initial=np.inf) + near.value_tolerance)
    alpha_sq = np.sum(
        theory.bottleneck_singular_values(np.sort(sigma)[::-1], shape.depth, lam, shape.cut) ** (2 / shape.depth)
    )
    inside = bases[0].T @ x @ bases[1]
    second, third = np.abs(inside[:, 1, 1]), np.abs(inside[:, 2, 2])
    return {
        "certified": certified,
        "lowest": lowest,
        "gradient_norm": runs.gradient_norm,
        "distance": np.linalg.norm(x - theory.bottleneck_minimizer(matrix, shape.widths, lam), axis=(1, 2)),
        "set_distance": _from_set(x, inside, bases, sigma, lam, shape),
        "distance_tolerance": near.distance_tolerance,
        "value_gap": value - theory.bottleneck_minimum(matrix, shape.widths, lam),
        "value_tolerance": near.value_tolerance,
        "norm_gap": np.abs(runs.layer_norm_sq - alpha_sq).max(axis=1),
        "norm_tolerance": near.norm_tolerance,
        "turn": second / np.maximum(second + third, np.finfo(np.float64).tiny),
    }


def _from_set(
    x: Floats, inside: Floats, bases: tuple[Floats, Floats], sigma: Floats, lam: float, shape: Shape
) -> Floats:
    """Distance of X (S, d_L, d_0) from the minimizers of a target with a tie at the cut, (S,).

    These keep all larger values whole and, of the tied directions, the part P that X itself keeps most of: P is the
    projector on the leading eigenvectors of X among the tied axes. Without a tie that is X* itself.
    """
    largest = np.sort(sigma)[::-1][shape.cut - 1]
    tied, above = np.abs(sigma - largest) <= TIED, sigma > largest + TIED
    keeps = theory.scalar_minimizer(sigma, shape.depth, lam)
    block = inside[:, tied][:, :, tied]
    _, vectors = np.linalg.eigh((block + block.mT) / 2)
    chosen = vectors[:, :, -(shape.cut - int(above.sum())) :]
    best = np.zeros_like(inside)
    best[:, tied.nonzero()[0][:, None], tied.nonzero()[0]] = keeps[tied][0] * chosen @ chosen.mT
    best[:, above.nonzero()[0], above.nonzero()[0]] = keeps[above]
    return np.asarray(np.linalg.norm(x - reduce(np.matmul, (bases[0], best, bases[1].T)), axis=(1, 2)))


STUDY = Study(
    title="Bottlenecks",
    summary=(
        r"Targets whose rank is above the smallest hidden width $r$, trained on both sides of $\sigma_r = "
        r"\sigma_{r+1}$ down to gaps of $10^{-5}$, and on it."
    ),
    make=make,
)
