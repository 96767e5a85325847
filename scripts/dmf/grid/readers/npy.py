"""NumPy's file of one array."""

from __future__ import annotations

import io

import numpy as np

from dmf.errors import UserError
from dmf.grid.labelled import LabelledMatrix
from dmf.grid.readers._contract import Options

SUFFIXES = (".npy",)
USES: tuple[str, ...] = ()
ISOLATED = False
ZIP = b"PK"


def read(content: bytes, suffix: str, options: Options) -> LabelledMatrix:
    """The array. Pickled ones are refused: reading them would run code."""
    if content.startswith(ZIP):
        raise UserError("is an archive of arrays; call it .npz, or save one array with numpy.save")
    # Not numpy.load, which takes a file of another format for a pickled one, and says so.
    file = io.BytesIO(content)
    values = np.lib.format.read_array(file, allow_pickle=False)
    if rest := len(content) - file.tell():
        raise UserError(f"has {rest} bytes after its array; save one array a file, or several as .npz")
    return LabelledMatrix(values)
