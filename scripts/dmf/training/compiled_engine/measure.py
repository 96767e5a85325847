"""Measures finished runs afresh from their final parameters, a group at a time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dmf.training.compiled_engine import kernel
from dmf.training.compiled_engine.group import workspace
from dmf.training.compiled_engine.instructions import LANES
from dmf.training.compiled_engine.multiply import multiply
from dmf.training.compiled_engine.objective import LAYER, WIDTH, Layout, Table, add_gradient, lay_out, products
from dmf.training.compiled_engine.vectors import difference, dot
from dmf.training.result import Array, Measures
from dmf.training.tasks import Tasks


class MeasureLayout(NamedTuple):
    """Places that measuring needs besides the objective's."""

    point: int
    gradient: int
    one_gram: int  # W_{l+1}^T W_{l+1}, and the products from the top, in turn
    other_gram: int  # W_l W_l^T
    norms: int  # ||W_l||_F^2, L numbers
    below: int  # ||W_{l-1} ... W_1||_F^2, or ||W_{l-1} ... W_1 X||_F^2 of a network, L numbers
    above: int  # ||W_L ... W_{l+1}||_F^2, L numbers
    seen: int  # W_{l-1} ... W_1 X, of a network
    gaps: int  # ||W_{l+1}^T W_{l+1} - W_l W_l^T||_F^2, L - 1 numbers
    square: int
    end: int


def measure(tasks: Tasks, points: Array, widths: tuple[int, ...]) -> Measures:
    """Measure R runs at parameters (R, N).

    A diverged run's numbers may be infinite or NaN, and the Hessian's trace is NaN for measurements of single rows.
    """
    targets, lams = tasks.targets, tasks.lams
    inputs = np.empty((len(lams), 0)) if tasks.inputs is None else tasks.inputs
    table, at = lay_out(widths, targets.shape[1], inputs.shape[1])
    side = max(widths) ** 2
    seen = max(widths) * at.samples
    sizes = [at.length, at.length, side, side, at.depth, at.depth, at.depth, seen, at.depth, 1]
    layout = MeasureLayout(*(at.end + np.cumsum([0, *sizes])).tolist())
    count = len(lams)
    measures = Measures(
        np.empty(count), np.empty(count), np.empty((count, at.entries)), np.empty((count, at.depth)), np.empty(count),
        np.empty(count),
    )  # fmt: skip
    _measure(workspace(layout.end), table, at, layout, targets, inputs, lams, points, measures)
    return measures


@kernel
def _measure(
    w: Array, table: Table, at: Layout, layout: MeasureLayout, targets: Array, inputs: Array, lams: Array,
    points: Array, out: Measures,
) -> None:  # fmt: skip
    lanes = w.reshape((-1, LANES))
    for first in range(0, len(lams), LANES):
        count = min(LANES, len(lams) - first)
        for v in range(count):
            for n in range(inputs.shape[1]):
                lanes[at.inputs + n, v] = inputs[first + v, n]
            for n in range(at.goals):
                lanes[at.target + n, v] = targets[first + v, n]
            for n in range(at.size):
                lanes[layout.point + n, v] = points[first + v, n]
                lanes[layout.gradient + n, v] = 2 * lams[first + v] * points[first + v, n]
        add_gradient(w, table, at, layout.point, layout.gradient)
        dot(w, layout.square, layout.gradient, layout.gradient, at.length)
        _norms(w, table, at, layout)
        _imbalance(w, table, at, layout)
        end_to_end = products(w, table, at.depth, layout.point, at.panel)
        for v in range(count):
            _write(lanes, at, layout, lams[first + v], v, first + v, end_to_end, out)


@kernel
def _norms(w: Array, table: Table, at: Layout, layout: MeasureLayout) -> None:
    """Squared norms of layers and of their products from the bottom and from the top (eq. 90-92)."""
    depth, columns, rows = at.depth, table[WIDTH, 0], table[WIDTH, at.depth]
    lanes = w.reshape((-1, LANES))
    lanes[layout.below, :], lanes[layout.above + depth - 1, :] = columns, rows  # an empty product is an identity
    for i in range(depth):
        layer, size = layout.point + table[LAYER, i], table[WIDTH, i] * table[WIDTH, i + 1]
        dot(w, layout.norms + i, layer, layer, size)
    for i in range(1, depth):
        last = products(w, table, i, layout.point, at.panel)  # W_l ... W_1; chains are short, so this is cheap
        dot(w, layout.below + i, last, last, table[WIDTH, i] * columns)
    if at.samples > 0:
        _norms_of_network(w, table, at, layout)
    above = layout.point + table[LAYER, depth - 1]
    goal, spare = layout.one_gram, layout.other_gram
    for i in range(depth - 2, -1, -1):
        dot(w, layout.above + i, above, above, rows * table[WIDTH, i + 1])
        if i > 0:
            inner, width = table[WIDTH, i + 1], table[WIDTH, i]
            layer = layout.point + table[LAYER, i]
            multiply(w, goal, width, 1, above, inner, 1, layer, width, 1, rows, width, inner, 0, at.panel)
            above, goal, spare = goal, spare, goal


@kernel
def _norms_of_network(w: Array, table: Table, at: Layout, layout: MeasureLayout) -> None:
    """What stands for the norms from the bottom where there are inputs."""
    columns, samples = table[WIDTH, 0], at.samples
    if at.inner != columns:
        w.reshape((-1, LANES))[layout.below : layout.below + at.depth, :] = np.nan
        return
    dot(w, layout.below, at.inputs, at.inputs, columns * samples)
    for i in range(1, at.depth):
        rows = table[WIDTH, i]
        last = products(w, table, i, layout.point, at.panel)
        multiply(
            w, layout.seen, samples, 1, last, columns, 1, at.inputs, samples, 1, rows, samples, columns, 0, at.panel
        )
        dot(w, layout.below + i, layout.seen, layout.seen, rows * samples)


@kernel
def _imbalance(w: Array, table: Table, at: Layout, layout: MeasureLayout) -> None:
    """||W_{l+1}^T W_{l+1} - W_l W_l^T||_F^2 for every hidden width."""
    for i in range(at.depth - 1):
        lower, upper = layout.point + table[LAYER, i], layout.point + table[LAYER, i + 1]
        inner, width, outer = table[WIDTH, i], table[WIDTH, i + 1], table[WIDTH, i + 2]
        multiply(w, layout.one_gram, width, 1, upper, 1, width, upper, width, 1, width, width, outer, 0, at.panel)
        multiply(w, layout.other_gram, width, 1, lower, inner, 1, lower, 1, inner, width, width, inner, 0, at.panel)
        for n in range(width * width):
            difference(w, layout.one_gram + n, layout.one_gram + n, layout.other_gram + n)
        dot(w, layout.gaps + i, layout.one_gram, layout.one_gram, width * width)


@kernel
def _write(
    lanes: Array, at: Layout, layout: MeasureLayout, lam: float, v: int, run: int, end_to_end: int, out: Measures
) -> None:
    """Lane v's numbers, with the Hessian's trace sum_l 2 ||W_L ... W_{l+1}||^2 ||W_{l-1} ... W_1||^2 + 2 lam N."""
    total, gap, trace = 0.0, 0.0, 2 * lam * at.size
    for i in range(at.depth):
        total += lanes[layout.norms + i, v]
        out.layer_norm_sq[run, i] = lanes[layout.norms + i, v]
        trace += 2 * lanes[layout.above + i, v] * lanes[layout.below + i, v]
    for i in range(at.depth - 1):
        gap = max(gap, lanes[layout.gaps + i, v])
    for n in range(at.entries):
        out.end_to_end[run, n] = lanes[end_to_end + n, v]
    out.objective[run] = lanes[at.misfit, v] + lam * total
    out.gradient_norm[run] = np.sqrt(lanes[layout.square, v])
    out.imbalance[run] = np.sqrt(gap)
    out.hessian_trace[run] = trace
