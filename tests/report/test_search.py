"""The report's numbers on the search are sums over its cells, beside what the grid's own starts found."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from dmf.report.search import cells_with_minimum, cost, problems
from dmf.studies.minimum_search import FIELDS

CELLS = [("square", depth, lam) for depth in (2, 3) for lam in ("0.5c", "1.5c")]  # those of `evidence`


@pytest.fixture
def searched() -> xr.Dataset:
    """Four honest cells, of which the last was not found within 20 runs, and a control."""
    values = {
        "certified": [1, 1, 1, 0, 0],
        "runs": [1, 3, 7, 20, 8],
        "seconds": [0.5, 1.5, 3.5, 10.0, 4.0],
        "relative": [0.5, 1.5, 0.5, 1.5, 0.5],
        "kept_at_minimum": [1, 0, 1, 0, 1],
        "most_kept": [1, 0, 1, 1, 1],
        "scale": [1.0, 2.0, 0.5, np.nan, np.nan],
        "draw": [0, 0, 0, -1, -1],
    }
    over = dict.fromkeys(("certified", "runs", "seconds", "scale", "draw"), ("cell", "start"))
    data = {
        name: (over[name], np.array(row)[:, None]) if name in over else ("cell", np.array(row))
        for name, row in values.items()
    }
    data["control"] = ("cell", np.array([0, 0, 0, 0, 1]))
    cells = [*CELLS, ("square", 3, "0.5c")]
    schemes = ["gaussian", "balanced", "identity", "", ""]
    names = {"target": [c[0] for c in cells], "lam_label": [c[2] for c in cells], "scheme": schemes}
    found = xr.Dataset(
        data,
        coords={name: ("cell", np.array(row, dtype=object)) for name, row in names.items()}
        | {"depth": ("cell", [c[1] for c in cells])},
    )
    for name, text in FIELDS.items():
        found[name].attrs["long_name"] = text
    return found


def test_sums_and_the_hardest_cells(searched: xr.Dataset, evidence: xr.Dataset) -> None:
    found = cost(searched, cells_with_minimum([evidence]))
    assert (found.cells, found.found, found.runs, found.seconds) == (4, 3, 31, 15.5)
    assert (found.own_missed, found.missed_own_found) == (0, 1), "the evidence has the minimum in all four cells"
    assert [(cost.depth, cost.found, cost.median, cost.most, cost.runs) for cost in found.costs] == [
        (2, 2, 3, 3, 4),
        (3, 1, 20, 20, 27),
    ]
    assert [(cell["lam_label"], cell["runs"]) for cell in found.hardest] == [("1.5c", 20), ("0.5c", 7), ("1.5c", 3)]


def test_cells_that_the_grids_own_starts_missed_are_counted(searched: xr.Dataset, evidence: xr.Dataset) -> None:
    evidence["minimal"].values[2] = 0
    evidence["minimal"].values[3] = 0
    found = cost(searched, cells_with_minimum([evidence]))
    assert (found.own_missed, found.own_missed_found, found.missed_own_found) == (2, 1, 0)


def test_a_minimizer_found_in_the_control_is_a_problem(searched: xr.Dataset) -> None:
    assert problems(searched, "minimum_search.nc") == []
    searched["certified"].values[4] = 1
    (line,) = problems(searched, "minimum_search.nc")
    assert line.startswith("the search found minimizers in 1 cells of its control")


def test_the_page_shows_the_search_where_there_was_one(
    searched: xr.Dataset, evidence: xr.Dataset, build: Callable[..., str]
) -> None:
    page = build(searched=cost(searched, cells_with_minimum([evidence])))
    section = page[page.index('<section id="minimum_search"') :]
    assert "One was found in 3 of 4 cells, at a cost of 31 runs" in section
    assert "none was reported as solved" in section
    assert '<section id="minimum_search"' not in build()
