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
    found: dict[tuple[str, int, str], Cell] = {}
    worst: dict[str, tuple[float, xr.Dataset, frozenset[str]]] = {}
    seen, counted = 0, dict.fromkeys(claims, 0)
    for members in by_cells(chunks):
        evidence = joined(_looked_at(chunk, claims) for chunk in members)
        for number in range(evidence.sizes["cell"]):
            cell = evidence.isel(cell=number)
            seen += 1
            if _lot(_key(cell)) < share:
                for place in _of_cell(cell):
                    _add(found, cell.isel(start=place), claims)
            for name in claims:
                mask = cell[f"counts_{name}"].values
                counted[name] += int(mask.sum())
                ratio = np.where(mask, cell[f"ratio_{name}"].values, -np.inf)
                place = int(ratio.argmax())
                if mask.any() and (name not in worst or ratio[place] > worst[name][0]):
                    worst[name] = (float(ratio[place]), cell.isel(start=place), frozenset())
    for _, run, _ in worst.values():
        _add(found, run, claims)
    return Choice(sorted(found.values(), key=lambda cell: (cell.target, cell.depth, cell.lam_label)), seen, counted)


def _looked_at(chunk: xr.Dataset, claims: Mapping[str, Claim]) -> xr.Dataset:
    """What choosing needs of a chunk, and of every claim which runs it counts and how near these are to its edge."""
    kept = chunk[[*CELL_FACTS, *MEASURED]].assign(eligible=is_eligible(chunk), certified_run=is_certified(chunk))
    for name, claim in claims.items():
        weighed = weigh(claim, chunk)
        kept[f"counts_{name}"] = weighed["eligible"].variable
        kept[f"ratio_{name}"] = weighed["ratio"].variable
    return kept.drop_vars("sigma", errors="ignore")


def _key(cell: xr.Dataset) -> tuple[str, int, str]:
    target, depth, label = (cell[name].item() for name in CELL_NAMES)
    return str(target), int(depth), str(label)


def _lot(key: Sequence[Any]) -> float:
    """A number in [0, 1) that belongs to a cell."""
    return int(digest(["proof", *key], 12), 16) / 16**12


def _of_cell(cell: xr.Dataset) -> list[int]:
    """Places of the runs to prove: lowest first, one by lot, and certified ones where too few are eligible."""
    objective = cell["objective"].values
    eligible = _by_height(objective, cell["eligible"].values)
    others = _by_height(objective, cell["certified_run"].values & ~cell["eligible"].values)
    places = eligible[:1]
    if len(eligible) > 1:
        places.append(eligible[1 + int(_lot(["run", *_key(cell)]) * (len(eligible) - 1))])
    return (places + others)[:OF_EACH]


def _by_height(objective: NDArray[np.float64], mask: NDArray[np.bool_]) -> list[int]:
    places = np.flatnonzero(mask)
    order: list[int] = places[np.argsort(objective[places], kind="stable")].tolist()
    return order


def _add(found: dict[tuple[str, int, str], Cell], run: xr.Dataset, claims: Iterable[str]) -> None:
    key = _key(run)
    facts = {name: float(run[name]) for name in CELL_FACTS}
    cell = found.setdefault(key, Cell(*key, facts))
    scheme, scale, draw = (run[name].item() for name in START_NAMES)
    counts = frozenset(name for name in claims if bool(run[f"counts_{name}"]))
    start = (str(scheme), float(scale), int(draw))
    cell.runs.setdefault(start, Run(start, {name: float(run[name]) for name in MEASURED}, counts))
