"""Measures the time from the start of Snakemake to a ready plan of a grid, in an empty folder.

    python benchmarks/planning.py config/grids/billion.yaml

Prints CPU seconds, seconds by the clock and the number of jobs; then Snakemake's dry-run goes on and prints the jobs.
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

began = time.time()

import snakemake.cli  # noqa: E402  # its time counts
from snakemake.workflow import Workflow  # noqa: E402

ROOT = Path(__file__).parents[1]
build = Workflow._build_dag


def timed(workflow: Workflow, *arguments: Any, **options: Any) -> Any:
    """Build the plan, then say how long everything until now took."""
    result = build(workflow, *arguments, **options)
    jobs = sum(1 for _ in workflow.dag.jobs)
    print(
        f"{time.process_time():.1f} s of CPU time, {time.time() - began:.1f} s by the clock, {jobs:,} jobs", flush=True
    )
    return result


if __name__ == "__main__":
    Workflow._build_dag = timed
    grid = str(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        snakemake.cli.main(
            ["-s", str(ROOT / "Snakefile"), "-n", "--quiet", "all", "--cores", "1", "--configfile", grid]
        )
