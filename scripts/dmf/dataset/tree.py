"""All data of a grid as one xarray tree, read when used, in which runs and cells are selected by what names them."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core.indexing import ExplicitIndexer, IndexingSupport, LazilyIndexedArray, explicit_indexing_adapter

from dmf.dataset.schema import DataError
from dmf.dataset.store import read_header

APART = {"tiles", "tile_cache", "damaged", "archived", "incomplete"}  # parts of what is elsewhere, or not this grid's
NAMES = {"cell": ("target", "depth", "lam_label"), "start": ("scheme", "scale", "draw")}
SMALL = 2**16  # bytes; what is smaller is read at once


def open_grid(folder: str | Path) -> xr.DataTree:
    """The data folder of a grid as a tree: `targets`, `runs/GROUP`, `evidence`, `studies/NAME`, `cells/CLAIM` and more.

    Arrays are read when they are used, and no file stays open: the workflow may go on. `.chunk()` makes them dask's.
    All numbers are dimensionless. Runs are selected by `target`, `relative`, `scheme`, `scale` and `draw`, evidence by
    `target`, `depth` and `lam_label`. Attributes are compared with their fingerprint, values are not. Raises DataError
    for a folder without data, and for a file that is damaged or of an earlier version.

    >>> import dmf
    >>> grid = dmf.open_grid("data/default")
    >>> runs = grid["runs/L3-5x5x5x5"].to_dataset()
    >>> runs.sel(target="square", relative=0.5, scheme="gaussian", scale=1.0, draw=0).objective.item()
    24.76...
    """
    folder = Path(folder)
    files = [path for path in sorted(folder.glob("**/*.nc")) if _belongs(path.relative_to(folder))]
    if not files:
        raise DataError(f"{folder}: no data of a grid here; expected a folder such as data/default, made by a run")
    opened = {str(path.relative_to(folder).with_suffix("")): indexed(_lazy(path)) for path in files}
    return xr.DataTree.from_dict(opened, name=folder.name)


def _belongs(path: Path) -> bool:
    return not APART & set(path.parts) and not any(part.startswith(".") for part in path.parts)


def indexed(dataset: xr.Dataset) -> xr.Dataset:
    """The dataset with an index over each of relative lambda, cells and starts, where their names tell them apart."""
    if "lam_label" in dataset.dims and "relative" in dataset.coords:
        order = np.argsort(dataset["relative"].values, kind="stable")  # without order, no nearest and no slices
        dataset = dataset.isel(lam_label=order).set_xindex("relative")
    for dim, names in NAMES.items():
        here = [name for name in names if name in dataset.coords and dataset[name].dims == (dim,)]
        if len(here) > 1 and len(set(zip(*(dataset[name].values for name in here), strict=True))) == dataset.sizes[dim]:
            dataset = dataset.set_xindex(here)
    return dataset


def _lazy(path: Path) -> xr.Dataset:
    """The dataset of a file; coordinates and small arrays are read now, the others when they are used."""
    dataset = read_header(path)
    names = [name for name, one in dataset.variables.items() if name in dataset.coords or one.nbytes <= SMALL]
    dataset = read_header(path, [str(name) for name in names])
    for name in set(dataset.variables) - set(names):
        one = dataset[name].variable
        values = LazilyIndexedArray(_OnDisk(path, str(name), one.shape, one.dtype))
        dataset[name] = xr.Variable(one.dims, values, one.attrs)
    return dataset


class _OnDisk(BackendArray):
    """An array whose file is opened for each read. (Two handles on one file, one of them closed, crash HDF5 2.2.)"""

    lock = Lock()

    def __init__(self, path: Path, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.path, self.name, self.shape, self.dtype = path, name, shape, dtype

    def __getitem__(self, key: ExplicitIndexer) -> Any:
        return explicit_indexing_adapter(key, self.shape, IndexingSupport.OUTER, self._read)

    def _read(self, key: tuple[Any, ...]) -> Any:
        with self.lock, xr.open_dataset(self.path, engine="netcdf4") as opened:
            return opened[self.name].variable[key].values
