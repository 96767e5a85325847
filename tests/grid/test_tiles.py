"""Tiles partition the wanted cells exactly, and what the ledger holds is never planned again."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dmf.errors import UserError
from dmf.grid.cells import Group, Series
from dmf.grid.config import Grid, validate
from dmf.grid.cost import seconds_per_run
from dmf.grid.targets import TargetMatrix
from dmf.grid.tiles import Plan, Tile, lay, ledger_text, read_ledger, training_fingerprint

Cell = tuple[Group, tuple[str, str], str, Series, int]
SHAPES = {"a": (2, 2), "b": (2, 2), "c": (2, 3), "d": (2, 2), "e": (2, 3)}
FIXED = settings(derandomize=True, deadline=None, max_examples=60)


def grid_of(
    depths: Sequence[int],
    lambdas: Sequence[float],
    scales: Sequence[float],
    count: int,
    seconds: float = 20.0,
    **more: Any,
) -> Grid:
    targets = [{"name": name, "kind": "gaussian", "shape": list(shape)} for name, shape in SHAPES.items()]
    raw = {
        "grid": "x",
        "targets": targets,
        "depths": list(depths),
        "lambdas": {"relative": list(lambdas)},
        "starts": {"scales": list(scales), "count": count},
        "tiles": {"seconds": seconds},
    }
    return validate({**raw, **more}, "x.yaml")


def targets_of(names: Iterable[str], versions: dict[str, str] | None = None) -> list[TargetMatrix]:
    """Targets need not be drawn to be planned: name, fingerprint and shape are all that counts."""
    return [
        TargetMatrix(name, name, "gaussian", (versions or {}).get(name, "v1"), np.zeros(SHAPES[name])) for name in names
    ]


def cells_of(tile: Tile) -> Iterator[Cell]:
    span = range(tile.first, tile.last)
    for target, label, series, start in itertools.product(tile.targets, tile.lambdas, tile.series, span):
        yield tile.group, target, label, series, start


def wanted_cells(grid: Grid, targets: Sequence[TargetMatrix]) -> set[Cell]:
    """Brute force over the grid as a reader of the configuration would list it."""
    cells = set()
    for target, depth, lam, scale, start in itertools.product(
        targets, grid.depths, grid.lambdas.relative, grid.starts.scales, range(grid.starts.count)
    ):
        rows, columns = target.values.shape
        group = Group((columns, *[min(rows, columns)] * (depth - 1), rows))
        cells.add((group, (target.name, target.fingerprint), f"{lam}c", Series("gaussian", scale), start))
    return cells


def counted(tiles: Iterable[Tile]) -> Counter[Cell]:
    return Counter(cell for tile in tiles for cell in cells_of(tile))


def subsets(values: Sequence[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=len(values), unique=True)


REQUESTS = st.fixed_dictionaries(
    {
        "names": subsets(list(SHAPES)),
        "depths": subsets([2, 3]),
        "lambdas": subsets([0.1, 0.2, 0.5, 1.5]),
        "scales": subsets([0.5, 1.0, 2.0]),
        "count": st.integers(1, 6),
        "seconds": st.sampled_from([1e-6, 0.002, 0.01, 0.1, 100.0]),
    }
)


def laid(request: dict[str, Any], ledger: Iterable[Tile] = ()) -> tuple[Grid, list[TargetMatrix], Plan]:
    options = dict(request)
    targets = targets_of(options.pop("names"))
    grid = grid_of(**options)
    return grid, targets, lay(grid, targets, ledger)


@given(REQUESTS)
@FIXED
def test_a_plan_holds_every_wanted_cell_once_and_no_other(request: dict[str, Any]) -> None:
    grid, targets, plan = laid(request)
    assert counted(plan.wanted) == Counter(wanted_cells(grid, targets))
    assert plan.laid == plan.wanted
    assert len({tile.name for tile in plan.wanted}) == len(plan.wanted)


@given(st.lists(REQUESTS, min_size=2, max_size=4))
@FIXED
def test_whatever_came_before_only_missing_cells_are_planned_and_each_once(requests: list[dict[str, Any]]) -> None:
    ledger: list[Tile] = []
    for request in requests:
        held = counted(ledger)
        grid, targets, plan = laid(request, ledger)
        wanted, new = wanted_cells(grid, targets), counted(plan.laid)
        assert new == Counter(wanted - held.keys())
        assert wanted <= counted(plan.wanted).keys()
        ledger += plan.laid
        again = laid(request, ledger)[2]
        assert again.laid == []
        assert {tile.name for tile in again.wanted} == {tile.name for tile in plan.wanted}
    assert max(counted(ledger).values()) == 1


@given(REQUESTS, REQUESTS, REQUESTS)
@FIXED
def test_ledgers_joined_by_hand_may_overlap(one: dict[str, Any], other: dict[str, Any], third: dict[str, Any]) -> None:
    """Two people extended the same grid apart from each other, and put their files and ledgers together."""
    ledger = laid(one)[2].laid + laid(other)[2].laid
    grid, targets, plan = laid(third, ledger)
    wanted = wanted_cells(grid, targets)
    assert counted(plan.laid) == Counter(wanted - counted(ledger).keys())
    assert wanted <= counted(plan.wanted).keys()


def test_a_short_tile_does_not_shorten_what_a_longer_one_holds() -> None:
    request = {"names": ["a"], "depths": [2], "scales": [1.0], "seconds": 100.0}
    long = laid({**request, "lambdas": [0.2, 0.5], "count": 6})[2].laid
    short = laid({**request, "lambdas": [0.1, 0.2], "count": 2})[2].laid
    for ledger in (long + short, short + long):
        plan = laid({**request, "lambdas": [0.1, 0.2, 0.5], "count": 6}, ledger)[2]
        assert {cell[2:] for cell in counted(plan.laid)} == {("0.1c", Series("gaussian", 1.0), i) for i in range(2, 6)}


@pytest.mark.parametrize(
    "change",
    [
        {"lambdas": [0.3, 0.1, 0.2, 0.9]},
        {"depths": [4, 2, 3]},
        {"names": ["e", "a", "b", "d"]},
        {"scales": [2.0, 1.0, 0.5]},
        {"count": 9},
    ],
    ids=lambda change: next(iter(change)),
)
def test_extending_one_axis_keeps_every_tile_and_plans_the_new_cells_only(change: dict[str, Any]) -> None:
    request = {"names": ["a", "b"], "depths": [2, 3], "lambdas": [0.1, 0.2], "scales": [0.5, 1.0], "count": 4}
    old = laid({**request, "seconds": 0.01})[2].wanted
    grid, targets, plan = laid({**request, **change, "seconds": 0.02}, old)
    assert set(old) <= set(plan.wanted)
    assert counted(plan.laid) == Counter(wanted_cells(grid, targets) - counted(old).keys())


def test_shrinking_plans_nothing_and_leaves_out_what_is_not_needed() -> None:
    request = {"names": ["a", "c"], "depths": [2, 3], "lambdas": [0.1, 0.2], "scales": [0.5], "count": 4}
    old = laid({**request, "seconds": 0.001})[2].wanted
    grid, targets, plan = laid(
        {**request, "names": ["a"], "depths": [3], "lambdas": [0.2], "count": 2, "seconds": 1}, old
    )
    assert plan.laid == []
    assert wanted_cells(grid, targets) <= counted(plan.wanted).keys()
    assert {tile.group.depth for tile in plan.wanted} == {3}
    assert len(plan.wanted) < len(old)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"certificate": {"gradient_norm": 1e-9}},
        {"optimizer": {"name": "lbfgs", "memory": 9}},
        {"optimizer": {"name": "gd"}},
        {"keep": {"layers": True}},
    ],
    ids=str,
)
def test_settings_that_shape_a_run_lay_everything_anew(change: dict[str, Any]) -> None:
    targets = targets_of("ab")
    old = lay(grid_of([2], [0.1], [1.0], 3), targets, []).wanted
    grid = grid_of([2], [0.1], [1.0], 3, **change)
    plan = lay(grid, targets, old)
    assert counted(plan.laid) == Counter(wanted_cells(grid, targets))
    assert {tile.name for tile in plan.laid}.isdisjoint(tile.name for tile in old)


@pytest.mark.parametrize(
    "change",
    [
        {"title": "T"},
        {"tiles": {"seconds": 3.0}},
        {"certificate": {"cells": 0.1, "runs_per_cell": 5}},
        {"grid": "renamed"},
    ],
    ids=str,
)
def test_settings_that_shape_no_run_lay_nothing(change: dict[str, Any]) -> None:
    targets = targets_of("ab")
    old = lay(grid_of([2], [0.1], [1.0], 3), targets, []).wanted
    assert lay(grid_of([2], [0.1], [1.0], 3, **change), targets, old).laid == []


def test_a_changed_target_alone_is_planned_again() -> None:
    grid = grid_of([2, 3], [0.1], [1.0], 3)
    old = lay(grid, targets_of("abc"), []).wanted
    plan = lay(grid, targets_of("abc", {"b": "v2"}), old)
    assert {target for tile in plan.laid for target in tile.targets} == {("b", "v2")}
    assert sum(tile.runs for tile in plan.laid) == 2 * 3


@given(REQUESTS)
@FIXED
def test_no_tile_exceeds_its_seconds_where_it_could_be_cut(request: dict[str, Any]) -> None:
    for tile in laid(request)[2].wanted:
        assert tile.seconds <= request["seconds"] or tile.runs == 1
        assert tile.seconds == pytest.approx(tile.runs * seconds_per_run(tile.group))


def test_tiles_are_as_large_as_their_seconds_allow() -> None:
    grid = grid_of([2], [0.1, 0.2, 0.5, 1.5], [1.0], 6, seconds=12.5 * seconds_per_run(Group((2, 2, 2))))
    runs = [tile.runs for tile in lay(grid, targets_of("ab"), []).wanted]
    assert runs == [12, 12, 12, 12]


def test_a_longer_or_wider_run_is_predicted_to_take_longer() -> None:
    groups = [Group((2, 2, 2)), Group((2, 2, 2, 2)), Group((9, 9, 9, 9)), Group((9,) * 9)]
    times = [seconds_per_run(group) for group in groups]
    assert times == sorted(set(times))


@given(REQUESTS)
@FIXED
def test_ledger_text_round_trips_with_names(request: dict[str, Any]) -> None:
    tiles = laid(request)[2].wanted
    text = ledger_text(tiles)
    assert text.count("\n") == len(tiles)
    read = read_ledger(text + "\n  \n")
    assert read == tiles
    assert [tile.name for tile in read] == [tile.name for tile in tiles]


TILE = Tile(Group((2, 2, 2)), (("a", "v1"),), ("0.5c",), (Series("gaussian", 1.0),), 0, 4, "t")


@pytest.mark.parametrize("field", ["group", "targets", "lambdas", "series", "first", "last", "training"])
def test_tiles_of_different_content_have_different_names(field: str) -> None:
    changes: dict[str, Any] = {
        "group": Group((2, 3, 2)),
        "targets": (("a", "v2"),),
        "lambdas": ("0.5",),
        "series": (Series("gaussian", 2.0),),
        "first": 1,
        "last": 5,
        "training": "u",
    }
    assert replace(TILE, **{field: changes[field]}).name != TILE.name


def test_the_name_of_a_tile_is_pinned() -> None:
    """A file's name is its content: a change of the scheme would orphan every stored tile."""
    assert TILE.name == "L2-2x2x2-8f9e20d57037"


def test_the_training_fingerprint_is_pinned() -> None:
    assert training_fingerprint(grid_of([2], [0.1], [1.0], 3)) == "c3bbe01caacbb1f0"


def test_a_narrow_layer_is_refused_with_target_and_depth() -> None:
    grid = grid_of([2, 3], [0.1], [1.0], 3, hidden_widths=1)
    with pytest.raises(UserError, match=r"^x\.yaml: target a, depth 2: hidden_widths: got 1, expected at least"):
        lay(grid, targets_of("a"), [], "x.yaml")


def test_many_targets_and_lambdas_are_planned_in_one_go() -> None:
    names = [f"t{i}" for i in range(2000)]
    targets = [TargetMatrix(name, name, "gaussian", name, np.zeros((2, 2))) for name in names]
    grid = grid_of([2, 3], [0.01 * i for i in range(1, 51)], [1.0], 8)
    plan = lay(grid, targets, [])
    assert sum(tile.runs for tile in plan.wanted) == 2 * 2000 * 50 * 8
    assert lay(grid, targets, deepcopy(plan.wanted)).laid == []
