"""Times the workflow of two checkouts of this project in turn: seconds of wall time, medians and their ratio.

    python benchmarks/pipeline.py OTHER_CHECKOUT [--grid config/grids/smoke.yaml] [--repeat 3]

`make setup` must have been run in both. In each, `data` and `reports` of the grid are removed before a run, and a
figure is edited for a while.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import yaml

HERE = Path(__file__).parents[1]
CASES = ("from nothing", "nothing to do", "a target relabelled", "a figure edited")
FIGURE = "balancedness"


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
    found = {(name, case): list[float]() for case in CASES for name in both}
    for _ in range(options.repeat):
        for name, checkout in both.items():
            for case, seconds in zip(CASES, run(checkout, options.grid), strict=True):
                found[name, case].append(seconds)
                print(f"{name:5}  {case:20}  {seconds:7.1f} s", flush=True)
    for case in CASES:
        other, this = (statistics.median(found[name, case]) for name in both)
        print(f"median, {case}: {other:.1f} and {this:.1f} s, ratio {this / other:.2f}")


def run(checkout: Path, grid: str) -> Iterator[float]:
    """Seconds of `make` from nothing, and of each further case."""
    configuration = yaml.safe_load((checkout / grid).read_text())
    for folder in ("data", "reports"):
        shutil.rmtree(checkout / folder / configuration["grid"], ignore_errors=True)
    yield make(checkout, grid)
    yield make(checkout, grid)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as relabelled:
        configuration["targets"][0]["label"] = "another label"
        yaml.safe_dump(configuration, relabelled)
        relabelled.flush()
        yield make(checkout, relabelled.name)
    make(checkout, grid)
    figure = checkout / "scripts/dmf/figures" / f"{FIGURE}.py"
    source = figure.read_bytes()
    try:
        figure.write_bytes(source + b"# edited\n")
        yield make(checkout, grid)
    finally:
        figure.write_bytes(source)


def make(checkout: Path, grid: str) -> float:
    """Seconds of `make` on the grid of a file."""
    began = time.monotonic()
    subprocess.run(["make", f"GRID={grid}"], cwd=checkout, check=True, capture_output=True)
    return time.monotonic() - began


if __name__ == "__main__":
    main()
