"""Files that are whole or absent: atomic writes, and a fingerprint of the values that is checked on reading."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr

from dmf.dataset.schema import DataError

FINGERPRINT = "values_sha256"
COMPRESS_ABOVE = 2**16  # bytes; small arrays do not repay a filter
REMEDY = "delete it and run again"


def values_fingerprint(dataset: xr.Dataset) -> str:
    """SHA-256 over every variable's name, type, shape and values. File bytes would differ from write to write."""
    total = hashlib.sha256()
    for name in sorted(str(n) for n in dataset.variables):
        values = np.asarray(dataset[name].values)
        if values.dtype.kind in "OUT":
            total.update(f"{name}|text|{values.shape}|".encode())
            total.update("\x00".join(str(item) for item in values.ravel()).encode())
        else:
            total.update(f"{name}|{values.dtype.newbyteorder('<').str}|{values.shape}|".encode())
            total.update(np.ascontiguousarray(values).ravel().data)  # not its bytes, which would be a copy
    return total.hexdigest()


def write(dataset: xr.Dataset, path: str | Path) -> None:
    """Write a dataset as netCDF-4 under a temporary name, then rename it: `path` is never half a file."""
    stamped = dataset.assign_attrs({FINGERPRINT: values_fingerprint(dataset)})
    encoding = {
        name: {"zlib": True, "complevel": 1, "shuffle": True}
        for name, variable in stamped.variables.items()
        if variable.dtype.kind in "fi" and variable.nbytes > COMPRESS_ABOVE
    }
    replace_file(path, lambda temporary: stamped.to_netcdf(temporary, engine="netcdf4", encoding=encoding))


def read(path: str | Path, check: Callable[[xr.Dataset, str], None] | None = None) -> xr.Dataset:
    """Load a dataset whole, after holding its values against its fingerprint and `check`.

    Raises DataError, naming the file, where it is missing, unreadable, altered or breaks the contract.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"{path}: no such file; run the step that makes it")
    try:
        with xr.open_dataset(path, engine="netcdf4") as opened:
            dataset = opened.load()
    except Exception as error:  # the netCDF library raises many kinds for a damaged file
        reason = " ".join(str(error).split())
        raise DataError(f"{path}: not a readable netCDF file ({reason}); {REMEDY}") from None
    recorded = dataset.attrs.get(FINGERPRINT)
    if recorded != values_fingerprint(dataset):
        raise DataError(f"{path}: values do not match their fingerprint {str(recorded)[:12]}; {REMEDY}")
    if check is not None:
        check(dataset, str(path))
    return dataset


def read_header(path: str | Path) -> xr.Dataset:
    """Sizes and global attributes of a file, its values left on the disk: enough to say where they came from.

    Raises DataError, naming the file, where it is missing or unreadable.
    """
    try:
        with xr.open_dataset(path, engine="netcdf4") as opened:
            return opened
    except Exception as error:  # the netCDF library raises many kinds for a damaged file
        raise DataError(f"{path}: not a readable netCDF file ({' '.join(str(error).split())}); {REMEDY}") from None


def write_text(text: str, path: str | Path) -> None:
    """Write text under a temporary name, then rename it."""
    replace_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def replace_file(path: str | Path, fill: Callable[[Path], object]) -> None:
    """Let `fill` write a temporary file beside `path`, then rename it; on failure nothing is left behind.

    Raises DataError, naming the file, where the disk is full or the folder may not be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fill(temporary)
        temporary.replace(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror or error})") from None
    finally:
        temporary.unlink(missing_ok=True)
