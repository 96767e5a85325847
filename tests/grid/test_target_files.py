"""A user's matrix is read exactly, with its labels, from every format; what is refused is in tests/corpus."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import scipy.sparse
from PIL import Image

from dmf.errors import UserError
from dmf.grid.config import validate
from dmf.grid.targets import TargetMatrix, build_targets
from files import MATRIX, archive, csv, image, in_process, mat, mtx, netcdf, npy, npz

SPARSE = np.array([[0.0, 1 / 3, 0.0], [-2e-17, 0.0, np.pi]])
SYMMETRIC = np.array([[2.0, -1.0, 0.5], [-1.0, 3.0, 0.25], [0.5, 0.25, 1 / 3]])
GREY = np.array([[0, 17, 255], [3, 128, 64]], dtype=np.uint8)


@pytest.fixture(autouse=True)
def one_process() -> Iterator[None]:
    with in_process():
        yield


def build(path: str, **keys: Any) -> TargetMatrix:
    grid = {
        "grid": "x",
        "targets": [{"name": "mine", "kind": "file", "path": path, **keys}],
        "depths": [2],
        "lambdas": {"relative": [1]},
    }
    return build_targets(validate(grid, "x.yaml"), "x.yaml")[0]


@pytest.mark.parametrize(
    ("name", "content", "truth"),
    [
        ("m.npy", lambda: npy(MATRIX), MATRIX),
        ("m.NPY", lambda: npy(np.asfortranarray(MATRIX)), MATRIX),
        ("m.npz", lambda: npz(anything=MATRIX), MATRIX),
        ("m.csv", lambda: csv(MATRIX), MATRIX),
        ("bom.csv", lambda: b"\xef\xbb\xbf" + csv(MATRIX), MATRIX),
        ("dos.csv", lambda: csv(MATRIX).replace(b"\n", b"\r\n") + b"\r\n\r\n", MATRIX),
        ("m.tsv", lambda: csv(MATRIX, "\t"), MATRIX),
        ("m.mat", lambda: mat(m=MATRIX), MATRIX),
        ("packed.mat", lambda: mat(compress=True, m=MATRIX), MATRIX),
        ("old.mat", lambda: mat(version="4", m=MATRIX), MATRIX),
        ("sparse.mat", lambda: mat(m=scipy.sparse.csc_array(SPARSE)), SPARSE),
        ("m.mtx", lambda: mtx(MATRIX, precision=17), MATRIX),
        ("sparse.mtx", lambda: mtx(scipy.sparse.coo_array(SPARSE), precision=17), SPARSE),
        ("half.mtx", lambda: mtx(SYMMETRIC, symmetry="symmetric", precision=17), SYMMETRIC),
        ("m.nc", lambda: netcdf({"m": MATRIX}), MATRIX),
        ("classic.nc", lambda: netcdf({"m": MATRIX}, form="NETCDF3_CLASSIC"), MATRIX),
        ("m.png", lambda: image(GREY), GREY),
        ("m.bmp", lambda: image(GREY, "BMP"), GREY),
        ("m.pgm", lambda: image(GREY, "PPM"), GREY),
        ("m.tif", lambda: image(MATRIX.astype(np.float32), "TIFF"), MATRIX.astype(np.float32)),
        ("deep.png", lambda: image(GREY.astype(np.uint16) * 200), GREY * 200.0),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_matrix_is_read_to_the_last_bit(
    in_tmp: Path, name: str, content: Callable[[], bytes], truth: np.ndarray
) -> None:
    Path(name).write_bytes(content())
    target = build(name)
    np.testing.assert_array_equal(target.values, truth)
    assert (target.values.dtype, target.shape, target.kind) == (np.float64, truth.shape, "file")


COORDINATE = "%%MatrixMarket matrix coordinate real "
TWO = "2 2 2\n1 1 {}\n2 2 2.5\n"
MATRIX_MARKET = {
    "comments": COORDINATE + "general\n% by René\n  % more\n\n" + TWO.format("1.5 % one") + "\n% end\n\n",
    "line ends": (COORDINATE + "general\n% x\n" + TWO.format("1.5")).replace("\n", "\r\n"),
    "old line ends": (COORDINATE + "general\n% x\n" + TWO.format("1.5")).replace("\n", "\r"),
    "upper case": (COORDINATE + "general\n").upper() + TWO.format("15E-1"),
    "exponents of Fortran": COORDINATE + "general\n" + TWO.format("0.15D+01"),
    "no sign in the exponent": COORDINATE + "general\n" + TWO.format("15.d-1"),
    "a leading plus": COORDINATE + "general\n" + TWO.format("+1.5"),
    "double": COORDINATE.replace("real", "double") + "general\n" + TWO.format("1.5"),
    "integers with a point": COORDINATE.replace("real", "integer") + "general\n" + TWO.format("1.5"),
    "sums": COORDINATE + "general\n2 2 3\n1 1 1\n1 1 .5\n2 2 2.5",
    "one triangle": COORDINATE + "symmetric\n" + TWO.format("1.5"),
    "an array": "%%MatrixMarket matrix array real general\n2 2\n1.5\n0\n\n% comment\n0\n2.5\n",
}


@pytest.mark.parametrize("content", MATRIX_MARKET.values(), ids=MATRIX_MARKET)
def test_a_matrix_market_file_is_read_however_it_is_spelled(in_tmp: Path, content: str) -> None:
    Path("m.mtx").write_bytes(content.encode("latin-1"))
    with in_process():
        np.testing.assert_array_equal(build("m.mtx").values, [[1.5, 0], [0, 2.5]])


def test_of_a_symmetric_file_either_triangle_is_mirrored(in_tmp: Path) -> None:
    files = {
        COORDINATE + "symmetric\n2 2 2\n1 1 7\n2 1 5\n": [[7, 5], [5, 0]],
        COORDINATE + "symmetric\n2 2 2\n1 1 7\n1 2 5\n": [[7, 5], [5, 0]],
        COORDINATE + "skew-symmetric\n2 2 2\n1 1 0\n2 1 5\n": [[0, -5], [5, 0]],
        "%%MatrixMarket matrix array real symmetric\n2 2\n7\n5\n0\n": [[7, 5], [5, 0]],
        "%%MatrixMarket matrix array real skew-symmetric\n2 2\n5\n": [[0, -5], [5, 0]],
    }
    for content, truth in files.items():
        Path("m.mtx").write_text(content)
        with in_process():
            np.testing.assert_array_equal(build("m.mtx").values, truth)


def test_of_colours_it_is_the_luminance(in_tmp: Path) -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [10, 10, 10]]], dtype=np.uint8)
    for suffix, form in (("png", "PNG"), ("bmp", "BMP")):
        Path(f"m.{suffix}").write_bytes(image(colours, form))
        np.testing.assert_allclose(build(f"m.{suffix}").values, [[76.245, 149.685, 29.07, 10]], rtol=1e-14)
    Image.fromarray(colours).quantize(4).save("palette.png")
    np.testing.assert_allclose(build("palette.png").values, [[76.245, 149.685, 29.07, 10]], rtol=1e-14)


def test_a_photograph_is_read_as_a_viewer_shows_it(in_tmp: Path) -> None:
    Path("m.jpg").write_bytes(image(np.full((8, 8), 200, dtype=np.uint8), "JPEG"))
    np.testing.assert_array_equal(build("m.jpg").values, np.full((8, 8), 200.0))


@pytest.mark.parametrize(("most", "size"), [(1, 1), (254, 1), (255, 1), (256, 2), (999, 2), (65535, 2)])
def test_a_grey_level_of_a_binary_pgm_has_two_bytes_from_256_on(in_tmp: Path, most: int, size: int) -> None:
    levels = [most, 0, most // 2, 1, most - 1, most]
    pixels = b"".join(level.to_bytes(size, "big") for level in levels)
    Path("m.pgm").write_bytes(b"P5 3 2 %d\n" % most + pixels)
    np.testing.assert_array_equal(build("m.pgm").values, np.reshape(levels, (2, 3)))


def test_integers_and_single_precision_become_float64(in_tmp: Path) -> None:
    np.save("i.npy", np.array([[1, 2], [3, 4]], dtype=np.int16))
    np.save("f.npy", np.array([[0.5, 2]], dtype=np.float32))
    np.testing.assert_array_equal(build("i.npy").values, [[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(build("f.npy").values, [[0.5, 2.0]])
    assert build("i.npy").values.dtype == build("f.npy").values.dtype == np.float64


@pytest.mark.parametrize(
    ("name", "content", "variable"),
    [
        ("m.npz", lambda: npz(other=np.ones((2, 2)), m=MATRIX), "m"),
        ("m.mat", lambda: mat(other=np.ones((2, 2)), m=MATRIX, words="text"), "m"),
        ("m.nc", lambda: netcdf({"other": np.ones((2, 2)), "m": MATRIX}), "m"),
        ("m.nc", lambda: netcdf({"m": np.ones((2, 2)), "inner/m": MATRIX}), "inner/m"),
        ("m.npz", lambda: archive(bomb=bytes(2**20), m=npy(MATRIX)), "m"),
    ],
    ids=["npz", "mat", "nc", "group", "broken neighbour"],
)
def test_a_variable_is_chosen_by_name(in_tmp: Path, name: str, content: Callable[[], bytes], variable: str) -> None:
    Path(name).write_bytes(content())
    np.testing.assert_array_equal(build(name, variable=variable).values, MATRIX)


NUMBERS = [[1.0, 2.0], [3.0, 4.0]]
TABLES: dict[str, tuple[str, dict[str, bool], tuple[str, ...], tuple[str, ...]]] = {
    "numbers only": ("1,2\n3,4\n", {}, (), ()),
    "header": ("a,b\n1,2\n3,4\n", {}, (), ("a", "b")),
    "index": ("x,1,2\ny,3,4\n", {}, ("x", "y"), ()),
    "both": ("who,a,b\nx,1,2\ny,3,4\n", {}, ("x", "y"), ("a", "b")),
    "empty corner over years": (",2019,2020\nx,1,2\ny,3,4\n", {}, ("x", "y"), ("2019", "2020")),
    "years that are said to be labels": ("2019,2020\n1,2\n3,4\n", {"header": True}, (), ("2019", "2020")),
    "years in both": ("0,2019,2020\n7,1,2\n8,3,4\n", {"header": True, "index": True}, ("7", "8"), ("2019", "2020")),
    "quoted": ('"a, b","c ""d"""\n1,2\n3,4\n', {}, (), ("a, b", 'c "d"')),
    "spaces and empty lines": ("\n a , b \n 1 , 2 \n\n3,4\n \n", {}, (), ("a", "b")),
    "dates": ("day,a,b\n2020-01-31,1,2\n2020-02-29 12:00,3,4\n", {}, ("2020-01-31", "2020-02-29 12:00"), ("a", "b")),
    "years under an empty corner": (",a,b\n2019,1,2\n2015,3,4\n", {}, ("2019", "2015"), ("a", "b")),
    "years as numbers": ("year,b\n1,2\n3,4\n", {"index": False}, (), ("year", "b")),
    "an empty corner over numbers": (",b\n1,2\n3,4\n", {"index": False}, (), ("", "b")),
    "a heading too few": ("a,b\nx,1,2\ny,3,4\n", {}, ("x", "y"), ("a", "b")),
    "no words": ("?,1,2\n?,3,4\n", {"index": True}, ("?", "?"), ()),
    "a word for missing values": ("Na,K\n1,2\n3,4\n", {"header": True}, (), ("Na", "K")),
    "counts that are numbers": ("1,2\n3,4\n", {"header": False, "index": False}, (), ()),
    "a label of two lines": ('"a\nb",c\n1,2\n3,4\n', {}, (), ("a b", "c")),
    "a label that turns direction": ("a\u202eb,c\x07\n1,2\n3,4\n", {}, (), ("a\ufffdb", "c\ufffd")),
    "a long label": (f"{'a' * 70},b\n1,2\n3,4\n", {}, (), ("a" * 59 + "…", "b")),
}


@pytest.mark.parametrize("case", TABLES)
def test_labels_of_a_table(in_tmp: Path, case: str) -> None:
    text, keys, rows, columns = TABLES[case]
    Path("m.csv").write_text(text, encoding="utf-8", newline="")
    target = build("m.csv", **keys)
    np.testing.assert_array_equal(target.values, NUMBERS)
    assert (target.rows, target.columns) == (rows, columns)


FRAMES: dict[str, tuple[pandas.DataFrame, dict[str, Any], tuple[str, ...]]] = {
    "index from 0": (pandas.DataFrame(NUMBERS, columns=["a", "b"]), {}, ("0", "1")),
    "nothing but numbers": (pandas.DataFrame(NUMBERS), {}, ("0", "1")),
    "filtered": (pandas.DataFrame(NUMBERS, index=[7, 3], columns=["a", "b"]), {}, ("7", "3")),
    "names": (pandas.DataFrame(NUMBERS, index=["x", "y"], columns=["a", "b"]), {}, ("x", "y")),
    "days": (pandas.DataFrame(NUMBERS, pandas.date_range("2020", periods=2)), {}, ("2020-01-01", "2020-01-02")),
    "names over years": (pandas.DataFrame(NUMBERS, ["x", "y"], [2019, 2020]), {}, ("x", "y")),
    "no index": (pandas.DataFrame(NUMBERS, columns=["a", "b"]), {"index": False}, ()),
}  # fmt: skip


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_an_index_that_pandas_writes_is_labels(in_tmp: Path, frame: str, suffix: str) -> None:
    table, options, rows = FRAMES[frame]
    table.to_csv(f"m.{suffix}", sep={"csv": ",", "tsv": "\t"}[suffix], **options)
    target = build(f"m.{suffix}")
    np.testing.assert_array_equal(target.values, NUMBERS)
    assert target.rows == rows


def test_a_table_that_pandas_wrote_again_keeps_its_index_as_labels(in_tmp: Path) -> None:
    pandas.DataFrame(NUMBERS, columns=["a", "b"]).to_csv("once.csv")
    pandas.read_csv("once.csv").to_csv("again.csv", index=False)
    assert Path("again.csv").read_text().startswith("Unnamed: 0,")
    np.testing.assert_array_equal(build("again.csv").values, NUMBERS)


@pytest.mark.parametrize(
    "text", ['"","V1","V2"\n"1",1,2\n"2",3,4\n', '"V1","V2"\n"1",1,2\n"2",3,4\n'], ids=["write.csv", "write.table"]
)
def test_the_row_names_that_r_writes_are_labels(in_tmp: Path, text: str) -> None:
    Path("m.csv").write_text(text)
    target = build("m.csv")
    np.testing.assert_array_equal(target.values, NUMBERS)
    assert (target.rows, target.columns) == (("1", "2"), ("V1", "V2"))


@pytest.mark.parametrize(("text", "shape"), [("1,2,3\n", (1, 3)), ("1\n2\n", (2, 1)), ("a\n1\n2\n", (2, 1))])
def test_one_row_or_column_is_a_matrix(in_tmp: Path, text: str, shape: tuple[int, int]) -> None:
    Path("m.csv").write_text(text)
    assert build("m.csv").shape == shape


def test_coordinates_label_a_variable(in_tmp: Path) -> None:
    Path("m.nc").write_bytes(netcdf({"m": MATRIX}, {"m_0": ["north", "south"], "m_1": [2019, 2020, 2021]}))
    target = build("m.nc")
    np.testing.assert_array_equal(target.values, MATRIX)
    assert (target.rows, target.columns) == (("north", "south"), ("2019", "2020", "2021"))


def test_labels_may_be_given_and_then_count(in_tmp: Path) -> None:
    Path("m.csv").write_text("a,b\n1,2\n3,4\n")
    target = build("m.csv", rows=["x", "y"], columns=["c", "d"])
    assert (target.rows, target.columns) == (("x", "y"), ("c", "d"))


def test_the_fingerprint_follows_the_values_and_nothing_else(in_tmp: Path) -> None:
    np.save("m.npy", MATRIX)
    Path("m.csv").write_bytes(csv(MATRIX))
    Path("m.npz").write_bytes(npz(a=MATRIX, b=np.ones((2, 2))))
    print_ = build("m.npy").fingerprint
    assert build("m.csv").fingerprint == build("m.npz", variable="a").fingerprint == print_
    assert build("m.npy", rows=["x", "y"], label="another").fingerprint == print_
    assert build("m.npy", scale="spectral").fingerprint != print_
    assert build("m.npz", variable="b").fingerprint != print_
    np.save("m.npy", np.nextafter(MATRIX, np.inf))
    assert build("m.npy").fingerprint != print_
    np.save("m.npy", MATRIX.reshape(3, 2))
    assert build("m.npy").fingerprint != print_


def test_origin_and_standardisation_are_stated(in_tmp: Path) -> None:
    Path("m.csv").write_text("1,2\n3,5\n")
    target = build("m.csv", map="covariance", scale="frobenius")
    # what sha256sum prints for this file
    assert target.origin == "m.csv, SHA-256 26ed5e2d5ad7d72d49fe452b1228d6bb3024a42d056a5cad743937d3d1a4bc0f"
    assert target.standardisation == "covariance of the columns, Frobenius norm 1"


def test_a_file_larger_than_allowed_is_not_even_read(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save("m.npy", MATRIX)
    monkeypatch.setattr("dmf.grid.readers.MAX_BYTES", 100)
    monkeypatch.setattr("os.fdopen", lambda *_, **__: pytest.fail("read"))
    with pytest.raises(UserError, match=r"m\.npy: has 176 bytes, expected at most 100; reduce the matrix"):
        build("m.npy")
