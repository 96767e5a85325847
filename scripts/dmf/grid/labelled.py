"""A matrix with names for its rows and columns, and what every matrix must be to become a target."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dmf.errors import LONGEST_NAME, UserError, printable
from dmf.grid.limits import HIDDEN, LARGEST, LARGEST_DIMENSION, SMALLEST

Floats = NDArray[np.float64]
LONGEST_LABEL = 60


@dataclass(frozen=True)
class LabelledMatrix:
    """`values` (row, column), and a label for each row and each column; no labels at all where there are none."""

    values: NDArray[Any]
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


def label(text: object) -> str:
    """A label from someone's file, made fit for a page and a figure: one line, at most LONGEST_LABEL characters."""
    shown = HIDDEN.sub("\ufffd", " ".join(str(text)[: 10 * LONGEST_LABEL].split()))
    return shown if len(shown) <= LONGEST_LABEL else shown[: LONGEST_LABEL - 1] + "…"


def labels(texts: Iterable[object]) -> tuple[str, ...]:
    """`label` of each."""
    return tuple(label(text) for text in texts)


def refuse_shape(shape: tuple[int, ...]) -> None:
    """Raise UserError unless (rows, columns) is a matrix's shape, and small enough to be read at all."""
    if len(shape) != 2 or 0 in shape:
        raise UserError(f"got shape {shape}, expected a matrix with at least one row and column")
    if max(shape) > LARGEST_DIMENSION:
        raise UserError(f"got shape {shape}, expected at most {LARGEST_DIMENSION} rows and columns; reduce the matrix")


def real(matrix: LabelledMatrix) -> LabelledMatrix:
    """The matrix in float64; logical values are 0 and 1. Raises UserError unless it is finite, real and not zero."""
    values = matrix.values
    if values.dtype.kind not in "fiub":
        raise UserError(f"got entries of type {printable(str(values.dtype), LONGEST_NAME)}, expected real numbers")
    refuse_shape(values.shape)
    with np.errstate(over="ignore"):  # a long double beyond float64's range becomes infinite, which is refused below
        numbers = values.astype(np.float64)
    if not np.isfinite(numbers).all():
        row, column = np.argwhere(~np.isfinite(numbers))[0]
        raise UserError(f"got {numbers[row, column]} at row {row}, column {column}, expected finite numbers")
    if (wrong := inexact(values)).any():
        row, column = np.argwhere(wrong)[0]
        raise UserError(
            f"got {values[row, column]} at row {row}, column {column}, which float64 does not hold; "
            "round or rescale it, or save the matrix in float64"
        )
    if not numbers.any():
        raise UserError("all entries are zero; lambda_c is not defined for a zero target")
    return replace(matrix, values=numbers)


def inexact(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Where numbers, of any type and shape, are changed by float64: whole ones beyond 2^53, and long doubles.

    >>> inexact(np.array([2**53 + 1, 2**53 + 2, -(2**63)])).tolist()
    [True, False, False]
    """
    if values.dtype.kind in "iu" and values.dtype.itemsize == 8:
        size = values.astype(np.uint64)  # two's complement of a negative number
        size = np.where(values < 0, ~size + np.uint64(1), size)
        lowest = np.maximum(size & (~size + np.uint64(1)), np.uint64(1))  # its last bit that is set
        return np.asarray(size // lowest >= np.uint64(2**53))
    if values.dtype.kind == "f" and values.dtype.itemsize > 8:
        return np.asarray((values.astype(np.float64) != values) & ~np.isnan(values))
    return np.zeros(values.shape, dtype=bool)


def refuse_extreme(values: Floats) -> None:
    """Raise UserError where squares and products of the entries leave float64's range."""
    largest = float(np.abs(values).max())
    if not SMALLEST <= largest <= LARGEST:
        raise UserError(
            f"the largest entry has size {largest:g}, expected {SMALLEST:g} to {LARGEST:g}, where squares "
            "and products stay in float64's range; rescale the target"
        )
