"""How long a finished grid would take on more cores: its jobs in the order of the plan, each as long as it took here.

    python benchmarks/critical_path.py config/config.yaml [--cores 2 16 64]

Jobs start as soon as what they read is there and a core is free, longest way to the end first. Snakemake's time to read
the rules, to choose jobs and to start them is not counted.
"""

from __future__ import annotations

import argparse
import heapq
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

from dmf.cli.costs import read
from dmf.grid.config import load
from dmf.plan import WorkflowPlan, plan_workflow

RULES = {"targets": "draw_targets", "controls": "train_controls", "report": "write_report"}  # others: as their step
UNASKED = "paper"  # a job that `all` does not need


def main() -> None:
    """Print the jobs of the longest way, and seconds by the number of cores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("grid", type=Path)
    parser.add_argument("--cores", type=int, nargs="+", default=[2, 16, 64])
    options = parser.parse_args()
    plan = plan_workflow(load(options.grid).model_dump(mode="json"), str(options.grid), trains_here=False)
    seconds, before = jobs(plan)
    after = longest_way(seconds, before)
    print(f"{len(seconds)} jobs, {sum(seconds.values()):.1f} s")
    job = max(after, key=lambda one: after[one])
    print(f"longest way, {after[job]:.1f} s:")
    followers = defaultdict(list)
    for one, needed in before.items():
        for earlier in needed:
            followers[earlier].append(one)
    while job:
        print(f"  {seconds[job]:6.2f} s  {job}")
        job = max(followers[job], key=lambda one: after[one], default="")
    for cores in options.cores:
        print(f"{cores:3} cores: {makespan(seconds, before, after, cores):.1f} s")


def jobs(plan: WorkflowPlan) -> tuple[dict[str, float], dict[str, set[str]]]:
    """By job: its seconds, and the jobs that it waits for."""
    folder = Path(plan.folders.benchmarks)
    seconds, makers, reads = dict[str, float](), dict[str, str](), dict[str, list[str]]()
    for tile in plan.tiles.values():
        job = f"train/{tile.name}"
        seconds[job], reads[job] = read(folder / f"{job}.tsv")[0], []
    for product in plan.products.all:
        if product.step != UNASKED:
            job = f"{RULES.get(product.step, product.step)}/{product.about}".rstrip("/")
            seconds[job], reads[job] = read(folder / f"{job}.tsv")[0], list(product.inputs)
            makers |= dict.fromkeys(product.outputs, job)
    before = {job: {makers[file] for file in files if file in makers} for job, files in reads.items()}
    for name, chunk in plan.chunks.items():
        before[f"assemble/{name}"] = {f"train/{tile}" for tile in map(stem, plan.tiles_of(chunk.name))}
    return seconds, before


def stem(file: str) -> str:
    """The name of a tile from that of its file."""
    return Path(file).stem


def longest_way(seconds: dict[str, float], before: dict[str, set[str]]) -> dict[str, float]:
    """By job: seconds from its start to the end of the last job that waits for it."""
    after = dict.fromkeys(seconds, 0.0)
    for job in reversed(list(TopologicalSorter(before).static_order())):
        after[job] += seconds[job]
        for earlier in before[job]:
            after[earlier] = max(after[earlier], after[job])
    return after


def makespan(seconds: dict[str, float], before: dict[str, set[str]], after: dict[str, float], cores: int) -> float:
    """Seconds until all jobs have ended."""
    done, started, running, now = set[str](), set[str](), list[tuple[float, str]](), 0.0
    while len(done) < len(seconds):
        ready = [job for job in seconds if job not in started and before[job] <= done]
        for job in sorted(ready, key=lambda one: -after[one])[: cores - len(running)]:
            heapq.heappush(running, (now + seconds[job], job))
            started.add(job)
        now, job = heapq.heappop(running)
        done.add(job)
    return now


if __name__ == "__main__":
    main()
