"""MATLAB files up to version 7.

SciPy reads no variable of a file that has one table, datetime or string object, so each variable is given to it alone.
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator

import numpy as np

from dmf.errors import UserError, shown
from dmf.grid.labelled import LabelledMatrix, refuse_shape
from dmf.grid.readers._contract import Options, one_of
from dmf.grid.readers._sparse import dense

SUFFIXES = (".mat",)
USES = ("variable",)
ISOLATED = True
LIBRARIES = ("scipy.io", "scipy.sparse")
HDF5 = 2  # what SciPy calls version 7.3
NUMBERS = ("double", "single", "sparse", "logical", *(f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64)))
HEAD = 128  # bytes before the first variable of version 5, of which the last two give the order of bytes
WORKSPACE = "__function_workspace__"  # SciPy's name for what objects and functions refer to


def read(content: bytes, suffix: str, options: Options) -> LabelledMatrix:
    """The one variable of numbers, or the one named, made dense; type and size are asked first."""
    from scipy.io import loadmat, whosmat
    from scipy.sparse import issparse

    found: dict[str, tuple[tuple[int, ...], str, bytes]] = {}
    for part in _parts(content):
        try:
            listed = whosmat(io.BytesIO(part))
        except TypeError as error:
            if "NoneType" not in str(error):
                raise
            continue  # an object, whose header has no size
        for name, shape, kind in listed:
            if name == WORKSPACE or kind == "opaque":
                continue
            if name in found:
                raise UserError(f"has two variables {shown(name)}; keep one of them")
            found[name] = shape, kind, part
    numbers = {name: shape for name, (shape, kind, _) in found.items() if kind in NUMBERS}
    matrices = [name for name, shape in numbers.items() if len(shape) == 2 and 0 not in shape]
    name = one_of(list(found), options.variable, matrices or list(numbers))
    shape, kind, part = found[name]
    if kind not in NUMBERS:
        raise UserError(f"variable {shown(name)} is of type {kind}, expected real numbers")
    refuse_shape(shape)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # SciPy only warns of numbers that it reads wrongly
        matrix = loadmat(io.BytesIO(part), variable_names=[name], spmatrix=False)[name]
    return LabelledMatrix(dense(matrix) if issparse(matrix) else np.asarray(matrix))


def _parts(content: bytes) -> Iterator[bytes]:
    """Files of one variable each, of a file of version 5; a file of version 4 as it is."""
    from scipy.io.matlab import matfile_version

    version = HDF5 if content.startswith(b"MATLAB 7.3") else matfile_version(io.BytesIO(content))[0]
    if version == HDF5:
        raise UserError("is of MATLAB version 7.3; save it there with save(..., '-v7')")
    if version == 0:
        yield content
        return
    order = "<" if content[HEAD - 2 : HEAD] == b"IM" else ">"
    place = HEAD
    while place < len(content):
        if place + 8 > len(content):
            raise UserError("is cut short")
        end = place + 8 + struct.unpack_from(order + "I", content, place + 4)[0]
        if end > len(content):
            raise UserError("is cut short")
        yield content[:HEAD] + content[place:end]
        place = end
