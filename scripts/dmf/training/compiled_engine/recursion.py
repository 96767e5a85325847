"""The two loops of L-BFGS (Nocedal & Wright, algorithm 7.4) on inner products instead of vectors.

After Chen, Wang and Zhou (2014): the products of the new gradient with all stored pairs take one pass over memory, and
those with gradient changes follow from them by subtraction. Another pass combines the pairs to the new direction.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dmf.training.compiled_engine import kernel, line_search
from dmf.training.compiled_engine.objective import Layout
from dmf.training.compiled_engine.vectors import combine, copy, difference, keep, product, subtract_product
from dmf.training.result import Array


class Memory(NamedTuple):
    """Places of the optimizer's vectors and, from `along` on, of its numbers, one a lane each."""

    pairs: int  # how many steps and gradient changes are stored, m
    point: int  # the parameters; with the next three, in turn this round's and the next one's
    other_point: int
    gradient: int
    other_gradient: int
    direction: int
    steps: int  # m steps s_i, then m changes of the gradient y_i
    along: int  # 2 m products of these with the gradient
    along_before: int  # the same of the last round
    reciprocal: int  # 1 / s_i . y_i, m numbers, 0 for a pair of zeros
    steps_changes: int  # s_i . y_j at i * m + j, for s_i older than y_j
    changes_changes: int  # y_i . y_j at i * m + j
    alpha: int  # m
    bent: int  # y_i . (H_0 times what the first loop leaves of the gradient), m
    weights: int  # 2 m, of steps and changes in the direction
    search: int  # the line search
    t: int  # its trial step
    square: int  # |theta|^2
    gradient_square: int
    curvature: int  # s . y of the newest pair
    change_square: int  # y . y
    slope: int
    scale: int  # gamma: H = gamma I without pairs
    share: int  # of the old direction in the new one
    factor: int  # of the gradient in the new direction
    accepted: int
    fresh: int  # 1 while the start is not yet evaluated
    plain: int  # 1 while the direction is steepest descent
    failed: int  # 1 where the line search found nothing, but along another direction one might
    best: int  # the smallest gradient norm so far
    waited: int  # evaluations since anything improved
    scratch: int
    one: int
    zero: int
    end: int


def lay_out_memory(at: Layout, pairs: int, first: int) -> Memory:
    """Lay out memory for `pairs` pairs from place `first` on."""
    vectors = [at.length] * 5 + [2 * pairs * at.length]
    numbers = [2 * pairs, 2 * pairs, pairs, pairs * pairs, pairs * pairs, pairs, pairs, 2 * pairs, line_search.PLACES]
    numbers += [1] * (len(Memory._fields) - 1 - len(vectors) - len(numbers) - 1)
    return Memory(pairs, *(first + np.cumsum([0, *vectors, *numbers])).tolist())


@kernel
def learn(w: Array, p: Memory, head: int) -> None:
    """Bring the pairs' inner products up to date with the newest one, from those with the gradient before and after."""
    m = p.pairs
    for i in range(m):
        if i != head:
            difference(w, p.steps_changes + i * m + head, p.along + i, p.along_before + i)
            difference(w, p.changes_changes + i * m + head, p.along + m + i, p.along_before + m + i)
            copy(w, p.changes_changes + head * m + i, p.changes_changes + i * m + head)
    copy(w, p.changes_changes + head * m + head, p.change_square)


@kernel
def direction(w: Array, at: Layout, p: Memory, head: int, gradient: int) -> None:
    """Set the direction -H g with H_0 = gamma I, and its slope; lanes that keep their direction know the latter."""
    m = p.pairs
    first_loop(w, p, head)
    for i in range(m):
        copy(w, p.scratch, p.along + m + i)
        for j in range(m):
            subtract_product(w, p.scratch, p.alpha + j, p.changes_changes + i * m + j)
        product(w, p.bent + i, p.scratch, p.scale)
    second_loop(w, p, head)
    for i in range(m):
        product(w, p.weights + m + i, p.alpha + i, p.scale)
    for i in range(2 * m):
        keep(w, p.weights + i, p.accepted, p.zero)
    combine(
        w, p.direction, p.slope, p.share, gradient, p.factor, p.weights, p.steps, at.length, 2 * m, at.length,
        p.one, p.zero,
    )  # fmt: skip


@kernel
def first_loop(w: Array, p: Memory, head: int) -> None:
    """Set alpha: what it leaves of the gradient is q = g - the sum of alpha_i y_i."""
    m = p.pairs
    for age in range(m):
        i = (head - age) % m
        copy(w, p.alpha + i, p.along + i)
        for newer in range(age):
            j = (head - newer) % m
            subtract_product(w, p.alpha + i, p.alpha + j, p.steps_changes + i * m + j)
        product(w, p.alpha + i, p.alpha + i, p.reciprocal + i)


@kernel
def second_loop(w: Array, p: Memory, head: int) -> None:
    """Set the weights of steps, from y_i . H_0 q."""
    m = p.pairs
    for age in range(m - 1, -1, -1):
        i = (head - age) % m
        copy(w, p.scratch, p.bent + i)
        for older in range(m - 1, age, -1):
            j = (head - older) % m
            subtract_product(w, p.scratch, p.weights + j, p.steps_changes + j * m + i)
        product(w, p.scratch, p.scratch, p.reciprocal + i)
        difference(w, p.weights + i, p.scratch, p.alpha + i)
