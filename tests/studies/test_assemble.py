"""A table of fields and a row a cell make a dataset."""

import numpy as np
import pytest

from dmf.studies._assemble import assembled, rows_of

FIELDS = {
    "control": ("cell", "1 for controls"),
    "value": ("cell start", "a value"),
    "spectrum": ("cell start eigen", "eigenvalues"),
    "eps": ("radius", "a distance"),
}
ROWS = [
    {"depth": 2, "name": "a", "control": False, "value": [1.0, 2.0], "spectrum": [[1.0], [2.0]]},
    {"depth": 3, "name": "b", "control": True, "value": [3.0, 4.0], "spectrum": [[3.0, 4.0], [5.0, 6.0]]},
]
OTHERS = {"eps": ("radius", [0.1]), "draw": ("start", np.arange(2)), "kind": ("start", ["x", "y"])}


def test_fields_are_variables_in_their_order_with_their_texts_and_all_else_are_coordinates() -> None:
    made = assembled(FIELDS, ROWS, OTHERS)
    assert list(made.data_vars) == list(FIELDS)
    assert {name: (" ".join(made[name].dims), made[name].attrs["long_name"]) for name in FIELDS} == FIELDS
    assert {made[name].attrs["units"] for name in FIELDS} == {"1"}
    assert {str(name): made[name].dims for name in made.coords} == {
        "depth": ("cell",),
        "name": ("cell",),
        "draw": ("start",),
        "kind": ("start",),
    }
    assert made["name"].values.tolist() == ["a", "b"]
    assert made["value"].values.tolist() == [[1, 2], [3, 4]]


def test_types_are_those_of_files() -> None:
    made = assembled(FIELDS, ROWS, OTHERS)
    found = {name: made[name].dtype for name in ("control", "value", "depth", "name", "kind")}
    assert found == {
        "control": np.dtype(np.int8),
        "value": np.dtype(np.float64),
        "depth": np.dtype(np.int64),
        "name": np.dtype(object),
        "kind": np.dtype(object),
    }


def test_shorter_rows_end_in_nan() -> None:
    spectrum = assembled(FIELDS, ROWS, OTHERS)["spectrum"].values
    np.testing.assert_array_equal(spectrum, [[[1, np.nan], [2, np.nan]], [[3, 4], [5, 6]]])


def test_a_field_without_values_is_named() -> None:
    with pytest.raises(KeyError, match="eps"):
        assembled(FIELDS, ROWS)
    with pytest.raises(KeyError, match="control"):
        assembled(FIELDS, [ROWS[0], {name: value for name, value in ROWS[1].items() if name != "control"}], OTHERS)


def test_columns_become_rows_with_what_is_the_same_in_all() -> None:
    assert rows_of({"m": np.array([1.0, 2.0]), "name": ["a", "b"]}, depth=3) == [
        {"m": 1.0, "name": "a", "depth": 3},
        {"m": 2.0, "name": "b", "depth": 3},
    ]
    with pytest.raises(ValueError, match="argument 2 is longer"):
        rows_of({"m": [1.0], "name": ["a", "b"]})
