"""Times the workflow of two checkouts of this project in turn: seconds of wall time, medians and their ratio.

    python benchmarks/pipeline.py OTHER_CHECKOUT [--grid config/grids/smoke.yaml] [--repeat 3]

`make setup` must have been run in both. In each, `data` and `reports` of the grid are removed before a run.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import time
from pathlib import Path

import yaml

HERE = Path(__file__).parents[1]


def main() -> None:
    """Print a line a run, then the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="the checkout to compare with, for example of revision f4ab88c")
    parser.add_argument("--grid", default="config/config.yaml", help="default: the default grid")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each; default 3")
    options = parser.parse_args()
    if options.other.resolve() == HERE or not (options.other / ".venv/installed").is_file():
        parser.error(f"OTHER: got {str(options.other)!r}, expected another checkout, in which make setup was run")
    both = {"other": options.other.resolve(), "this": HERE}
    found: dict[str, list[float]] = {name: [] for name in both}
    for _ in range(options.repeat):
        for name, checkout in both.items():
            found[name].append(run(checkout, options.grid))
            print(f"{name:5}  {found[name][-1]:7.1f} s", flush=True)
    other, this = (statistics.median(found[name]) for name in both)
    print(f"median: {other:.1f} and {this:.1f} s, ratio {this / other:.2f}")


def run(checkout: Path, grid: str) -> float:
    """Seconds of a run of `make` from nothing."""
    name = yaml.safe_load((checkout / grid).read_text())["grid"]
    for folder in ("data", "reports"):
        shutil.rmtree(checkout / folder / name, ignore_errors=True)
    began = time.monotonic()
    subprocess.run(["make", f"GRID={grid}"], cwd=checkout, check=True, capture_output=True)
    return time.monotonic() - began


if __name__ == "__main__":
    main()
