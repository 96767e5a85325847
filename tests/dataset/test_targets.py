"""Targets of any shapes share a file and come out of it as they went in."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dmf.dataset.store import read, write
from dmf.dataset.targets import targets_dataset, targets_from_dataset
from dmf.grid.config import validate
from dmf.grid.targets import TargetMatrix, build_targets


@pytest.fixture
def ragged(small: dict[str, Any]) -> list[TargetMatrix]:
    shapes = [[3, 4], [1, 1], [5, 2], [2, 5]]
    small["targets"] = [
        {"name": f"t{i}", "label": f"Größe {i}", "kind": "gaussian", "shape": shape} for i, shape in enumerate(shapes)
    ]
    targets = build_targets(validate(small, "x"), "x")
    rows, columns = ("é", "b", "c", "d", "e"), ("x", "y")
    labelled = replace(targets[2], rows=rows, columns=columns, origin="m.csv", standardisation="rows centred")
    return [*targets[:2], labelled, replace(targets[3], columns=("", "b", "", "", "e"))]


def test_round_trip_through_a_file(ragged: list[TargetMatrix], tmp_path: Path) -> None:
    write(targets_dataset(ragged, seed=3), tmp_path / "targets.nc")
    found = targets_from_dataset(read(tmp_path / "targets.nc"))
    assert len(found) == len(ragged)
    for before, after in zip(ragged, found, strict=True):
        np.testing.assert_array_equal(after.values, before.values)
        for field in ("name", "label", "kind", "fingerprint", "shape", "rows", "columns", "origin", "standardisation"):
            assert getattr(after, field) == getattr(before, field)


def test_beyond_a_target_there_is_nothing(ragged: list[TargetMatrix]) -> None:
    dataset = targets_dataset(ragged, seed=3)
    assert dict(dataset.sizes) == {"target": 4, "row": 5, "col": 5, "singular": 3}
    filled = np.isfinite(dataset["matrix"].values).sum(axis=(1, 2))
    np.testing.assert_array_equal(filled, [12, 1, 10, 10])
    np.testing.assert_allclose(
        dataset["singular_values"].values[2, :2] ** 2, np.linalg.eigvalsh(ragged[2].values.T @ ragged[2].values)[::-1]
    )
    assert dataset.attrs["seed"] == 3


def test_every_variable_says_what_it_is(ragged: list[TargetMatrix]) -> None:
    dataset = targets_dataset(ragged, seed=3)
    for name, variable in dataset.variables.items():
        assert variable.attrs["long_name"], name
        if variable.dtype.kind in "fi":
            assert variable.attrs["units"] == "1", name
