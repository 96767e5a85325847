"""A variable of a netCDF file, version 3 or 4, labelled by its dimensions' coordinates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dmf.errors import UserError
from dmf.grid.labelled import LabelledMatrix, labels, refuse_shape
from dmf.grid.readers._contract import Options, one_of

if TYPE_CHECKING:
    import netCDF4

SUFFIXES = (".nc",)
USES = ("variable",)
ISOLATED = True
LIBRARIES = ("netCDF4", "dmf.grid.readers._hdf5")


def read(content: bytes, suffix: str, options: Options) -> LabelledMatrix:
    """The only variable, or the one named (group/variable in groups); type and size are asked first."""
    import netCDF4

    from dmf.grid.readers._hdf5 import refuse_outside

    refuse_outside(content)
    with netCDF4.Dataset("target", memory=content) as file:
        names = list(_variables(file))
        variable = file[one_of(names, options.variable)]
        if getattr(variable.dtype, "kind", "O") not in "fiu":
            raise UserError(f"got entries of type {getattr(variable.dtype, 'name', 'text')}, expected real numbers")
        refuse_shape(variable.shape)
        data = variable[...]
        axes = zip(variable.dimensions, variable.shape, strict=True)
        rows, columns = (_labels(variable.group(), name, size) for name, size in axes)
    if np.ma.is_masked(data):
        raise UserError("has missing values; expected a full matrix")
    return LabelledMatrix(np.asarray(data), rows, columns)


def _variables(group: netCDF4.Dataset, inside: str = "") -> list[str]:
    """Names of all variables but those that only label a dimension, in all groups."""
    names = [
        f"{inside}{name}"
        for name, variable in group.variables.items()
        if not (name in variable.dimensions and variable.ndim == 1)
    ]
    return names + [name for key, child in group.groups.items() for name in _variables(child, f"{inside}{key}/")]


def _labels(group: netCDF4.Dataset | None, dimension: str, size: int) -> tuple[str, ...]:
    """The coordinate of a dimension, from the nearest group around that has it."""
    while group is not None:
        found = group.variables.get(dimension)
        if found is not None and found.dimensions == (dimension,) and len(found) == size:
            return labels(found[...])
        group = group.parent
    return ()
