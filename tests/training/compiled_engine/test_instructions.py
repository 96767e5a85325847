"""Instructions on lanes against numpy, compiled here and not taken from the cache."""

import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
import pytest

from dmf.training.compiled_engine import instructions, vectors
from dmf.training.compiled_engine import multiply as products
from dmf.training.compiled_engine.group import workspace
from dmf.training.compiled_engine.instructions import LANES

COUNT = 12
A, B, C, OUT, OTHER = (COUNT * i for i in range(5))  # places of vectors
ONE, TWO, THREE, FOUR, FIVE, SIX = (COUNT * 5 + 10 * i for i in range(6))  # places of numbers

Lanes = np.ndarray


@pytest.fixture
def bench() -> tuple[np.ndarray, Lanes]:
    """A workspace of random numbers, flat and as (places, LANES)."""
    flat = workspace(COUNT * 5 + 60)
    flat[:] = np.random.default_rng(0).standard_normal(flat.size)
    return flat, flat.reshape(-1, LANES)


def run(call: Callable[[np.ndarray], None], flat: np.ndarray) -> None:
    numba.njit(error_model="numpy")(call)(flat)


def vector(lanes: Lanes, place: int) -> np.ndarray:
    return lanes[place : place + COUNT].copy()


def close(found: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-14)


def test_a_place_begins_at_a_cache_line(bench: tuple[np.ndarray, Lanes]) -> None:
    assert bench[0].ctypes.data % 64 == 0


def test_advance_takes_a_step_and_starts_the_gradient(bench: tuple[np.ndarray, Lanes]) -> None:
    flat, lanes = bench
    origin, direction, t, factor = vector(lanes, A), vector(lanes, B), lanes[ONE].copy(), lanes[TWO].copy()
    advance = vectors.advance
    run(lambda w: advance(w, OUT, OTHER, A, B, ONE, C, TWO, THREE, COUNT), flat)
    close(vector(lanes, OTHER), t * direction)
    close(vector(lanes, OUT), origin + t * direction)
    close(vector(lanes, C), factor * (origin + t * direction))
    close(lanes[THREE], np.sum((origin + t * direction) ** 2, axis=0))


def test_changes_differences_and_dots(bench: tuple[np.ndarray, Lanes]) -> None:
    flat, lanes = bench
    a, b = vector(lanes, A), vector(lanes, B)
    change, double, dot = vectors.change, vectors.double_difference, vectors.dot

    def call(w: np.ndarray) -> None:
        change(w, OUT, A, B, ONE, TWO, COUNT)
        double(w, OTHER, THREE, A, B, COUNT - 1)
        dot(w, FOUR, A, B, COUNT - 1)

    run(call, flat)
    close(vector(lanes, OUT), a - b)
    close(lanes[ONE], np.sum(a**2, axis=0))
    close(lanes[TWO], np.sum((a - b) ** 2, axis=0))
    close(vector(lanes, OTHER)[:-1], 2 * (a - b)[:-1])
    close(lanes[THREE], np.sum((a - b)[:-1] ** 2, axis=0))
    close(lanes[FOUR], np.sum((a * b)[:-1], axis=0))


@pytest.mark.parametrize("rows", [2, 4])
def test_many_dots_and_combinations_at_once(rows: int, bench: tuple[np.ndarray, Lanes]) -> None:
    flat, lanes = bench
    others, x = [vector(lanes, COUNT * p) for p in range(rows)], vector(lanes, OTHER)
    weights, share, factor = lanes[TWO : TWO + rows].copy(), lanes[THREE].copy(), lanes[FOUR].copy()
    dots, combine, count = vectors._dots(rows), vectors._combine(rows), 6

    def call(w: np.ndarray) -> None:
        dots(w, ONE, OTHER, 0, COUNT, COUNT)
        combine(w, OTHER + count, FIVE, THREE, OTHER, FOUR, TWO, 0, COUNT, count)

    run(call, flat)
    close(lanes[ONE : ONE + rows], np.array([np.sum(x * other, axis=0) for other in others]))
    expected = share * x[count:] + factor * x[:count] + sum(w * o[:count] for w, o in zip(weights, others, strict=True))
    close(lanes[OTHER + count : OTHER + 2 * count], expected)
    close(lanes[FIVE], np.sum(expected * x[:count], axis=0))


def test_momentum_and_descent(bench: tuple[np.ndarray, Lanes]) -> None:
    flat, lanes = bench
    new, old, g = vector(lanes, A), vector(lanes, B), vector(lanes, C)
    beta, factor, step = lanes[ONE].copy(), lanes[TWO].copy(), lanes[FOUR].copy()
    extrapolate, descend = vectors.extrapolate, vectors.descend
    run(lambda w: descend(w, OUT, A, FOUR, C, B, FIVE, COUNT), flat)
    close(vector(lanes, OUT), new - step * g)
    close(lanes[FIVE], np.sum(g * (new - step * g - old), axis=0))
    run(lambda w: extrapolate(w, OUT, A, B, ONE, OTHER, TWO, THREE, COUNT), flat)
    point = new + beta * (new - old)
    close(vector(lanes, OUT), point)
    close(vector(lanes, OTHER), factor * point)
    close(lanes[THREE], np.sum(point**2, axis=0))


def test_adam_takes_its_step(bench: tuple[np.ndarray, Lanes]) -> None:
    flat, lanes = bench
    lanes[OUT : OUT + COUNT] **= 2  # second moments are not negative
    lanes[ONE : ONE + 5] = np.array([0.1, 0.001, 0.02, 3.0, 1e-8])[:, None]
    point, g, m, v = (vector(lanes, place) for place in (A, B, C, OUT))
    adapt = vectors.adapt
    run(lambda w: adapt(w, A, B, C, OUT, ONE, TWO, THREE, COUNT), flat)
    m, v = m + 0.1 * (g - m), v + 0.001 * (g**2 - v)
    moved = point - 0.02 * m / (np.sqrt(3.0 * v) + 1e-8)
    close(vector(lanes, C), m)
    close(vector(lanes, OUT), v)
    close(vector(lanes, A), moved)
    close(vector(lanes, B), lanes[TWO] * moved)
    close(lanes[THREE], np.sum(moved**2, axis=0))


def test_numbers_a_lane(bench: tuple[np.ndarray, Lanes]) -> None:
    flat, lanes = bench
    lanes[THREE] = [0, 1, 0, -2, np.nan, 0, 1, 0]
    before = lanes.copy()
    copy, keep, product = vectors.copy, vectors.keep, vectors.product
    difference, subtract = vectors.difference, vectors.subtract_product

    def call(w: np.ndarray) -> None:
        copy(w, FOUR, ONE)
        keep(w, FOUR, THREE, TWO)
        product(w, FIVE, ONE, TWO)
        difference(w, SIX, ONE, TWO)
        subtract(w, SIX, ONE, TWO)

    run(call, flat)
    one, two = before[ONE], before[TWO]
    close(lanes[FOUR], np.where(before[THREE] != 0, one, two))
    close(lanes[FIVE], one * two)
    close(lanes[SIX], one - two - one * two)


def test_a_product_with_addition_is_rounded_once(bench: tuple[np.ndarray, Lanes]) -> None:
    flat, lanes = bench
    x, y = 1 + 2.0**-30, 1 - 2.0**-30
    lanes[ONE], lanes[TWO], lanes[THREE] = x, y, 1.0
    subtract = vectors.subtract_product
    run(lambda w: subtract(w, THREE, ONE, TWO), flat)
    assert x * y == 1.0, "rounded twice, nothing is left"
    assert lanes[THREE].tolist() == [math.ldexp(1.0, -60)] * LANES


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (2, 3), (3, 2), (4, 4)])
@pytest.mark.parametrize("adding", [0, 1])
def test_blocks_of_products(rows: int, columns: int, adding: int) -> None:
    inner, flat = 5, workspace(64)
    flat[:] = np.random.default_rng(rows).standard_normal(flat.size)
    lanes, block = flat.reshape(-1, LANES), products._block(rows, columns)
    a = lanes[20 : 20 + rows * inner].reshape(rows, inner, LANES).copy()
    b = lanes[42 : 42 + inner * columns].reshape(columns, inner, LANES).transpose(1, 0, 2).copy()  # read transposed
    c = lanes[: rows * columns].reshape(rows, columns, LANES).copy()
    run(lambda w: block(w, 0, columns, 1, 20, inner, 1, 42, 1, inner, inner, adding), flat)
    close(lanes[: rows * columns].reshape(c.shape), adding * c + np.einsum("ikv,kjv->ijv", a, b))


def test_registers_of_either_width_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, found = np.random.default_rng(0).standard_normal(64 * LANES), []
    for register, height in ((8, 4), (4, 2), (4, 3)):
        monkeypatch.setattr(instructions, "REGISTER", register)
        monkeypatch.setattr(products, "HEIGHT", height)
        flat, block = workspace(64), products._block(4, 3)
        flat[:] = drawn
        run(lambda w, block=block: block(w, 0, 3, 1, 12, 5, 1, 32, 3, 1, 5, 1), flat)
        found.append(flat[: 12 * LANES].copy())
    assert not np.array_equal(found[0], drawn[: 12 * LANES])
    assert [one.tolist() for one in found[1:]] == [found[0].tolist()] * 2


@pytest.mark.parametrize("rows", range(1, 10))
def test_products_of_any_size_are_put_together_from_blocks(rows: int) -> None:
    columns, inner = 10 - rows, 3
    flat = workspace(rows * columns + rows * inner + inner * columns)
    flat[:] = np.random.default_rng(rows).standard_normal(flat.size)
    lanes, a, b = flat.reshape(-1, LANES), rows * columns, rows * (columns + inner)
    left = lanes[a:b].reshape(rows, inner, LANES).copy()
    right = lanes[b:].reshape(inner, columns, LANES).copy()
    products.multiply(flat, 0, columns, 1, a, inner, 1, b, columns, 1, rows, columns, inner, 0, 0)
    close(lanes[:a].reshape(rows, columns, LANES), np.einsum("ikv,kjv->ijv", left, right))


@pytest.mark.parametrize("adding", [0, 1])
@pytest.mark.parametrize("a_across", [False, True])
@pytest.mark.parametrize("b_across", [False, True])
@pytest.mark.parametrize(
    ("rows", "columns", "inner"), [(50, 33, 3), (49, 66, 7), (3, 34, 5), (48, 32, 1), (70, 9, 131)]
)
def test_products_with_wide_rows_have_the_bits_of_those_that_need_no_packing(
    rows: int, columns: int, inner: int, a_across: bool, b_across: bool, adding: int
) -> None:
    rng = np.random.default_rng(rows)
    a, b = rng.standard_normal((rows, inner, LANES)), rng.standard_normal((inner, columns, LANES))
    begun = rng.standard_normal((rows, columns, LANES))
    at_a, at_b, panel = np.cumsum([rows * columns, rows * inner, inner * columns]).tolist()

    left, right = (a.transpose(1, 0, 2) if a_across else a), (b.transpose(1, 0, 2) if b_across else b)
    a_strides, b_strides = ((1, rows) if a_across else (inner, 1)), ((1, inner) if b_across else (columns, 1))

    def product(multiply: Callable[..., None], *where: int) -> Lanes:
        flat = workspace(panel + products.panel_places(rows, columns, inner))
        flat[: panel * LANES] = np.concatenate([begun.ravel(), left.ravel(), right.ravel()])
        multiply(flat, 0, columns, 1, at_a, *a_strides, at_b, *b_strides, rows, columns, inner, adding, *where)
        return flat[: begun.size].reshape(begun.shape)

    packed = product(products.multiply, panel)
    close(packed, adding * begun + np.einsum("ikv,kjv->ijv", a, b))
    np.testing.assert_array_equal(packed, product(products._plain))


def test_the_kernels_can_be_made_ahead_and_without_a_folder_to_keep_them() -> None:
    ahead = subprocess.run(
        [sys.executable, "-m", "dmf.training.compiled_engine"], capture_output=True, text=True, check=True
    )
    assert ahead.stdout.startswith("training kernels ready after")
    code = "from dmf.training import compiled_engine; print(compiled_engine.CACHE)"
    environment = {"PYTHONPATH": ":".join(sys.path), "NUMBA_CACHE_DIR": "/proc/nowhere"}
    without = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert without.stdout == "False\n"


COMPILES = """
import sys, time
from pathlib import Path
from dmf.training.compiled_engine import engine

def compile_kernels():
    with Path(sys.argv[1]).open("a") as file:
        file.write("compiled ")
    time.sleep(1)

engine.compile_kernels = compile_kernels
engine.compile_once()
"""


def test_of_processes_that_begin_together_one_compiles(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    command = [sys.executable, "-c", COMPILES, str(tmp_path / "said")]
    together = [subprocess.Popen(command, env=environment) for _ in range(3)]
    assert [process.wait(timeout=120) for process in together] == [0, 0, 0]
    assert (tmp_path / "said").read_text() == "compiled "
