"""One dataset a group from its tiles: every wanted run in its place, or a refusal."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import numpy as np
import xarray as xr

from dmf.dataset.schema import CELL, RUN_VARIABLES, DataError, describe
from dmf.grid.tiles import Tile

AGREE = ("widths", "training", "schema_version")
SUMMED = "train_seconds"
# How the tiles came about; where they differ, every value is kept.
TRACED = ("optimizer", "seed", "device", "threads", "date_created", "git_revision", "machine", "package_versions")
Axes = list[Sequence[Hashable]]


def assemble(whole: Tile, parts: Iterable[tuple[str, xr.Dataset]]) -> xr.Dataset:
    """Place the runs of `parts`, pairs (file, dataset), into the block `whole` of all wanted cells.

    Runs that are not wanted are left out. Raises DataError where sources disagree on their settings or a
    target's values, or where wanted runs are missing: a silent gap would be taken for evidence.
    """
    starts = [(s.scheme, s.scale, i) for s in whole.series for i in range(whole.first, whole.last)]
    axes: Axes = [[name for name, _ in whole.targets], whole.lambdas, starts]
    fingerprints = dict(whole.targets)
    result: xr.Dataset | None = None
    filled = np.zeros([len(axis) for axis in axes], dtype=np.bool_)
    for file, part in parts:
        _agrees(file, part, whole)
        matches = [_matches(key, axis) for key, axis in zip(_keys(part, fingerprints), axes, strict=True)]
        here, there = zip(*matches, strict=True)
        if result is None:
            result = _empty(part, axes, whole)
        _place(result, part, here, there)
        filled[np.ix_(*there)] = True
    if result is None or not filled.all():
        missing = int(filled.size - np.count_nonzero(filled))
        raise DataError(f"group {whole.group.name}: {missing} of {filled.size} runs are missing; train them first")
    return describe(result)


def _agrees(file: str, part: xr.Dataset, whole: Tile) -> None:
    expected = {"widths": list(whole.group.widths), "training": whole.training}
    for attribute, value in expected.items():
        found = part.attrs.get(attribute)
        found = [int(d) for d in np.atleast_1d(found)] if attribute == "widths" and found is not None else found
        if found != value:
            raise DataError(f"{file}: {attribute} is {found}, but the other runs have {value}; refused to mix them")


def _keys(part: xr.Dataset, fingerprints: dict[str, str]) -> Axes:
    """What names the targets, lambdas and starts of a part; None for a target defined otherwise than wanted."""
    targets = zip(part["target"].values, part["target_fingerprint"].values, strict=True)
    starts = zip(*(part[name].values.tolist() for name in ("scheme", "scale", "draw")), strict=True)
    return [
        [str(name) if fingerprints.get(str(name)) == str(found) else None for name, found in targets],
        [str(label) for label in part["lam_label"].values],
        list(starts),
    ]


def _matches(keys: Sequence[Hashable], axis: Sequence[Hashable]) -> tuple[list[int], list[int]]:
    """Positions in `keys` that are wanted, and where in `axis` they belong."""
    place = {key: i for i, key in enumerate(axis)}
    here = [i for i, key in enumerate(keys) if key in place]
    return here, [place[keys[i]] for i in here]


def _empty(part: xr.Dataset, axes: Axes, whole: Tile) -> xr.Dataset:
    sizes = dict(zip(CELL, (len(axis) for axis in axes), strict=True))
    variables = {}
    for name, variable in _varying(part).items():
        shape = [sizes.get(str(dim), part.sizes[dim]) for dim in variable.dims]
        fill = np.nan if variable.dtype.kind == "f" else None if variable.dtype.kind in "OUT" else 0
        variables[name] = (variable.dims, np.full(shape, fill, dtype=object if fill is None else variable.dtype))
    coords = {
        "target": np.array(axes[0], dtype=object),
        "lam_label": np.array(axes[1], dtype=object),
        "layer": part["layer"].values,
        "depth": whole.group.depth,
    }
    kept = {key: part.attrs[key] for key in AGREE if key in part.attrs}
    return xr.Dataset(variables, coords=coords, attrs={**kept, "depth": whole.group.depth})


def _varying(part: xr.Dataset) -> dict[Hashable, xr.Variable]:
    """What a part says of its targets, lambdas, starts and runs, but for their names."""
    return {name: variable for name, variable in part.variables.items() if name not in part.dims and variable.dims}


def _place(result: xr.Dataset, part: xr.Dataset, here: tuple[list[int], ...], there: tuple[list[int], ...]) -> None:
    source, goal = dict(zip(CELL, here, strict=True)), dict(zip(CELL, there, strict=True))
    for name, variable in _varying(part).items():
        pick = np.ix_(*(source.get(str(d), range(part.sizes[d])) for d in variable.dims))
        put = np.ix_(*(goal.get(str(d), range(part.sizes[d])) for d in variable.dims))
        result[name].values[put] = variable.values[pick]
    for name in TRACED:
        known = str(result.attrs.get(f"trained_{name}", "")).split(" | ")
        result.attrs[f"trained_{name}"] = " | ".join(sorted({*known, str(part.attrs.get(name, "unknown"))} - {""}))
    result.attrs[SUMMED] = float(result.attrs.get(SUMMED, 0.0)) + float(part.attrs.get(SUMMED, 0.0))


def run_count(dataset: xr.Dataset) -> int:
    """Number of runs in a dataset of runs."""
    return int(np.prod([dataset.sizes[dim] for dim in RUN_VARIABLES["objective"].dims]))
