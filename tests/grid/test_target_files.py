"""A user's matrix is read exactly, or refused in one line that names the target, the file and what is wrong."""

import io
from collections.abc import Callable
from pathlib import Path

import netCDF4
import numpy as np
import pytest

import dmf.grid.targets
from dmf.errors import UserError
from dmf.grid.config import validate
from dmf.grid.targets import TargetMatrix, build_targets

MATRIX = np.array([[1.0, 0.1, 1 / 3], [-2e-17, 5e10, np.pi]])


def build(path: str, variable: str | None = None) -> TargetMatrix:
    raw = {"name": "mine", "kind": "file", "path": path} | ({"variable": variable} if variable else {})
    grid = {"grid": "x", "targets": [raw], "depths": [2], "lambdas": {"relative": [1]}}
    return build_targets(validate(grid, "x.yaml"), "x.yaml")[0]


def npy(array: np.ndarray, **options: bool) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def netcdf(path: str, variables: dict[str, np.ndarray]) -> bytes:
    with netCDF4.Dataset(path, "w") as file:
        for name, values in variables.items():
            dims = []
            for axis, size in enumerate(values.shape):
                dims.append(f"{name}_{axis}")
                file.createDimension(dims[-1], size)
            file.createVariable(name, values.dtype, dims)[...] = values
    return Path(path).read_bytes()


def csv(array: np.ndarray) -> bytes:
    return "\n".join(",".join(repr(float(x)) for x in row) for row in array).encode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.npy", lambda: npy(MATRIX)),
        ("m.NPY", lambda: npy(np.asfortranarray(MATRIX))),
        ("m.csv", lambda: csv(MATRIX)),
        ("bom.csv", lambda: b"\xef\xbb\xbf" + csv(MATRIX)),
        ("m.nc", lambda: netcdf("draft.nc", {"m": MATRIX})),
    ],
    ids=str,
)
def test_a_matrix_is_read_to_the_last_bit(in_tmp: Path, name: str, content: Callable[[], bytes]) -> None:
    Path(name).write_bytes(content())
    target = build(name)
    np.testing.assert_array_equal(target.values, MATRIX)
    assert (target.values.dtype, target.shape, target.kind) == (np.float64, (2, 3), "file")


def test_integers_and_single_precision_become_float64(in_tmp: Path) -> None:
    np.save("i.npy", np.array([[1, 2], [3, 4]], dtype=np.int16))
    np.save("f.npy", np.array([[0.5, 2]], dtype=np.float32))
    np.testing.assert_array_equal(build("i.npy").values, [[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(build("f.npy").values, [[0.5, 2.0]])
    assert build("i.npy").values.dtype == build("f.npy").values.dtype == np.float64


def test_one_row_of_csv_is_a_matrix(in_tmp: Path) -> None:
    Path("row.csv").write_text("1,2,3\n")
    assert build("row.csv").shape == (1, 3)


def test_a_variable_is_chosen_by_name(in_tmp: Path) -> None:
    netcdf("two.nc", {"other": np.ones((2, 2)), "m": MATRIX})
    np.testing.assert_array_equal(build("two.nc", "m").values, MATRIX)


def masked_netcdf() -> bytes:
    return netcdf("draft.nc", {"m": np.ma.masked_invalid([[1.0, np.nan]])})


ONE_BAD = np.array([[1.0, 2.0], [3.0, np.nan]])
BAD: dict[str, tuple[str, Callable[[], bytes], list[str]]] = {
    "empty npy": ("m.npy", lambda: b"", ["not a readable .npy matrix"]),
    "empty csv": ("m.csv", lambda: b"", ["not a readable .csv matrix"]),
    "empty nc": ("m.nc", lambda: b"", ["not a readable .nc matrix"]),
    "ragged csv": ("m.csv", lambda: b"1,2\n3\n", ["not a readable .csv matrix", "columns"]),
    "csv with a header": ("m.csv", lambda: b"a,b\n1,2\n", ["not a readable .csv matrix", "'a'"]),
    "csv with semicolons": ("m.csv", lambda: b"1;2\n3;4\n", ["not a readable .csv matrix", "1;2"]),
    "csv not text": ("m.csv", lambda: b"\xff\xfe\x00", ["not a readable .csv matrix"]),
    "NaN": ("m.npy", lambda: npy(ONE_BAD), ["got nan at row 1, column 1", "finite"]),
    "NaN in csv": ("m.csv", lambda: b"1,nan\n", ["got nan at row 0, column 1"]),
    "infinite": ("m.npy", lambda: npy(np.array([[1.0, -np.inf]])), ["got -inf at row 0, column 1"]),
    "complex": ("m.npy", lambda: npy(np.eye(2, dtype=complex)), ["complex128", "real numbers"]),
    "text npy": ("m.npy", lambda: npy(np.array([["a"]])), ["<U1", "real numbers"]),
    "boolean": ("m.npy", lambda: npy(np.eye(2, dtype=bool)), ["bool", "real numbers"]),
    "pickled": ("m.npy", lambda: npy(np.array([[{}]], dtype=object), allow_pickle=True), ["not a readable .npy"]),
    "vector": ("m.npy", lambda: npy(np.ones(3)), ["got shape (3,)", "expected a matrix"]),
    "scalar": ("m.npy", lambda: npy(np.array(3.0)), ["got shape ()", "expected a matrix"]),
    "cube": ("m.npy", lambda: npy(np.ones((2, 2, 2))), ["got shape (2, 2, 2)", "expected a matrix"]),
    "no rows": ("m.npy", lambda: npy(np.ones((0, 3))), ["got shape (0, 3)", "at least one row"]),
    "all zero": ("m.npy", lambda: npy(np.zeros((2, 2))), ["all entries are zero", "lambda_c"]),
    "beyond squares": ("m.npy", lambda: npy(np.full((2, 2), 1e200)), ["1e+200", "1e-50 to 1e+50", "rescale"]),
    "below squares": ("m.npy", lambda: npy(np.full((2, 2), 1e-200)), ["1e-200", "1e-50 to 1e+50", "rescale"]),
    "truncated npy": ("m.npy", lambda: npy(MATRIX)[:-8], ["not a readable .npy matrix"]),
    "npz": ("m.npz", lambda: b"PK", ["got suffix '.npz'", ".npy, .csv, .nc"]),
    "npz named npy": ("m.npy", lambda: npz(), ["expected a single array", "numpy.save"]),
    "no suffix": ("matrix", lambda: b"1", ["got suffix ''", ".npy, .csv, .nc"]),
    "truncated nc": ("m.nc", lambda: netcdf("draft.nc", {"m": MATRIX})[:1000], ["not a readable .nc matrix"]),
    "several variables": ("m.nc", lambda: netcdf("draft.nc", {"a": MATRIX, "b": MATRIX}), ["a, b", "key variable"]),
    "no variable": ("m.nc", lambda: netcdf("draft.nc", {}), ["(none)"]),
    "masked": ("m.nc", masked_netcdf, ["missing values"]),
    "text nc": ("m.nc", lambda: netcdf("draft.nc", {"a": np.array([["x"]], dtype="S1")}), ["real numbers"]),
}


def npz() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, a=MATRIX)
    return buffer.getvalue()


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_refused_in_one_line(in_tmp: Path, case: str) -> None:
    name, content, fragments = BAD[case]
    Path(name).write_bytes(content())
    with pytest.raises(UserError) as caught:
        build(name)
    message = str(caught.value)
    assert message.startswith("x.yaml: targets.0 (mine): ")
    assert name in message
    for fragment in fragments:
        assert fragment in message
    assert "\n" not in message


def test_a_missing_file_says_where_paths_begin(in_tmp: Path) -> None:
    with pytest.raises(UserError, match=r"targets\.0 \(mine\): no/m\.npy: no such file; paths are relative to"):
        build("no/m.npy")


def test_a_folder_is_no_matrix(in_tmp: Path) -> None:
    Path("m.npy").mkdir()
    with pytest.raises(UserError, match=r"m\.npy: not readable \(Is a directory\)"):
        build("m.npy")


def test_a_file_too_large_is_not_even_read(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save("m.npy", MATRIX)
    monkeypatch.setattr(dmf.grid.targets, "MAX_TARGET_BYTES", 100)
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail("read"))
    with pytest.raises(UserError, match=r"m\.npy has 176 bytes, expected at most 100; reduce the matrix"):
        build("m.npy")


def test_a_variable_that_is_not_there_is_named_with_those_that_are(in_tmp: Path) -> None:
    netcdf("m.nc", {"a": MATRIX, "b": MATRIX})
    with pytest.raises(UserError, match=r"m\.nc: has no variable 'c'; it has a, b"):
        build("m.nc", "c")


def test_a_variable_of_a_file_without_variables_is_refused(in_tmp: Path) -> None:
    Path("m.csv").write_text("1,2\n")
    with pytest.raises(UserError, match=r"variable 'c' given for m\.csv, but only a \.nc file has variables"):
        build("m.csv", "c")


def test_the_fingerprint_follows_the_content_not_the_path(in_tmp: Path) -> None:
    for name in ("m.npy", "copy.npy"):
        np.save(name, MATRIX)
    assert build("m.npy").fingerprint == build("copy.npy").fingerprint
    np.save("copy.npy", np.nextafter(MATRIX, np.inf))
    assert build("m.npy").fingerprint != build("copy.npy").fingerprint
