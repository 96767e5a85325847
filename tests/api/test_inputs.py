"""Targets, lambdas and widths in every form that people have them; what is wrong is refused in one line."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
import xarray as xr

import dmf
from dmf.api.inputs import lam_label, read_target, read_widths

M = [[3.0, 0.0, 0.5], [0.0, 1.0, 0.0]]
LABELS = (("a", "b"), ("x", "y", "z"))
FORMS: dict[str, Callable[[], Any]] = {
    "lists": lambda: M,
    "array": lambda: np.array(M),
    "single precision": lambda: np.array(M, dtype=np.float32),
    "columns first": lambda: np.asfortranarray(M),
    "frame": lambda: pd.DataFrame(M),
    "nullable frame": lambda: pd.DataFrame(M).convert_dtypes(),
    "DataArray": lambda: xr.DataArray(M),
    "sparse matrix": lambda: scipy.sparse.csr_matrix(M),
    "sparse array": lambda: scipy.sparse.coo_array(M),
    "tensor": lambda: torch.tensor(M, dtype=torch.float64),
    "tensor with gradient": lambda: torch.tensor(M, requires_grad=True),
    "bfloat16": lambda: torch.tensor(M, dtype=torch.bfloat16),
    "sparse tensor": lambda: torch.tensor(M).to_sparse(),
    "mask that hides nothing": lambda: np.ma.masked_array(M, mask=False),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_matrix_is_the_same_in_every_form(form: str) -> None:
    given = FORMS[form]()
    read = read_target(given)
    assert read.values.dtype == np.float64
    assert (read.values.tolist(), read.rows, read.columns) == (M, (), ())


def test_labels_of_frames_and_of_xarray_are_kept() -> None:
    frame = pd.DataFrame(M, index=list("ab"), columns=list("xyz"))
    labelled = xr.DataArray(M, coords={"row": list("ab"), "column": list("xyz")})
    for given in (frame, labelled):
        assert (read_target(given).rows, read_target(given).columns) == LABELS
    found = dmf.predict(frame, depth=3, lam=0.1)
    assert (found.rows, found.columns) == LABELS
    assert "rows: a, b" in repr(found)
    assert pd.DataFrame(found.minimizer, found.rows, found.columns).loc["a", "x"] == found.minimizer[0, 0]


def test_a_target_is_copied_and_never_changed() -> None:
    given = np.array(M)
    found = dmf.predict(given, depth=3, lam=0.1)
    given[0, 0] = 7
    assert found.target[0, 0] == 3
    with pytest.raises(ValueError, match="read-only"):
        found.minimizer[0, 0] = 7


WRONG: dict[str, tuple[Any, type[Exception], str]] = {
    "complex": ([[1j, 0]], TypeError, "target: got entries of type complex128, expected real numbers"),
    "text": ([["a", "b"]], TypeError, "target: got entries of type '<U1', expected real numbers"),
    "text in a frame": (pd.DataFrame({"a": ["1.5"], "b": [1.0]}), TypeError, "entries of type object"),
    "objects": ([[Fraction(1, 2)]], TypeError, "entries of type object"),
    "None": (None, TypeError, "entries of type object"),
    "complex tensor": (torch.tensor([[1j]]), TypeError, "entries of type complex64"),
    "complex sparse": (scipy.sparse.csr_matrix([[1j]]), TypeError, "entries of type complex128"),
    "NaN": ([[1, np.nan]], ValueError, "target: got nan at row 0, column 1, expected finite numbers"),
    "missing": (pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}), ValueError, "got nan at row 1, column 0"),
    "infinite": ([[1], [-np.inf]], ValueError, "got -inf at row 1, column 0"),
    "masked": (np.ma.masked_array([[1, 2]], mask=[[0, 1]]), ValueError, "got masked entries"),
    "zeros": (np.zeros((2, 2)), ValueError, "all entries are zero"),
    "vector": ([1, 2], ValueError, "target: got shape (2,), expected a matrix"),
    "number": (3.0, ValueError, "got shape ()"),
    "cube": (xr.DataArray(np.ones((2, 2, 2))), ValueError, "got shape (2, 2, 2)"),
    "no rows": (np.ones((0, 2)), ValueError, "got shape (0, 2)"),
    "ragged": ([[1, 2], [3]], ValueError, "target: got rows of unequal length, expected a matrix"),
    "too large": ([[1e60]], ValueError, "the largest entry has size 1e+60"),
    "inexact": ([[2**53 + 1]], ValueError, "which float64 does not hold"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("function", [dmf.predict, dmf.train])
def test_another_target_is_refused_in_one_line(name: str, function: Callable[..., Any]) -> None:
    given, kind, line = WRONG[name]
    with pytest.raises(kind) as refused:
        function(given, 3, 0.1)
    assert line in str(refused.value)
    assert str(refused.value).isprintable()


SETTINGS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"depth": 1}, ValueError, "depth: got 1, expected at least 2 layers"),
    ({"depth": 2.0}, TypeError, "depth: got '2.0', expected a whole number"),
    ({"depth": True}, TypeError, "depth: got True, expected a whole number"),
    ({"lam": 0}, ValueError, "lam: got 0, expected a number > 0"),
    ({"lam": -1.0}, ValueError, "lam: got -1.0, expected a number > 0"),
    ({"lam": "-1c"}, ValueError, "lam: got -1c, expected a number > 0"),
    ({"lam": np.nan}, ValueError, "lam: got nan, expected a number > 0"),
    ({"lam": "inf"}, ValueError, "lam: got inf, expected a number > 0"),
    ({"lam": "half"}, ValueError, "lam: got 'half', expected a number > 0, or text such as \"0.5c\""),
    ({"lam": [0.1]}, TypeError, "lam: got '[0.1]', expected a number > 0"),
    ({"lam": True}, TypeError, "lam: got 'True', expected a number > 0"),
    ({"lam": None}, TypeError, "lam: got 'None', expected a number > 0"),
    ({"widths": 1}, ValueError, "widths: got 1, expected at least min(d_0, d_L) = 2"),
    ({"widths": [2, 1]}, ValueError, "widths: got 1, expected at least min(d_0, d_L) = 2"),
    ({"widths": [3, 2, 2, 2]}, ValueError, "widths: got 4, expected the 2 hidden widths d_1, ..., d_(L-1) of depth 3"),
    ({"widths": [2, 2.5]}, TypeError, "widths: got '2.5', expected a whole number"),
    ({"widths": "wide"}, TypeError, "widths: got 'wide', expected a whole number"),
]


@pytest.mark.parametrize(("setting", "kind", "line"), SETTINGS)
@pytest.mark.parametrize("function", [dmf.predict, dmf.train])
def test_another_setting_is_refused_in_one_line(
    setting: dict[str, Any], kind: type[Exception], line: str, function: Callable[..., Any]
) -> None:
    with pytest.raises(kind) as refused:
        function(M, **{"depth": 3, "lam": 0.1, **setting})
    assert str(refused.value).startswith(line)
    assert str(refused.value).isprintable()


def test_numbers_of_numpy_and_lambdas_in_any_spelling_are_taken() -> None:
    assert read_widths(np.array([4, 2]), (2, 3), np.int64(3)) == (3, 4, 2, 2)
    assert read_widths(np.int32(5), (2, 3), 3) == (3, 5, 5, 2)
    assert [lam_label(text) for text in (".5c", "5e-1c", "0.50c", np.float64(0.5), "0.5")] == ["0.5c"] * 3 + ["0.5"] * 2
