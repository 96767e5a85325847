"""Targets, lambdas and widths as people have them: any array-like, "0.5c", one width for all layers.

Libraries are recognized by the methods of their objects and never imported. A refusal is one line.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dmf.errors import UserError, shown
from dmf.grid.labelled import LabelledMatrix, labels, real, refuse_extreme
from dmf.grid.limits import LARGEST
from dmf.theory import critical_lambda
from dmf.theory._check import target_matrix

Entries = NDArray[Any]
Names = tuple[str, ...]
LAM = 'a number > 0, or text such as "0.5c" for 0.5 lambda_c of the target and depth'


def read_target(value: Any, missing: bool = False) -> LabelledMatrix:
    """A target as a finite float64 matrix (d_L, d_0), with its labels where it has some.

    `value` may be nested lists, a NumPy array, a data frame, a two-dimensional xarray.DataArray, a sparse matrix of
    SciPy, or a tensor of torch. Raises TypeError for entries that are not real numbers, ValueError for another shape,
    for NaN, infinite or masked entries, and for a matrix of zeros. With `missing`, NaN and masked entries are NaN.

    >>> read_target([[1, 2], [3, 4]]).values.dtype
    dtype('float64')
    """
    return checked(LabelledMatrix(*_unpacked(value, missing)), missing)


def checked(matrix: LabelledMatrix, missing: bool = False) -> LabelledMatrix:
    """As `read_target`, of a matrix that is there already.

    >>> checked(LabelledMatrix(np.array([[1.0, np.nan]])), missing=True).values
    array([[ 1., nan]])
    """
    if matrix.values.dtype.kind not in "fiub":
        raise TypeError(f"target: got entries of type {shown(matrix.values.dtype)}, expected real numbers")
    holes = np.isnan(matrix.values) if missing and matrix.values.dtype.kind == "f" else np.zeros((), dtype=bool)
    try:
        read = real(replace(matrix, values=np.where(holes, 0, matrix.values)) if holes.any() else matrix)
        refuse_extreme(read.values)
    except UserError as error:
        raise ValueError(f"target: {error}") from None
    return replace(read, values=np.where(holes, np.nan, read.values)) if holes.any() else read


def read_matrix(name: str, value: Any) -> NDArray[np.float64]:
    """Anything that `read_target` takes as a finite float64 matrix, zeros too; ValueError with its name otherwise.

    >>> read_matrix("B", [[0, 0]])
    array([[0., 0.]])
    """
    entries = _unpacked(value)[0]
    matrix = target_matrix(entries.astype(np.float64) if entries.dtype.kind == "b" else entries, name)
    if (large := np.abs(matrix).max()) > LARGEST:
        raise ValueError(f"{name}: got an entry of size {large:.3g}, expected at most {LARGEST:.0e}, for its square")
    return matrix


def read_widths(value: int | Sequence[int] | None, shape: tuple[int, int], depth: int) -> tuple[int, ...]:
    """(d_0, ..., d_L) of a target of `shape` (d_L, d_0), given its hidden widths, one for all, or None.

    None is min(d_0, d_L), the least that the theory allows. Raises ValueError for another number of widths or a
    narrower one, TypeError for what is no whole number.

    >>> read_widths(None, (2, 3), depth=3), read_widths([4, 2], (2, 3), depth=3)
    ((3, 2, 2, 2), (3, 4, 2, 2))
    """
    depth, least = read_depth(depth), min(shape)
    if value is None:
        hidden = [least] * (depth - 1)
    elif isinstance(value, Sequence | np.ndarray) and not isinstance(value, str):
        hidden = [_whole("widths", width) for width in value]
    else:
        hidden = [_whole("widths", value)] * (depth - 1)
    if len(hidden) != depth - 1:
        raise ValueError(
            f"widths: got {len(hidden)}, expected the {depth - 1} hidden widths d_1, ..., d_(L-1) of depth {depth}, or "
            "one number for all"
        )
    if min(hidden) < least:
        raise ValueError(f"widths: got {min(hidden)}, expected at least min(d_0, d_L) = {least}")
    return (shape[1], *hidden, shape[0])


def read_depth(value: object) -> int:
    """The number of layers. Raises TypeError for what is no whole number, ValueError below 2."""
    depth = _whole("depth", value)
    if depth < 2:
        raise ValueError(f"depth: got {depth}, expected at least 2 layers")
    return depth


def lam_label(value: float | str, name: str = "lam") -> str:
    """The label of a lambda as a grid writes it: 0.5c for "0.50c" and ".5c", 0.1 for 0.1; `name` is for complaints.

    Raises TypeError for what is neither a number nor text, ValueError unless it is finite and > 0.

    >>> lam_label("0.50c"), lam_label(0.1)
    ('0.5c', '0.1')
    """
    relative = isinstance(value, str) and value.endswith("c")
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        number = float(value.removesuffix("c") if isinstance(value, str) else value)
    except ValueError:
        raise ValueError(f"{name}: got {shown(value, quoted=True)}, expected {LAM}") from None
    except TypeError:
        raise TypeError(f"{name}: got {shown(value, quoted=True)}, expected {LAM}") from None
    if not (number > 0 and np.isfinite(number)):
        raise ValueError(f"{name}: got {shown(value)}, expected {LAM}")
    return f"{number!r}{'c' if relative else ''}"


def read_lam(value: float | str, sigma_1: float, depth: int) -> float:
    """Lambda of a target with the spectral norm `sigma_1` > 0 at a depth; refusals are those of `lam_label`.

    >>> read_lam("0.5c", sigma_1=4.0, depth=2)
    2.0
    """
    label = lam_label(value)
    unit = float(critical_lambda(sigma_1, depth)) if label.endswith("c") else 1.0
    return float(label.removesuffix("c")) * unit


def _unpacked(value: Any, missing: bool = False) -> tuple[Entries, Names, Names]:
    """Entries of any type, and the labels of rows and columns; with `missing`, masked ones are NaN."""
    if hasattr(value, "columns") and hasattr(value, "to_numpy"):  # a data frame
        return _entries_of_frame(value), _labels(getattr(value, "index", ())), _labels(value.columns)
    if hasattr(value, "dims") and hasattr(value, "coords"):  # xarray
        along = [_labels(value.coords[dim].values) if dim in value.coords else () for dim in value.dims]
        return np.asarray(value.values), *((along[0], along[1]) if len(along) == 2 else ((), ()))
    if hasattr(value, "detach") and hasattr(value, "to_dense"):  # torch
        tensor = value.detach().cpu().to_dense()
        return np.asarray(tensor.double() if tensor.is_floating_point() else tensor), (), ()  # NumPy has no bfloat16
    if hasattr(value, "toarray") and hasattr(value, "nnz"):  # sparse, of SciPy
        return np.asarray(value.toarray()), (), ()
    if np.ma.is_masked(value) and missing and value.dtype.kind in "fiu":
        return np.asarray(value.astype(np.float64).filled(np.nan)), (), ()
    if np.ma.is_masked(value):
        raise ValueError("target: got masked entries, expected a number everywhere")
    try:
        return np.asarray(value), (), ()
    except ValueError:
        raise ValueError("target: got rows of unequal length, expected a matrix") from None


def _entries_of_frame(frame: Any) -> Entries:
    """Numbers, NaN where one is missing; a frame with other columns as it is, since text could become numbers."""
    nullable = all(getattr(dtype, "kind", "O") in "fiub" for dtype in frame.dtypes)
    return np.asarray(frame.to_numpy(dtype=np.float64, na_value=np.nan) if nullable else frame.to_numpy())


def _labels(names: Iterable[Any]) -> Names:
    """Labels, none where they are only numbers of rows or columns."""
    found = list(names)
    return () if found == list(range(len(found))) else labels(found)


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"{name}: got {value}, expected a whole number")
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: got {shown(value, quoted=True)}, expected a whole number") from None
