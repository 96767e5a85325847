"""A variable of a netCDF file, version 3 or 4, labelled by its dimensions' coordinates (CF conventions 1.11)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dmf.errors import UserError, shown
from dmf.grid.labelled import LabelledMatrix, inexact, labels, refuse_shape
from dmf.grid.readers._contract import Options, one_of

if TYPE_CHECKING:
    import netCDF4

    Variable: TypeAlias = netCDF4.Variable[Any]

SUFFIXES = (".nc",)
USES = ("variable",)
ISOLATED = True
LIBRARIES = ("netCDF4", "cftime", "dmf.grid.readers._hdf5")
MARKERS = ("_FillValue", "missing_value")  # of missing values
REFERRING = ("bounds", "coordinates", "ancillary_variables", "grid_mapping", "cell_measures", "climatology")
UNSIGNED = {"true": True, "false": False}
MONTHS = (" months since ", " years since ")  # units that no calendar can count exactly


def read(content: bytes, suffix: str, options: Options) -> LabelledMatrix:
    """The one variable that is a matrix, or the one named (group/variable in groups); type and size are asked first.

    Axes of length 1 beyond two are left out, the first ones first.
    """
    from dmf.grid.readers._hdf5 import refuse_outside

    refuse_outside(content)
    try:
        return _read(content, options)
    except (PermissionError, RuntimeError) as error:
        if "not permitted" not in str(error):
            raise
        raise UserError("is cut short, or too small for the library that reads it; save it as netCDF-4") from None


def _read(content: bytes, options: Options) -> LabelledMatrix:
    import netCDF4

    with warnings.catch_warnings(), netCDF4.Dataset("target", memory=content) as file:
        warnings.simplefilter("error")  # the library only warns of attributes that it ignores
        file.set_auto_maskandscale(False)
        file.set_auto_chartostring(False)
        found = dict(_variables(file))
        variable = file[one_of(list(found), options.variable, _matrices(found))]
        if getattr(variable.dtype, "kind", "O") not in "fiu":
            raise UserError(f"got entries of type {getattr(variable.dtype, 'name', 'text')}, expected real numbers")
        axes = _axes(variable.shape)
        shape = tuple(variable.shape[axis] for axis in axes)
        refuse_shape(shape)
        values = _numbers(variable, options.missing).reshape(shape)
        dimensions = [variable.dimensions[axis] for axis in axes]
        rows, columns = (_labels(variable.group(), name, size) for name, size in zip(dimensions, shape, strict=True))
    return LabelledMatrix(values, rows, columns)


def _axes(shape: tuple[int, ...]) -> list[int]:
    axes = list(range(len(shape)))
    while len(axes) > 2 and (single := [axis for axis in axes if shape[axis] == 1]):
        axes.remove(single[0])
    return axes


def _variables(group: netCDF4.Dataset, inside: str = "") -> Iterator[tuple[str, Variable]]:
    """All variables but those that only label a dimension, by name, in all groups."""
    for name, variable in group.variables.items():
        if not (name in variable.dimensions and variable.ndim == 1):
            yield f"{inside}{name}", variable
    for key, child in group.groups.items():
        yield from _variables(child, f"{inside}{key}/")


def _matrices(found: dict[str, Variable]) -> list[str]:
    """Names of variables that could be meant: of numbers, in two dimensions, and not there to describe another one."""
    words: set[str] = set()
    for variable in found.values():
        for parent in (variable, *_coordinates(variable)):
            words.update(*(str(parent.getncattr(key)).split() for key in REFERRING if key in parent.ncattrs()))
    return [
        name
        for name, variable in found.items()
        if getattr(variable.dtype, "kind", "O") in "fiu"
        and len(_axes(variable.shape)) == 2
        and 0 not in variable.shape
        and variable.name not in words
    ]


def _coordinates(variable: Variable) -> list[Variable]:
    """The coordinates of its dimensions, as far as there are any."""
    found = (_coordinate(variable.group(), name) for name in variable.dimensions)
    return [coordinate for coordinate in found if coordinate is not None]


def _coordinate(group: netCDF4.Dataset | None, dimension: str) -> Variable | None:
    """The coordinate of a dimension, from the nearest group around that has it."""
    while group is not None:
        found = group.variables.get(dimension)
        if found is not None and found.dimensions[:1] == (dimension,):
            return found
        group = group.parent
    return None


def _numbers(variable: Variable, gaps: bool) -> NDArray[Any]:
    """The values that are meant: unsigned, unpacked and all there. Raises UserError, by attribute, where they are not.

    With `gaps`, missing ones are NaN; infinite ones stay. The library would ignore attributes of a type that it does
    not expect.
    """
    import netCDF4

    raw = variable[...]
    if (unsigned := _attribute(variable, "_Unsigned")) is not None:
        if (said := UNSIGNED.get(str(unsigned).lower())) is None or raw.dtype.kind == "f":
            raise UserError(f"has _Unsigned {shown(unsigned)}, expected true or false, of whole numbers")
        raw = raw.view(f"{raw.dtype.byteorder}{'u' if said else 'i'}{raw.dtype.itemsize}")
    factor, offset = (_number(variable, key) for key in ("scale_factor", "add_offset"))
    if (factor is not None or offset is not None) and inexact(raw).any():
        raise UserError("has packed whole numbers beyond 2^53, which float64 does not hold")
    values = raw if factor is None else raw * factor  # in the type of the attribute, by the conventions
    values = values if offset is None else values + offset
    missing = ~np.isfinite(raw)
    for marker in [marker for key in MARKERS for marker in _listed(variable, key)]:
        missing |= _equal(raw, marker) | _equal(values, marker)
    if "_FillValue" not in variable.ncattrs() and raw.dtype.itemsize > 1:  # what the library fills in by itself
        missing |= _equal(raw, variable.dtype.type(netCDF4.default_fillvals[variable.dtype.str[1:]]))
    missing |= _outside(variable, raw, values)
    if gaps and missing.any():
        if inexact(np.where(missing, 0, values)).any():  # lost in the type that has NaN
            raise UserError("has whole numbers beyond 2^53, which float64 does not hold")
        return np.where(missing & ~np.isinf(raw), np.nan, values.astype(np.float64))
    if missing.any():
        at = np.argwhere(missing)[0].tolist()
        raise UserError(f"has missing values: got {raw[tuple(at)]} at {at}; expected a full matrix")
    return np.asarray(values)


def _outside(variable: Variable, raw: NDArray[Any], values: NDArray[Any]) -> NDArray[np.bool_]:
    """Where values are not valid. Whole numbers limit packed values that are whole; others, the unpacked ones."""
    pair = _listed(variable, "valid_range")
    if len(pair) not in (0, 2):
        raise UserError("has a valid_range that is not two numbers")
    least, most = pair or (_number(variable, "valid_min"), _number(variable, "valid_max"))
    outside = np.zeros(raw.shape, dtype=bool)
    for limit, below in ((least, True), (most, False)):
        if limit is not None:
            of_raw = (limit.dtype.kind == "f") == (raw.dtype.kind == "f")
            limit = limit.astype(raw.dtype) if limit.dtype == variable.dtype else limit  # where it is unsigned
            compared = raw if of_raw else values
            outside |= compared < limit if below else compared > limit
    return outside


def _equal(values: NDArray[Any], marker: np.generic) -> NDArray[np.bool_]:
    """Where values are a marker, as it is or as it would be in their type: of another precision, or unsigned."""
    equal = values == marker
    alike = marker.dtype.kind == "f" if values.dtype.kind == "f" else marker.dtype.itemsize == values.dtype.itemsize
    if alike and (marker.dtype.kind == "f") == (values.dtype.kind == "f"):
        with np.errstate(over="ignore"):
            equal = equal | (values == marker.astype(values.dtype))
    return np.asarray(equal)


def _attribute(variable: Variable, key: str) -> Any:
    return variable.getncattr(key) if key in variable.ncattrs() else None


def _listed(variable: Variable, key: str) -> list[Any]:
    """The numbers in an attribute, also where they are written as text. Raises UserError for what is none."""
    given = _attribute(variable, key)
    if given is None:
        return []
    try:
        found = np.array(given.replace(",", " ").split(), dtype=np.float64) if isinstance(given, str) else given
        found = np.atleast_1d(np.asarray(found))
        if found.dtype.kind not in "fiu":
            raise ValueError
    except ValueError:
        raise UserError(f"has {key} {shown(given, quoted=True)}, expected a number") from None
    return list(found)


def _number(variable: Variable, key: str) -> Any:
    """The number that an attribute is, None without it. Raises UserError for text, or several."""
    given = _attribute(variable, key)
    if given is None:
        return None
    found = np.asarray(given)
    if found.dtype.kind not in "fiu" or found.size != 1:
        raise UserError(f"has {key} {shown(given, quoted=True)}, expected a number; write it as one")
    return found.reshape(())[()]


def _labels(group: netCDF4.Dataset | None, dimension: str, size: int) -> tuple[str, ...]:
    """The coordinate of a dimension as text: names, dates, numbers; no labels where it has none."""
    found = _coordinate(group, dimension)
    if found is None or len(found) != size:
        return ()
    if found.ndim == 2 and found.dtype == np.dtype("S1"):  # names as rows of characters, in version 3
        return labels(b"".join(row).decode("utf-8", "replace").rstrip("\0 ") for row in found[...].tolist())
    if found.ndim != 1:
        return ()
    units, calendar = (_attribute(found, key) for key in ("units", "calendar"))
    if isinstance(units, str) and " since " in units and not any(month in units for month in MONTHS):
        return labels(_dates(found[...], units, calendar if isinstance(calendar, str) else "standard"))
    found.set_auto_maskandscale(True)
    return labels(found[...])


def _dates(numbers: NDArray[Any], units: str, calendar: str) -> Sequence[object]:
    """Dates in ISO 8601, without the time of day where all are midnight; the numbers where they are none."""
    import cftime

    try:
        texts = [date.isoformat() for date in cftime.num2date(numbers, units, calendar)]
    except (ValueError, OverflowError, TypeError):
        return list(numbers)
    return [text.partition("T")[0] for text in texts] if all("T00:00:00" in text for text in texts) else texts
