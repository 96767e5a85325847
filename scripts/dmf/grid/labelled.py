"""A matrix with names for its rows and columns, and what every matrix must be to become a target."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dmf.errors import LONGEST_NAME, UserError, printable
from dmf.grid.fields import HIDDEN, LARGEST, LARGEST_DIMENSION, SMALLEST

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
    """The matrix in float64. Raises UserError unless it is finite, real and not zero."""
    values = matrix.values
    if values.dtype.kind not in "fiu":
        raise UserError(f"got entries of type {printable(str(values.dtype), LONGEST_NAME)}, expected real numbers")
    refuse_shape(values.shape)
    with np.errstate(over="ignore"):  # a long double beyond float64's range becomes infinite, which is refused below
        numbers = values.astype(np.float64)
    if not np.isfinite(numbers).all():
        row, column = np.argwhere(~np.isfinite(numbers))[0]
        raise UserError(f"got {numbers[row, column]} at row {row}, column {column}, expected finite numbers")
    if not numbers.any():
        raise UserError("all entries are zero; lambda_c is not defined for a zero target")
    return replace(matrix, values=numbers)


def refuse_extreme(values: Floats) -> None:
    """Raise UserError where squares and products of the entries leave float64's range."""
    largest = float(np.abs(values).max())
    if not SMALLEST <= largest <= LARGEST:
        raise UserError(
            f"the largest entry has size {largest:g}, expected {SMALLEST:g} to {LARGEST:g}, where squares "
            "and products stay in float64's range; rescale the target"
        )
