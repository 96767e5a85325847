"""Targets as a file: padded to one shape, each with its own size, so that any shapes share it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from dmf.dataset.provenance import file_attributes
from dmf.grid.targets import TargetMatrix


def targets_dataset(targets: Sequence[TargetMatrix], seed: int) -> xr.Dataset:
    """Targets over (target, row, col), NaN beyond each one's rows and columns."""
    sizes = np.array([target.shape for target in targets])
    matrix = np.full((len(targets), *sizes.max(axis=0)), np.nan)
    singular = np.full((len(targets), sizes.min(axis=1).max()), np.nan)
    for i, target in enumerate(targets):
        matrix[i, : target.shape[0], : target.shape[1]] = target.values
        singular[i, : min(target.shape)] = target.singular_values

    def text(values: list[str], name: str) -> tuple[str, np.ndarray[tuple[int], np.dtype[np.object_]], dict[str, str]]:
        return "target", np.array(values, dtype=object), {"long_name": name}

    dataset = xr.Dataset(
        {
            "matrix": (("target", "row", "col"), matrix, {"long_name": "target matrix M", "units": "1"}),
            "rows": ("target", sizes[:, 0], {"long_name": "rows d_L", "units": "1"}),
            "columns": ("target", sizes[:, 1], {"long_name": "columns d_0", "units": "1"}),
            "singular_values": (
                ("target", "singular"),
                singular,
                {"long_name": "singular values sigma_i of M", "units": "1"},
            ),
            "kind": text([target.kind for target in targets], "how the target was made"),
            "label": text([target.label for target in targets], "how the report calls the target"),
            "fingerprint": text([target.fingerprint for target in targets], "fingerprint of the target's definition"),
        },
        coords={"target": text([target.name for target in targets], "name of the target")},
        attrs={"seed": seed},
    )
    return dataset.assign_attrs(**file_attributes("Targets", "Matrices to be factorized"))


def targets_from_dataset(dataset: xr.Dataset) -> list[TargetMatrix]:
    """Inverse of `targets_dataset`."""
    targets = []
    for i in range(dataset.sizes["target"]):
        one = dataset.isel(target=i)
        values = one["matrix"].values[: int(one["rows"]), : int(one["columns"])]
        name, label, kind, fingerprint = (str(one[key].item()) for key in ("target", "label", "kind", "fingerprint"))
        targets.append(TargetMatrix(name, label, kind, fingerprint, values))
    return targets
