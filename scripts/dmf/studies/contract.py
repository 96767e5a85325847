"""What every study's dataset holds, checked where it is made and where it is read; and its honest and false halves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import xarray as xr

from dmf.dataset.schema import DataError
from dmf.dataset.store import DamagedFile, read

DIMS = ("cell", "start")
OF_THE_GRID = ("runs", "targets")  # not studies: the grid's own runs, with the controls or with its targets beside them


def check_study(dataset: xr.Dataset, where: str) -> None:
    """Hold a study's dataset against the contract. Raises DataError naming the first thing that breaks it.

    Cases lie over (cell, start). `certified` (cell, start) is 1 where a case's certificate holds, so that a claim
    may count it; `control` (cell,) is 1 for cells that only serve as negative controls. Coordinates over cell or start
    name a case. Every variable has a long_name; further dimensions are free.
    """
    if not set(DIMS) <= set(dataset.dims):
        raise DataError(f"{where}: got dimensions {sorted(map(str, dataset.dims))}, expected cell and start among them")
    for name, dims in {"certified": DIMS, "control": ("cell",)}.items():
        if name not in dataset or dataset[name].dims != dims:
            raise DataError(f"{where}: expected a variable {name} over {dims}")
        if not dataset[name].isin([0, 1]).all():
            raise DataError(f"{where}: {name} has other values than 0 and 1")
    for key, variable in dataset.variables.items():
        if not variable.attrs.get("long_name"):
            raise DataError(f"{where}: {key} has no long_name; dmf.dataset.coordinates has those of coordinates")
        if variable.dtype.kind not in "OUT" and "units" not in variable.attrs:
            raise DataError(f"{where}: {key} has no units; a number without is dimensionless, and its units are 1")
    if not any(set(DIMS) & set(coordinate.dims) for coordinate in dataset.coords.values()):
        raise DataError(f"{where}: no coordinate names the cells or starts")


def read_evidence(
    study: str, evidence: Sequence[str], controls: str, made_with: str
) -> tuple[Iterable[xr.Dataset], xr.Dataset]:
    """What claims and figures on a study, or OF_THE_GRID, work with: evidence in parts, and controls.

    `evidence` are files, each read when its turn comes. A study keeps both in one file, which `evidence` and `controls`
    then name. `made_with` are the settings that file must carry; "" where it carries none. Raises DataError for a file
    that is missing or breaks the contract, DamagedFile where it is damaged, or is another study's or another grid's.
    """
    beside = read(controls, None if study in OF_THE_GRID else check_study)
    found = str(beside.attrs.get("settings", ""))
    if found != made_with:
        raise DamagedFile(Path(controls), f"made with {found or 'unknown settings'}, expected {made_with}")
    if study in OF_THE_GRID:
        return (read(file) for file in evidence), beside
    honest, control = halves(beside)
    return [honest], control


def halves(dataset: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """A study's honest cells, and those of its negative control."""
    control = dataset["control"].values == 1
    return dataset.isel(cell=~control), dataset.isel(cell=control)
