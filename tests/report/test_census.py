"""Every run has one outcome: the counts of the census are a partition of the runs."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from dmf.evidence.eligibility import is_eligible
from dmf.report.census import MOST_LEVELS, census
from dmf.report.listing import (
    cells_short_of_minimum,
    degenerate_cells,
    find_run,
    runs_at_no_level,
    uncertified_by_status,
    uncertified_runs,
)

Outcome = tuple[int, int, int]


def runs(outcomes: list[list[Outcome]], depths: list[int]) -> xr.Dataset:
    """Evidence with (certified, minimal, kept) for every cell and start."""
    certified, minimal, kept = np.moveaxis(np.array(outcomes), -1, 0)
    dims = ("cell", "start")
    starts = np.arange(certified.shape[1])
    return xr.Dataset(
        {
            "certified": (dims, certified),
            "minimal": (dims, minimal),
            "kept": (dims, kept),
            "radius": (dims, np.ones(certified.shape)),
            "status": (dims, np.zeros(certified.shape, dtype=np.int8)),
        },
        {
            "depth": ("cell", depths),
            "scheme": ("start", np.where(starts % 2, "balanced", "gaussian")),
            "scale": ("start", np.where(starts < 2, 0.5, 2.0)),
        },
    )


outcome = st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(-1, 12))
cell = st.tuples(st.sampled_from([2, 3, 5]), st.lists(outcome, min_size=4, max_size=4))


@given(st.lists(cell, min_size=1, max_size=8))
def test_counts_add_up_to_the_runs_whatever_their_outcomes(cells: list[tuple[int, list[Outcome]]]) -> None:
    found = census(runs([starts for _, starts in cells], [depth for depth, _ in cells]))
    assert found.runs == 4 * len(cells)
    for row in found.rows:
        assert row.runs == sum(depth == row.depth for depth, _ in cells)
    certified = [(minimal, kept) for _, starts in cells for certified, minimal, kept in starts if certified]
    assert found.totals[0] == sum(minimal for minimal, _ in certified)
    assert found.totals[-2] == sum(kept == -1 and not minimal for minimal, kept in certified)
    assert found.totals[-1] == 4 * len(cells) - len(certified)
    assert len(found.levels) == len(found.totals) - 3 <= MOST_LEVELS


def test_each_run_is_counted_where_it_ended(evidence: xr.Dataset) -> None:
    found = census(evidence)
    assert found.levels == ("0", "1", "2")
    # Columns: minimum, k = 0, 1, 2, no level, uncertified.
    assert [(row.depth, row.scheme, row.scale, row.counts) for row in found.rows] == [
        (2, "gaussian", 0.5, (4, 0, 0, 0, 0, 0)),
        (2, "gaussian", 2.0, (2, 0, 0, 0, 0, 0)),
        (2, "balanced", 2.0, (2, 0, 0, 0, 0, 0)),
        (3, "gaussian", 0.5, (2, 1, 0, 0, 1, 0)),
        (3, "gaussian", 2.0, (1, 0, 0, 0, 0, 1)),
        (3, "balanced", 2.0, (1, 0, 0, 1, 0, 0)),
    ]


def test_many_levels_share_the_last_column() -> None:
    found = census(runs([[(1, 0, 3), (1, 0, 9), (1, 0, 12), (1, 1, 2)]], [3]))
    assert found.levels[-1] == f"≥ {MOST_LEVELS - 1}"
    assert found.totals[1:-2] == (0, 0, 0, 1, 0, 0, 2)


def test_a_run_without_a_bound_on_its_distance_may_not_speak(evidence: xr.Dataset) -> None:
    before = int(is_eligible(evidence).sum())
    evidence["radius"].values[0] = np.inf
    assert int(is_eligible(evidence).sum()) == before - 4
    assert [cell["lam_label"] for cell in degenerate_cells(evidence).shown] == ["0.5c"]
    assert degenerate_cells(evidence).total == 1


def test_listings_name_exactly_the_runs_left_out(evidence: xr.Dataset) -> None:
    (uncertified,) = uncertified_runs(evidence).shown
    assert {name: uncertified[name] for name in ("depth", "lam_label", "scheme", "scale", "draw")} == {
        "depth": 3, "lam_label": "0.5c", "scheme": "gaussian", "scale": 2.0, "draw": 0,
    }  # fmt: skip
    assert uncertified_by_status(evidence) == {"stalled": 1}
    (stray,) = runs_at_no_level(evidence).shown
    assert (stray["scheme"], stray["scale"], stray["draw"], stray["kept"]) == ("gaussian", 0.5, 1, -1)


def test_a_cell_is_short_below_the_number_that_it_needs(evidence: xr.Dataset) -> None:
    assert cells_short_of_minimum(evidence, 1).total == 0
    (short,) = cells_short_of_minimum(evidence, 2).shown
    assert (short["depth"], short["lam_label"], short["at_minimum"]) == (3, "0.5c", 1)
    certified = evidence.isel(cell=2, start=[0, 1, 3])["objective"]
    assert short["best"]["objective"] == float(certified.min())


def test_a_cell_without_a_certified_run_has_no_best_run(evidence: xr.Dataset) -> None:
    evidence["certified"].values[1] = 0
    assert cells_short_of_minimum(evidence, 1).shown[0]["best"] is None


def test_the_worst_run_is_found_by_its_coordinates_or_not_at_all(evidence: xr.Dataset) -> None:
    coordinates = {"target": "square", "depth": 3, "lam_label": "1.5c", "scheme": "balanced", "scale": 2.0, "draw": 0}
    run = find_run(evidence, coordinates)
    assert run is not None
    assert run["objective"] == float(evidence["objective"][3, 3])
    assert find_run(evidence, coordinates | {"depth": 7}) is None
    assert find_run(evidence, None) is None


def test_long_listings_are_cut_and_say_by_how_much(evidence: xr.Dataset, build: Callable[..., str]) -> None:
    many = xr.concat([evidence.assign(certified=xr.zeros_like(evidence["certified"]))] * 3, dim="cell")
    found = uncertified_runs(many)
    assert found.total == len(found.shown) + found.hidden == 48
    assert found.hidden > 0
    assert f"The first {len(found.shown)} of 48 uncertified runs" in build(evidence=many)


@pytest.mark.parametrize("order", [("cell", "start"), ("start", "cell")])
def test_the_order_of_dimensions_is_irrelevant(evidence: xr.Dataset, order: tuple[str, str]) -> None:
    turned = evidence.transpose(*order)
    assert census(turned) == census(evidence)
    assert uncertified_runs(turned) == uncertified_runs(evidence)
    assert cells_short_of_minimum(turned, 2) == cells_short_of_minimum(evidence, 2)
