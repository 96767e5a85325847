"""Beyond the paper: factorization of a matrix of which some entries are not observed (docs/theory.md, section 15).

What is observed is fitted alike by all global minimizers; what is not is free to change its sign where the graph of
observations falls apart. Runs are trained by Newton's method from random starts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.studies._derivatives import Floats, Numbers, chained, flat
from dmf.studies._layers import layers_of, product_of
from dmf.studies._newton import minimize, smallest_curvature
from dmf.theory import certificate
from dmf.theory.certificate import ROUNDING

DRAWS = 32
SCALES = (0.5, 1.0)  # of starts, each for half of them
FEW, NEARLY_ZERO = 4, 0.02  # starts of a control that end at zero, and their size
LINKED = 1e-6  # size of an entry that is not observed from which X is not block diagonal
SAME = 1e-6  # distance up to which two matrices are one, in units of the larger

_BLOCKS = np.kron(np.eye(2), np.ones((2, 2)))
_CONNECTED = _BLOCKS.copy()
_CONNECTED[1, 2] = 1
MASKS = {
    "two blocks": _BLOCKS,
    "diagonal": np.eye(3),
    "block and entry": np.array([[1.0, 1, 0], [1, 1, 0], [0, 0, 1]]),
    "connected": _CONNECTED,
}
# Mask, depth, lambda, size of the entries of the last component.
CELLS = (
    ("two blocks", 3, 0.1, 1.0),
    ("diagonal", 3, 0.1, 1.0),
    ("block and entry", 3, 0.1, 1.0),
    ("block and entry", 4, 0.05, 1.0),
    ("connected", 3, 0.1, 1.0),
    ("diagonal", 2, 0.2, 1.0),
)
CONTROLS = (
    ("two blocks", 3, 0.12, 1.0),
    ("connected", 3, 0.12, 1.0),
    ("block and entry", 3, 0.1, 0.02),  # so small that nothing of it is kept
    ("diagonal", 3, 0.12, 1.0),  # with the same entries for every seed
)

FIELDS = {
    "control": ("cell", "1 for cells of the control"),
    "components": ("cell", "connected components of the graph of observations"),
    "predicted_count": ("cell", "2 to the number of components but one: least number of minimizers"),
    "count": ("cell", "different matrices X among the trained minimizers"),
    "count_tolerance": ("cell", "a quarter: numbers of minimizers are whole"),
    "certified": (
        "cell start",
        "1 where the gradient norm is within tolerance and no direction has negative curvature",
    ),
    "minimal": ("cell start", "1 for certified runs at the lowest value of their cell"),
    "gradient_norm": ("cell start", "gradient norm at the end point"),
    "radius": ("cell start", "distance from a minimizer that the gradient norm allows"),
    "observed_gap": ("cell start", "distance of the observed entries of X from those of the lowest run"),
    "full_gap": ("cell start", "the same of all entries"),
    "observed_tolerance": ("cell start", "what both radii allow for it"),
    "norm_gap": ("cell start", "largest difference of any ||W_l||^2 from ||W_1||^2 of the lowest run"),
    "norm_tolerance": ("cell start", "what both radii allow for it"),
    "flip_gap": ("cell start", "change of F where the signs of one component are flipped"),
    "broken_gap": ("cell start", "the same for a part of a component"),
    "flip_tolerance": ("cell start", "rounding of F"),
    "moved": ("cell start", "distance of X from what the flip makes of it"),
    "moved_tolerance": ("cell start", "what the radius allows for it"),
    "linked": ("cell start", "1 where there are several components, and X has entries between two of them"),
    "off_diagonal": ("cell start", "an entry that is not observed"),
}


@dataclass(frozen=True)
class Masked:
    """||mask (M - X)||^2 + lambda ||parameters||^2 for a square target (d, d), and its gradients."""

    target: Floats
    mask: Floats
    depth: int
    lam: float

    @property
    def parameters(self) -> int:
        """N."""
        return self.depth * self.target.size

    def layers(self, points: Numbers) -> list[Numbers]:
        """W_1, ..., W_L (..., d, d) of points (..., N)."""
        return layers_of(points, (len(self.target),) * (self.depth + 1))

    def product(self, points: Numbers) -> Numbers:
        """X (..., d, d)."""
        return product_of(self.layers(points))

    def values(self, points: Floats) -> Floats:
        """F (...)."""
        missed = self.mask * (self.product(points) - self.target)
        return np.asarray(np.sum(missed**2, axis=(-2, -1)) + self.lam * np.sum(points**2, axis=-1))

    def gradients(self, points: Numbers) -> Numbers:
        """Gradients (..., N)."""
        slope = 2 * self.mask * (self.product(points) - self.target)
        return flat(chained(self.layers(points), slope)) + 2 * self.lam * points

    def flipped(self, points: Floats, rows: Floats, columns: Floats) -> Floats:
        """The points with signs (d,) of the rows of W_L and of the columns of W_1 changed."""
        layers = self.layers(points.copy())
        layers[-1] *= rows[:, None]
        layers[0] *= columns
        return flat(layers)


def components_of(mask: Floats) -> tuple[int, Floats, Floats]:
    """Number of components of the bipartite graph of observations, and the labels of rows and of columns."""
    rows, columns = mask.shape
    graph = np.zeros((rows + columns, rows + columns))
    graph[:rows, rows:] = mask
    count, labels = connected_components(csr_array(graph), directed=False)
    return int(count), labels[:rows], labels[rows:]


def make(settings: Settings) -> xr.Dataset:
    """Cells (mask, depth), starts by scale and draw."""
    rows = [_cell(settings, *cell, control=False) for cell in CELLS]
    rows += [_cell(settings, *cell, control=True) for cell in CONTROLS]
    scale = np.repeat(SCALES, DRAWS // len(SCALES))
    return assembled(FIELDS, rows, {"scale": ("start", scale), "draw": ("start", np.arange(DRAWS))})


def _cell(settings: Settings, name: str, depth: int, lam: float, last: float, control: bool) -> Row:
    mask = MASKS[name]
    rng = generator(["study", "missing_entries", settings.seed, name, depth, lam, last])
    count, of_rows, of_columns = components_of(mask)
    target = mask * rng.uniform(1, 2, mask.shape) * rng.choice([-1.0, 1.0], mask.shape)
    target[of_rows == count - 1] *= last
    if control and name == "diagonal":
        target = np.diag(np.linspace(1.2, 1.8, len(mask)))
    function = Masked(target, mask, depth, lam)
    starts = np.repeat(SCALES, DRAWS // len(SCALES))[:, None] * rng.standard_normal((DRAWS, function.parameters))
    if control:
        starts[:: DRAWS // FEW] *= NEARLY_ZERO
    tolerance = settings.gradient_norm * 2 ** (2 - 1 / depth)
    ends = minimize(function, starts, tolerance)
    _, mu = smallest_curvature(ends.spectrum)
    certified = (ends.gradient_norm <= tolerance) & np.isfinite(mu)
    curvature = np.nan_to_num(mu, nan=np.inf)
    energy = float(np.sum(target**2))
    radius = np.asarray(certificate.radius(ends.gradient_norm, curvature, np.linalg.norm(ends.points, axis=1)))
    level = np.asarray(certificate.gap_tolerance(ends.gradient_norm, curvature, energy))
    minimal = certified & (ends.values <= np.where(certified, ends.values, np.inf).min() + level)
    best = int(np.where(minimal, ends.values, np.inf).argmin())
    x = np.asarray(function.product(ends.points))
    return {
        "problem": name,
        "depth": depth,
        "lam": lam,
        "kind": "small entry" if last < 1 else "ordinary",
        "control": control,
        "components": count,
        "predicted_count": 2 ** (count - 1),
        "count": _different(x[minimal]),
        "count_tolerance": 0.25,
        "certified": certified,
        "minimal": minimal,
        "gradient_norm": ends.gradient_norm,
        "radius": radius,
        "off_diagonal": x[:, 0, -1],
        **_compared(function, ends.points, radius, best),
        **_flips(function, ends.points, radius, (of_rows, of_columns)),
    }


def _different(matrices: Floats) -> int:
    """How many of the matrices (B, d, d) differ."""
    found: list[Floats] = []
    for matrix in matrices:
        if all(np.linalg.norm(matrix - other) > SAME * np.linalg.norm(matrix) for other in found):
            found.append(matrix)
    return len(found)


def _compared(function: Masked, points: Floats, radius: Floats, best: int) -> dict[str, Floats]:
    layers, x = function.layers(points), function.product(points)
    top = np.max([np.linalg.norm(layer, 2, axis=(1, 2)) for layer in layers], axis=0)
    off = np.asarray(certificate.product_tolerance(top, radius, function.depth)) + ROUNDING * top**function.depth
    norms = np.array([np.sum(layer**2, axis=(1, 2)) for layer in layers]).T
    largest = np.sqrt(norms.max(axis=1))
    wide = 2 * largest * radius + radius**2 + ROUNDING * largest**2
    return {
        "observed_gap": np.linalg.norm(function.mask * (x - x[best]), axis=(1, 2)),
        "full_gap": np.linalg.norm(x - x[best], axis=(1, 2)),
        "observed_tolerance": off + off[best],
        "norm_gap": np.abs(norms - norms[best, 0]).max(axis=1),
        "norm_tolerance": wide + wide[best],
    }


def _flips(function: Masked, points: Floats, radius: Floats, labels: tuple[Floats, Floats]) -> dict[str, Floats]:
    """Signs of the first component are flipped, where there are several; and of its first row alone."""
    rows, columns = (np.where(of == 0, -1.0, 1.0) for of in labels)
    whole = labels[0].max() == 0
    flipped = function.flipped(points, rows, columns)
    part = np.ones(len(rows))
    part[0] = -1
    broken = function.flipped(points, part, np.ones(len(columns)))
    value, x = function.values(points), function.product(points)
    layers = function.layers(points)
    top = np.max([np.linalg.norm(layer, 2, axis=(1, 2)) for layer in layers], axis=0)
    off = np.asarray(certificate.product_tolerance(top, radius, function.depth)) + ROUNDING * top**function.depth
    moved = np.linalg.norm(function.product(flipped) - x, axis=(1, 2))
    return {
        "flip_gap": np.abs(function.values(flipped) - value),
        "broken_gap": np.abs(function.values(broken) - value),
        "flip_tolerance": ROUNDING * (value + np.sum(function.target**2)),
        "moved": np.full(len(points), np.nan) if whole else moved,
        "linked": np.full(len(points), not whole) & (moved > LINKED),
        "moved_tolerance": 2 * off,
    }


STUDY = Study(
    title="Missing entries",
    summary=(
        "Matrices of which blocks, the diagonal or a connected set of entries are observed, factorized at depth 2 to 4 "
        "from random starts."
    ),
    make=make,
)
