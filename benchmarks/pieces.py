"""Times two pieces of training alone, on one core: products of matrices, eight at a time, and the drawing of starts.

    python benchmarks/pieces.py

Prints GFLOP/s by size for A B, A B^T and A^T B next to numpy's matrix product, and microseconds a start by scheme.
"""

import time
from collections.abc import Callable

from one_core import CORE  # before numpy, which reads its number of threads when imported

import numpy as np  # isort: skip
import numba

from dmf.grid.seeds import generators
from dmf.training.compiled_engine.group import workspace
from dmf.training.compiled_engine.instructions import LANES
from dmf.training.compiled_engine.multiply import multiply, panel_places
from dmf.training.starts import SCHEMES, draw_stacked

SIZES = (4, 8, 16, 32, 64, 128, 256)
STARTS = 5_000
TRIES = 7


@numba.njit(nogil=True)
def repeated(
    w: np.ndarray, size: int, a_row: int, a_column: int, b_row: int, b_column: int, panel: int, times: int
) -> None:
    """C = A B of so many squares, over and over."""
    area = size * size
    for _ in range(times):
        multiply(w, 0, size, 1, area, a_row, a_column, 2 * area, b_row, b_column, *(size, size, size), 0, panel)


def fastest(work: Callable[[], object]) -> float:
    """CPU seconds of the fastest of TRIES calls, after one that compiles."""
    work()
    times = []
    for _ in range(TRIES):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def rates(size: int) -> list[float]:
    """GFLOP/s of A B, A B^T and A^T B."""
    panel = 3 * size * size
    w = workspace(panel + panel_places(size))
    w[:] = np.random.default_rng(0).standard_normal(w.size)
    flops = 2 * size**3 * LANES
    times = max(1, int(2e8 / flops))
    as_it_is, across = (size, 1), (1, size)
    pairs = ((as_it_is, as_it_is), (as_it_is, across), (across, as_it_is))
    return [flops * times / fastest(lambda a=a, b=b: repeated(w, size, *a, *b, panel, times)) / 1e9 for a, b in pairs]


def main() -> None:
    """Print both tables."""
    square = np.random.default_rng(0).standard_normal((1024, 1024))
    print(f"core {CORE}, dgemm {2 * 1024**3 / fastest(lambda: square @ square) / 1e9:.1f} GFLOP/s")
    print("size   A B  A B^T  A^T B")
    for size in SIZES:
        print(f"{size:4d}" + "".join(f"{rate:7.1f}" for rate in rates(size)))
    for scheme in SCHEMES:
        seconds = fastest(lambda scheme=scheme: draw_stacked(scheme, (8,) * 4, generators("bench", range(STARTS))))
        print(f"{scheme:11}{1e6 * seconds / STARTS:6.1f} us a start of 8 x 8, depth 3")


if __name__ == "__main__":
    main()
