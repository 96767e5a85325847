"""`dmf costs`: what the jobs of a grid took, what was predicted, and factors by which to ask for more or less."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dmf.cli.output import console, digits
from dmf.cli.tables import Column, print_table
from dmf.errors import UserError, printable
from dmf.grid.factors import FILE, Factor, Factors, factors_text, read_factors

if TYPE_CHECKING:
    from dmf.plan import WorkflowPlan

# The wildcard of a rule; a measurement lies in a folder with the rule's name, in a file with that of the wildcard.
WILDCARDS = {
    "train": "tile",
    "assemble": "chunk",
    "certify": "evidence_chunk",
    "check": "claim",
    "draw": "figure",
    "study": "study",
}


@dataclass(frozen=True)
class Taken:
    """What a job took and what was predicted: seconds by the clock, seconds of a core, MiB; None where unknown."""

    seconds: float
    cpu: float | None
    mib: float | None
    predicted_seconds: float
    predicted_mib: float | None


@dataclass(frozen=True)
class Row:
    """All measured jobs of one rule."""

    rule: str
    jobs: Sequence[Taken]

    @property
    def seconds(self) -> tuple[float, float]:
        """Seconds of all jobs: measured and predicted."""
        return sum(job.seconds for job in self.jobs), sum(job.predicted_seconds for job in self.jobs)

    @property
    def slowest(self) -> float:
        """The largest ratio of one job's seconds to what was predicted."""
        return max(job.seconds / job.predicted_seconds for job in self.jobs)

    @property
    def largest(self) -> tuple[float, float] | None:
        """MiB measured and predicted of the job that exceeds its prediction most, None where one of them is unknown."""
        known = [(job.mib, job.predicted_mib) for job in self.jobs if job.mib and job.predicted_mib]
        return max(known, key=lambda pair: pair[0] / pair[1], default=None)

    @property
    def factor(self) -> Factor:
        """By what to multiply predictions: time as it is on average, memory so that the largest job has enough."""
        measured, predicted = self.seconds
        pair = self.largest
        return Factor(seconds=_three(measured / predicted), memory=_three(pair[0] / pair[1]) if pair else 1.0)


def add_command(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "costs",
        help="compare what the jobs of a grid took with what was predicted; with --write, ask for that from now on",
    )
    parser.add_argument("grid", type=Path, help="the grid's YAML file; what its jobs took is in data/NAME/benchmarks")
    parser.add_argument(
        "--write", action="store_true", help=f"write the factors to {FILE}, which every plan here reads"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the table. Raises UserError where nothing was measured, or a measurement is damaged."""
    from dmf.grid.config import load
    from dmf.plan import plan_workflow

    grid = load(options.grid)
    plan = plan_workflow(grid.model_dump(mode="json"), str(options.grid), trains_here=False)
    rows, others = measured(plan)
    if not rows:
        raise UserError(
            f"{printable(plan.folders.benchmarks)}: no measurements here; expected those of a run of "
            f"{printable(str(options.grid))}; run it first"
        )
    print_table(console(sys.stdout), columns(rows), f"Costs of grid {grid.grid}")
    if others:
        print(f"Left out, of jobs that the grid no longer has: {others}.")
    factors = {row.rule: row.factor for row in rows}
    if options.write:
        _write(factors)
        print(f"{FILE}: written; plans here multiply their predictions by these factors until you remove it.")
    return 0


def measured(plan: WorkflowPlan) -> tuple[list[Row], int]:
    """What was measured of each rule, and how many measurements are of jobs that the plan does not have.

    Raises UserError for a file that is no measurement.
    """
    folder, jobs, others = Path(plan.placed.folders.benchmarks), defaultdict[str, list[Taken]](list), 0
    for path in sorted(folder.glob("**/*.tsv")):
        rule, _, name = path.relative_to(folder).with_suffix("").as_posix().partition("/")
        wildcards = {WILDCARDS[rule]: name} if name and rule in WILDCARDS else {}
        took = read(path)
        try:
            seconds, mib = plan.predicted_seconds(rule, wildcards), plan.predicted_mib(rule, wildcards)
        except KeyError:
            others += 1
        else:
            jobs[rule].append(Taken(*took, seconds, mib))
    return [Row(rule, some) for rule, some in jobs.items()], others


def read(path: Path) -> tuple[float, float | None, float | None]:
    """Seconds on the clock, seconds of a core, MiB of a measurement; None for what Snakemake could not measure.

    Raises UserError for a file that is none.
    """
    try:
        names, values = path.read_text(encoding="utf-8").splitlines()
        table = dict(zip(names.split("\t"), values.split("\t"), strict=True))
        known = [
            float(table[name]) if table[name] not in ("NA", "-") else None for name in ("s", "cpu_time", "max_rss")
        ]
        seconds, cpu, mib = known
    except (OSError, ValueError, KeyError):
        seconds, cpu, mib = None, None, None
    if seconds is None or not 0 <= seconds < float("inf"):
        raise UserError(
            f"{printable(str(path))}: is no measurement; expected two lines as Snakemake writes them; remove it"
        )
    return seconds, cpu, mib


def columns(rows: Sequence[Row]) -> list[Column]:
    """One row a rule; a ratio above 1 took more than predicted."""
    cpu = [sum(job.cpu or 0.0 for job in row.jobs) for row in rows]
    pairs = [row.largest or (None, None) for row in rows]
    peaks = [max((job.mib for job in row.jobs if job.mib), default=None) for row in rows]
    return [
        Column("rule", [row.rule for row in rows], 0),
        Column("jobs", [f"{len(row.jobs):,}" for row in rows], 3, right=True),
        Column("seconds", [digits(row.seconds[0], 3) for row in rows], 2, right=True),
        Column("CPU seconds", [digits(one, 3) for one in cpu], 5, right=True),
        Column("predicted seconds", [digits(row.seconds[1], 3) for row in rows], 2, right=True),
        Column("time factor", [digits(row.factor.seconds, 3) for row in rows], 1, right=True),
        Column("slowest job", [digits(row.slowest, 3) for row in rows], 4, right=True),
        Column("peak MiB", [digits(peak, 4) for peak in peaks], 3, right=True),
        Column("predicted MiB", [digits(pair[1], 4) for pair in pairs], 3, right=True),
        Column("memory factor", [digits(row.factor.memory if row.largest else None, 3) for row in rows], 1, right=True),
    ]


def _write(factors: Factors) -> None:
    from dmf.dataset.store import write_text

    path = Path(FILE)
    write_text(factors_text({**read_factors(path), **factors}), path)


def _three(value: float) -> float:
    """Three digits: a measurement repeats no better; and no less than a hundredth, of a job that took no time."""
    return max(float(f"{value:.3g}"), 0.01)
