"""A larger grid, cut into other tiles, trains to the same bits what a smaller one trained before it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from dmf.dataset.assemble import assemble
from dmf.dataset.project import Project, open_project
from dmf.dataset.schema import DataError
from dmf.dataset.train import train_tile
from dmf.grid.cells import Group, StartKey, draw_starts, series_of
from dmf.grid.cost import seconds_per_run

# Shapes whose parameters number 21, 22 and 121 in a layer: where a run lies in memory, and whether products are
# large enough for another kernel, must not show in its bits.
OLD: dict[str, Any] = {
    "grid": "growing",
    "seed": 5,
    "targets": [
        {"name": "wide", "kind": "gaussian", "shape": [3, 4]},
        {"name": "square", "kind": "spectrum", "shape": [11, 11], "singular_values": [3, 2, 1]},
    ],
    "depths": [2, 3],
    "lambdas": {"relative": [0.4, 1.1]},
    "starts": {"scales": [0.5, 2], "count": 3},
}
NEW = {
    **OLD,
    "targets": [{"name": "more", "kind": "gaussian", "shape": [3, 4]}, *OLD["targets"][::-1]],
    "lambdas": {"relative": [0.2, 0.4, 0.9, 1.1], "absolute": [0.3]},
    "starts": {"scales": [1, 0.5, 2], "count": 4},
}


def trained(raw: dict[str, Any], root: Path) -> tuple[Project, dict[Group, xr.Dataset]]:
    project = open_project(raw, "growing.yaml", root)
    groups = {}
    for group, tiles in project.plan.tiles.items():
        parts = [(tile.name, train_tile(tile, project.targets, project.grid)) for tile in tiles]
        groups[group] = assemble(project.block(group), parts)
    return project, groups


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[Group, xr.Dataset]]:
    return trained(
        {**OLD, "tiles": {"seconds": 2.5 * seconds_per_run(Group((4, 3, 3)))}}, tmp_path_factory.mktemp("old")
    )


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[Group, xr.Dataset]]:
    return trained({**NEW, "tiles": {"seconds": 1000}}, tmp_path_factory.mktemp("new"))


def same_runs(old: xr.Dataset, new: xr.Dataset) -> xr.Dataset:
    """The runs of `old` looked up in `new` by target, lambda, scheme, scale and draw."""

    def starts(dataset: xr.Dataset) -> list[tuple[str, float, int]]:
        return list(zip(*(dataset[key].values.tolist() for key in ("scheme", "scale", "draw")), strict=True))

    places = {start: i for i, start in enumerate(starts(new))}
    chosen = new.isel(start=[places[start] for start in starts(old)])
    return chosen.sel(target=old["target"].values, lam_label=old["lam_label"].values)


def test_every_old_run_is_there_again_bit_for_bit(
    old: tuple[Project, dict[Group, xr.Dataset]], new: tuple[Project, dict[Group, xr.Dataset]]
) -> None:
    assert len(old[0].plan.wanted) > 2 * len(new[0].plan.wanted)
    for group, before in old[1].items():
        after = same_runs(before, new[1][group])
        assert before["objective"].size == after["objective"].size >= 12
        for name in before.data_vars:
            np.testing.assert_array_equal(after[name].values, before[name].values, err_msg=f"{group.name} {name}")


def test_every_old_start_is_the_same_bit_for_bit(
    old: tuple[Project, dict[Group, xr.Dataset]], new: tuple[Project, dict[Group, xr.Dataset]]
) -> None:
    wider = {target.name: target for target in new[0].targets}
    for group, members in old[0].plan.groups.items():
        for target in members:
            norms = [float(t.singular_values[0]) for t in (target, wider[target.name])]
            for series in series_of(old[0].grid):
                key = StartKey(5, target.name, group.widths, "0.4c", series)
                few, many = draw_starts(key, range(3), norms[0]), draw_starts(key, range(4), norms[1])
                for layer, more in zip(few, many, strict=True):
                    np.testing.assert_array_equal(more[:3], layer)


def test_training_a_tile_twice_gives_the_same_bits(old: tuple[Project, dict[Group, xr.Dataset]]) -> None:
    project, _ = old
    tile = project.plan.wanted[0]
    first, second = (train_tile(tile, project.targets, project.grid) for _ in range(2))
    xr.testing.assert_equal(first, second)


def test_a_target_that_changed_since_it_was_planned_is_not_trained(
    old: tuple[Project, dict[Group, xr.Dataset]],
) -> None:
    project, _ = old
    tile = project.plan.wanted[0]
    changed = [replace(target, fingerprint="another") for target in project.targets]
    with pytest.raises(DataError, match=r"^target wide: its definition or file changed after the run was planned"):
        train_tile(tile, changed, project.grid)


def test_training_tells_when_all_runs_are_finished(old: tuple[Project, dict[Group, xr.Dataset]]) -> None:
    project, _ = old
    told: list[int] = []
    tile = project.plan.wanted[0]
    train_tile(tile, project.targets, project.grid, told.append)
    assert told[-1] == tile.runs
    assert told == sorted(told)
