"""MATLAB files up to version 7."""

from __future__ import annotations

import io

import numpy as np

from dmf.errors import UserError, shown
from dmf.grid.labelled import LabelledMatrix, refuse_shape
from dmf.grid.readers._contract import Options, one_of

SUFFIXES = (".mat",)
USES = ("variable",)
ISOLATED = True
LIBRARIES = ("scipy.io", "scipy.sparse")
HDF5 = b"MATLAB 7.3"
NUMBERS = ("double", "single", "sparse", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)))


def read(content: bytes, suffix: str, options: Options) -> LabelledMatrix:
    """The one variable, or the one named, made dense; type and size are asked first."""
    from scipy.io import loadmat, whosmat
    from scipy.sparse import issparse

    if content.startswith(HDF5):
        raise UserError("is of MATLAB version 7.3; save it there with save(..., '-v7')")
    known = {name: (shape, kind) for name, shape, kind in whosmat(io.BytesIO(content))}
    name = one_of(list(known), options.variable)
    shape, kind = known[name]
    if kind not in NUMBERS:
        raise UserError(f"variable {shown(name)} is of type {kind}, expected real numbers")
    refuse_shape(shape)
    matrix = loadmat(io.BytesIO(content), variable_names=[name], spmatrix=False)[name]
    if issparse(matrix):
        matrix.check_format(full_check=True)  # making one dense whose places lie outside of it writes there
        matrix = matrix.toarray()
    return LabelledMatrix(np.asarray(matrix))
