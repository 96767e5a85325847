"""SciPy's sparse matrices made dense, without its overflows and without places outside of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dmf.errors import UserError, printable, shown
from dmf.grid.labelled import inexact

if TYPE_CHECKING:
    from scipy.sparse import sparray


def dense(matrix: sparray) -> NDArray[Any]:
    """The matrix, (row, column); values at one place add up, in float64. Raises UserError, ValueError."""
    if hasattr(matrix, "check_format"):
        matrix.check_format(full_check=True)  # making one dense whose places lie outside of it writes there
    kind = matrix.dtype.kind
    if kind == "b":  # of which SciPy takes two at one place for one
        return np.asarray(matrix.toarray())
    if kind not in "fiu":
        raise UserError(f"got entries of type {printable(str(matrix.dtype))}, expected real numbers")
    if (wrong := inexact(matrix.data)).any():
        raise UserError(
            f"got {shown(matrix.data[wrong][0])}, which float64 does not hold; round or rescale it, or save the matrix "
            "in float64"
        )
    return np.asarray(matrix.astype(np.float64).toarray())
