"""Starting layers of unit scale; the caller multiplies them by the scale it wants."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from math import prod

import numpy as np
from numpy.typing import NDArray

from dmf.theory import haar

Layers = list[NDArray[np.float64]]
"""W_1, ..., W_L; layer l has shape (d_l, d_{l-1}), or (B, d_l, d_{l-1}) for B starts; dimensionless."""
Shapes = list[tuple[int, int]]


def _of_layers(widths: Sequence[int]) -> Shapes:
    return [(m, n) for n, m in pairwise(widths)]


def _tall(widths: Sequence[int]) -> Shapes:
    return [(max(shape), min(shape)) for shape in _of_layers(widths)]


def _of_product_and_bases(widths: Sequence[int]) -> Shapes:
    return [(widths[-1], widths[0]), *((d, min(widths)) for d in widths[1:-1])]


def gaussian(widths: Sequence[int], normal: Layers) -> Layers:
    """Independent entries of variance 1/d_{l-1}, so that a layer keeps the expected length of its input."""
    return [drawn / np.sqrt(n) for drawn, n in zip(normal, widths, strict=False)]


def orthogonal(widths: Sequence[int], normal: Layers) -> Layers:
    """Haar semi-orthogonal layers: W W^T = I or W^T W = I, whichever is the smaller identity."""
    frames = zip(map(haar.frame_of, normal), pairwise(widths), strict=True)
    return [tall if m >= n else np.ascontiguousarray(tall.mT) for tall, (n, m) in frames]


def balanced(widths: Sequence[int], normal: Layers) -> Layers:
    """Layers with W_{l+1}^T W_{l+1} = W_l W_l^T whose product is a Gaussian matrix divided by its spectral norm.

    Each layer has singular values s^(1/L) between random orthonormal bases. A hidden width below min(d_0, d_L) keeps
    only as many of the largest s as fit.
    """
    depth, rank = len(widths) - 1, min(widths)
    left, s, right = np.linalg.svd(normal[0], full_matrices=False)
    roots = (s[:, :rank] / s[:, :1]) ** (1 / depth)
    bases = [right[:, :rank].mT, *map(haar.frame_of, normal[1:]), left[:, :, :rank]]
    return [(above * roots[:, None]) @ below.mT for below, above in pairwise(bases)]


def identity(widths: Sequence[int], normal: Layers) -> Layers:
    """Rectangular identities plus a tenth of a Gaussian start: unperturbed, symmetry would pin runs to saddles."""
    return [np.eye(*noise.shape[1:]) + 0.1 * noise for noise in gaussian(widths, normal)]


SCHEMES: Mapping[str, tuple[Callable[[Sequence[int]], Shapes], Callable[[Sequence[int], Layers], Layers]]] = {
    "gaussian": (_of_layers, gaussian),
    "orthogonal": (_tall, orthogonal),
    "balanced": (_of_product_and_bases, balanced),
    "identity": (_of_layers, identity),
}
"""Every scheme by its configuration name: shapes of the Gaussian matrices that it draws, and what it makes of many."""


def draw_start(scheme: str, widths: Sequence[int], rng: np.random.Generator) -> Layers:
    """Draw the layers of one start from `rng` and nothing else.

    `widths` is (d_0, ..., d_L). Returns L arrays of shapes (d_l, d_{l-1}), dimensionless, of unit scale. Raises
    ValueError for an unknown scheme and for widths that are not at least two positive integers.
    """
    return [layer[0] for layer in draw_stacked(scheme, widths, [rng])]


def draw_stacked(scheme: str, widths: Sequence[int], rngs: Iterable[np.random.Generator]) -> Layers:
    """One start from each generator in turn, stacked: L arrays (B, d_l, d_{l-1}). Raises ValueError as `draw_start`."""
    if scheme not in SCHEMES:
        raise ValueError(f"scheme: {scheme!r} is unknown, expected one of {', '.join(SCHEMES)}")
    if len(widths) < 2 or min(widths) < 1:
        raise ValueError(f"widths: {tuple(widths)!r}, expected at least two positive integers (d_0, ..., d_L)")
    shapes_of, make = SCHEMES[scheme]
    shapes = shapes_of(widths)
    sizes = [prod(shape) for shape in shapes]
    numbers = np.stack([rng.standard_normal(sum(sizes)) for rng in rngs])
    parts = np.split(numbers, np.cumsum(sizes)[:-1], axis=1)
    return make(widths, [part.reshape(-1, *shape) for part, shape in zip(parts, shapes, strict=True)])
