"""Times the training engines beside their peers, in one run, on one core, on the same problems from the same starts.

    make bench

Every solver trains to a gradient norm of 1e-9 but two: SciPy stops at what its line search reaches, about 1e-8, and the
Adam loop once F is within 1e-8 of a critical level. Problems are named (d, L, lambda) or by their shape: Gaussian
targets of entries N(0, 1/d), Gaussian starts. Writes benchmarks/results/DATE.json, .txt and .png.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from one_core import CORE  # before numpy, which reads its number of threads when imported

import numpy as np  # isort: skip
from peers import SOLVERS, Outcome, Problem, value_and_gradient

from dmf import theory
from dmf.training.record import points_of
from dmf.training.starts import draw_start

RESULTS = Path(__file__).parent / "results"
LEAST = 16  # runs of every solver on every problem, or all where there are fewer
TRIES = 3  # of which the best counts: whatever else the machine does only adds
LONG = 60.0  # seconds after which there is no further try


@dataclass(frozen=True)
class Row:
    """One line of the table; None where a solver does not tell."""

    problem: str
    solver: str
    runs: int
    ms_per_run: float
    evaluations: float | None
    gradient_norm_max: float
    objective_gap_max: float
    flops_fraction: float | None


def make_problem(widths: tuple[int, ...], lam: float, runs: int) -> Problem:
    """Draw targets and starts; the same whenever asked."""
    rng = np.random.default_rng(list(widths))
    targets = rng.standard_normal((runs, widths[-1], widths[0])) / np.sqrt(widths[0])
    drawn = [draw_start("gaussian", widths, rng) for _ in range(runs)]
    square = len(set(widths)) == 1
    name = f"({widths[0]}, {len(widths) - 1}, {lam:g})" if square else f"({'x'.join(map(str, widths))}, {lam:g})"
    return Problem(name, widths, lam, targets, points_of([np.stack(layer) for layer in zip(*drawn, strict=True)]))


PROBLEMS = [  # widths, lambda, runs of ours; peers train as many of them as their speed allows
    ((4,) * 3, 0.3, 20_000),
    ((4,) * 4, 0.05, 20_000),
    ((8,) * 4, 0.05, 8_000),
    ((8,) * 7, 0.01, 2_000),
    ((16,) * 5, 0.02, 800),
    ((32,) * 4, 0.02, 160),
    ((64,) * 4, 0.02, 96),
    ((128,) * 4, 0.02, 16),
    ((256,) * 4, 0.02, 8),
    ((12, 8, 10, 6), 0.05, 8_000),
]


def dgemm_rate() -> float:
    """Floating point operations a second of numpy's matrix product at size 1024, on this core; best of five."""
    a = np.random.default_rng(0).standard_normal((1024, 1024))
    best = min(_timed(lambda: a @ a) for _ in range(5))
    return 2 * 1024**3 / best


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure(problem: Problem, solver: str, solve: Callable[[Problem, int], Outcome], runs: int, rate: float) -> Row:
    """Time a solver on the first `runs` of a problem, after a warm-up on the same shapes; best of TRIES."""
    solve(problem, runs if "vmap" in solver else 1)
    seconds, spent = np.inf, 0.0
    for _ in range(TRIES):
        if spent < LONG:
            began = time.perf_counter()
            points, evaluations = solve(problem, runs)
            took = time.perf_counter() - began
            seconds, spent = min(seconds, took / runs), spent + took
    norms, gaps = [], []
    for point, target in zip(points[:64], problem.targets, strict=False):
        value, gradient = value_and_gradient(point, target, problem.lam, problem.widths)
        levels = theory.critical_levels(target, len(problem.widths) - 1, problem.lam)
        norms.append(float(np.linalg.norm(gradient)))
        gaps.append(float(np.min(np.abs(levels - value))))
    fraction = None if evaluations is None else evaluations * problem.useful_flops / seconds / rate
    return Row(problem.name, solver, runs, 1e3 * seconds, evaluations, max(norms), max(gaps), fraction)


def affordable(solve: Callable[[Problem, int], Outcome], problem: Problem, seconds: float, most: int) -> int:
    """How many runs fit into about so many seconds, at least LEAST: their lengths vary by their starts."""
    solve(problem, 1)
    return int(np.clip(seconds / _timed(lambda: solve(problem, 1)), LEAST, most))


HEAD = f"{'problem':>22} {'solver':<16} {'runs':>6} {'ms/run':>10} {'evals':>7} {'|grad|':>8} {'gap':>8} {'flops':>6}"


def line(row: Row) -> str:
    """A row as text under HEAD."""
    evaluations = "" if row.evaluations is None else f"{row.evaluations:.0f}"
    fraction = "" if row.flops_fraction is None else f"{row.flops_fraction:.0%}"
    return (
        f"{row.problem:>22} {row.solver:<16} {row.runs:>6} {row.ms_per_run:>10.4f} {evaluations:>7} "
        f"{row.gradient_norm_max:>8.1e} {row.objective_gap_max:>8.1e} {fraction:>6}"
    )


def ratios(rows: list[Row]) -> str:
    """Every peer's time over ours: geometric mean, least and most."""
    mine = {row.problem: row.ms_per_run for row in rows if row.solver == "lanes"}
    peers: dict[str, dict[str, float]] = {"best of optax and jaxopt": {}}
    for row in rows:
        peers.setdefault(row.solver, {})[row.problem] = row.ms_per_run
        if row.solver.startswith(("optax", "jaxopt")):
            best = peers["best of optax and jaxopt"]
            best[row.problem] = min(best.get(row.problem, np.inf), row.ms_per_run)
    lines = ["times our time: geometric mean (least, most)"]
    for solver, times in peers.items():
        values = [time / mine[problem] for problem, time in times.items()]
        if values and solver != "lanes":
            lines.append(
                f"{solver:>26}: {np.exp(np.mean(np.log(values))):10.1f} ({min(values):.1f}, {max(values):.1f})"
            )
    return "\n".join(lines)


def draw(rows: list[Row], path: Path) -> None:
    """Milliseconds a run by solver, one group a problem."""
    import pandas as pd
    import seaborn as sns
    from matplotlib.figure import Figure

    frame = pd.DataFrame([asdict(row) for row in rows])
    canvas = Figure(figsize=(9, 4.5), layout="constrained")
    axes = canvas.subplots()
    sns.stripplot(frame, x="problem", y="ms_per_run", hue="solver", palette="colorblind", size=7, jitter=False, ax=axes)
    axes.set(yscale="log", xlabel="problem (d, L, λ)", ylabel="ms a run, one core, to gradient norm $10^{-9}$")
    axes.grid(axis="y", color="0.9")
    axes.tick_params(axis="x", rotation=20)
    sns.move_legend(axes, "center left", bbox_to_anchor=(1, 0.5), frameon=False, title=None)
    canvas.savefig(path, dpi=150)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2.0, help="time for each peer on each problem")
    parser.add_argument("--problems", type=int, nargs="*", help="positions of the problems, from 0; all by default")
    parser.add_argument("--out", type=Path, default=RESULTS / f"{date.today().isoformat()}")
    options = parser.parse_args()
    rate = dgemm_rate()
    solvers = {name: make() for name, make in SOLVERS.items()}
    rows = []
    print(HEAD, file=sys.stderr)
    for i in options.problems or range(len(PROBLEMS)):
        problem = make_problem(*PROBLEMS[i])
        for name, solve in solvers.items():
            whole = len(problem.targets)
            runs = whole if name == "lanes" else affordable(solve, problem, options.seconds, min(whole, 256))
            rows.append(measure(problem, name, solve, runs, rate))
            print(line(rows[-1]), file=sys.stderr, flush=True)
    machine = f"{platform.processor() or platform.machine()}, {_cpu()}, core {CORE}, dgemm {rate / 1e9:.1f} GFLOP/s"
    heading = f"{date.today()}, {machine}, Python {platform.python_version()}, numpy {np.__version__}"
    text = "\n".join([heading, HEAD, *map(line, rows), "", ratios(rows)]) + "\n"
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.with_suffix(".txt").write_text(text)
    content = {"machine": heading, "rows": [asdict(row) for row in rows]}
    options.out.with_suffix(".json").write_text(json.dumps(content, indent=1) + "\n")
    draw(rows, options.out.with_suffix(".png"))
    print(text)


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
