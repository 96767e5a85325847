"""Layers as views of one vector of parameters, and their product: for any number of points, real or complex."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np

from dmf.studies._derivatives import Numbers, flat


def parameter_count(widths: Sequence[int]) -> int:
    """N of layers with widths (d_0, ..., d_L)."""
    return sum(rows * columns for columns, rows in pairwise(widths))


def layers_of(points: Numbers, widths: Sequence[int]) -> list[Numbers]:
    """W_1, ..., W_L (..., d_l, d_{l-1}) of parameters (..., N)."""
    sizes = [rows * columns for columns, rows in pairwise(widths)]
    parts = np.split(points, np.cumsum(sizes)[:-1], axis=-1)
    shapes = [(*points.shape[:-1], rows, columns) for columns, rows in pairwise(widths)]
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def product_of(layers: Sequence[Numbers]) -> Numbers:
    """W_L ... W_1 (..., d_L, d_0)."""
    *_, product = accumulate(layers, lambda below, layer: layer @ below)
    return np.asarray(product)


def balanced_point(frames: Sequence[Numbers], s: Numbers) -> Numbers:
    """Parameters (N,) of balanced layers U_l diag(s) U_{l-1}^T, from square frames U_0, ..., U_L and s (n,)."""
    count = len(s)
    return flat([above[:, :count] * s @ below[:, :count].T for below, above in pairwise(frames)])
