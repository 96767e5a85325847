"""Holds every trained run against the closed forms: what it is evidence of, and to what accuracy."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf.dataset.coordinates import described
from dmf.evidence.cells import cell_facts
from dmf.evidence.fields import CELL_FIELDS, FIELDS, RUN_FIELDS
from dmf.evidence.runs import Arrays, run_facts, training_facts
from dmf.grid.cells import Group

Floats = NDArray[np.float64]
SLICE_BYTES = 2**24  # of end-to-end matrices
STARTS = ("scheme", "scale", "draw")


def certify(groups: Iterable[xr.Dataset]) -> xr.Dataset:
    """Evidence from datasets of runs: dimensions (cell, start), a cell being (target, depth, lambda).

    Every dataset must have the same starts; they become coordinates scheme, scale and draw. `dmf.evidence.fields` lists
    the fields, all dimensionless; `sigma` (cell, singular) holds the target's singular values, then NaN. Raises
    ValueError without any dataset, or where starts differ.
    """
    cells: list[dict[str, object]] = []
    runs: list[dict[str, NDArray[np.generic]]] = []
    sigmas: list[Floats] = []
    starts: xr.Dataset | None = None
    for dataset in groups:
        group = Group(tuple(int(d) for d in dataset.attrs["widths"]))
        before, starts = starts, xr.Dataset({name: dataset[name].variable for name in STARTS})
        if before is not None and not starts.equals(before):
            raise ValueError(f"certify: group {group.name} has other starts than the groups before it")
        for t in range(dataset.sizes["target"]):
            for v in range(dataset.sizes["lam_label"]):
                cell = _values(dataset, {"target": t, "lam_label": v})
                sigmas.append(np.linalg.svd(cell["matrix"], compute_uv=False))
                facts = cell_facts(cell["matrix"], group, float(cell["lam"]))
                names = {"target": str(cell["target"]), "depth": group.depth, "lam_label": str(cell["lam_label"])}
                facts |= training_facts(cell, group, facts)
                cells.append({**names, "group": group.name, **facts})
                runs.append(_in_slices(dataset, {"target": t, "lam_label": v}, group, facts))
    if starts is None:
        raise ValueError("certify: got no datasets, expected at least one")
    result = xr.Dataset(
        {
            "sigma": (("cell", "singular"), _padded(sigmas)),
            **{name: ("cell", np.array([cell[name] for cell in cells])) for name in CELL_FIELDS},
            **{name: (("cell", "start"), np.stack([run[name] for run in runs])) for name in RUN_FIELDS},
        },
        coords={
            **{
                name: ("cell", np.array([cell[name] for cell in cells], dtype=object))
                for name in ("target", "lam_label", "group")
            },
            "depth": ("cell", np.array([cell["depth"] for cell in cells])),
            **{name: ("start", starts[name].values) for name in STARTS},
        },
    )
    for name, field in FIELDS.items():
        result[name].attrs.update(long_name=field.text, units="1")
    return described(result.set_coords(["lam", "relative"]))


def _values(dataset: xr.Dataset, at: dict[str, int | slice]) -> Arrays:
    """Every variable at some places of its dimensions, as views: `isel` takes two milliseconds for it."""
    return {
        str(name): variable.values[tuple(at.get(str(dim), slice(None)) for dim in variable.dims)]
        for name, variable in dataset.variables.items()
    }


def _in_slices(
    dataset: xr.Dataset, place: dict[str, int | slice], group: Group, facts: dict[str, float]
) -> dict[str, NDArray[np.generic]]:
    """`run_facts` of a cell, a slice of its runs after the other: what it forms on the way is as large as the runs."""
    step = max(1, SLICE_BYTES // (8 * group.widths[0] * group.widths[-1]))
    parts = (slice(first, first + step) for first in range(0, max(1, dataset.sizes["start"]), step))
    slices = [run_facts(_values(dataset, {**place, "start": part}), group, facts) for part in parts]
    return {name: np.concatenate([s[name] for s in slices]) for name in RUN_FIELDS}


def _padded(rows: list[Floats]) -> Floats:
    table = np.full((len(rows), max(len(row) for row in rows)), np.nan)
    for line, row in zip(table, rows, strict=True):
        line[: len(row)] = row
    return table
