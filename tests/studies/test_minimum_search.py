"""The search stops at the first start that ends at a certified global minimum, and spends no more than its budget."""

from copy import deepcopy

import numpy as np
import pytest
import xarray as xr

from dmf.dataset.train import train_block
from dmf.evidence.certify import certify
from dmf.grid.config import Grid, validate
from dmf.grid.targets import build_targets
from dmf.grid.tiles import groups_of
from dmf.studies import minimum_search as module
from dmf.studies.contract import check_study, halves
from dmf.studies.minimum_search import make, start_order

# Depth 3, singular values 1 and 0.5: below lambda_c, above it where the nonzero minimum outlives it, far above.
CONFIG = {
    "grid": "small",
    "seed": 1,
    "targets": [
        {"name": "a", "kind": "gaussian", "shape": [3, 3]},
        {"name": "b", "kind": "spectrum", "shape": [2, 3], "singular_values": [2, 1.9]},
    ],
    "depths": [2, 3, 6],
    "lambdas": {"relative": [0.3, 0.6, 1.05]},
}


def small(**changes: object) -> Grid:
    return validate({**deepcopy(CONFIG), **changes}, "small")


def searched(grid: Grid) -> xr.Dataset:
    found = make(grid)
    check_study(found, "minimum_search")
    return found


@pytest.fixture(scope="module")
def found() -> xr.Dataset:
    return searched(small(minimum_search={"runs": 60}))


def test_starts_come_by_draw_then_scale_then_scheme() -> None:
    order = start_order(45)
    assert len(set(order)) == 45
    assert [draw for _, draw in order] == [0] * 20 + [1] * 20 + [2] * 5
    assert [series.scale for series, _ in order[:5]] == [1, 1, 1, 1, 2]
    assert len({series.scheme for series, _ in order[:4]}) == 4


def test_the_first_success_is_that_of_runs_trained_one_by_one(found: xr.Dataset) -> None:
    """By the way of the grid's own runs: trained, stored and certified there, and then looked through in order."""
    honest, _ = halves(found)
    grid = small()
    for group, targets in groups_of(grid, build_targets(grid, "small"), "small").items():
        for target in targets:
            for label in ("0.3c", "0.6c", "1.05c"):
                here = (
                    (honest["target"] == target.name)
                    & (honest["depth"] == group.depth)
                    & (honest["lam_label"] == label)
                )
                (cell,) = np.flatnonzero(here)
                spent, success = int(honest["runs"].values[cell, 0]), int(honest["certified"].values[cell, 0])
                ends = [
                    int(certify([train_block(group, [target], [label], {s: range(k, k + 1)}, grid)])["minimal"].item())
                    for s, k in start_order(spent)
                ]
                assert ends == [0] * (spent - 1) + [success]
                series, draw = start_order(spent)[-1]
                if success:
                    names = (honest[name].values[cell] for name in ("scheme",))
                    assert (*names, honest["scale"].values[cell, 0]) == (series.scheme, series.scale)
                    assert honest["draw"].values[cell, 0] == draw


def test_some_cells_are_easy_and_some_are_not(found: xr.Dataset) -> None:
    honest, _ = halves(found)
    spent = honest["runs"].values[:, 0]
    assert (spent[honest["depth"].values == 2] == 1).all()
    assert spent.max() > 4, "more than the first look"
    assert (honest["certified"] == 1).all()


def test_a_budget_ends_the_search_and_changes_no_other_cell(found: xr.Dataset) -> None:
    honest, _ = halves(found)
    short, _ = halves(searched(small(minimum_search={"runs": 3})))
    spent = honest["runs"].values
    np.testing.assert_array_equal(short["runs"], np.minimum(spent, 3))
    np.testing.assert_array_equal(short["certified"], spent <= 3)
    assert (short["draw"].values[spent > 3] == -1).all()


def test_a_cell_does_not_depend_on_the_grid_around_it(found: xr.Dataset) -> None:
    alone, _ = halves(searched(small(targets=CONFIG["targets"][1:], lambdas={"relative": [0.6]})))
    honest, _ = halves(found)
    same = honest.isel(cell=((honest["target"] == "b") & (honest["lam_label"] == "0.6c")).values)
    for name in ("runs", "certified", "scale", "draw"):
        np.testing.assert_array_equal(alone[name], same[name])


def test_tiny_starts_find_nothing_below_the_collapse_and_ordinary_ones_in_their_place_do(
    found: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, false = halves(found)
    assert false["depth"].values.tolist() == [3, 3, 6, 6], "a cell for each group of three layers or more"
    assert (false["kept_at_minimum"] > 0).all()
    assert (false["certified"] == 0).all()
    monkeypatch.setattr(module, "TINY", module.SERIES[4])
    _, ordinary = halves(searched(small(minimum_search={"runs": 1})))
    assert (ordinary["certified"] == 1).any()


def test_cells_in_which_no_certificate_reaches_are_left_out() -> None:
    """At depth 2 and lambda = sigma_2 the Hessian at minimizers is singular across their orbit too."""
    target = {"name": "b", "kind": "spectrum", "shape": [2, 2], "singular_values": [2.0, 1.0]}
    honest, _ = halves(searched(small(targets=[target], depths=[2, 3], lambdas={"absolute": [0.5, 1.0]})))
    assert list(zip(honest["depth"].values.tolist(), honest["lam_label"].values, strict=True)) == [
        (2, "0.5"),
        (3, "0.5"),
        (3, "1.0"),
    ]


def test_runs_of_many_cells_are_trained_in_parts(found: xr.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_AT_ONCE", 10)
    again = searched(small(minimum_search={"runs": 60}))
    np.testing.assert_array_equal(again["runs"], found["runs"])
