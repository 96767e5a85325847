"""Starting layers of unit scale; the caller multiplies them by the scale it wants."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dmf.theory import haar

Layers = list[NDArray[np.float64]]
"""W_1, ..., W_L; layer l has shape (d_l, d_{l-1}); dimensionless."""


def gaussian(widths: Sequence[int], rng: np.random.Generator) -> Layers:
    """Independent entries of variance 1/d_{l-1}, so that a layer keeps the expected length of its input."""
    return [rng.standard_normal((m, n)) / np.sqrt(n) for n, m in pairwise(widths)]


def orthogonal(widths: Sequence[int], rng: np.random.Generator) -> Layers:
    """Haar semi-orthogonal layers: W W^T = I or W^T W = I, whichever is the smaller identity."""
    layers = []
    for n, m in pairwise(widths):
        tall = haar.frame(max(m, n), min(m, n), rng)
        layers.append(tall if m >= n else np.ascontiguousarray(tall.T))
    return layers


def balanced(widths: Sequence[int], rng: np.random.Generator) -> Layers:
    """Layers with W_{l+1}^T W_{l+1} = W_l W_l^T whose product is a Gaussian matrix divided by its spectral norm.

    Each layer has singular values s^(1/L) between random orthonormal bases. A hidden width below min(d_0, d_L) keeps
    only as many of the largest s as fit.
    """
    depth, rank = len(widths) - 1, min(widths)
    left, s, right = np.linalg.svd(rng.standard_normal((widths[-1], widths[0])), full_matrices=False)
    roots = (s[:rank] / s[0]) ** (1 / depth)
    bases = [right[:rank].T, *(haar.frame(d, rank, rng) for d in widths[1:-1]), left[:, :rank]]
    return [(bases[i + 1] * roots) @ bases[i].T for i in range(depth)]


def identity(widths: Sequence[int], rng: np.random.Generator) -> Layers:
    """Rectangular identities plus a tenth of a Gaussian start: unperturbed, symmetry would pin runs to saddles."""
    return [np.eye(*noise.shape) + 0.1 * noise for noise in gaussian(widths, rng)]


SCHEMES: Mapping[str, Callable[[Sequence[int], np.random.Generator], Layers]] = {
    "gaussian": gaussian,
    "orthogonal": orthogonal,
    "balanced": balanced,
    "identity": identity,
}
"""Every scheme by its configuration name."""


def draw_start(scheme: str, widths: Sequence[int], rng: np.random.Generator) -> Layers:
    """Draw the layers of one start from `rng` and nothing else.

    `widths` is (d_0, ..., d_L). Returns L arrays of shapes (d_l, d_{l-1}), dimensionless, of unit scale. Raises
    ValueError for an unknown scheme and for widths that are not at least two positive integers.
    """
    if scheme not in SCHEMES:
        raise ValueError(f"scheme: {scheme!r} is unknown, expected one of {', '.join(SCHEMES)}")
    if len(widths) < 2 or min(widths) < 1:
        raise ValueError(f"widths: {tuple(widths)!r}, expected at least two positive integers (d_0, ..., d_L)")
    return SCHEMES[scheme](widths, rng)


def draw_stacked(scheme: str, widths: Sequence[int], rngs: Iterable[np.random.Generator]) -> Layers:
    """One start from each generator in turn, stacked: L arrays (B, d_l, d_{l-1}). Raises ValueError as `draw_start`."""
    return [np.stack(layer) for layer in zip(*(draw_start(scheme, widths, rng) for rng in rngs), strict=True)]
