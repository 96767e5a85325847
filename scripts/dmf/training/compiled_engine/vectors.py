"""Vectors of parameters, one a lane: each function is one pass over memory, which is what vectors cost.

Lengths are multiples of UNROLL where a sum is taken in UNROLL parts; places past the last parameter hold zeros.
"""

from __future__ import annotations

from typing import Any

from dmf.training.compiled_engine import kernel
from dmf.training.compiled_engine.instructions import UNROLL, Emitter, Register, Value, instruction, total
from dmf.training.result import Array


@instruction
def advance(
    e: Emitter, point: Value, step: Value, origin: Value, direction: Value, length: Value,
    gradient: Value, factor: Value, square: Value, count: Value,
) -> None:  # fmt: skip
    """Set step = length * direction, point = origin + step, gradient = factor * point, square = |point|^2."""
    t, weight = e.load(length), e.load(factor)
    sums = [Register(e) for _ in range(UNROLL)]

    def body(n: Value, copy: int) -> None:
        moved = e.builder.fmul(t, e.load(direction, n))
        x = e.builder.fadd(e.load(origin, n), moved)
        e.store(moved, step, n)
        e.store(x, point, n)
        e.store(e.builder.fmul(weight, x), gradient, n)
        sums[copy].add_product(x, x)

    e.unrolled(count, body)
    e.store(total(e, sums), square)


@instruction
def change(e: Emitter, out: Value, new: Value, old: Value, new_square: Value, out_square: Value, count: Value) -> None:
    """Set out = new - old, new_square = |new|^2, out_square = |out|^2."""
    of_new, of_out = [Register(e) for _ in range(UNROLL)], [Register(e) for _ in range(UNROLL)]

    def body(n: Value, copy: int) -> None:
        x = e.load(new, n)
        difference = e.builder.fsub(x, e.load(old, n))
        e.store(difference, out, n)
        of_new[copy].add_product(x, x)
        of_out[copy].add_product(difference, difference)

    e.unrolled(count, body)
    e.store(total(e, of_new), new_square)
    e.store(total(e, of_out), out_square)


@instruction
def double_difference(e: Emitter, out: Value, square: Value, a: Value, b: Value, count: Value) -> None:
    """Set out = 2 (a - b) and square = |a - b|^2."""
    sum_, two = Register(e), e.constant(2.0)

    def body(n: Value) -> None:
        difference = e.builder.fsub(e.load(a, n), e.load(b, n))
        e.store(e.builder.fmul(two, difference), out, n)
        sum_.add_product(difference, difference)

    e.loop(count, body)
    e.store(sum_.value, square)


@instruction
def dot(e: Emitter, out: Value, a: Value, b: Value, count: Value) -> None:
    """Set out = a . b."""
    sum_ = Register(e)
    e.loop(count, lambda n: sum_.add_product(e.load(a, n), e.load(b, n)))
    e.store(sum_.value, out)


def _dots(rows: int) -> Any:
    @instruction
    def emit(e: Emitter, out: Value, vector: Value, others: Value, stride: Value, count: Value) -> None:
        sums = [Register(e) for _ in range(rows)]

        def body(n: Value) -> None:
            x = e.load(vector, n)
            for p in range(rows):
                sums[p].add_product(x, e.load(others, n, (stride, p)))

        e.loop(count, body)
        for p in range(rows):
            e.store(sums[p].value, out, p)

    return emit


def _combine(rows: int) -> Any:
    @instruction
    def emit(
        e: Emitter, out: Value, slope: Value, share: Value, vector: Value, factor: Value,
        weights: Value, others: Value, stride: Value, count: Value,
    ) -> None:  # fmt: skip
        kept, scale, sum_ = e.load(share), e.load(factor), Register(e)
        weight = [e.load(weights, p) for p in range(rows)]

        def body(n: Value) -> None:
            g = e.load(vector, n)
            x = e.fma(scale, g, e.builder.fmul(kept, e.load(out, n)))
            for p in range(rows):
                x = e.fma(weight[p], e.load(others, n, (stride, p)), x)
            e.store(x, out, n)
            sum_.add_product(x, g)

        e.loop(count, body)
        e.store(sum_.value, slope)

    return emit


_dots_8, _dots_6, _dots_4, _dots_2 = (_dots(rows) for rows in (8, 6, 4, 2))
_combine_8, _combine_6, _combine_4, _combine_2 = (_combine(rows) for rows in (8, 6, 4, 2))


@kernel
def dots(w: Array, out: int, vector: int, others: int, stride: int, rows: int, count: int) -> None:
    """Products of a vector with `rows` others, an even number, that lie `stride` apart, to out, out + 1, ..."""
    p = 0
    while rows - p >= 8:
        _dots_8(w, out + p, vector, others + p * stride, stride, count)
        p += 8
    if rows - p == 6:
        _dots_6(w, out + p, vector, others + p * stride, stride, count)
    elif rows - p == 4:
        _dots_4(w, out + p, vector, others + p * stride, stride, count)
    elif rows - p == 2:
        _dots_2(w, out + p, vector, others + p * stride, stride, count)


@kernel
def combine(
    w: Array, out: int, slope: int, share: int, vector: int, factor: int, weights: int, others: int, stride: int,
    rows: int, count: int, one: int, zero: int,
) -> None:  # fmt: skip
    """Set out = share * out + factor * vector + the sum of weights * others, and slope = out . vector.

    `rows` others, an even number, lie `stride` apart. `one` and `zero` are places that hold these numbers.
    """
    p = 0
    while p < rows:
        left = rows - p
        first = others + p * stride
        if left >= 8:
            _combine_8(w, out, slope, share, vector, factor, weights + p, first, stride, count)
        elif left == 6:
            _combine_6(w, out, slope, share, vector, factor, weights + p, first, stride, count)
        elif left == 4:
            _combine_4(w, out, slope, share, vector, factor, weights + p, first, stride, count)
        else:
            _combine_2(w, out, slope, share, vector, factor, weights + p, first, stride, count)
        p += 8
        share, factor = one, zero


@instruction
def copy(e: Emitter, out: Value, a: Value) -> None:
    """Set one number a lane: out = a."""
    e.store(e.load(a), out)


@instruction
def keep(e: Emitter, out: Value, mask: Value, a: Value) -> None:
    """Set out = a in the lanes where the mask is zero; the others keep what they have."""
    e.store(e.chosen(e.load(mask), e.load(out), e.load(a)), out)


@instruction
def product(e: Emitter, out: Value, a: Value, b: Value) -> None:
    """Set one number a lane: out = a * b."""
    e.store(e.builder.fmul(e.load(a), e.load(b)), out)


@instruction
def difference(e: Emitter, out: Value, a: Value, b: Value) -> None:
    """Set one number a lane: out = a - b."""
    e.store(e.builder.fsub(e.load(a), e.load(b)), out)


@instruction
def subtract_product(e: Emitter, out: Value, a: Value, b: Value) -> None:
    """One number a lane: out -= a * b, rounded once."""
    e.store(e.fma(e.builder.fneg(e.load(a)), e.load(b), e.load(out)), out)


@instruction
def extrapolate(
    e: Emitter, point: Value, new: Value, old: Value, momentum: Value, gradient: Value, factor: Value, square: Value,
    count: Value,
) -> None:  # fmt: skip
    """Set point = new + momentum (new - old), gradient = factor * point, square = |point|^2."""
    beta, weight = e.load(momentum), e.load(factor)
    sums = [Register(e) for _ in range(UNROLL)]

    def body(n: Value, copy: int) -> None:
        a = e.load(new, n)
        x = e.fma(beta, e.builder.fsub(a, e.load(old, n)), a)
        e.store(x, point, n)
        e.store(e.builder.fmul(weight, x), gradient, n)
        sums[copy].add_product(x, x)

    e.unrolled(count, body)
    e.store(total(e, sums), square)


@instruction
def descend(
    e: Emitter, new: Value, point: Value, step: Value, gradient: Value, old: Value, along: Value, count: Value
) -> None:
    """Set new = point - step * gradient and along = gradient . (new - old)."""
    length, sums = e.builder.fneg(e.load(step)), [Register(e) for _ in range(UNROLL)]

    def body(n: Value, copy: int) -> None:
        g = e.load(gradient, n)
        x = e.fma(length, g, e.load(point, n))
        sums[copy].add_product(g, e.builder.fsub(x, e.load(old, n)))
        e.store(x, new, n)

    e.unrolled(count, body)
    e.store(total(e, sums), along)


@instruction
def adapt(
    e: Emitter, point: Value, gradient: Value, first: Value, second: Value, numbers: Value, factor: Value,
    square: Value, count: Value,
) -> None:  # fmt: skip
    """Take one step of Adam from point, and set gradient = factor * point and square = |point|^2 there.

    From place `numbers` on: 1 - beta_1, 1 - beta_2, step / (1 - beta_1^t), 1 / (1 - beta_2^t), epsilon.
    """
    forget_1, forget_2, step, correction, epsilon = (e.load(numbers, i) for i in range(5))
    weight, sums = e.load(factor), [Register(e) for _ in range(UNROLL)]

    def body(n: Value, copy: int) -> None:
        g, m, v = e.load(gradient, n), e.load(first, n), e.load(second, n)
        m = e.fma(forget_1, e.builder.fsub(g, m), m)
        v = e.fma(forget_2, e.builder.fsub(e.builder.fmul(g, g), v), v)
        size = e.builder.fadd(e.root(e.builder.fmul(correction, v)), epsilon)
        x = e.builder.fsub(e.load(point, n), e.builder.fdiv(e.builder.fmul(step, m), size))
        e.store(m, first, n)
        e.store(v, second, n)
        e.store(x, point, n)
        e.store(e.builder.fmul(weight, x), gradient, n)
        sums[copy].add_product(x, x)

    e.unrolled(count, body)
    e.store(total(e, sums), square)
