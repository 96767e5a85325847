"""The section on networks says what was measured, and that it is of no verdict."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from dmf.report.practice import endings, misalignments, practice

Halves = tuple[xr.Dataset, xr.Dataset]


@pytest.fixture
def studies(study: Callable[[str], Halves]) -> dict[str, xr.Dataset]:
    return {
        name: xr.concat(study(name), "cell", data_vars="minimal", coords="minimal", compat="override")
        for name in ("networks", "practice")
    }


def test_medians_are_those_of_certified_runs_away_from_zero(studies: dict[str, xr.Dataset]) -> None:
    rows = misalignments(studies["networks"])
    assert [row.condition for row in rows] == sorted(row.condition for row in rows)
    assert "rank-3" not in {row.inputs for row in rows}
    (row,) = [row for row in rows if row.inputs == "condition-10"]
    runs = studies["networks"]
    runs = runs.isel(cell=np.flatnonzero((runs["target"].values == "condition-10") & (runs["control"].values == 0)))
    alive = (runs["certified"].values == 1) & (runs["end_to_end_norm"].values > 1e-3)
    assert row.to_target == np.median(runs["to_target"].values[alive])
    assert row.runs == alive.sum()


def test_a_run_that_ended_at_zero_has_no_say(studies: dict[str, xr.Dataset]) -> None:
    runs = studies["networks"].copy(deep=True)
    before = {row.inputs: row.runs for row in misalignments(runs)}
    cell = int(np.flatnonzero(runs["target"].values == "condition-3")[0])
    start = int(np.flatnonzero(runs["to_target"].notnull().values[cell])[0])
    for field in ("to_target", "to_least_squares", "to_residual"):
        runs[field].values[cell, start] = np.nan
    (row,) = [row for row in misalignments(runs) if row.inputs == "condition-3"]
    assert row.runs == before["condition-3"] - 1
    assert np.isfinite([row.to_target, row.to_least_squares, row.to_residual]).all()


def test_every_method_at_every_lambda_is_a_row(studies: dict[str, xr.Dataset]) -> None:
    rows = endings(studies["practice"])
    assert len(rows) == studies["practice"].sizes["cell"]
    assert {row.second_moment is not None for row in rows if "AdamW" in row.method} == {True}
    assert {row.second_moment for row in rows if "AdamW" not in row.method} == {None}
    assert sum(row.control for row in rows) == 3
    cell = studies["practice"].isel(cell=4)
    assert rows[4].objective_gap == float(cell["objective_gap"].median())
    assert rows[4].kept == (int(cell["kept"].min()), int(cell["kept"].max()))


def test_the_section_is_labelled_an_experiment_and_has_both_tables(
    studies: dict[str, xr.Dataset], build: Callable[..., str]
) -> None:
    page = build(practice=practice(studies))
    assert "No theorem predicts it and no verdict rests on it." in page
    for text in ("AdamW, falling rate", "digits-correlated", "weight_decay", 'href="#practice"'):
        assert text in page, text


def test_a_grid_without_these_studies_has_no_section(build: Callable[..., str]) -> None:
    assert practice({}) is None
    assert 'id="practice"' not in build()


def test_one_study_alone_has_its_own_table(studies: dict[str, xr.Dataset], build: Callable[..., str]) -> None:
    page = build(practice=practice({"practice": studies["practice"]}))
    assert "digits-correlated" not in page
    assert "SGD without decay" in page
