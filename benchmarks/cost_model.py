"""Measures the seconds a run takes by shape and depth, beside what the tiling predicts.

    python benchmarks/cost_model.py

Prints a table and the least-squares constants for `dmf.grid.cost.seconds_per_run`.
"""

import platform
import time

import numpy as np
from scipy.optimize import nnls

from dmf.dataset.train import train_block
from dmf.grid.cells import Group, Series
from dmf.grid.config import Grid
from dmf.grid.cost import seconds_per_run
from dmf.grid.targets import build_targets

LABELS = ["0.1c", "0.5c", "0.9c", "0.99c", "1.2c", "2.0c"]
SERIES = [Series(scheme, scale) for scheme in ("gaussian", "balanced") for scale in (0.5, 1.0, 2.0)]
SHAPES = [(size, depth) for size in (2, 4, 8, 16, 32) for depth in (2, 3, 4, 6)] + [(64, 2), (64, 3), (128, 3)]
BUDGET = 4.0  # predicted seconds a measurement


def measure(size: int, depth: int) -> tuple[int, float]:
    """Runs trained and seconds a run, one core."""
    group = Group((size,) * (depth + 1))
    grid = Grid.model_validate(
        {
            "grid": "cost",
            "targets": [{"name": "square", "kind": "gaussian", "shape": [size, size]}],
            "depths": [depth],
            "lambdas": {"relative": [1]},
        }
    )
    cells = len(LABELS) * len(SERIES)
    count = int(np.clip(BUDGET / (seconds_per_run(group) * cells), 2, 200))
    began = time.perf_counter()
    train_block(group, build_targets(grid, "cost"), LABELS, dict.fromkeys(SERIES, range(count)), grid)
    return cells * count, (time.perf_counter() - began) / (cells * count)


def main() -> None:
    """Print the table and the fit."""
    print(f"{platform.machine()}, Python {platform.python_version()}, one core")
    print("  d  L      N   runs  ms/run  predicted  fitted")
    measure(*SHAPES[0])  # loads what is compiled
    found = [measure(size, depth) for size, depth in SHAPES]
    rows = [[1.0, n, n * depth, n * depth * size**2] for size, depth in SHAPES for n in [depth * size**2]]
    # Relative errors matter alike for small and large problems, so each row is divided by its own time.
    design = np.array(rows) / np.array([[each] for _, each in found])
    constants, _ = nnls(design, np.ones(len(rows)))
    for (size, depth), row, (runs, each) in zip(SHAPES, rows, found, strict=True):
        predicted, fitted = seconds_per_run(Group((size,) * (depth + 1))), constants @ row
        numbers = f"{1e3 * each:7.3f} {1e3 * predicted:10.3f} {1e3 * fitted:7.3f}"
        print(f"{size:3d} {depth:2d} {int(row[1]):6d} {runs:6d} {numbers}")
    print("fit: {:.2g} + N ({:.2g} + {:.2g} L + {:.2g} L d^2)".format(*constants))


if __name__ == "__main__":
    main()
