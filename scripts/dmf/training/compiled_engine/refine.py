"""L-BFGS from a Gauss-Newton initial matrix H_0, for runs that are nearly critical (see dmf.training.refinement).

The round is that of dmf.training.compiled_engine.lbfgs, but for H_0 between the two loops. A run whose direction does
not descend, whose line search fails, or that has had its time, ends as stalled: it was not near a minimum.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dmf.training.compiled_engine import kernel
from dmf.training.compiled_engine.group import RUNNING, Group
from dmf.training.compiled_engine.instructions import LANES
from dmf.training.compiled_engine.multiply import multiply
from dmf.training.compiled_engine.objective import LAYER, PRODUCT, WIDTH, Layout, Table, carry_down
from dmf.training.compiled_engine.recursion import Memory, first_loop, second_loop
from dmf.training.compiled_engine.vectors import combine, copy, difference, dot, dots, keep, product
from dmf.training.constants import REFINED_TRIALS
from dmf.training.result import Array
from dmf.training.settings import Status

STALLED = float(Status.STALLED)


class Matrix(NamedTuple):
    """Places of H_0 = factor (I - J^T inverse J), with the inverse diagonal."""

    inverse: int  # (d_L, d_0), with its sign changed
    factor: int  # 1 / 2 lambda
    spent: int  # evaluations since it began
    bent: int  # a vector of parameters: the gradient, its first loop, H_0 of that
    products: int  # 2 m, of pairs with it
    unused: int
    end: int


def lay_out_matrix(at: Layout, pairs: int, first: int, needed: bool) -> Matrix:
    """Lay out the matrix from place `first` on; it takes no room where it is not needed."""
    sizes = np.array([at.entries, 1, 1, at.length, 2 * pairs, 1]) * needed
    return Matrix(*(first + np.cumsum([0, *sizes])).tolist())


@kernel
def in_twos(count: int) -> int:
    """A number rounded up to an even one, in which passes take their vectors."""
    return count + count % 2


@kernel
def load_matrix(lanes: Array, at: Layout, group: Group, h: Matrix, inverse: Array, first: int) -> None:
    """Write down the matrices of runs that have just entered: those from `first` on."""
    for v in range(LANES):
        run = int(lanes[group.run, v])
        if run < first:
            continue
        for n in range(at.entries):
            lanes[h.inverse + n, v] = -inverse[run, n]
        lanes[h.factor, v], lanes[h.spent, v] = 1 / lanes[group.double_lam, v], 0.0


@kernel
def turn_refined(
    w: Array, table: Table, at: Layout, p: Memory, h: Matrix, head: int, point: int, gradient: int
) -> None:
    """Set the direction -H g of lanes with an accepted trial, and its slope."""
    m, half = p.pairs, in_twos(p.pairs)
    skipped = 2 * m - half
    first_loop(w, p, head)
    for i in range(m):
        copy(w, p.weights + i, p.zero)
        difference(w, p.weights + m + i, p.zero, p.alpha + i)
        keep(w, p.weights + m + i, p.accepted, p.zero)
    changes = p.steps + skipped * at.length
    combine(
        w, h.bent, h.unused, p.zero, gradient, p.one, p.weights + skipped, changes, at.length, half, at.length,
        p.one, p.zero,
    )  # fmt: skip
    _bend(w, table, at, h, point)
    for n in range(at.length):  # the products of a rejected trial may be infinite
        keep(w, h.bent + n, p.accepted, p.zero)
    dots(w, h.products + skipped, h.bent, changes, at.length, half, at.length)
    for i in range(m):
        product(w, p.bent + i, h.products + m + i, h.factor)
    second_loop(w, p, head)
    for i in range(m):
        keep(w, p.weights + i, p.accepted, p.zero)
        copy(w, p.weights + m + i, p.zero)
    product(w, p.factor, h.factor, p.share)
    difference(w, p.factor, p.factor, h.factor)  # - 1 / 2 lambda for a new direction, 0 where the old one is kept
    combine(
        w, p.direction, h.unused, p.share, h.bent, p.factor, p.weights, p.steps, at.length, half, at.length,
        p.one, p.zero,
    )  # fmt: skip
    dot(w, p.slope, p.direction, gradient, at.length)


@kernel
def _bend(w: Array, table: Table, at: Layout, h: Matrix, point: int) -> None:
    """Subtract J^T (lambda I + J J^T)^-1 J from the vector at h.bent, with J at `point` whose products are formed."""
    columns = table[WIDTH, 0]
    source, goal, spare = h.bent, at.residual, at.other
    for i in range(1, at.depth):
        below = point if i == 1 else table[PRODUCT, i - 1]
        inner, outer, offset = table[WIDTH, i], table[WIDTH, i + 1], table[LAYER, i]
        layer, change = point + offset, h.bent + offset
        multiply(w, goal, columns, 1, layer, inner, 1, source, columns, 1, outer, columns, inner, 0, at.panel)
        multiply(w, goal, columns, 1, change, inner, 1, below, columns, 1, outer, columns, inner, 1, at.panel)
        source, goal, spare = goal, spare, goal
    for n in range(at.entries):
        product(w, source + n, source + n, h.inverse + n)
    carry_down(w, table, at, point, source, goal, h.bent)


@kernel
def doubt(lanes: Array, group: Group, p: Memory, h: Matrix) -> None:
    """End the runs for which the matrix has proved useless, or has had its time."""
    for v in range(LANES):
        if lanes[group.run, v] < 0 or lanes[group.code, v] != RUNNING:
            continue
        lanes[h.spent, v] += 1
        useless = lanes[p.share, v] == 0 and not lanes[p.slope, v] < 0  # nor does the zero of a failed search
        if useless or lanes[h.spent, v] >= REFINED_TRIALS:
            lanes[group.code, v] = STALLED
