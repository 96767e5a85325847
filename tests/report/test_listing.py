"""A page of an incomplete grid says what is missing, and counts only what is there."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from dmf.dataset.schema import MISSING
from dmf.errors import UserError
from dmf.report.census import census
from dmf.report.listing import lost_runs, missing
from dmf.report.provenance import gaps
from dmf.report.summary import summarize
from html_reader import Reader


@pytest.fixture
def unfinished(evidence: xr.Dataset) -> xr.Dataset:
    """Without every run of the last cell (depth 3, 1.5c), and without two starts of the first (depth 2, 0.5c)."""
    lost = np.zeros((4, 4), dtype=bool)
    lost[3], lost[0, 2:] = True, True
    found = evidence.copy(deep=True)
    found["status"].values[lost] = MISSING
    for name in ("certified", "minimal"):
        found[name].values[lost] = 0
    found["kept"].values[lost] = -1
    return found


def test_a_whole_grid_has_nothing_missing_and_no_section(evidence: xr.Dataset, build: Callable[..., str]) -> None:
    assert lost_runs(evidence) == {}
    page = build()
    assert 'id="missing"' not in page
    assert "incomplete" not in Reader(page).text


def test_missing_runs_are_counted_by_target_and_depth(unfinished: xr.Dataset) -> None:
    assert lost_runs(unfinished) == {("square", 2): {"0.5c": 2}, ("square", 3): {"1.5c": 4}}


def test_in_parts_it_is_what_it_is_of_the_whole(unfinished: xr.Dataset) -> None:
    whole = summarize([unfinished], 2, {})
    parts = summarize([unfinished.isel(cell=[cell]) for cell in range(4)], 2, {})
    found, expected = missing(parts.lost, parts.counts), missing(whole.lost, whole.counts)
    assert found == expected
    assert found is not None
    assert (found.runs, found.wanted, found.starts, found.places) == (6, 16, 4, 2)


def test_the_census_counts_only_runs_that_are_there(unfinished: xr.Dataset) -> None:
    found = census(unfinished)
    assert found.runs == 10
    assert found.totals[-1] == 1  # the one run without a certificate


def test_the_page_says_so_before_the_verdicts(unfinished: xr.Dataset, build: Callable[..., str]) -> None:
    page = build(evidence=unfinished, absent=["studies/scalar.nc"])
    reader = Reader(page)
    assert (reader.unbalanced, reader.open) == ([], [])
    assert page.index('id="missing"') < page.index('id="verdicts"')
    text = reader.text
    counts = ("6 of 16 wanted runs are missing", "16 runs, 6 of which are missing", "of 10 runs")
    for words in (*counts, "2 of 4", "studies/scalar.nc"):
        assert words in text
    assert "1 of 10 runs have no certificate" in text


def test_what_is_missing_is_a_line_that_fails_the_verification(tmp_path: Path) -> None:
    path = tmp_path / "provenance.json"
    whole = '"grid": "g", "runs": 48, "configuration": {}, "report": {}'
    path.write_text(f"{{{whole}}}")
    assert gaps(path, []) == []
    assert gaps(path, ["studies/scalar.nc"]) == [
        "incomplete: studies/scalar.nc missing; train them before anything counts as verified"
    ]
    path.write_text(f'{{{whole}, "missing": 16}}')
    assert gaps(path, []) == ["incomplete: 16 of 64 runs missing; train them before anything counts as verified"]
    path.write_text("[]")
    with pytest.raises(UserError, match="not a readable provenance"):
        gaps(path, [])
