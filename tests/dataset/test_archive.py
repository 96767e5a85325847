"""Data copied from elsewhere is taken where it is what the configuration asks for, and refused by name where not."""

import shutil
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import yaml

from dmf.dataset.archive import asked, check_archive, configuration_of, open_archive
from dmf.dataset.project import configuration_text, open_project
from dmf.dataset.schema import DataError
from dmf.dataset.store import write
from dmf.dataset.targets import targets_dataset
from dmf.errors import UserError
from dmf.grid.config import load, validate
from small import SMALL, Trained

SETTINGS = {"controls.nc": "as trained", "studies/scalar.nc": "seed 3"}
SAYS = {"identity": "as made elsewhere"}  # every file says what it is of


@pytest.fixture(scope="module")
def made(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the small grid. Copy it to change it."""
    folder = tmp_path_factory.mktemp("made")
    write(targets_dataset(trained.project.targets, 3).assign_attrs(SAYS), folder / "targets.nc")
    for group, runs in trained.groups.items():
        write(runs.assign_attrs(SAYS), folder / "runs" / f"{group.name}.nc")
    for name, settings in SETTINGS.items():
        write(xr.Dataset(attrs={"settings": settings, **SAYS}), folder / name)
    return folder


@pytest.fixture
def archive(made: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    shutil.copytree(made, folder)
    return folder


def taken(archive: Path, change: dict[str, Any], incomplete: bool = False, **settings: str) -> list[str]:
    project = open_archive({**deepcopy(SMALL), **change}, "mine.yaml", archive)
    return check_archive(project, archive, {**SETTINGS, **settings}, incomplete)


def test_a_copied_folder_is_the_grid_it_was_copied_from(archive: Path, trained: Trained) -> None:
    project = open_archive(deepcopy(SMALL), "mine.yaml", archive)
    assert list(project.plan.groups) == list(trained.project.plan.groups)
    for found, original in zip(project.targets, trained.project.targets, strict=True):
        np.testing.assert_array_equal(found.values, original.values)
    assert check_archive(project, archive, SETTINGS) == []


def test_what_changes_no_run_may_change(archive: Path) -> None:
    certificate = {"runs_per_cell": 3, "cells": 0.9}
    assert taken(archive, {"title": "another", "grid": "other", "certificate": certificate, "figures": []}) == []


# What is asked for otherwise, and what the one line must name: file, what differs, found, expected.
OTHERWISE: dict[str, tuple[dict[str, Any], list[str]]] = {
    "the seed": ({"seed": 4}, ["targets.nc", "target a", "fingerprint"]),
    "a target": (
        {"targets": [SMALL["targets"][0], {**SMALL["targets"][1], "singular_values": [2, 1.5]}]},
        ["targets.nc", "target b", "fingerprint"],
    ),
    "another target": (
        {"targets": [*SMALL["targets"], {"name": "c", "kind": "gaussian", "shape": [3, 4]}]},
        ["targets.nc", "target c is missing", "a, b"],
    ),
    "another kind of target": (
        {"targets": [SMALL["targets"][0], {"name": "b", "kind": "file", "path": "b.npy"}]},
        ["targets.nc", "target b", "found spectrum", "expected file"],
    ),
    "the tolerance": ({"certificate": {"gradient_norm": 1e-9}}, ["L2-", "training"]),
    "the optimizer": ({"optimizer": {"name": "lbfgs", "memory": 7}}, ["L2-", "training"]),
    "a lambda more": ({"lambdas": {"relative": [0.3, 0.7, 1.2]}}, ["L2-", "lambdas", "found none", "0.7c"]),
    "a lambda less": ({"lambdas": {"relative": [0.3]}}, ["L2-", "lambdas", "1.2c", "expected none"]),
    "more starts": ({"starts": {"scales": [0.5, 2], "count": 5}}, ["L2-", "starts", "0, 4", "0, 5"]),
    "a depth more": ({"depths": [2, 3, 4]}, ["L4-", "no such file"]),
}


@pytest.mark.parametrize("name", OTHERWISE)
def test_data_of_another_configuration_is_refused_in_one_line(archive: Path, name: str) -> None:
    change, fragments = OTHERWISE[name]
    with pytest.raises(DataError) as caught:
        taken(archive, change)
    for fragment in (str(archive), *fragments):
        assert fragment in str(caught.value)
    assert "\n" not in str(caught.value)


def test_controls_and_studies_made_with_other_settings_are_refused(archive: Path) -> None:
    with pytest.raises(DataError, match=r"scalar.nc: settings: found seed 3, expected seed 4"):
        taken(archive, {}, **{"studies/scalar.nc": "seed 4"})
    with pytest.raises(DataError, match=r"refute.nc: no such file"):
        taken(archive, {}, **{"refute.nc": "x"})


def test_an_incomplete_archive_may_lack_runs_and_studies_but_no_controls(archive: Path) -> None:
    next(iter((archive / "runs").glob("L3-*"))).unlink()
    (archive / "studies/scalar.nc").unlink()
    larger = {"lambdas": {"relative": [0.3, 0.7, 1.2]}, "depths": [2, 3, 4]}
    assert taken(archive, larger, incomplete=True) == ["studies/scalar.nc"]
    with pytest.raises(DataError, match="no such file"):
        taken(archive, {})
    (archive / "controls.nc").unlink()
    with pytest.raises(DataError, match=r"controls.nc: no such file"):
        taken(archive, larger, incomplete=True)


@pytest.mark.parametrize("change", [{"seed": 4}, {"certificate": {"gradient_norm": 1e-9}}], ids=str)
def test_incomplete_does_not_mean_foreign(archive: Path, change: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="found"):
        taken(archive, change, incomplete=True)


def test_runs_of_another_target_of_that_name_are_foreign_even_if_incomplete(archive: Path, trained: Trained) -> None:
    group, runs = next(iter(trained.groups.items()))
    altered = runs.assign(target_fingerprint=runs["target_fingerprint"] + "x")
    write(altered.assign_attrs(SAYS), archive / "runs" / f"{group.name}.nc")
    with pytest.raises(DataError, match=rf"{group.name}.nc: targets: found"):
        taken(archive, {}, incomplete=True)


def test_a_users_file_is_not_needed_again(in_tmp: Path) -> None:
    np.save("own.npy", np.diag([3.0, 1.0]))
    raw = {**deepcopy(SMALL), "targets": [{"name": "own", "kind": "file", "path": "own.npy"}]}
    project = open_project(raw, "x")
    write(targets_dataset(project.targets, 3), "copy/targets.nc")
    Path("own.npy").unlink()
    found = open_archive(raw, "x", Path("copy")).targets[0]
    np.testing.assert_array_equal(found.values, np.diag([3.0, 1.0]))
    assert found.fingerprint == project.targets[0].fingerprint


def test_a_device_that_is_not_here_does_not_matter(archive: Path) -> None:
    raw = {**deepcopy(SMALL), "device": "cuda:63"}
    assert open_archive(raw, "x", archive).grid.device == "cuda:63"


def test_the_recorded_configuration_is_the_same_grid(small: dict[str, Any], in_tmp: Path) -> None:
    project = open_project({**small, "title": "λ: a # title", "certificate": {"gradient_norm": 3e-11}}, "x")
    project.record()
    path = configuration_of("data/small")
    assert load(path) == project.grid
    before = Path(path).stat().st_mtime_ns
    project.record()
    assert Path(path).stat().st_mtime_ns == before
    assert yaml.safe_load(configuration_text(validate(small, "x")))["seed"] == 3


@pytest.mark.parametrize(("given", "wanted"), [(True, True), ("true", True), ("False", False), (False, False)])
def test_what_is_asked_on_the_command_line(given: object, wanted: bool, tmp_path: Path) -> None:
    assert asked({"grid": "g", "archive": str(tmp_path), "incomplete": given}) == (str(tmp_path), wanted)
    assert asked({}) == ("", False)


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ({"archive": "nowhere"}, "archive: got nowhere, expected a folder copied from one such as data/default"),
        ({"archive": "."}, "archive: got ., which has no grid.yaml; expected a folder"),
        ({"incomplete": "maybe"}, "incomplete: got 'maybe', expected true or false"),
        ({"incomplete": 1}, "incomplete: got 1, expected true or false"),
    ],
)
def test_nonsense_on_the_command_line_is_one_line(config: dict[str, Any], line: str, in_tmp: Path) -> None:
    with pytest.raises(UserError) as caught:
        asked(config)
    assert str(caught.value).startswith(line)
