"""Proofs of chosen runs as a dataset: what the claims on proofs read, with the layers that it all follows from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf.dataset.coordinates import described
from dmf.evidence.choose import MEASURED, Choice
from dmf.evidence.prove import Tried, TriedCell
from dmf.proof.balls import in_balls
from dmf.proof.minimizer import Reason
from dmf.proof.statements import SAYS, STATEMENTS, UNDECIDED, product_distance

FIELDS: dict[str, tuple[str, str]] = {
    "control": ("cell", "1 for cells that serve as negative controls only"),
    "lam": ("cell", "regularization parameter lambda"),
    "mu": ("cell", "smallest positive Hessian eigenvalue at a minimizer, from the closed form"),
    "predicted_trace": ("cell", "trace of the Hessian at a minimizer, from the closed form"),
    "exceptional_distance": ("cell", "smallest |sigma_i - m*| / m*"),
    "scheme": ("cell start", "how the start was drawn"),
    "scale": ("cell start", "size of a layer of the start in units of sigma_1^(1/L)"),
    "draw": ("cell start", "index of the draw in its series; -1 where the cell has no such run"),
    "certified": ("cell start", "1 where a local minimizer is proved within the radius"),
    "same": ("cell start", "1 where training repeated the stored run to the last bit"),
    "reason": ("cell start", "why the run was proved or not"),
    "at_minimum": ("cell start", "1 where the minimizer is proved to be a global one"),
    "lowest": ("cell start", "1 where no other proved minimizer of the cell is proved to be lower"),
    "level": ("cell start", "number k of the only level whose value it can have; -1 where that is not proved"),
    "orbit": ("cell start", "dimension of the minimizers' orbit"),
    "radius": ("cell start", "proved bound on the distance to the minimizer"),
    "objective_low": ("cell start", "F at the minimizer is no lower"),
    "objective_high": ("cell start", "F at the minimizer is no higher"),
    "curvature_low": ("cell start", "the smallest positive Hessian eigenvalue at the minimizer is no lower"),
    "curvature_high": ("cell start", "the smallest positive Hessian eigenvalue at the minimizer is no higher"),
    "disagreement": (
        "cell start",
        "distance of X from that of another lowest run, in units of the sum of both radii; the largest",
    ),
    "statements": ("claim cell start", "what each claim on runs says of the minimizer, decided on balls"),
    "counts": ("claim cell start", "1 where the claim counts the run"),
}
LAYERS = "layers"
PACKED = {  # of all cells one after the other, and what finds them
    "widths": ("cell", "widths d_0, ..., d_L"),
    "first_value": ("cell start", "where the run's layers begin"),
    LAYERS: ("value", "layers W_1, ..., W_L by rows"),
    "first_entry": ("cell", "where the cell's target begins"),
    "matrix": ("entry", "targets by rows"),
    "counted": ("claim", "runs of the grid that the claim counts"),
}


def proofs_dataset(cells: Sequence[TriedCell], choice: Choice) -> xr.Dataset:
    """Proofs (cell, start), start a number without meaning; layers of all runs one after the other in `layers`.

    `first_value` (cell, start) is where the layers of a run begin, W_1 first and each by rows, and `widths` (cell,) has
    their shapes. Cells without a run in some place have zeros and NaN there.
    """
    most = max(len(cell.runs) for cell in cells)
    claims = list(STATEMENTS)
    rows: dict[str, list[Any]] = {name: [] for name in FIELDS}
    for name in MEASURED:
        rows |= {name: [], f"exact_{name}": [], f"tolerance_{name}": []}
    values: list[NDArray[np.float64]] = []
    first: list[list[int]] = []
    end = 0
    for one in cells:
        runs = _run_rows(one, claims)
        begins = []
        for run in one.runs:
            begins.append(end)
            values += [layer.ravel() for layer in run.layers]
            end += sum(layer.size for layer in run.layers)
        first.append(begins + [-1] * (most - len(begins)))
        facts = {**one.cell.facts, "control": int(one.control)}
        for name in rows:
            rows[name].append(facts[name] if _dims(name) == ["cell"] else _filled(runs[name], most))
    variables = {
        name: (_dims(name), _column(name, column), {"long_name": _text(name), "units": "1"})
        for name, column in rows.items()
    }
    result = xr.Dataset(
        variables,
        coords={
            "target": ("cell", np.array([one.cell.target for one in cells], dtype=object)),
            "depth": ("cell", np.array([one.cell.depth for one in cells])),
            "lam_label": ("cell", np.array([one.cell.lam_label for one in cells], dtype=object)),
            "number": ("start", np.arange(most)),
            "claim": ("claim", np.array(claims, dtype=object)),
        },
    )
    packed: dict[str, Any] = {
        "widths": np.array([_widths(one) for one in cells], dtype=object),
        "first_value": np.array(first),
        LAYERS: np.concatenate(values),
        "first_entry": np.cumsum([0, *(one.matrix.size for one in cells[:-1])]),
        "matrix": np.concatenate([one.matrix.ravel() for one in cells]),
        "counted": np.array([choice.counted.get(name, 0) for name in claims]),
    }
    for name, (dims, text) in PACKED.items():
        units = {} if packed[name].dtype == object else {"units": "1"}
        result[name] = (dims.split(), packed[name], {"long_name": text} | units)
    for name, words in (("reason", [one.name.lower() for one in Reason]), ("statements", list(SAYS.values()))):
        flags = np.arange(len(words)) if name == "reason" else np.array(list(SAYS))
        result[name].attrs |= {"flag_values": flags.astype(np.int8), "flag_meanings": " ".join(words)}
    return described(result.assign_attrs(cells_of_the_grid=choice.cells))


def _widths(one: TriedCell) -> str:
    return " ".join(str(d) for d in one.group.widths)


def _dims(name: str) -> list[str]:
    return FIELDS[name][0].split() if name in FIELDS else ["cell", "start"]


def _text(name: str) -> str:
    if name in FIELDS:
        return FIELDS[name][1]
    if name.startswith("exact_"):
        return f"{name.removeprefix('exact_')} of the stored point from its layers, in ball arithmetic"
    if name.startswith("tolerance_"):
        return f"what rounding allows for {name.removeprefix('tolerance_')}"
    return f"{name} as training measured it"


def _run_rows(one: TriedCell, claims: Sequence[str]) -> dict[str, list[Any]]:
    """Of every field over start, its values for the runs of a cell."""
    lowest = _lowest(one.runs)
    reasons = list(Reason)
    rows: dict[str, list[Any]] = {
        "scheme": [run.run.start[0] for run in one.runs],
        "scale": [run.run.start[1] for run in one.runs],
        "draw": [run.run.start[2] for run in one.runs],
        "certified": [int(run.proof.proved) for run in one.runs],
        "same": [int(run.same) for run in one.runs],
        "reason": [reasons.index(run.proof.reason) for run in one.runs],
        "at_minimum": [int(run.minimizer is not None and run.minimizer.is_global) for run in one.runs],
        "lowest": [int(place in lowest) for place in range(len(one.runs))],
        "level": [_level(run) for run in one.runs],
        "orbit": [run.proof.orbit for run in one.runs],
        "radius": [run.proof.radius for run in one.runs],
        "objective_low": [run.proof.objective.low for run in one.runs],
        "objective_high": [run.proof.objective.high for run in one.runs],
        "curvature_low": [run.proof.curvature.low for run in one.runs],
        "curvature_high": [run.proof.curvature.high for run in one.runs],
        "disagreement": _disagreement(one.runs, lowest),
        "statements": [[run.says.get(name, UNDECIDED) for name in claims] for run in one.runs],
        "counts": [[int(name in run.run.counts) for name in claims] for run in one.runs],
    }
    for name in MEASURED:
        rows[name] = [run.run.measured[name] for run in one.runs]
        rows[f"exact_{name}"] = [run.again[name][0] for run in one.runs]
        rows[f"tolerance_{name}"] = [run.again[name][1] for run in one.runs]
    return rows


@in_balls
def _level(run: Tried) -> int:
    level = None if run.minimizer is None else run.minimizer.level
    return -1 if level is None else level


def _lowest(runs: Sequence[Tried]) -> list[int]:
    """Proved runs of a cell that no other is proved to be lower than."""
    proved = [place for place, run in enumerate(runs) if run.proof.proved]
    ceiling = min((runs[place].proof.objective.high for place in proved), default=0.0)
    return [place for place in proved if runs[place].proof.objective.low <= ceiling]


def _disagreement(runs: Sequence[Tried], lowest: Sequence[int]) -> list[float]:
    """Of each proved run, its largest distance from a lowest one, in units of the sum of radii; else NaN."""
    values = []
    for run in runs:
        if run.minimizer is None:
            values.append(np.nan)
            continue
        shares = [0.0]
        for place in lowest:
            other = runs[place].minimizer
            if other is not None and other is not run.minimizer:
                distance, allowed = product_distance(run.minimizer, other)
                shares.append(0.0 if distance <= 0 else distance / allowed if allowed > 0 else np.inf)
        values.append(max(shares))
    return values


ABSENT: dict[str, Any] = {"scheme": "", "draw": -1, "level": -1, "orbit": -1, "statements": UNDECIDED}


def _filled(values: list[Any], most: int) -> list[Any]:
    """A row of `most` places."""
    return values + [None] * (most - len(values))


def _column(name: str, rows: list[Any]) -> NDArray[Any]:
    dims = _dims(name)
    if dims == ["cell"]:
        return np.array(rows, dtype=np.int8 if name == "control" else np.float64)
    if dims[0] == "claim":
        absent = [ABSENT.get(name, 0)] * len(STATEMENTS)
        words = np.array([[absent if value is None else value for value in row] for row in rows], dtype=np.int8)
        return np.moveaxis(words, -1, 0)
    whole = name in ("draw", "certified", "same", "reason", "at_minimum", "lowest", "level", "orbit")
    absent_value = ABSENT.get(name, 0 if whole else np.nan)
    table = [[absent_value if value is None else value for value in row] for row in rows]
    if name == "scheme":
        return np.array(table, dtype=object)
    small = name in ("certified", "same", "reason", "at_minimum", "lowest")
    return np.array(table, dtype=np.int8 if small else np.int64 if whole else np.float64)
