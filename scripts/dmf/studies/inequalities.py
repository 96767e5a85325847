"""The two inequalities under the paper's proofs, on cases made to be at, near and far from equality.

Von Neumann: <A, B> <= sum_i sigma_i(A) sigma_i(B). Variational form: ||X||_S^p <= mean of ||W_l||_F^2, p = 2/L. Both
are written larger >= smaller, so that one set of variables holds them.
"""

from __future__ import annotations

from functools import reduce
from itertools import product

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.theory import haar
from dmf.theory.certificate import EPS

Floats = NDArray[np.float64]
Case = dict[str, NDArray[np.generic]]

DRAWS = 40
SHAPES = ((2, 2), (3, 3), (5, 3), (3, 6), (8, 8))
DEPTHS = (2, 3, 4, 7)
AMOUNT = (1e-4, 0.5)  # angles and shears, log-uniform: their square is still far above rounding

FLAGS = ("equality", "hypothesis", "control")
# kind: whether the case is one of equality, whether the inequality's hypothesis holds, whether it is a control
PAIRS = {
    "shared vectors": (1, 1, 0),
    "shared, repeated value": (1, 1, 0),
    "shared up to a null vector": (1, 1, 0),
    "tilted on one side": (0, 1, 0),
    "tilted on both sides": (0, 1, 0),
    "one sign flipped": (0, 1, 0),
    "paired otherwise": (0, 1, 0),
    "unrelated": (0, 1, 0),
    "increasing order": (1, 0, 1),
    "tilted": (0, 1, 1),
}
FACTORIZATIONS = {
    "balanced": (1, 1, 0),
    "balanced, deficient": (1, 1, 0),
    "one layer scaled": (0, 1, 0),
    "sheared": (0, 1, 0),
    "unequal powers": (0, 1, 0),
    "unrelated layers": (0, 1, 0),
    "too narrow": (1, 0, 1),
    "sheared apart": (0, 1, 1),
}
FIELDS = {
    "equality": ("cell", "1 where the case is made to be an equality"),
    "hypothesis": ("cell", "1 where the inequality's hypothesis holds"),
    "control": ("cell", "1 for cells that only serve as negative controls"),
    "larger": ("cell start", "the side that is claimed to be larger"),
    "gap": ("cell start", "larger side minus smaller side"),
    "gap_tolerance": ("cell start", "what rounding allows for the gap"),
    "least_gap": (
        "cell start",
        "lower bound on the gap from the angles between leading singular subspaces; 0 where there is none",
    ),
    "amount": ("cell start", "angle or shear away from equality; 0 at equality"),
    "certified": ("cell start", "1 where the layers multiply to X within rounding; 1 for every pair"),
}


def make(settings: Settings) -> xr.Dataset:
    """Cases over (cell, start); coordinates inequality, kind, shape and depth (0 for pairs) name a cell."""
    rows: list[Row] = []
    for inequality, kinds, depths in (("von Neumann", PAIRS, (0,)), ("variational", FACTORIZATIONS, DEPTHS)):
        for (kind, flags), shape, depth in product(kinds.items(), SHAPES, depths):
            rng = generator(["inequalities", settings.seed, inequality, kind, shape, depth])
            names = {"inequality": inequality, "kind": kind, "shape": f"{shape[0]} x {shape[1]}", "depth": depth}
            case = _factorizations(kind, shape, depth, rng) if depth else _pairs(kind, shape, rng)
            rows.append(names | dict(zip(FLAGS, map(bool, flags), strict=True)) | case)
    return assembled(FIELDS, rows, {"draw": ("start", np.arange(DRAWS))})


def _pairs(kind: str, shape: tuple[int, int], rng: np.random.Generator) -> Case:
    """A = U diag(a) V^T and B = U' diag(b) V'^T, the frames of B related to those of A as `kind` says."""
    size = min(shape)
    left, right = _frames(shape[0], size, rng), _frames(shape[1], size, rng)
    of_a, of_b = _separated(size, rng), _separated(size, rng)
    amount = _amounts(rng) if "tilted" in kind else np.zeros(DRAWS)
    turn = _rotation(size, amount, rng)
    left_b, right_b = left, right
    if kind == "shared, repeated value":
        of_a[:, 1] = of_a[:, 0]
        plane = np.eye(size) + np.zeros((DRAWS, 1, 1))
        plane[:, :2, :2] = _frames(2, 2, rng)
        left_b, right_b = left @ plane, right @ plane
    elif kind == "shared up to a null vector":
        of_b[:, -1] = 0
        left_b = left * np.where(np.arange(size) == size - 1, -1.0, 1.0)
    elif kind == "one sign flipped":
        left_b = left * np.where(np.arange(size) == 0, -1.0, 1.0)
    elif kind == "paired otherwise":
        order = np.roll(np.arange(size), 1)
        left_b, right_b = left[..., order], right[..., order]
    elif kind == "unrelated":
        left_b, right_b = _frames(shape[0], size, rng), _frames(shape[1], size, rng)
    elif kind == "tilted on one side":
        left_b = left @ turn
    elif "tilted" in kind:
        left_b, right_b = left @ turn, right @ turn
    a, b = _assemble(left, of_a, right), _assemble(left_b, of_b, right_b)
    sigma, tau = np.linalg.svd(a, compute_uv=False), np.linalg.svd(b, compute_uv=False)
    larger = np.sum(sigma * (tau[:, ::-1] if kind == "increasing order" else tau), axis=1)
    scale = sigma[:, 0] * tau.sum(axis=1) + tau[:, 0] * sigma.sum(axis=1)
    return {
        "larger": larger,
        "gap": larger - np.sum(a * b, axis=(1, 2)),
        "gap_tolerance": 8 * max(shape) * EPS * scale,
        "least_gap": _least_gap(left.mT @ left_b, right.mT @ right_b, of_a, of_b),
        "amount": amount,
        "certified": np.ones(DRAWS, dtype=np.int8),
    }


def _least_gap(left: Floats, right: Floats, of_a: Floats, of_b: Floats) -> Floats:
    """Half of sum_k (a_k - a_{k+1})(b_k - b_{k+1})(||sin Theta_k||^2 left and right); derived in docs/theory.md."""
    steps = -np.diff(of_a, append=0) * -np.diff(of_b, append=0)
    total = np.zeros(DRAWS)
    for k in range(1, of_a.shape[1] + 1):
        for overlap in (left, right):
            total += 0.5 * steps[:, k - 1] * (k - np.sum(overlap[:, :k, :k] ** 2, axis=(1, 2)))
    return total


def _factorizations(kind: str, shape: tuple[int, int], depth: int, rng: np.random.Generator) -> Case:
    """Layers of a matrix X, made balanced and then moved away from balance as `kind` says, X kept."""
    rows, columns = shape
    size = min(shape)
    rank = max(1, size - 1) if "deficient" in kind else size
    values = _separated(size, rng)[:, :rank]
    hidden = size - 1 if kind == "too narrow" else size + 1
    powers = np.full((DRAWS, depth, 1), 1 / depth)
    amount = _amounts(rng) if kind in ("one layer scaled", "sheared", "sheared apart", "unequal powers") else None
    if kind == "unequal powers":
        shift = amount[:, None, None] / depth if amount is not None else 0.0
        powers = powers + shift * np.where(np.arange(depth) == 0, 1, np.where(np.arange(depth) == 1, -1, 0))[:, None]
    kept = min(rank, hidden)
    left, right = _frames(rows, rank, rng), _frames(columns, rank, rng)
    frames = [right[..., :kept], *(_frames(hidden, kept, rng) for _ in range(depth - 1)), left[..., :kept]]
    layers = [_assemble(frames[k + 1], values[:, :kept] ** powers[:, k], frames[k]) for k in range(depth)]
    x = _assemble(left, values, right)
    if kind == "unrelated layers":
        layers = [rng.standard_normal(layer.shape) for layer in layers]
        x = _product(layers)
    elif kind == "one layer scaled" and amount is not None:
        factor = np.exp(amount)[:, None, None]
        layers[0], layers[1] = layers[0] * factor, layers[1] / factor
    elif "sheared" in kind and amount is not None:
        layers[0], layers[1] = _sheared(layers[0], layers[1], amount, rng)
    return _cost_gap(layers, x, rank, depth) | {"amount": np.zeros(DRAWS) if amount is None else amount}


def _cost_gap(layers: list[Floats], x: Floats, rank: int, depth: int) -> Case:
    """Mean layer cost minus the quasi-norm, and what an SVD and a product of floats may do to them.

    A singular value of a product of floats is off by some n L eps prod ||W_l||_2, its power by that times the slope.
    """
    sigma = np.linalg.svd(x, compute_uv=False)[:, :rank]
    cost = np.mean([np.sum(layer**2, axis=(1, 2)) for layer in layers], axis=0)
    quasi = np.sum(sigma ** (2 / depth), axis=1)
    size = max(max(layer.shape[1:]) for layer in layers)
    largest = np.prod([np.linalg.norm(layer, 2, axis=(1, 2)) for layer in layers], axis=0)
    moved = 4 * size * depth * EPS * np.maximum(largest, sigma[:, 0])
    tolerance = moved * np.sum(2 / depth * sigma ** (2 / depth - 1), axis=1) + 4 * size * EPS * cost
    off = np.linalg.norm(_product(layers) - x, axis=(1, 2))
    return {
        "larger": cost,
        "gap": cost - quasi,
        "gap_tolerance": tolerance,
        "least_gap": np.zeros(DRAWS),
        "certified": (off <= np.sqrt(size) * moved).astype(np.int8),
    }


def _sheared(below: Floats, above: Floats, amount: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """The layers G W_l and W_{l+1} G^{-1}, G = exp(amount S) with S symmetric of norm 1: the same product."""
    width = below.shape[1]
    axes = _frames(width, width, rng)
    stretch = np.exp(amount[:, None] * np.linspace(1, -1, width))
    return _assemble(axes, stretch, axes) @ below, above @ _assemble(axes, 1 / stretch, axes)


def _product(layers: list[Floats]) -> Floats:
    return reduce(lambda below, layer: layer @ below, layers)


def _assemble(left: Floats, values: Floats, right: Floats) -> Floats:
    return np.asarray((left * values[:, None, :]) @ right.mT)


def _frames(rows: int, columns: int, rng: np.random.Generator) -> Floats:
    """Random orthonormal columns, (DRAWS, rows, columns)."""
    return haar.frame(rows, columns, rng, draws=(DRAWS,), fixed_signs=False)


def _separated(size: int, rng: np.random.Generator) -> Floats:
    """Singular values, decreasing, at least 0.5 apart and from zero: (DRAWS, size)."""
    return np.cumsum(rng.uniform(0.5, 1.5, (DRAWS, size)), axis=1)[:, ::-1].copy()


def _amounts(rng: np.random.Generator) -> Floats:
    low, high = np.log(AMOUNT)
    return np.exp(rng.uniform(low, high, DRAWS))


def _rotation(size: int, angle: Floats, rng: np.random.Generator) -> Floats:
    """Rotations by an angle in the plane of two coordinate axes drawn at random, (DRAWS, size, size)."""
    turns = np.eye(size) + np.zeros((DRAWS, 1, 1))
    first, second = np.sort([rng.permutation(size)[:2] for _ in range(DRAWS)], axis=1).T
    draw = np.arange(DRAWS)
    turns[draw, first, first] = turns[draw, second, second] = np.cos(angle)
    turns[draw, first, second], turns[draw, second, first] = -np.sin(angle), np.sin(angle)
    return turns


STUDY = Study(
    title="The inequalities under the proofs",
    summary=(
        "Pairs of matrices and factorizations of matrices, made to be at, near and far from equality in von Neumann's "
        "trace inequality and in the variational form of the Schatten quasi-norm."
    ),
    make=make,
)
