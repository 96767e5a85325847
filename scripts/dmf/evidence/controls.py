"""The negative controls: cells in which the paper's statements are false, and what is declared of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from operator import mul

import numpy as np
import xarray as xr

# Kinds of control cells on runs, as `dmf.evidence.train_controls` makes them: the coordinate `kind`. Runs of the first
# kinds are what they are, and only a declaration makes them contradict; those of the others were moved after training.
EXCEPTIONAL = "exceptional"
ORDINARY = "ordinary"
COLLAPSED = "collapsed"
DEGENERATE = "degenerate"
STOPPED = "stopped"
SADDLE = "saddle"
NEAR_SADDLE = "near: saddle"
# What was measured of a run, and nothing that decides whether it is eligible.
MEASURED = (
    "level_gap", "distance", "end_to_end_norm", "layer_norm_sq_min", "layer_norm_sq_max", "misalignment", "schatten",
    "imbalance", "singular_value_gap", "hessian_trace",
)  # fmt: skip
HONEST = (EXCEPTIONAL, ORDINARY, COLLAPSED, DEGENERATE, STOPPED)
MOVED_VALUES = "near: value"  # of these cells numbers were moved, not layers
EXCEPTIONAL_SCALAR = "exceptional-scalar"  # the target of one of them


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


@dataclass(frozen=True)
class Beyond:
    """Declares a field to be a thousand times what another field, its tolerance, allows.

    It says whether an arm looks at the field at all, and nothing about the tolerance.
    """

    tolerance: str

    def __call__(self, cells: xr.Dataset, field: xr.DataArray) -> xr.DataArray:
        """A thousand times the tolerance, in the shape of the declared field."""
        return (1000 * cells[self.tolerance]).broadcast_like(field).transpose(*field.dims)

    def __str__(self) -> str:
        """In words, for people."""
        return f"1000 times their {self.tolerance}"


@dataclass(frozen=True)
class Off:
    """Declares a field to be off its `place` by little: of a near control, which a tolerance that is too loose misses.

    The place is a number, or another field of the same cells. Each of `parts` says by which part of a scale: of "1", of
    the size of a field, or of a product of these with * between. No scale is a tolerance, so that what is declared does
    not become larger where a tolerance does.
    """

    place: float | str
    parts: Mapping[str, float]

    def __call__(self, cells: xr.Dataset, field: xr.DataArray) -> xr.DataArray:
        """The place and all parts, in the shape of the declared field."""
        off = cells[self.place] if isinstance(self.place, str) else xr.DataArray(float(self.place))
        for scale, part in self.parts.items():
            off = off + reduce(mul, (abs(cells[name]) for name in scale.split("*") if name != "1"), part)
        return off.broadcast_like(field).transpose(*field.dims)

    def __str__(self) -> str:
        """In words, for people."""
        place = f"their {self.place}" if isinstance(self.place, str) else f"{self.place:g}"
        scales = {scale: " times ".join(f"their {name}" for name in scale.split("*")) for scale in self.parts}
        parts = [f"{part:g}" + (f" of {scales[scale]}" if scale != "1" else "") for scale, part in self.parts.items()]
        return " and ".join([place, *parts] if place != "0" else parts)


# Values of a coordinate: one, or any of several.
Wanted = str | int | tuple[str, ...] | tuple[int, ...]
# What a field is declared to be: one value everywhere, or a function of the cells and of the field as it is.
Value = float | str | Callable[[xr.Dataset, xr.DataArray], xr.DataArray]


@dataclass(frozen=True)
class Declared:
    """Control cells with some of their fields declared otherwise: evidence in which a claim's statement is false.

    Of the control's cells it takes those where every coordinate of `where` has its value, or one of its values. All
    fields that are not in `fields` stay as they were measured.
    """

    where: Mapping[str, Wanted]
    fields: Mapping[str, Value]
    others: tuple[Declared, ...] = ()

    def __add__(self, other: Declared) -> Declared:
        """The cells of both, each with its own declarations."""
        return replace(self, others=(*self.others, other))

    def __call__(self, controls: xr.Dataset) -> xr.Dataset:
        """The declared evidence. Raises KeyError for a field or coordinate that the control does not have."""
        if self.others:
            parts = [replace(self, others=())(controls), *(other(controls) for other in self.others)]
            # Variables without cells, such as the layers of proofs, are the same in all parts.
            return xr.concat(parts, "cell", data_vars="minimal", coords="minimal", compat="override", join="override")
        cells = controls
        for name, value in self.where.items():
            cells = cells.isel(cell=np.flatnonzero(np.isin(cells[name].values, value)))
        values = {name: _values(cells, cells[name], value) for name, value in self.fields.items()}
        coords = {name: value for name, value in values.items() if name in cells.coords}
        return cells.assign({name: value for name, value in values.items() if name not in coords}).assign_coords(coords)

    def __str__(self) -> str:
        """In words, for people: which cells, and what is declared of them."""
        cells = " and ".join(f"{name} = {_wanted(value)}" for name, value in self.where.items())
        fields = ", ".join(f"{name} = {_text(value)}" for name, value in self.fields.items())
        own = f"{f'cells with {cells}' if cells else 'all cells'}, {f'with {fields}' if fields else 'as measured'}"
        return "; ".join([own, *map(str, self.others)])


def where(**coordinates: Wanted) -> Mapping[str, Wanted]:
    """The control's cells with these values of coordinates, for `declared`; a tuple for any of several."""
    return coordinates


def declared(cells: Mapping[str, Wanted] | None = None, /, **fields: Value) -> Declared:
    """The control of a claim: `cells` (see `where`; all where None) with each field declared to be its value.

    >>> print(declared(where(kind=EXCEPTIONAL), exceptional_distance=float("inf")))
    cells with kind = exceptional, with exceptional_distance = inf
    """
    return Declared(cells or {}, fields)


# Declares runs to be at critical points: certified, at the largest gradient norm that a certificate allows.
CRITICAL: Mapping[str, Value] = {"certified": 1, "gradient_norm": ValueOf("gradient_tolerance")}


# Minimizers of which nothing was measured: no claim on runs may be content with them.
BLANK = declared(where(kind=(ORDINARY, COLLAPSED)), **dict.fromkeys(MEASURED, float("nan")))


def control_cells(controls: xr.Dataset, target: str) -> xr.Dataset:
    """The evidence of the first cell of one control target, which is the one that figures draw."""
    return declared(where(target=target))(controls).isel(cell=slice(1))


def _values(cells: xr.Dataset, field: xr.DataArray, value: Value) -> xr.DataArray:
    return value(cells, field) if callable(value) else xr.full_like(field, value)


def _wanted(value: Wanted) -> str:
    return " or ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _text(value: Value) -> str:
    """A value in words: that of a function is the first line of its docstring."""
    if isinstance(value, float | int):
        return f"{value:g}"
    if isinstance(value, str | ValueOf | Beyond | Off):
        return str(value)
    return re.sub(r"(, \(cell,( start)?\))?\.$", "", (value.__doc__ or "").partition("\n")[0])
