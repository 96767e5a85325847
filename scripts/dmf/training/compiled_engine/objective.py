"""F and its gradient for one group of runs, one a lane (eq. 2).

With inputs X (q, n), ||M - W_L ... W_1||_F^2 becomes ||M - W X||_F^2, M (p, n), where W has the entries of W_L ... W_1
row by row in the shape (p, q): of itself for a network on n samples, of a single row for n measurements.
"""

from __future__ import annotations

from itertools import pairwise
from math import isqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dmf.training.compiled_engine import kernel
from dmf.training.compiled_engine.instructions import UNROLL
from dmf.training.compiled_engine.multiply import multiply, panel_places
from dmf.training.compiled_engine.vectors import double_difference
from dmf.training.result import Array

Table = NDArray[np.int64]
"""(3, L + 1): row WIDTH has d_0, ..., d_L; LAYER where W_{l+1} begins in a vector of parameters; PRODUCT the place of
W_{l+1} ... W_1, for l >= 1."""

WIDTH, LAYER, PRODUCT = range(3)


class Layout(NamedTuple):
    """Where things lie in the workspace of a group, in places; all sizes are of one lane."""

    depth: int  # L
    size: int  # number of parameters N
    length: int  # N rounded up to a multiple of UNROLL
    entries: int  # of the end-to-end matrix, d_L d_0
    goals: int  # numbers in the target: as many, or p n with inputs
    inner: int  # q
    samples: int  # n, 0 without inputs
    target: int
    residual: int  # two buffers for what the gradient carries down
    other: int
    panel: int  # where products pack their factors
    misfit: int  # ||M - W_L ... W_1||_F^2
    inputs: int
    observed: int  # W X, then twice its distance from the target
    end: int


def lay_out(widths: tuple[int, ...], goals: int, inputs: int) -> tuple[Table, Layout]:
    """Lay out what the objective needs for widths (d_0, ..., d_L), from place 0 on.

    A run has `goals` numbers in its target, and `inputs` in its inputs or none: d_L d_0, or p n and q n.
    """
    depth, columns = len(widths) - 1, widths[0]
    sizes = [m * n for n, m in pairwise(widths)]
    entries, widest = widths[-1] * columns, max(widths) * columns
    samples = isqrt(goals * inputs // entries)  # (p n) (q n) / (p q) = n^2
    inner = inputs // samples if samples else 0
    panel = panel_places(*widths, inner, samples)
    sizes_of_all = [goals, *(m * columns for m in widths[2:]), widest, widest, panel, 1, inputs, goals * (samples > 0)]
    places = np.cumsum(sizes_of_all).tolist()
    table = np.zeros((3, depth + 1), dtype=np.int64)
    table[WIDTH] = widths
    table[LAYER, 1:] = np.cumsum(sizes)
    table[PRODUCT, 1:depth] = places[: depth - 1]
    length = -(-sum(sizes) // UNROLL) * UNROLL
    return table, Layout(depth, sum(sizes), length, entries, goals, inner, samples, 0, *places[depth - 1 :])


@kernel
def products(w: Array, table: Table, depth: int, point: int, panel: int) -> int:
    """Form W_2 W_1, ..., W_L ... W_1 of the layers at place `point`; return where the last one is."""
    columns, below = table[WIDTH, 0], point
    for i in range(1, depth):
        inner, rows, out = table[WIDTH, i], table[WIDTH, i + 1], table[PRODUCT, i]
        layer = point + table[LAYER, i]
        multiply(w, out, columns, 1, layer, inner, 1, below, columns, 1, rows, columns, inner, 0, panel)
        below = out
    return below


@kernel
def add_gradient(w: Array, table: Table, at: Layout, point: int, gradient: int) -> None:
    """Set the misfit at `point` and add its gradient to what is at `gradient`.

    With R = W_L ... W_1 - M, or (W X - M) X^T with inputs:
    dF/dW_l = 2 (W_L ... W_{l+1})^T R (W_{l-1} ... W_1)^T. All but its last factor is carried down, which makes
    3 (L - 1) products in all.
    """
    carried = at.residual
    end_to_end = products(w, table, at.depth, point, at.panel)
    if at.samples == 0:
        double_difference(w, carried, at.misfit, end_to_end, at.target, at.entries)
    else:
        q, n, panel = at.inner, at.samples, at.panel
        p = at.entries // q
        multiply(w, at.observed, n, 1, end_to_end, q, 1, at.inputs, n, 1, p, n, q, 0, panel)
        double_difference(w, at.observed, at.misfit, at.observed, at.target, at.goals)
        multiply(w, carried, q, 1, at.observed, n, 1, at.inputs, 1, n, p, q, n, 0, panel)
    carry_down(w, table, at, point, carried, at.other, gradient)


@kernel
def carry_down(w: Array, table: Table, at: Layout, point: int, carried: int, spare: int, out: int) -> None:
    """Add (W_L ... W_{l+1})^T Y (W_{l-1} ... W_1)^T for every layer l to what is at `out`.

    Y (d_L, d_0) is at `carried`, which it overwrites like `spare`; the products W_l ... W_1 are those of `point`.
    """
    columns, panel = table[WIDTH, 0], at.panel
    for i in range(at.depth - 1, 0, -1):
        below = point if i == 1 else table[PRODUCT, i - 1]
        inner, rows, offset = table[WIDTH, i], table[WIDTH, i + 1], table[LAYER, i]
        layer = point + offset
        multiply(w, out + offset, inner, 1, carried, columns, 1, below, 1, columns, rows, inner, columns, 1, panel)
        if i > 1:
            multiply(w, spare, columns, 1, layer, 1, inner, carried, columns, 1, inner, columns, rows, 0, panel)
            carried, spare = spare, carried
        else:
            multiply(w, out, columns, 1, layer, 1, inner, carried, columns, 1, inner, columns, rows, 1, panel)
