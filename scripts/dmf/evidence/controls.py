"""The negative controls: cells in which the paper's statements are false, and what is declared of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

EXCEPTIONAL = "exceptional"
EXCEPTIONAL_SCALAR = "exceptional-scalar"
ORDINARY = "ordinary"
DEGENERATE = "degenerate"
STOPPED = "stopped"
UNBALANCED = "unbalanced"


@dataclass(frozen=True)
class ValueOf:
    """Declares a field to be what another field of the same cells is."""

    name: str

    def __call__(self, cells: xr.Dataset, field: xr.DataArray) -> xr.DataArray:
        """The other field, in the shape of the declared one."""
        return cells[self.name].broadcast_like(field).transpose(*field.dims)

    def __str__(self) -> str:
        """In words, for people."""
        return f"their {self.name}"


# What a field is declared to be: one value everywhere, or a function of the cells and of the field as it is.
Value = float | str | Callable[[xr.Dataset, xr.DataArray], xr.DataArray]


@dataclass(frozen=True)
class Declared:
    """Control cells with some of their fields declared otherwise: evidence in which a claim's statement is false.

    Of the control's cells it takes those where every coordinate of `where` has its value. All fields that are not in
    `fields` stay as they were measured.
    """

    where: Mapping[str, str]
    fields: Mapping[str, Value]

    def __call__(self, controls: xr.Dataset) -> xr.Dataset:
        """The declared evidence. Raises KeyError for a field or coordinate that the control does not have."""
        cells = controls
        for name, value in self.where.items():
            cells = cells.isel(cell=np.flatnonzero(cells[name].values == value))
        values = {name: _values(cells, cells[name], value) for name, value in self.fields.items()}
        coords = {name: value for name, value in values.items() if name in cells.coords}
        return cells.assign({name: value for name, value in values.items() if name not in coords}).assign_coords(coords)

    def __str__(self) -> str:
        """In words, for people: which cells, and what is declared of them."""
        cells = " and ".join(f"{name} = {value}" for name, value in self.where.items())
        fields = ", ".join(f"{name} = {_text(value)}" for name, value in self.fields.items())
        return f"{f'cells with {cells}' if cells else 'all cells'}, {f'with {fields}' if fields else 'as measured'}"


def where(**coordinates: str) -> Mapping[str, str]:
    """The control's cells with these values of coordinates, for `declared`."""
    return coordinates


def declared(cells: Mapping[str, str] | None = None, /, **fields: Value) -> Declared:
    """The control of a claim: `cells` (see `where`; all where None) with each field declared to be its value.

    >>> print(declared(where(target=EXCEPTIONAL), exceptional_distance=float("inf")))
    cells with target = exceptional, with exceptional_distance = inf
    """
    return Declared(cells or {}, fields)


# Declares runs to be at critical points: certified, at the largest gradient norm that a certificate allows.
CRITICAL: Mapping[str, Value] = {"certified": 1, "gradient_norm": ValueOf("gradient_tolerance")}


def control_cells(controls: xr.Dataset, name: str) -> xr.Dataset:
    """The evidence of one control target."""
    return declared(where(target=name))(controls)


def _values(cells: xr.Dataset, field: xr.DataArray, value: Value) -> xr.DataArray:
    return value(cells, field) if callable(value) else xr.full_like(field, value)


def _text(value: Value) -> str:
    """A value in words: that of a function is the first line of its docstring."""
    if isinstance(value, float | int):
        return f"{value:g}"
    if isinstance(value, str | ValueOf):
        return str(value)
    return re.sub(r"(, \(cell,( start)?\))?\.$", "", (value.__doc__ or "").partition("\n")[0])
