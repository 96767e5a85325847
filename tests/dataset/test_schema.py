"""The data contract holds for what training writes, and every breach of it is refused by file and variable."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from dmf.dataset.schema import CELL, RUN_VARIABLES, DataError, check_runs
from small import Trained


@pytest.fixture
def runs(trained: Trained) -> xr.Dataset:
    """Runs of a target of shape (3, 4) at depth 3."""
    return next(d for d in trained.groups.values() if list(d.attrs["widths"]) == [4, 3, 3, 3]).copy(deep=True)


def test_what_training_writes_obeys_the_contract(trained: Trained) -> None:
    for name, dataset in [*trained.tiles.items(), *((g.name, d) for g, d in trained.groups.items())]:
        check_runs(dataset, name)


def test_every_variable_says_what_it_is(runs: xr.Dataset) -> None:
    for name in [*runs.data_vars, *runs.coords]:
        attributes = runs[name].attrs
        assert attributes["long_name"], name
        if runs[name].dtype.kind in "fi":
            assert attributes["units"] == "1", name
    assert runs["objective"].attrs["symbol"] == "F"
    assert runs["status"].attrs["flag_meanings"] == "missing converged iteration_limit diverged stalled"
    np.testing.assert_array_equal(runs["status"].attrs["flag_values"], [-1, 0, 1, 2, 3])


def test_sizes_are_those_of_the_grid(runs: xr.Dataset) -> None:
    assert dict(runs.sizes) == {
        "target": 1, "lam_label": 2, "start": 8, "row": 3, "col": 4, "singular": 3, "layer": 3,
    }  # fmt: skip
    for name, variable in RUN_VARIABLES.items():
        assert runs[name].dims == variable.dims


@pytest.mark.parametrize("name", RUN_VARIABLES)
def test_a_missing_variable_is_named(runs: xr.Dataset, name: str) -> None:
    with pytest.raises(DataError, match=rf"^f\.nc: variable {name} is missing"):
        check_runs(runs.drop_vars(name), "f.nc")


BREACHES: dict[str, tuple[Callable[[xr.Dataset], xr.Dataset], str]] = {
    "dimensions in another order": (
        lambda d: d.assign(objective=d["objective"].transpose("lam_label", "target", "start")),
        r"objective has dimensions \('lam_label', 'target', 'start'\), expected \('target', 'lam_label', 'start'\)",
    ),
    "a dimension too few": (lambda d: d.assign(status=d["status"].isel(start=0, drop=True)), "status has dimensions"),
    "single precision": (
        lambda d: d.assign(end_to_end=d["end_to_end"].astype(np.float32)),
        "end_to_end has type float32, expected float64",
    ),
    "integers for reals": (
        lambda d: d.assign(objective=(CELL, d["objective"].values.astype(int))),
        "objective has type int64, expected float64",
    ),
    "reals for integers": (
        lambda d: d.assign(iterations=(CELL, d["iterations"].values.astype(float))),
        "iterations has type float64, expected a signed integer type",
    ),
    "numbers for text": (
        lambda d: d.assign(scheme=("start", np.zeros(d.sizes["start"]))),
        "scheme has type float64, expected text",
    ),
    "text for numbers": (
        lambda d: d.assign(scale=("start", np.full(d.sizes["start"], "a", dtype=object))),
        "scale has type object, expected float64",
    ),
    "too few rows": (lambda d: d.isel(row=slice(2)), r"dimension row is 2, but widths \[4, 3, 3, 3\] say 3"),
    "too few columns": (lambda d: d.isel(col=slice(2)), "dimension col is 2"),
    "too few layers": (lambda d: d.isel(layer=slice(2)), "dimension layer is 2"),
    "too few singular values": (lambda d: d.isel(singular=slice(2)), "dimension singular is 2"),
    "other version": (lambda d: d.assign_attrs(schema_version=0), "schema version 0, expected 2"),
    "no version": (lambda d: without(d, "schema_version"), "schema version None, expected 2"),
    "no widths": (lambda d: without(d, "widths"), r"got widths \[\], expected d_0, ..., d_L"),
    "one width": (lambda d: d.assign_attrs(widths=3), r"got widths \[3\], expected d_0, ..., d_L"),
}


def without(dataset: xr.Dataset, attribute: str) -> xr.Dataset:
    del dataset.attrs[attribute]
    return dataset


@pytest.mark.parametrize("case", BREACHES)
def test_a_breach_is_refused_by_file_and_variable(runs: xr.Dataset, case: str) -> None:
    breach, message = BREACHES[case]
    with pytest.raises(DataError, match=rf"^f\.nc: .*{message}") as caught:
        check_runs(breach(runs), "f.nc")
    assert "\n" not in str(caught.value)
