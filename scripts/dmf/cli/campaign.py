"""`dmf campaign`: unusual grids through training, certificates and verdicts in one process.

The theorems hold on all of them, so a violated claim, a missed control or an error is a fault of this program.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dmf.cli.output import console
from dmf.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

    from dmf.evidence.claim import Verdict
    from dmf.grid.config import Grid

GRIDS = 200
MOST_LINES = 20  # on one kind of fault; the rest is counted
NEAR = 1e-14  # relative distance of a singular value from a threshold or from its neighbour

Config = dict[str, Any]
Family = Callable[["np.random.Generator"], Config]


@dataclass
class Tally:
    """What came of the grids of one family."""

    grids: int = 0
    refused: int = 0
    runs: int = 0
    certified: int = 0
    words: Counter[str] = field(default_factory=Counter)
    worst: float = 0.0
    """Largest statistic of a claim that is not violated; 1 is the edge. Without identities, which always come near it:
    they bound what the gradient alone allows, at any point."""
    worst_of: str = "–"
    seconds: float = 0.0


def add_command(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "campaign", help="judge unusual grids, on which every theorem holds, and list each fault of this program"
    )
    parser.add_argument("--grids", type=int, default=GRIDS, help=f"how many grids; default {GRIDS}")
    parser.add_argument("--first", type=int, default=0, help="number of the first grid; default 0")
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Judge the grids; 1 where anything went wrong. Raises UserError."""
    if options.grids < 1 or options.first < 0:
        raise UserError(f"--grids {options.grids} --first {options.first}: expected at least 1 grid, numbered from 0")
    tallies: dict[str, Tally] = {}
    faults: list[str] = []
    begun = time.monotonic()
    for number in range(options.first, options.first + options.grids):
        with tempfile.TemporaryDirectory() as folder:
            family, config = unusual_grid(number, Path(folder))
            faults += examine(number, config, tallies.setdefault(family, Tally()))
        done = number - options.first + 1
        left = (time.monotonic() - begun) / done * (options.grids - done)
        console(sys.stdout).print(f"grid {number}: {family}; {len(faults)} faults; {left:,.0f} s left", highlight=False)
    for line in faults[:MOST_LINES]:
        console(sys.stdout).print(f"fault: {line}", highlight=False, markup=False)
    if len(faults) > MOST_LINES:
        console(sys.stdout).print(f"and {len(faults) - MOST_LINES} more")
    table = markdown(tallies, faults)
    console(sys.stdout).print(table, highlight=False, markup=False)
    if options.markdown:
        options.markdown.write_text(table, encoding="utf-8")
    return 1 if faults else 0


def examine(number: int, config: Config, tally: Tally) -> list[str]:
    """Train and judge one grid, add it to its family's tally, and return a line for each fault."""
    begun = time.monotonic()
    tally.grids += 1
    try:
        runs, certified, found = judge_in_process(config)
        verdicts = list(found)
    except UserError:
        tally.refused += 1
        return []
    except Exception as error:  # any other exception is what this command looks for
        return [f"grid {number}: {type(error).__name__}: {' '.join(str(error).split())[:200]}"]
    finally:
        tally.seconds += time.monotonic() - begun
    tally.runs, tally.certified = tally.runs + runs, tally.certified + certified
    from dmf.claims import load_claim
    from dmf.report.verdicts import missed_text

    faults = []
    for verdict in verdicts:
        finding = verdict.finding
        tally.words[finding.word] += 1
        told = finding.word != "violated" and load_claim(verdict.claim).basis != "identity"
        if told and finding.statistic is not None and finding.statistic > tally.worst:
            tally.worst, tally.worst_of = finding.statistic, f"{verdict.claim}, grid {number}"
        if finding.word == "violated":
            faults.append(f"grid {number}: {verdict.claim} violated, statistic {finding.statistic:.6g}")
        if not verdict.control_detected:
            missed = "; ".join(map(missed_text, verdict.missed)) or "it has none"
            faults.append(f"grid {number}: {verdict.claim}: control missed: {missed}")
    return faults


def judge_in_process(config: Mapping[str, Any]) -> tuple[int, int, Iterator[Verdict]]:
    """Runs, certified runs, and the verdicts of all claims on runs, on proofs of them and on the grid's studies.

    Of one grid; writes nothing. Evidence is made when its verdicts' turn comes. Raises UserError.
    """
    from dmf.dataset.assemble import assemble
    from dmf.dataset.project import open_project
    from dmf.dataset.train import train_tile
    from dmf.evidence.certify import certify

    with tempfile.TemporaryDirectory() as empty:
        project = open_project(dict(config), "campaign", Path(empty))
    blocks = [
        assemble(
            project.block(group), ((tile.name, train_tile(tile, project.targets, project.grid)) for tile in members)
        )
        for group, members in project.plan.tiles.items()
    ]
    evidence = certify(blocks)
    return project.runs, int(evidence["certified"].sum()), _verdicts(project.grid, evidence)


def _verdicts(grid: Grid, evidence: xr.Dataset) -> Iterator[Verdict]:
    from dmf.claims import load_claims
    from dmf.evidence.cases import cell_table
    from dmf.evidence.judge import judge
    from dmf.evidence.proofs import proofs_dataset
    from dmf.evidence.prove import prove_grid
    from dmf.evidence.train_controls import train_controls
    from dmf.grid.config import chosen
    from dmf.studies import FRONTIER, Settings, load_study, study_names
    from dmf.studies.contract import halves

    claims = load_claims()

    def judged(study: str, honest: xr.Dataset, controls: xr.Dataset) -> Iterator[Verdict]:
        for name, claim in claims.items():
            if claim.study == study:
                cells = cell_table(claim, [honest], grid.certificate)
                yield judge(name, claim, cells, controls, grid.certificate)

    yield from judged("runs", evidence, train_controls(grid))
    on_runs = {name: claim for name, claim in claims.items() if claim.study == "runs"}
    yield from judged("proofs", *halves(proofs_dataset(*prove_grid(grid, [evidence], on_runs))))
    for name in chosen("studies", grid.studies, study_names(), "campaign", FRONTIER):
        if any(claim.study == name for claim in claims.values()):
            study = load_study(name)
            yield from judged(name, *halves(study.make(grid if study.of_grid else Settings.of(grid))))


def unusual_grid(number: int, folder: Path) -> tuple[str, Config]:
    """The family and the configuration of the grid with that number, the same on every machine; data go to `folder`."""
    import numpy as np

    from dmf.grid.seeds import generator

    names = list(FAMILIES)
    family = names[number % len(names)]
    rng = generator(["campaign", number])
    base: Config = {
        "grid": f"campaign-{number}",
        "seed": number,
        "depths": [int(rng.integers(2, 5))],
        "lambdas": {"relative": [round(float(rng.uniform(0.05, 0.95)), 3), round(float(rng.uniform(1.02, 2)), 3)]},
        "starts": {"scales": [0.5, 1.0, 2.0], "count": 3},
        "studies": [],
    }
    config = {**base, **FAMILIES[family](rng)}
    for target in config["targets"]:
        for key in [key for key, value in target.items() if isinstance(value, np.ndarray)]:
            np.save(file := folder / f"{key}.npy", target[key])
            target[key] = str(file)
    return family, config


def _target(shape: Sequence[int], values: Iterable[float] | None = None, name: str = "t", **keys: Any) -> Config:
    if values is None:
        return {"name": name, "kind": "gaussian", "shape": list(shape), **keys}
    return {"name": name, "kind": "spectrum", "shape": list(shape), "singular_values": [float(v) for v in values]}


def _size(rng: np.random.Generator, most: int = 6) -> list[int]:
    return [int(size) for size in rng.integers(1, most + 1, 2)]


def _plain(rng: np.random.Generator) -> Config:
    return {"targets": [_target(_size(rng))]}


def _scale(rng: np.random.Generator) -> Config:
    return {"targets": [_target(_size(rng), scale=float(10.0 ** rng.uniform(-40, 40)))]}


def _shape(rng: np.random.Generator) -> Config:
    shapes = ([1, 1], [1, int(rng.integers(2, 40))], [int(rng.integers(2, 40)), 1], [2, 60], [60, 2])
    return {"targets": [_target(shapes[int(rng.integers(len(shapes)))])]}


def _spread(rng: np.random.Generator) -> Config:
    size = int(rng.integers(2, 6))
    return {"targets": [_target([size, size], 10.0 ** -rng.uniform(0, 12, size))]}


def _gaps(rng: np.random.Generator) -> Config:
    size = int(rng.integers(2, 6))
    steps = 10.0 ** -rng.uniform(1, 14, size)
    values = float(rng.uniform(0.5, 3)) * (1 - steps.cumsum().clip(max=0.9))
    return {"targets": [_target([size, size + int(rng.integers(0, 2))], values)]}


def _thresholds(rng: np.random.Generator) -> Config:
    from dmf import theory

    depth, lam = int(rng.integers(2, 6)), float(rng.uniform(0.05, 1))
    at = [float(f(depth, lam)) for f in (theory.collapse_threshold, theory.branch_threshold)] + [lam]
    near = at[int(rng.integers(len(at)))] * (1 + NEAR * float(rng.integers(-3, 4)))
    sizes = [[near], [3 * near, near], [3 * near, near, 0.3 * near]][int(rng.integers(3))]
    return {"targets": [_target([len(sizes)] * 2, sizes)], "depths": [depth], "lambdas": {"absolute": [lam]}}


def _depth(rng: np.random.Generator) -> Config:
    return {"targets": [_target(_size(rng, 3))], "depths": [int(rng.integers(5, 61))]}


def _lambda(rng: np.random.Generator) -> Config:
    return {"targets": [_target(_size(rng))], "lambdas": {"absolute": [float(10.0 ** rng.uniform(-50, 50))]}}


def _optimizer(rng: np.random.Generator) -> Config:
    choices: list[Config] = [
        {"name": "lbfgs", "max_iterations": int(rng.integers(20, 200))},
        {"name": "continuation"},
        {"name": "gd", "step": 0.01, "max_iterations": 20000},
        {"name": "nesterov", "step": 0.01, "max_iterations": 20000},
        {"name": "adam", "step": 0.01, "max_iterations": 20000},
    ]
    device = ("cpu", "torch")[int(rng.integers(2))]
    if find_spec("torch") is None:  # the draws after it stay the same
        device = "cpu"
    return {"targets": [_target(_size(rng, 3))], "optimizer": choices[int(rng.integers(5))], "device": device}


def _starts(rng: np.random.Generator) -> Config:
    scheme = ("gaussian", "orthogonal", "balanced", "identity")[int(rng.integers(4))]
    scale = float(10.0 ** rng.uniform(-6, 1))
    return {"targets": [_target(_size(rng))], "starts": {"schemes": [scheme], "scales": [scale], "count": 8}}


def _certificate(rng: np.random.Generator) -> Config:
    return {"targets": [_target(_size(rng))], "certificate": {"gradient_norm": float(10.0 ** rng.uniform(-12, -3))}}


def _data(rng: np.random.Generator) -> Config:
    name = ("iris", "diabetes", "wine", "davis_women")[int(rng.integers(4))]
    target = {"name": "t", "kind": "dataset", "dataset": name, "scale": "spectral"}
    return {"targets": [target if name == "davis_women" else {**target, "map": "correlation"}]}


def _network(rng: np.random.Generator) -> Config:
    samples, inputs, outputs = int(rng.integers(20, 60)), int(rng.integers(1, 7)), int(rng.integers(1, 5))
    data = rng.standard_normal((samples, inputs)) * 10.0 ** rng.uniform(-3, 3, inputs)
    answers = data @ rng.standard_normal((inputs, outputs)) + rng.standard_normal((samples, outputs))
    return {"targets": [{"name": "t", "kind": "network", "inputs": data, "outputs": answers}]}


def _widths(rng: np.random.Generator) -> Config:
    return {"targets": [_target(_size(rng, 4))], "hidden_widths": int(rng.integers(4, 9))}


def _studies(rng: np.random.Generator) -> Config:
    return {**_plain(rng), "studies": "all"}


FAMILIES: dict[str, Family] = {
    "seeds and shapes": _plain,
    "scales 1e-40 to 1e40": _scale,
    "one row or column, 2 x 60": _shape,
    "spectra over 12 decades": _spread,
    "gaps down to 1e-14": _gaps,
    "within 3e-14 of m*, m_loc, λ": _thresholds,
    "depths 5 to 60": _depth,
    "λ 1e-50 to 1e50": _lambda,
    "every optimizer and engine": _optimizer,
    "every scheme, scales 1e-6 to 10": _starts,
    "certificates 1e-12 to 1e-3": _certificate,
    "real data": _data,
    "networks on data": _network,
    "wide hidden layers": _widths,
    "every study": _studies,
}


def markdown(tallies: Mapping[str, Tally], faults: Sequence[str]) -> str:
    """The table of all families, and one line of totals."""
    from dmf.report.verdicts import number

    lines = [
        "| family | grids | refused | runs | certified | confirmed | inconclusive | violated | largest statistic | s |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, tally in tallies.items():
        words = " | ".join(f"{tally.words[word]:,}" for word in ("confirmed", "inconclusive", "violated"))
        lines.append(
            f"| {name} | {tally.grids} | {tally.refused} | {tally.runs:,} | {tally.certified:,} | {words} | "
            f"{number(tally.worst)} ({tally.worst_of}) | {tally.seconds:.0f} |"
        )
    total = sum(sum(tally.words.values()) for tally in tallies.values())
    grids, refused = (sum(getattr(tally, key) for tally in tallies.values()) for key in ("grids", "refused"))
    lines += ["", f"{grids} grids, {refused} refused, {total:,} verdicts, {len(faults)} faults.", ""]
    return "\n".join(lines)
