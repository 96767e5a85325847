"""Runs from tiles land in their places, for any order of tiles, or are refused."""

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr

from dmf.dataset.assemble import assemble, run_count
from dmf.dataset.project import Project, open_project
from dmf.dataset.schema import DataError, check_runs
from dmf.dataset.train import train_tile
from dmf.grid.cells import Group
from dmf.grid.cost import seconds_per_run
from small import Trained

GROUP = Group((4, 3, 3))
Parts = list[tuple[str, xr.Dataset]]


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Parts]:
    """A group of two targets, two lambdas and six starts in a tile for every two runs."""
    raw: dict[str, Any] = {
        "grid": "pieces",
        "targets": [{"name": name, "kind": "gaussian", "shape": [3, 4]} for name in "ab"],
        "depths": [2],
        "lambdas": {"relative": [0.3, 1.2]},
        "starts": {"scales": [0.5, 2], "count": 3},
        "tiles": {"seconds": 2.5 * seconds_per_run(GROUP)},
    }
    project = open_project(raw, "x", tmp_path_factory.mktemp("pieces"))
    tiles = project.plan.tiles[GROUP]
    assert len(tiles) > 8
    return project, [(tile.name, train_tile(tile, project.targets, project.grid)) for tile in tiles]


@pytest.fixture(scope="module")
def whole(pieces: tuple[Project, Parts]) -> xr.Dataset:
    """The same group, trained as one tile."""
    project, _ = pieces
    return train_tile(project.block(GROUP), project.targets, project.grid)


@pytest.mark.parametrize("order", ["as planned", "backwards", "shuffled"])
def test_tiles_in_any_order_give_what_one_tile_gives(
    pieces: tuple[Project, Parts], whole: xr.Dataset, order: str
) -> None:
    project, parts = pieces
    arranged = list(parts) if order == "as planned" else list(parts[::-1])
    if order == "shuffled":
        np.random.default_rng(0).shuffle(arranged)
    found = assemble(project.block(GROUP), arranged)
    check_runs(found, "assembled")
    for name in [*whole.data_vars, *whole.coords]:
        np.testing.assert_array_equal(found[name].values, whole[name].values, err_msg=str(name))
        assert found[name].attrs.keys() == whole[name].attrs.keys()
    assert run_count(found) == 2 * 2 * 6
    seconds = sum(part.attrs["train_seconds"] for _, part in parts)
    assert found.attrs["train_seconds"] == pytest.approx(seconds)


def test_every_run_is_where_its_coordinates_say(whole: xr.Dataset) -> None:
    for target, lam, start in itertools.product(range(2), range(2), range(6)):
        run = whole.isel(target=target, lam_label=lam, start=start)
        residual = np.sum((whole["matrix"].values[target] - run["end_to_end"].values) ** 2)
        penalty = float(run["lam"]) * float(run["layer_norm_sq"].sum())
        assert float(run["objective"]) == pytest.approx(residual + penalty, rel=1e-12)


def test_what_is_not_wanted_is_left_out(pieces: tuple[Project, Parts], whole: xr.Dataset) -> None:
    project, parts = pieces
    block = project.block(GROUP)
    wanted = replace(block, targets=block.targets[1:], lambdas=block.lambdas[::-1], series=block.series[1:], last=2)
    found = assemble(wanted, parts)
    expected = whole.isel(target=[1], lam_label=[1, 0], start=[3, 4])
    for name in ("objective", "end_to_end", "lam", "matrix", "scale", "draw", "scheme"):
        np.testing.assert_array_equal(found[name].values, expected[name].values)
    assert found["lam_label"].values.tolist() == ["1.2c", "0.3c"]


def test_missing_runs_are_counted(pieces: tuple[Project, Parts]) -> None:
    project, parts = pieces
    block = project.block(GROUP)
    lost = run_count(parts[3][1])
    with pytest.raises(DataError, match=rf"group L2-3x3x4: {lost} of 24 runs are missing; train them first"):
        assemble(block, parts[:3] + parts[4:])
    with pytest.raises(DataError, match="24 of 24 runs are missing"):
        assemble(block, [])
    with pytest.raises(DataError, match="8 of 32 runs are missing"):
        assemble(replace(block, last=4), parts)


def test_a_target_of_the_same_name_but_another_definition_is_not_taken(pieces: tuple[Project, Parts]) -> None:
    project, parts = pieces
    block = project.block(GROUP)
    changed = replace(block, targets=(block.targets[0], ("b", "another")))
    with pytest.raises(DataError, match="12 of 24 runs are missing"):
        assemble(changed, parts)


@pytest.mark.parametrize(
    ("attribute", "value"), [("training", "other"), ("training", None), ("widths", [4, 3, 3, 3]), ("widths", None)]
)
def test_sources_that_disagree_are_refused_by_name(pieces: tuple[Project, Parts], attribute: str, value: Any) -> None:
    project, parts = pieces
    name, last = parts[-1]
    altered = last.copy()
    if value is None:
        del altered.attrs[attribute]
    else:
        altered.attrs[attribute] = value
    with pytest.raises(DataError, match=rf"^{name}: {attribute} is .*; refused to mix them$"):
        assemble(project.block(GROUP), [*parts[:-1], (name, altered)])


def test_layers_are_kept_when_asked_for(small: dict[str, Any], trained: Trained) -> None:
    small["keep"] = {"layers": True}
    group = Group((4, 3, 3, 3))
    small["tiles"] = {"seconds": 4 * seconds_per_run(group)}
    project = open_project(small, "x")
    tiles = project.plan.tiles[group]
    assert len(tiles) > 1
    found = assemble(
        project.block(group), [(tile.name, train_tile(tile, project.targets, project.grid)) for tile in tiles]
    )
    first, second, third = (found[f"layer_{number}"].values for number in (1, 2, 3))
    assert found["layer_1"].dims[3:] == ("width_1", "width_0")
    np.testing.assert_allclose(third @ second @ first, found["end_to_end"].values, atol=1e-14)
    for number, layer in enumerate((first, second, third)):
        squared = np.sum(layer**2, axis=(-2, -1))
        np.testing.assert_allclose(squared, found["layer_norm_sq"].values[..., number], rtol=1e-13, atol=1e-30)
    assert found["layer_2"].attrs == {"long_name": "layer W_2", "units": "1", "symbol": "W_2"}
    assert not any(str(name) in trained.groups[group] for name in ("layer_1", "layer_2", "layer_3"))
