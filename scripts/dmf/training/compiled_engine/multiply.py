"""Products of small matrices, one a lane, in blocks that stay in registers.

A block of 4 x 4 results takes 16 vector registers; each step of its sum loads 8 vectors and does 16 multiplications,
so loading hides behind arithmetic. Strides make every transpose free, but for one thing: elements a multiple of 4 KiB
apart, which is 64 places, share a few lines of the nearest cache and drive each other out. Factors that would be read
across so wide rows are packed first. No sum changes its order by that, and so no bit.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir

from dmf.training.compiled_engine import kernel
from dmf.training.compiled_engine.instructions import Emitter, Register, Value, instruction
from dmf.training.compiled_engine.vectors import copy
from dmf.training.result import Array

SIDE = 4
WIDE = 32  # rows of B so wide are packed (see the table in benchmarks/README.md)
WIDER = 48  # rows of a transposed A, which costs more


def panel_places(widest: int) -> int:
    """Places that products of matrices with sides up to `widest` need for packing."""
    return widest * (SIDE + widest) if widest >= WIDE else 0


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
        sums = [
            [Register(e, e.builder.select(add, e.load(c, (c_row, i), (c_column, j)), e.zero)) for j in range(columns)]
            for i in range(rows)
        ]

        def step(k: Value) -> None:
            left = [e.load(a, (a_row, i), (a_column, k)) for i in range(rows)]
            right = [e.load(b, (b_row, k), (b_column, j)) for j in range(columns)]
            for i in range(rows):
                for j in range(columns):
                    sums[i][j].add_product(left[i], right[j])

        e.loop(inner, step)
        for i in range(rows):
            for j in range(columns):
                e.store(sums[i][j].value, c, (c_row, i), (c_column, j))

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
    """Multiply as `multiply` does, with SIDE columns of B packed at a time, and all of a transposed A."""
    if a_col >= WIDER:
        _pack(w, panel + SIDE * inner, a, a_row, a_col, rows, inner)
        a, a_row, a_col = panel + SIDE * inner, inner, 1
    for j in range(0, columns, SIDE):
        some = min(SIDE, columns - j)
        _pack(w, panel, b + j * b_col, b_row, b_col, inner, some)
        _plain(w, c + j * c_col, c_row, c_col, a, a_row, a_col, panel, some, 1, rows, some, inner, adding)


@kernel
def multiply(
    w: Array, c: int, c_row: int, c_col: int, a: int, a_row: int, a_col: int, b: int, b_row: int, b_col: int,
    rows: int, columns: int, inner: int, adding: int, panel: int,
) -> None:  # fmt: skip
    """C = A B, or C += A B where `adding` is 1, in the workspace w.

    C (rows, columns) begins at place c and its element (i, j) lies at c + i * c_row + j * c_col; A (rows, inner) and
    B (inner, columns) likewise. `panel` has as many places as panel_places tells.
    """
    if b_row >= WIDE:
        _packed(w, c, c_row, c_col, a, a_row, a_col, b, b_row, b_col, rows, columns, inner, adding, panel)
    else:
        _plain(w, c, c_row, c_col, a, a_row, a_col, b, b_row, b_col, rows, columns, inner, adding)
