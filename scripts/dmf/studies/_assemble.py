"""One way to make a study's dataset: a table of its fields, and a row of values for every cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf.dataset.coordinates import described

Fields = Mapping[str, tuple[str, str]]
"""Of every variable its dimensions, "cell start", and what it is."""
Row = dict[str, Any]


def assembled(
    fields: Fields, rows: Sequence[Row], others: Mapping[str, tuple[str, object]] | None = None
) -> xr.Dataset:
    """The dataset of a study, or of what it adds to evidence: dimensionless variables `fields`, and coordinates.

    A row holds the values of one cell; arrays of unequal lengths are filled up with NaN. `others` gives dimensions and
    values of what is the same in all cells. Names that `fields` does not have are coordinates, in rows over cell.
    Truth values become 0 and 1 (int8), text is kept as objects. Raises KeyError for a field that has no values.
    """
    columns = {
        name: (fields[name][0].split() if name in fields else ["cell"], _column([row[name] for row in rows]))
        for name in rows[0]
    }
    columns |= {name: (dims.split(), _column(values)) for name, (dims, values) in (others or {}).items()}
    variables = {name: (*columns.pop(name), {"long_name": text, "units": "1"}) for name, (_, text) in fields.items()}
    return described(xr.Dataset(variables, coords=columns))


def rows_of(columns: Mapping[str, Any], **same: Any) -> list[Row]:
    """Rows, one a cell, from columns (cell, ...) and from values that are the same in all of these cells."""
    cells = zip(*columns.values(), strict=True)
    return [dict(zip(columns, values, strict=True)) | same for values in cells]


def _column(values: Any) -> NDArray[Any]:
    arrays = [np.asarray(value) for value in values]
    if arrays[0].dtype.kind in "UO":
        return np.array(values, dtype=object)
    shape = tuple(max(sizes) for sizes in zip(*(array.shape for array in arrays), strict=True))
    if any(array.shape != shape for array in arrays):
        arrays = [_filled(array, shape) for array in arrays]
    column = np.stack(arrays)
    return column.astype(np.int8) if column.dtype == bool else column


def _filled(values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.float64]:
    whole = np.full(shape, np.nan)
    whole[tuple(slice(size) for size in values.shape)] = values
    return whole
