"""Chooses runs to prove: of every cell the lowest eligible one and one drawn by lot, and the worst of every claim."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf.evidence.cases import weigh
from dmf.evidence.chunks import by_cells, joined
from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import is_certified, is_eligible
from dmf.grid.seeds import digest

OF_EACH = 2
"""Runs of a cell."""

CELL_NAMES = ("target", "depth", "lam_label")
START_NAMES = ("scheme", "scale", "draw")
CELL_FACTS = ("lam", "mu", "predicted_trace", "exceptional_distance")
MEASURED = (
    "objective",
    "gradient_norm",
    "layer_norm_sq_min",
    "layer_norm_sq_max",
    "imbalance",
    "hessian_trace",
    "end_to_end_norm",
)
"""What the engine measured of a run, and a proof measures again from its layers."""


@dataclass
class Run:
    """A chosen run: its start, what the engine measured, and the claims that count it."""

    start: tuple[str, float, int]
    measured: dict[str, float]
    counts: frozenset[str]


@dataclass
class Cell:
    """A cell with chosen runs."""

    target: str
    depth: int
    lam_label: str
    facts: dict[str, float]
    runs: dict[tuple[str, float, int], Run] = field(default_factory=dict)


Key = tuple[str, int, str]
Taken = tuple[Key, dict[str, float], Run]
Values = dict[str, NDArray[Any]]  # by name, (cell, start)


@dataclass
class Choice:
    """Chosen runs by cell; `cells` is how many the evidence has, `counted` how many runs each claim counts."""

    chosen: list[Cell]
    cells: int
    counted: dict[str, int]


def choose(chunks: Iterable[xr.Dataset], claims: Mapping[str, Claim], most: int, cells: int) -> Choice:
    """Runs to prove from evidence in chunks, each (cell, start), of a grid with so many `cells`.

    At most about `most` runs: with more cells than these suffice for, cells are drawn by lot; the worst run of each
    claim is chosen in any case. A cell with fewer eligible runs gives its lowest certified ones. The lot is a hash of
    the cell's name: it depends on no order and on no number that was measured.
    """
    share = max(most - len(claims), 0) / (OF_EACH * cells) if cells else 0.0
    found: dict[Key, Cell] = {}
    worst: dict[str, tuple[float, Taken]] = {}
    seen, counted = 0, dict.fromkeys(claims, 0)
    for members in by_cells(chunks):
        runs = _values(joined(_looked_at(chunk, claims) for chunk in members))
        many, starts = runs["objective"].shape
        seen += many
        for cell in range(many):
            if _lot(_key(runs, cell)) < share:
                for start in _of_cell(runs, cell):
                    _add(found, _taken(runs, (cell, start), claims))
        for name in claims:
            mask = runs[f"counts_{name}"]
            counted[name] += int(mask.sum())
            ratio = np.where(mask, runs[f"ratio_{name}"], -np.inf)
            place = divmod(int(ratio.argmax()), starts)
            if mask.any() and (name not in worst or ratio[place] > worst[name][0]):
                worst[name] = (float(ratio[place]), _taken(runs, place, claims))
    for _, run in worst.values():
        _add(found, run)
    return Choice(sorted(found.values(), key=lambda cell: (cell.target, cell.depth, cell.lam_label)), seen, counted)


def _looked_at(chunk: xr.Dataset, claims: Mapping[str, Claim]) -> xr.Dataset:
    """What choosing needs of a chunk, and of every claim which runs it counts and how near these are to its edge."""
    kept = chunk[[*CELL_FACTS, *MEASURED]].assign(eligible=is_eligible(chunk), certified_run=is_certified(chunk))
    for name, claim in claims.items():
        weighed = weigh(claim, chunk)
        kept[f"counts_{name}"] = weighed["eligible"].variable
        kept[f"ratio_{name}"] = weighed["ratio"].variable
    return kept.drop_vars("sigma", errors="ignore")


def _values(evidence: xr.Dataset) -> Values:
    """Every field and coordinate over (cell, start), as arrays: a look at one run of a dataset takes a millisecond."""
    shape = evidence["objective"].transpose("cell", "start")
    names = [str(name) for name, one in evidence.variables.items() if {*one.dims} <= {*shape.dims}]
    return {name: evidence[name].broadcast_like(shape).transpose("cell", "start").values for name in names}


def _key(runs: Values, cell: int) -> Key:
    target, depth, label = (runs[name][cell, 0] for name in CELL_NAMES)
    return str(target), int(depth), str(label)


def _lot(key: Sequence[Any]) -> float:
    """A number in [0, 1) that belongs to a cell."""
    return int(digest(["proof", *key], 12), 16) / 16**12


def _of_cell(runs: Values, cell: int) -> list[int]:
    """Places of the runs to prove: lowest first, one by lot, and certified ones where too few are eligible."""
    objective, eligible, certified = (runs[name][cell] for name in ("objective", "eligible", "certified_run"))
    lowest = _by_height(objective, eligible)
    others = _by_height(objective, certified & ~eligible)
    places = lowest[:1]
    if len(lowest) > 1:
        places.append(lowest[1 + int(_lot(["run", *_key(runs, cell)]) * (len(lowest) - 1))])
    return (places + others)[:OF_EACH]


def _by_height(objective: NDArray[np.float64], mask: NDArray[np.bool_]) -> list[int]:
    places = np.flatnonzero(mask)
    order: list[int] = places[np.argsort(objective[places], kind="stable")].tolist()
    return order


def _taken(runs: Values, place: tuple[int, int], claims: Iterable[str]) -> Taken:
    """The run of a cell and start, and what a new cell with it holds."""
    scheme, scale, draw = (runs[name][place] for name in START_NAMES)
    counts = frozenset(name for name in claims if runs[f"counts_{name}"][place])
    measured = {name: float(runs[name][place]) for name in MEASURED}
    facts = {name: float(runs[name][place]) for name in CELL_FACTS}
    return _key(runs, place[0]), facts, Run((str(scheme), float(scale), int(draw)), measured, counts)


def _add(found: dict[Key, Cell], taken: Taken) -> None:
    key, facts, run = taken
    found.setdefault(key, Cell(*key, facts)).runs.setdefault(run.start, run)
