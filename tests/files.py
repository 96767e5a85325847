"""Contents of target files as their formats' own libraries write them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
import scipy.io
from PIL import Image

from dmf.grid.readers import readers


@contextmanager
def in_process() -> Iterator[None]:
    """Readers that run in a separate process share this one: much faster, for content that crashes none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dmf.grid.readers.read_isolated", lambda module, *rest: import_module(module).read(*rest))
        readers.cache_clear()
        yield
    readers.cache_clear()


MATRIX = np.array([[1.0, 0.1, 1 / 3], [-2e-17, 5e10, np.pi]])


def npy(array: np.ndarray, **options: bool) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def archive(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return buffer.getvalue()


def mat(compress: bool = False, version: str = "5", **variables: Any) -> bytes:
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, variables, do_compression=compress, format=version)
    return buffer.getvalue()


def mtx(matrix: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    scipy.io.mmwrite(buffer, matrix, **options)
    return buffer.getvalue()


def csv(array: np.ndarray, separator: str = ",") -> bytes:
    return "\n".join(separator.join(repr(float(x)) for x in row) for row in array).encode()


def image(array: np.ndarray, form: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, form, **options)
    return buffer.getvalue()


def netcdf(
    variables: Mapping[str, np.ndarray],
    coordinates: Mapping[str, Sequence[Any]] | None = None,
    form: str = "NETCDF4",
    draft: str = "draft.nc",
    zlib: bool = False,
) -> bytes:
    """Variables over dimensions NAME_0, NAME_1, ...; a coordinate labels the dimension of its name."""
    with netCDF4.Dataset(draft, "w", format=form) as file:
        for name, values in variables.items():
            group, _, short = name.rpartition("/")
            place = file.createGroup(group) if group else file
            dims = [f"{short}_{axis}" for axis in range(values.ndim)]
            for dim, size in zip(dims, values.shape, strict=True):
                place.createDimension(dim, size)
            place.createVariable(short, values.dtype, dims, zlib=zlib)[...] = values
        for name, labels in (coordinates or {}).items():
            coordinate = file.createVariable(name, str if isinstance(labels[0], str) else "i4", (name,))
            coordinate[...] = np.array(labels, dtype=object if isinstance(labels[0], str) else "i4")
    content = Path(draft).read_bytes()
    Path(draft).unlink()
    return content
