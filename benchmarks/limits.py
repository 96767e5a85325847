"""Where runs are not certified any more, and minimizers do not speak: small lambda, the collapse, depth, size.

    python benchmarks/limits.py

A row is one cell of a Gaussian target: runs, how many are certified, of these at the global minimum, and of these with
a finite bound on their distance to the minimizers; last the largest departure of X in units of its tolerance.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np

from dmf.cli.cell import train_again
from dmf.evidence.certify import certify
from dmf.grid.config import validate
from dmf.grid.targets import build_targets

SIZE, COUNT = 5, 8  # of the target; starts a scale

# What changes, and its cells: size of the target, depth, lambda in units of lambda_c.
CELLS = {
    "lambda": [(SIZE, depth, 10.0**-power) for depth in (2, 3, 4, 6) for power in range(1, 11)],
    "collapse": [
        (SIZE, depth, 1 + side * 10.0**-p) for depth in (2, 3, 6) for side in (-1, 1) for p in range(2, 15, 2)
    ],
    "depth": [(SIZE, depth, 0.5) for depth in (2, 3, 4, 6, 10, 15, 20, 30, 50, 100, 200)],
    "size": [(size, 3, 0.1) for size in (2, 5, 10, 20, 40, 80)],
}


def rows(kind: str) -> Iterator[tuple[object, ...]]:
    """The cells of one kind, trained and certified."""
    for size, depth, relative in CELLS[kind]:
        grid = validate(
            {
                "grid": "limits",
                "seed": 1,
                "targets": [{"name": "target", "kind": "gaussian", "shape": [size, size]}],
                "depths": [depth],
                "lambdas": {"relative": [relative]},
                "starts": {"count": COUNT},
            },
            "limits",
        )
        targets = build_targets(grid, "limits")
        cell = certify([train_again(grid, targets, ("target", depth, f"{relative!r}c"))])
        certified, minimal = (cell[name].values[0] == 1 for name in ("certified", "minimal"))
        speaks = minimal & np.isfinite(cell["radius"].values[0])
        ratio = (cell["distance"] / cell["distance_tolerance"]).values[0][speaks]
        worst = f"{ratio.max():.2g}" if speaks.any() else "-"
        yield size, depth, relative, certified.size, certified.sum(), minimal.sum(), speaks.sum(), worst


if __name__ == "__main__":
    for kind in sys.argv[1:] or CELLS:
        print(f"\n{kind}\nd\tL\tlambda/lambda_c\truns\tcertified\tminimal\tspeak\tworst")
        for row in rows(kind):
            print(*row, sep="\t", flush=True)
