"""Times the workflow of two checkouts of this project in turn: wall time and CPU time, medians and their ratio.

    python benchmarks/pipeline.py OTHER_CHECKOUT [--grid config/grids/smoke.yaml] [--repeat 3]

`make setup` must have been run in both. In each, `data` and `reports` of the grid are removed before a run.
"""

from __future__ import annotations

import argparse
import resource
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
    both = {"other": options.other.resolve(), "this": HERE}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in both}
    for _ in range(options.repeat):
        for name, checkout in both.items():
            found[name].append(run(checkout, options.grid))
            print(f"{name:5}  {found[name][-1][0]:7.1f} s  {found[name][-1][1]:7.1f} core-s", flush=True)
    walls, cores = ({name: statistics.median(one[i] for one in found[name]) for name in both} for i in (0, 1))
    print(f"median: {walls['other']:.1f} and {walls['this']:.1f} s, ratio {walls['this'] / walls['other']:.2f}")
    print(f"median: {cores['other']:.1f} and {cores['this']:.1f} core-s, ratio {cores['this'] / cores['other']:.2f}")


def run(checkout: Path, grid: str) -> tuple[float, float]:
    """Seconds of a run of `make` from nothing, and of all its processes together."""
    name = yaml.safe_load((checkout / grid).read_text())["grid"]
    for folder in ("data", "reports"):
        shutil.rmtree(checkout / folder / name, ignore_errors=True)
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(["make", f"GRID={grid}"], cwd=checkout, check=True, capture_output=True)
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
