"""Files that are whole or absent: atomic writes, and a fingerprint of the values that is checked on reading."""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from dmf.dataset.owner import owned
from dmf.dataset.schema import DataError
from dmf.dataset.stamps import ATTRIBUTES, IDENTITY, OTHER, attributes_fingerprint, expected, sha256
from dmf.errors import UserError

FINGERPRINT = "values_sha256"
COMPRESS_ABOVE = 2**16  # bytes; small arrays do not repay a filter
REMEDY = "delete it and run again"


class DamagedFile(DataError):
    """A file whose content is not what was written under its name: `path`, and `what` is wrong with it."""

    def __init__(self, path: Path, what: str) -> None:
        """The message names the file, what is wrong, and what to do."""
        super().__init__(f"{path}: {what}; {REMEDY}")
        self.path, self.what = path, what


def values_fingerprint(dataset: xr.Dataset) -> str:
    """SHA-256 over every variable's and coordinate's name, dimensions, type, shape and little-endian values.

    Attributes are left out: they hold dates, and have a fingerprint of theirs. File bytes would differ from write to
    write.
    """
    total = hashlib.sha256()
    for name in sorted(str(n) for n in dataset.variables):
        values = np.asarray(dataset[name].values)
        if values.dtype.kind in "OUT":
            total.update(f"{name}|text|{dataset[name].dims}|{values.shape}|".encode())
            total.update("\x00".join(str(item) for item in values.ravel()).encode())
        else:
            values = values.astype(values.dtype.newbyteorder("<"), copy=False)
            total.update(f"{name}|{values.dtype.str}|{dataset[name].dims}|{values.shape}|".encode())
            total.update(np.ascontiguousarray(values).ravel().data)  # not its bytes, which would be a copy
    return total.hexdigest()


def write(dataset: xr.Dataset, path: str | Path) -> None:
    """Write a dataset as netCDF-4 under a temporary name, then rename it: `path` is never half a file.

    It is stamped with the identity that is expected of the file, and with fingerprints of its values and attributes.
    """
    stamp = expected(path)
    identity = {IDENTITY: stamp.identity} if stamp else {}
    stamped = dataset.assign_attrs({FINGERPRINT: values_fingerprint(dataset), **identity})
    stamped.attrs[ATTRIBUTES] = attributes_fingerprint(stamped)
    encoding = {
        name: {"zlib": True, "complevel": 1, "shuffle": True}
        for name, variable in stamped.variables.items()
        if variable.dtype.kind in "fi" and variable.nbytes > COMPRESS_ABOVE
    }

    def fill(temporary: Path) -> None:
        try:
            stamped.to_netcdf(temporary, engine="netcdf4", encoding=encoding)
        except RuntimeError as error:  # what the library raises where a write fails, a full disk for one
            raise OSError(str(error)) from None

    replace_file(path, fill)


def read(path: str | Path, check: Callable[[xr.Dataset, str], None] | None = None) -> xr.Dataset:
    """Load a dataset whole, after comparing its fingerprints and its identity with what they must be, and `check`.

    Raises DataError, naming the file, where it is missing or breaks the contract, DamagedFile where it is unreadable,
    altered or of something else than expected.
    """
    path = Path(path)
    dataset = _opened(path, lambda opened: opened.load())
    recorded = dataset.attrs.get(FINGERPRINT)
    if recorded != values_fingerprint(dataset):
        raise DamagedFile(path, f"values do not match their fingerprint {str(recorded)[:12]}")
    _check_header(path, dataset)
    if check is not None:
        check(dataset, str(path))
    return dataset


def read_header(path: str | Path, names: Sequence[str] = ()) -> xr.Dataset:
    """Sizes and attributes of a file and its variables `names`; other values are left on the disk.

    Raises DataError, naming the file, where it is missing, unreadable, has no such variable or other attributes than
    were written, or is of something else than expected.
    """

    def header(opened: xr.Dataset) -> xr.Dataset:
        for name in names:
            opened[name].load()
        return opened

    dataset = _opened(Path(path), header)
    _check_header(Path(path), dataset)
    return dataset


def _check_header(path: Path, dataset: xr.Dataset) -> None:
    found = dataset.attrs.get(ATTRIBUTES)
    if found is None:
        raise DamagedFile(path, "has no fingerprint of its attributes, as files of earlier versions")
    if found != attributes_fingerprint(dataset):
        raise DamagedFile(path, f"attributes do not match their fingerprint {str(found)[:12]}")
    stamp, identity = expected(path), dataset.attrs.get(IDENTITY)
    if stamp and stamp.identity != identity:
        raise DamagedFile(path, f"{OTHER} (identity {str(identity)[:12]}, expected {stamp.identity[:12]})")


def _opened(path: Path, look: Callable[[xr.Dataset], xr.Dataset]) -> xr.Dataset:
    if not path.exists():
        raise DataError(f"{path}: no such file; run the step that makes it")
    if not path.is_file():
        raise DamagedFile(path, "not a file; a pipe would wait for ever")
    from dmf.grid.readers._hdf5 import refuse_outside  # not above: it loads the netCDF library

    try:
        refuse_outside(path)
        with xr.open_dataset(path, engine="netcdf4") as opened:
            return look(opened)
    except UserError as error:
        raise DamagedFile(path, str(error)) from None
    except Exception as error:  # the netCDF library raises many kinds for a damaged file
        raise DamagedFile(path, f"not a readable netCDF file ({' '.join(str(error).split())})") from None


def read_bytes(path: str | Path) -> bytes:
    """The content of a file, after comparing it with its recorded fingerprint where one is expected.

    Raises DataError where it is missing, DamagedFile where its content is not what its job wrote.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); run the step that makes it") from None
    stamp = expected(path)
    if stamp and stamp.sha256 and stamp.sha256 != sha256(content):
        raise DamagedFile(path, f"content does not match its fingerprint {stamp.sha256[:12]}")
    return content


def write_text(text: str, path: str | Path) -> None:
    """Write text under a temporary name, then rename it."""
    replace_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def append_line(line: str, path: Path) -> None:
    """Add a line to a file in one write, so that lines of several processes do not mix. Raises DataError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab", buffering=0) as file:
            file.write(f"{line}\n".encode())
    except OSError as error:
        raise unwritable(path, error) from None


def set_aside(path: Path) -> Path:
    """Move a damaged file into a folder `damaged` beside it, under a name that is free there; returns the new path."""
    folder = path.parent / "damaged"
    try:
        folder.mkdir(exist_ok=True)
        names = (folder / f"{path.stem}-{number}{path.suffix}" for number in itertools.count(1))
        with owned():
            return path.rename(next(name for name in names if not name.exists()))
    except OSError as error:
        raise unwritable(folder, error) from None


def unwritable(path: Path, error: OSError) -> DataError:
    """The complaint about a path that could not be written: why, and how much room there is."""
    there = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    return DataError(
        f"{path}: cannot be written ({error.strerror or error}; {free:,} bytes are free there); "
        "make room, or make it writable, and run again"
    )


def replace_file(path: str | Path, fill: Callable[[Path], object]) -> None:
    """Let `fill` write a temporary file beside `path`, then rename it; on failure nothing is left behind.

    Raises DataError, naming the file, where the disk is full or the folder may not be written, and RunEnded in a job
    of a run that has ended.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)  # of a killed process that had the same number
        fill(temporary)
        with owned():
            temporary.replace(path)
    except OSError as error:
        raise unwritable(path, error) from None
    finally:
        temporary.unlink(missing_ok=True)
