"""Targets as a file: padded to one shape, each with its own size, so that any shapes share it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from dmf.dataset.coordinates import described
from dmf.dataset.provenance import file_attributes
from dmf.grid.targets import TargetMatrix

LABELS = ("row_label", "col_label")
TARGET_VARIABLES = {
    "matrix": (("target", "row", "col"), "target matrix M"),
    "rows": (("target",), "rows d_L"),
    "columns": (("target",), "columns d_0"),
    "singular_values": (("target", "singular"), "singular values sigma_i of M"),
    "kind": (("target",), "how the target was made"),
    "label": (("target",), "how the report calls the target"),
    "origin": (("target",), "data the target was made of"),
    "standardisation": (("target",), "what was done to the data"),
    "fingerprint": (("target",), "fingerprint of the target's definition"),
}
TEXTS = ("kind", "label", "origin", "standardisation", "fingerprint")


def targets_dataset(targets: Sequence[TargetMatrix], seed: int) -> xr.Dataset:
    """Targets over (target, row, col), NaN beyond each one's rows and columns."""
    sizes = np.array([target.shape for target in targets])
    matrix = np.full((len(targets), *sizes.max(axis=0)), np.nan)
    singular = np.full((len(targets), sizes.min(axis=1).max()), np.nan)
    for i, target in enumerate(targets):
        matrix[i, : target.shape[0], : target.shape[1]] = target.values
        singular[i, : min(target.shape)] = target.singular_values
    values = {
        "matrix": matrix,
        "rows": sizes[:, 0],
        "columns": sizes[:, 1],
        "singular_values": singular,
        **{name: np.array([getattr(target, name) for target in targets], dtype=object) for name in TEXTS},
    }
    variables = {
        name: (dims, values[name], {"long_name": text} | ({} if name in TEXTS else {"units": "1"}))
        for name, (dims, text) in TARGET_VARIABLES.items()
    }
    names = np.array([target.name for target in targets], dtype=object)
    dataset = described(xr.Dataset(variables, coords={"target": names}, attrs={"seed": seed}))
    labels = _labels(targets, sizes)
    return dataset.assign(labels).assign_attrs(**file_attributes("Targets", "Matrices to be factorized"))


def _labels(targets: Sequence[TargetMatrix], sizes: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> dict[str, Any]:
    """Labels of rows and columns, empty where a target has none; no variable where none has any."""
    variables = {}
    for axis, (key, dim) in enumerate((("rows", "row"), ("columns", "col"))):
        names = np.full((len(targets), sizes[:, axis].max()), "", dtype=object)
        for i, target in enumerate(targets):
            own = getattr(target, key)
            names[i, : len(own)] = own
        if names.any():
            variables[f"{dim}_label"] = (("target", dim), names, {"long_name": f"names of the {key}"})
    return variables


def targets_from_dataset(dataset: xr.Dataset) -> list[TargetMatrix]:
    """Inverse of `targets_dataset`."""
    targets = []
    for i in range(dataset.sizes["target"]):
        one = dataset.isel(target=i)
        values = one["matrix"].values[: int(one["rows"]), : int(one["columns"])]
        name, label, kind, fingerprint = (str(one[key].item()) for key in ("target", "label", "kind", "fingerprint"))
        rows, columns = (_own_labels(one, key, size) for key, size in zip(LABELS, values.shape, strict=True))
        origin, standardisation = (str(one[key].item()) for key in ("origin", "standardisation"))
        targets.append(TargetMatrix(name, label, kind, fingerprint, values, rows, columns, origin, standardisation))
    return targets


def _own_labels(target: xr.Dataset, key: str, size: int) -> tuple[str, ...]:
    names = target[key].values[:size].tolist() if key in target else []
    return tuple(map(str, names)) if any(names) else ()
