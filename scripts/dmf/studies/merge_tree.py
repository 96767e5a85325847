"""Beyond the paper: where the pieces of {F <= c} merge as c grows, from string to string (docs/theory.md, section 15).

Leaves are the levels' local minima, of the largest level one for each of its pieces. Strings are relaxed between two
of them, and their highest points taken to critical points of index 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
import xarray as xr

from dmf import theory
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.studies._derivatives import Floats
from dmf.studies._layers import balanced_point
from dmf.studies._newton import FLAT
from dmf.studies._paths import Pass, lowest_pass
from dmf.studies.components import BULGE, Valued
from dmf.theory import certificate, haar

STRINGS = 2  # between two leaves
NEAR = 0.1  # BULGE of the string that begins near a path over the pass
MOST = 7  # pairs of leaves of a cell
CRITICAL = 1e-10  # gradient norm of a leaf or a pass
LINE = 201  # points of the straight line between two leaves

# Name, widths, singular values, lambda.
Setup = tuple[str, tuple[int, ...], tuple[float, ...], float]
CELLS: tuple[Setup, ...] = (
    ("two layers", (3, 3, 3), (2.0, 1.5, 1.1), 0.5),
    ("three layers", (3, 3, 3, 3), (1.7, 1.5, 1.3), 0.5),
    ("largest not lowest", (3, 3, 4, 3), (1.6, 1.45, 1.3), 0.6),
    ("four layers", (2, 2, 3, 2, 2), (1.5, 1.35), 0.4),
)
CONTROLS: tuple[Setup, ...] = (("ordinary", (1, 1, 1, 1), (1.7,), 0.5),)

FIELDS = {
    "control": ("cell", "1 for cells of the control"),
    "pieces": ("cell", "pieces of the largest level, 2 to the number of hidden layers that it fills"),
    "certified": ("cell start", "1 where both leaves are local minima and a string's highest point has index 1"),
    "one": ("cell start", "index of a leaf"),
    "other": ("cell start", "index of the leaf to which a string was relaxed"),
    "height": ("cell start", "F at the critical point under the highest point of the string"),
    "predicted_height": ("cell start", "closed form of the value at which both leaves merge"),
    "height_tolerance": ("cell start", "what the gradient norm and rounding allow for it"),
    "straight": ("cell start", "the largest F on the straight line between both leaves"),
    "leaf_kept": ("cell leaf", "singular values that a leaf keeps"),
    "leaf_value": ("cell leaf", "F at a leaf"),
}


class Tree(NamedTuple):
    """A cell's F, the frames of its target, and its leaves: values kept, and signs of the frames of filled layers."""

    function: Valued
    frames: list[Floats]
    sigma: Floats
    leaves: list[tuple[int, tuple[int, ...]]]
    passes: Floats
    """closed forms (K,) of the passes between the levels that keep k and k + 1 values"""


def make(settings: Settings) -> xr.Dataset:
    """Cells by name, starts by pair of leaves."""
    rows = [_cell(settings, *cell) | {"control": False} for cell in CELLS]
    rows += [_cell(settings, *cell) | {"control": True} for cell in CONTROLS]
    return assembled(FIELDS, rows, {"number": ("start", np.arange(MOST))})


def level_passes(sigma: Floats, depth: int, lam: float) -> Floats:
    """F at the passes between the levels that keep the k and the k + 1 largest values, (K,), K levels besides zero.

    The value between them is at its small root, at zero for two layers: there the lower level is a saddle itself.
    """
    levels = theory.critical_levels(np.diag(sigma), depth, lam)
    top = sigma[: len(levels) - 1]
    root = np.zeros_like(top) if depth == 2 else np.asarray(theory.small_root(top, depth, lam))
    return np.asarray(levels[:-1] + theory.scalar_objective(root, top, depth, lam) - top**2)


def grown(widths: tuple[int, ...], sigma: Floats, lam: float, rng: np.random.Generator) -> Tree:
    """F for a target in random bases, and its leaves: all local minima, by level, of the largest level by piece."""
    depth, count = len(widths) - 1, len(sigma)
    frames = [haar.orthogonal(width, rng) for width in widths]
    function = Valued((frames[-1][:, :count] * sigma) @ frames[0][:, :count].T, widths, lam)
    passes = level_passes(sigma, depth, lam)
    most = len(passes)
    levels = range(most if depth == 2 else 0, most + 1)  # the others of two layers are saddles
    leaves = [
        (k, signs)
        for k in levels
        for signs in product(
            *((1, -1) if 0 < place < depth and width == k else (1,) for place, width in enumerate(widths))
        )
    ]
    return Tree(function, frames, sigma, leaves, passes)


def point_of(tree: Tree, leaf: int, frames: Sequence[Floats]) -> Floats:
    """A point (N,) of a leaf, in the gauge of these frames, mirrored where its signs say so."""
    kept, signs = tree.leaves[leaf]
    depth = len(frames) - 1
    s = theory.level_singular_values(tree.sigma, depth, tree.function.lam, kept) ** (1 / depth)
    mirrored = [frame.copy() for frame in frames]
    for frame, sign in zip(mirrored, signs, strict=True):
        frame[:, -1] *= sign
    return np.asarray(balanced_point(mirrored, s), dtype=np.float64)


def turned_at_random(frames: Sequence[Floats], rng: np.random.Generator) -> list[Floats]:
    """Frames with random hidden ones, each of the same determinant as before."""
    hidden = [haar.orthogonal(len(frame), rng) for frame in frames[1:-1]]
    for new, old in zip(hidden, frames[1:-1], strict=True):
        new[:, 0] *= np.sign(np.linalg.det(new) * np.linalg.det(old))
    return [frames[0], *hidden, frames[-1]]


def merging(tree: Tree, one: int, other: int) -> float:
    """The closed form of the value at which two leaves merge: the highest pass between their levels.

    Two pieces of the largest level merge at the pass below it.
    """
    low, high = sorted((tree.leaves[one][0], tree.leaves[other][0]))
    return float(tree.passes[min(low, high - 1) : high].max())


def pairs_of(tree: Tree) -> list[tuple[int, int]]:
    """Pairs of leaves: neighbouring levels; zero and the largest level; its first piece and each other one."""
    kept = [leaf[0] for leaf in tree.leaves]
    first = kept.index(max(kept))
    return [
        *pairwise(range(first + 1)),
        *([(0, first)] if first > 1 else []),
        *((first, other) for other in range(first + 1, len(kept))),
    ]


def _cell(settings: Settings, name: str, widths: tuple[int, ...], values: tuple[float, ...], lam: float) -> Row:
    sigma = np.array(values)
    rng = generator(["study", "merge_tree", settings.seed, name])
    tree = grown(widths, sigma, lam, rng)
    function, pairs = tree.function, pairs_of(tree)
    leaves = np.array([point_of(tree, leaf, tree.frames) for leaf in range(len(tree.leaves))])
    own = np.linalg.eigvalsh(function.hessians(leaves))
    minimal = np.linalg.norm(function.gradients(leaves), axis=1) < CRITICAL
    minimal &= own[:, 0] > -FLAT * own[:, -1]
    step = 0.5 / float(own.max())
    found = [_lowest(tree, leaves, pair, step, rng) for pair in pairs]
    t = np.linspace(0, 1, LINE)[:, None]
    lines = [(1 - t) * leaves[one] + t * leaves[other] for one, other in pairs]
    norms, curvature = (np.array([getattr(one, field) for one in found]) for field in ("gradient_norm", "smallest"))
    certified = np.zeros(MOST, dtype=np.bool_)
    certified[: len(pairs)] = [
        _is_pass(over) and bool(minimal[[one, other]].all()) for over, (one, other) in zip(found, pairs, strict=True)
    ]
    kept = [leaf[0] for leaf in tree.leaves]
    return {
        "problem": name,
        "depth": len(widths) - 1,
        "widths": ",".join(map(str, widths)),
        "lam": lam,
        "pieces": kept.count(max(kept)),
        "certified": certified,
        "one": _padded([one for one, _ in pairs]),
        "other": _padded([other for _, other in pairs]),
        "height": _padded([over.value for over in found]),
        "predicted_height": _padded([merging(tree, *pair) for pair in pairs]),
        "height_tolerance": _padded(certificate.gap_tolerance(norms, curvature, float(np.sum(sigma**2)))),
        "straight": _padded([function.values(line).max() for line in lines]),
        "leaf_kept": np.array(kept, dtype=np.float64),
        "leaf_value": function.values(leaves),
    }


def _lowest(tree: Tree, leaves: Floats, pair: tuple[int, int], step: float, rng: np.random.Generator) -> Pass:
    """The lowest pass of strings between two leaves, of those of index 1 if there are any.

    One string begins in one gauge, where some path over the lowest pass is near the straight line; the others at random
    points of both leaves.
    """
    found = []
    for number in range(STRINGS):
        ends = leaves[list(pair)]
        if number:
            ends = np.array([point_of(tree, leaf, turned_at_random(tree.frames, rng)) for leaf in pair])
        size = float(np.linalg.norm(ends, axis=1).max()) / np.sqrt(ends.shape[1])
        bulge = (BULGE if number else NEAR) * size * rng.standard_normal(ends.shape[1])
        found.append(lowest_pass(tree.function, (ends[0], ends[1]), bulge, step))
    return min(found, key=lambda over: (not _is_pass(over), over.value))


def _is_pass(found: Pass) -> bool:
    return found.negative == 1 and found.gradient_norm < CRITICAL


def _padded(values: object) -> Floats:
    """Numbers of the pairs of a cell, and NaN for those that it does not have, (MOST,)."""
    numbers = np.asarray(values, dtype=np.float64)
    return np.append(numbers, np.full(MOST - len(numbers), np.nan))


STUDY = Study(
    title="The merge tree of levels",
    summary=(
        r"$1 \times 1$ to $3 \times 3$ targets at depths 2 to 4: local minima of all levels and pieces, and strings "
        "over the passes between them."
    ),
    make=make,
)
