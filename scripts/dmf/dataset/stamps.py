"""What a file is of: the identity that every file carries, compared with what this process expects of it.

An identity is decided before anything is made (`dmf.products`): a fingerprint of the step that makes a file, of its
code, of all that decides its content and of the identities of what it is made from. It says what a file must be of,
while the fingerprint of its values says that these are what was written. Both are compared wherever a file is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

IDENTITY = "identity"
ATTRIBUTES = "attributes_sha256"
OTHER = "is of another state of the grid or of another version of the code"


class Stamp(NamedTuple):
    """What is expected of a file: its identity, and the SHA-256 of its bytes, "" where the file itself carries both."""

    identity: str
    sha256: str = ""


_expected: dict[str, Stamp] = {}  # of the job that this process runs


@contextmanager
def expecting(stamps: Mapping[Path, Stamp]) -> Iterator[None]:
    """Expect these files, by path, to be what their stamps say, and stamp those that are written, until the end."""
    before = dict(_expected)
    _expected.update({str(path): stamp for path, stamp in stamps.items()})
    try:
        yield
    finally:
        _expected.clear()
        _expected.update(before)


def expected(path: str | Path) -> Stamp | None:
    """What is expected of a file; None where nothing is."""
    return _expected.get(str(Path(path)))


def sha256(content: bytes) -> str:
    """The fingerprint of bytes."""
    return hashlib.sha256(content).hexdigest()


def attributes_fingerprint(dataset: xr.Dataset) -> str:
    """SHA-256 over all attributes, of the dataset and of its variables, but its own."""
    own = {name: value for name, value in dataset.attrs.items() if name != ATTRIBUTES}
    places = {"": own, **{f"/{name}": variable.attrs for name, variable in dataset.variables.items()}}
    lines = [
        json.dumps([place, name, _plain(value)]) for place, found in places.items() for name, value in found.items()
    ]
    return sha256("\n".join(sorted(lines)).encode())


def _plain(value: Any) -> list[Any]:
    """An attribute as netCDF gives it back: a list of one and a single value are the same there."""
    return [str(one) if isinstance(one, str) else repr(one) for one in np.atleast_1d(np.asarray(value)).tolist()]
