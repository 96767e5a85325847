"""Whatever is thrown at the configuration and the readers: it is taken, or refused in one line; never a traceback."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dmf.errors import UserError
from dmf.grid.config import validate
from dmf.grid.labelled import real
from dmf.grid.readers import Options, parse, readers
from files import MATRIX, csv, image, in_process, mat, mtx, netcdf, npy, npz

FULL: dict[str, Any] = {
    "grid": "demo",
    "title": "Title",
    "seed": 3,
    "targets": [
        {"name": "g", "label": "G", "kind": "gaussian", "shape": [3, 4], "scale": 2.0},
        {"name": "s", "kind": "spectrum", "shape": [3, 3], "singular_values": [2, 1]},
        {"name": "f", "kind": "file", "path": "m.csv", "header": True, "rows": ["a"], "map": "covariance"},
        {"name": "d", "kind": "dataset", "dataset": "iris", "map": "cross", "center": "both", "scale": "spectral"},
        {"name": "n", "kind": "network", "inputs": "x.csv", "outputs": "y.csv", "components": 2},
    ],
    "depths": [3],
    "hidden_widths": [4, 4],
    "lambdas": {"relative": [0.5], "absolute": [0.1]},
    "starts": {"schemes": ["gaussian"], "scales": [1.0], "count": 4},
    "optimizer": {"name": "lbfgs", "memory": 3},
    "device": "cpu",
    "certificate": {"gradient_norm": 1e-9, "runs_per_cell": 2, "cells": 0.5},
    "keep": {"layers": True},
    "tiles": {"seconds": 20.0},
    "refute": {"runs": 0},
    "figures": ["census"],
    "studies": "all",
}
WORDS = st.sampled_from(
    ["", "all", "same", "lbfgs", "gaussian", "../x", "1e-9", "nan", "a\nb", "\x00", "cuda:0", "none"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all keys and entries of nested mappings and lists."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, inner in items for place in [(*path, key), *places(inner, (*path, key))]]


PLACES = places(FULL)


def taken_or_refused(act: Callable[[], Any]) -> Any:
    """What `act` gives, None where it refuses in one line."""
    try:
        return act()
    except UserError as error:
        message = str(error)
        assert message
        assert len(message.splitlines()) == 1
        assert len(message) < 1000
        return None


@given(
    st.lists(
        st.tuples(st.sampled_from(PLACES), st.sampled_from(["set", "remove", "add"]), VALUES), min_size=1, max_size=3
    )
)
@settings(derandomize=True, deadline=None, max_examples=500)
def test_any_value_at_any_key_of_a_configuration(changes: list[tuple[tuple[Any, ...], str, Any]]) -> None:
    raw: Any = deepcopy(FULL)
    for (*path, last), what, value in changes:
        place = raw
        try:
            for part in path:
                place = place[part]
            if what == "remove":
                del place[last]
            elif what == "add" and isinstance(place, dict):
                place[str(value)] = value
            else:
                place[last] = value
        except (KeyError, IndexError, TypeError):  # an earlier change took the place away
            continue
    grid = taken_or_refused(lambda: validate(raw, "demo.yaml"))
    if grid is not None:
        assert validate(grid.model_dump(mode="json"), "again") == grid


@given(VALUES)
@settings(derandomize=True, deadline=None, max_examples=100)
def test_anything_at_all_as_a_configuration(raw: Any) -> None:
    assert taken_or_refused(lambda: validate(raw, "demo.yaml")) is None


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[bytes]]:
    """Well-formed files of every suffix."""
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    sparse = scipy.sparse.csc_array(MATRIX)
    draft = str(tmp_path_factory.mktemp("fuzz") / "draft.nc")
    table = b"who,a,b\nx,1,2\ny,3,4\n"
    return {
        ".npy": [npy(MATRIX)],
        ".npz": [npz(m=MATRIX)],
        ".csv": [csv(MATRIX), table],
        ".tsv": [csv(MATRIX, "\t"), table.replace(b",", b"\t")],
        ".mat": [mat(m=MATRIX), mat(compress=True, m=MATRIX), mat(version="4", m=MATRIX), mat(m=sparse)],
        ".mtx": [mtx(MATRIX), mtx(sparse), mtx(np.eye(3), symmetry="symmetric")],
        ".nc": [netcdf({"m": MATRIX}, form=form, draft=draft) for form in ("NETCDF4", "NETCDF3_CLASSIC")],
        ".png": [image(grey)],
        ".bmp": [image(grey, "BMP")],
        ".pgm": [image(grey, "PPM")],
        **{key: [image(grey, "JPEG")] for key in (".jpg", ".jpeg")},
        **{key: [image(grey, "TIFF"), image(grey, "TIFF", compression="tiff_lzw")] for key in (".tif", ".tiff")},
    }


def test_every_reader_is_fuzzed(samples: dict[str, list[bytes]]) -> None:
    assert samples.keys() == readers().keys()


IN_PROCESS = sorted(readers().keys() - {".mat", ".mtx", ".nc"})  # the others crash on some of it, in a separate process


@pytest.mark.parametrize("suffix", IN_PROCESS)
@given(data=st.data())
@settings(derandomize=True, deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_a_damaged_file_is_a_matrix_or_refused(
    suffix: str, samples: dict[str, list[bytes]], data: st.DataObject
) -> None:
    with in_process():
        check_damaged(suffix, samples, data)


@pytest.mark.parametrize("suffix", [".mat", ".mtx", ".nc"])
@given(data=st.data())
@settings(derandomize=True, deadline=None, max_examples=5, suppress_health_check=[HealthCheck.too_slow])
def test_a_damaged_file_ends_no_more_than_its_own_process(
    suffix: str, samples: dict[str, list[bytes]], data: st.DataObject
) -> None:
    check_damaged(suffix, samples, data)


def check_damaged(suffix: str, samples: dict[str, list[bytes]], data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from([*samples[suffix], b""])))
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, max(len(content) - 1, 0)))
        piece = data.draw(st.binary(min_size=1, max_size=8))
        match data.draw(st.sampled_from(["flip", "write", "insert", "cut"])):
            case "flip" if content:
                content[place] ^= 1 << (piece[0] % 8)
            case "cut":
                del content[place:]
            case "insert":
                content[place:place] = piece
            case _:
                content[place : place + len(piece)] = piece
    matrix = taken_or_refused(lambda: real(parse(bytes(content), f"m{suffix}", Options())))
    if matrix is not None:
        assert np.isfinite(matrix.values).all()
        assert matrix.values.any()
        assert len(matrix.rows) in (0, matrix.values.shape[0])
        assert len(matrix.columns) in (0, matrix.values.shape[1])


@pytest.mark.parametrize("suffix", IN_PROCESS)
@given(content=st.binary(max_size=200))
@settings(derandomize=True, deadline=None, max_examples=20)
def test_random_bytes_are_refused_or_a_matrix(suffix: str, content: bytes) -> None:
    with in_process():
        taken_or_refused(lambda: real(parse(content, f"m{suffix}", Options())))
