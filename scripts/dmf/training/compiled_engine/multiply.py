"""Products of small matrices, one a lane, in blocks that stay in registers.

A block of 4 x 4 results takes 16 vector registers; each step of its sum loads 8 vectors and does 16 multiplications,
so loading hides behind arithmetic. Where registers are fewer and half as wide, it is summed in four parts: two rows
in half of the lanes. Strides make every transpose free, but for one thing: elements a multiple of 4 KiB apart, which is
64 places, share a few lines of the nearest cache and drive each other out. Factors that would be read across so wide
rows are packed first, and large ones are taken in parts that a cache holds. No sum changes its order by that, and so
no bit.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numba
from llvmlite import ir

from dmf.training.compiled_engine import kernel
from dmf.training.compiled_engine.instructions import LANES, REGISTER, Emitter, Loads, Register, Value, instruction
from dmf.training.compiled_engine.vectors import copy
from dmf.training.result import Array

SIDE = 4
HEIGHT = SIDE if REGISTER == LANES else 2  # rows of a block that are summed at a time
# As benchmarks/README.md has it:
WIDE = 32  # rows of B so wide are packed
WIDER = 48 if REGISTER == LANES else 32  # rows of a transposed A, which costs more
FAR = 48  # rows of a transposed B
BLOCK = 64  # rows and columns of A that are taken at a time


def panel_places(*sides: int) -> int:
    """Places that products of matrices with such sides need for packing."""
    most = min(max(sides), BLOCK)
    return most * (SIDE + most) if most >= WIDE else 0


def _block(rows: int, columns: int) -> Any:
    """C += A B or C = A B for a block of rows x columns results."""

    @instruction
    def emit(
        e: Emitter,
        c: Value, c_row: Value, c_column: Value,
        a: Value, a_row: Value, a_column: Value,
        b: Value, b_row: Value, b_column: Value,
        inner: Value, adding: Value,
    ) -> None:  # fmt: skip
        add = e.builder.icmp_signed("!=", adding, ir.Constant(adding.type, 0))
        for part in e.parts():
            for first in range(0, rows, HEIGHT):
                height, at = min(HEIGHT, rows - first), ir.Constant(c.type, first)
                goal, left = (e.builder.add(x, e.builder.mul(at, row)) for x, row in ((c, c_row), (a, a_row)))
                places = [((c_row, i), (c_column, j)) for i in range(height) for j in range(columns)]
                sums = [Register(part, e.builder.select(add, part.load(goal, *one), part.zero)) for one in places]
                xs, ys = part.walk(left, a_row, height, a_column), part.walk(b, b_column, columns, b_row)

                def step(_: Value, sums: list[Register] = sums, xs: Loads = xs, ys: Loads = ys) -> None:
                    for sum_, (x, y) in zip(sums, product(xs(), ys()), strict=True):
                        sum_.add_product(x, y)

                part.loop(inner, step)
                for sum_, one in zip(sums, places, strict=True):
                    part.store(sum_.value, goal, *one)

    return emit


def _strip(rows: int) -> Any:
    """All columns of `rows` rows of C."""
    whole, three, two, one = (_block(rows, columns) for columns in (4, 3, 2, 1))

    def strip(
        w: Array, c: int, c_row: int, c_col: int, a: int, a_row: int, a_col: int, b: int, b_row: int, b_col: int,
        columns: int, inner: int, adding: int,
    ) -> None:  # fmt: skip
        j = 0
        while columns - j >= SIDE:
            whole(w, c + j * c_col, c_row, c_col, a, a_row, a_col, b + j * b_col, b_row, b_col, inner, adding)
            j += SIDE
        if columns - j == 3:
            three(w, c + j * c_col, c_row, c_col, a, a_row, a_col, b + j * b_col, b_row, b_col, inner, adding)
        elif columns - j == 2:
            two(w, c + j * c_col, c_row, c_col, a, a_row, a_col, b + j * b_col, b_row, b_col, inner, adding)
        elif columns - j == 1:
            one(w, c + j * c_col, c_row, c_col, a, a_row, a_col, b + j * b_col, b_row, b_col, inner, adding)

    # Compiled code knows a function by its name, a number in the order of compilation, and the types of its arguments.
    # Strips must differ by name: where two processes compiled a part each, their numbers overlap, and whatever is
    # linked from both parts calls one strip for another.
    strip.__qualname__ = f"strip_of_{rows}"
    return kernel(strip)


_four, _three, _two, _one = (_strip(rows) for rows in (4, 3, 2, 1))


# Without inlining, the smallest problems pay a twentieth for one more call.
@numba.njit(inline="always")
def _plain(
    w: Array, c: int, c_row: int, c_col: int, a: int, a_row: int, a_col: int, b: int, b_row: int, b_col: int,
    rows: int, columns: int, inner: int, adding: int,
) -> None:  # fmt: skip
    """Multiply as `multiply` does, without packing."""
    i = 0
    while rows - i >= SIDE:
        _four(w, c + i * c_row, c_row, c_col, a + i * a_row, a_row, a_col, b, b_row, b_col, columns, inner, adding)
        i += SIDE
    if rows - i == 3:
        _three(w, c + i * c_row, c_row, c_col, a + i * a_row, a_row, a_col, b, b_row, b_col, columns, inner, adding)
    elif rows - i == 2:
        _two(w, c + i * c_row, c_row, c_col, a + i * a_row, a_row, a_col, b, b_row, b_col, columns, inner, adding)
    elif rows - i == 1:
        _one(w, c + i * c_row, c_row, c_col, a + i * a_row, a_row, a_col, b, b_row, b_col, columns, inner, adding)


@kernel
def _pack(w: Array, goal: int, source: int, row: int, column: int, rows: int, columns: int) -> None:
    """Copy a matrix to `goal` with its rows one after another."""
    for i in range(rows):
        for j in range(columns):
            copy(w, goal + i * columns + j, source + i * row + j * column)


@kernel
def _packed(
    w: Array, c: int, c_row: int, c_col: int, a: int, a_row: int, a_col: int, b: int, b_row: int, b_col: int,
    rows: int, columns: int, inner: int, adding: int, panel: int,
) -> None:  # fmt: skip
    """Multiply as `multiply` does, a block of A at a time, with SIDE columns of B packed, and A where it must be.

    A block and the columns stay in the nearest caches.
    """
    across = a_col >= WIDER or inner > BLOCK
    for k in range(0, inner, BLOCK):
        deep = min(BLOCK, inner - k)
        for i in range(0, rows, BLOCK):
            high = min(BLOCK, rows - i)
            left, left_row, left_col = a + i * a_row + k * a_col, a_row, a_col
            if across:
                _pack(w, panel + SIDE * deep, left, a_row, a_col, high, deep)
                left, left_row, left_col = panel + SIDE * deep, deep, 1
            for j in range(0, columns, SIDE):
                some, goal = min(SIDE, columns - j), c + i * c_row + j * c_col
                _pack(w, panel, b + k * b_row + j * b_col, b_row, b_col, deep, some)
                more = adding if k == 0 else 1
                _plain(w, goal, c_row, c_col, left, left_row, left_col, panel, some, 1, high, some, deep, more)


@kernel
def multiply(
    w: Array, c: int, c_row: int, c_col: int, a: int, a_row: int, a_col: int, b: int, b_row: int, b_col: int,
    rows: int, columns: int, inner: int, adding: int, panel: int,
) -> None:  # fmt: skip
    """C = A B, or C += A B where `adding` is 1, in the workspace w.

    C (rows, columns) begins at place c and its element (i, j) lies at c + i * c_row + j * c_col; A (rows, inner) and
    B (inner, columns) likewise. `panel` has as many places as panel_places tells.
    """
    if b_row >= WIDE or b_col >= FAR:
        _packed(w, c, c_row, c_col, a, a_row, a_col, b, b_row, b_col, rows, columns, inner, adding, panel)
    else:
        _plain(w, c, c_row, c_col, a, a_row, a_col, b, b_row, b_col, rows, columns, inner, adding)
