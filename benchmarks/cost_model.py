"""Measures the seconds a run takes by shape and depth, beside what the tiling predicts.

    python benchmarks/cost_model.py

Prints a table and the least-squares constants for `dmf.grid.cost.seconds_per_run`.
"""

import platform
import time

import numpy as np

from dmf.dataset.train import train_block
from dmf.grid.cells import Group, Series
from dmf.grid.config import Grid
from dmf.grid.cost import seconds_per_run
from dmf.grid.targets import build_targets

LABELS = ["0.1c", "0.5c", "0.9c", "0.99c", "1.2c", "2.0c"]
SERIES = [Series(scheme, scale) for scheme in ("gaussian", "balanced") for scale in (0.5, 1.0, 2.0)]
SIZES = (2, 4, 8, 16, 32)
DEPTHS = (2, 3, 4, 6)
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
    print(" d  L     N   runs  ms/run  predicted")
    rows, seconds = [], []
    for size in SIZES:
        for depth in DEPTHS:
            runs, each = measure(size, depth)
            parameters = depth * size * size
            predicted = seconds_per_run(Group((size,) * (depth + 1)))
            print(f"{size:2d} {depth:2d} {parameters:5d} {runs:6d} {1e3 * each:7.3f} {1e3 * predicted:10.3f}")
            rows.append([1, parameters, parameters * size, parameters * depth])
            seconds.append(each)
    # Relative errors matter alike for small and large problems, so each row is divided by its own time.
    design = np.array(rows) / np.array(seconds)[:, None]
    constants = np.linalg.lstsq(design, np.ones(len(seconds)), rcond=None)[0]
    print("fit: {:.1e} + N ({:.1e} + {:.1e} d + {:.1e} L)".format(*constants))


if __name__ == "__main__":
    main()
