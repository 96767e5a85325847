"""Malformed target files, each with the line it is refused with (after configuration and target)."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
from PIL import Image

from files import MATRIX, archive, csv, image, mat, mtx, netcdf, npy, npz

Make = Callable[[], bytes]
ONE_BAD = np.array([[1.0, 2.0], [3.0, np.nan]])
PICKLED = npy(np.array([[{}]], dtype=object), allow_pickle=True)
GREY = np.ones((3, 3), dtype=np.uint8)
GENERAL = b"%%MatrixMarket matrix coordinate real general\n"
SKEW = b"%%MatrixMarket matrix coordinate real skew-symmetric\n"
ARRAY = b"%%%%MatrixMarket matrix array real %b\n2 2\n"
NOISE = np.random.default_rng(0).integers(0, 256, (30, 30), dtype=np.uint8)
SPARSE_HUGE = scipy.sparse.csc_array(([1.0], ([0], [0])), shape=(10**6, 10**6))
CUBE = np.ones((2, 2, 2))


def header_only(text: str) -> bytes:
    """A .npy file that promises more than it holds."""
    padded = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded.encode()


def crashing_mat() -> bytes:
    """Two bytes of a sparse matrix changed: SciPy 1.17 crashes on it."""
    content = bytearray(mat(m=scipy.sparse.csc_array(MATRIX)))
    content[180], content[214] = 0, 4
    return bytes(content)


def endless_netcdf() -> bytes:
    """Two bytes of 144 changed: netCDF 4.9 fills the memory with it."""
    content = bytearray(netcdf({"m": MATRIX}, form="NETCDF3_CLASSIC"))
    content[52], content[58] = 127, 128
    return bytes(content)


def stray_mat() -> bytes:
    """A sparse matrix of two rows with an entry in row 2,000,000,000."""
    rows = np.array([0, 1], dtype=np.int32)
    content = mat(m=scipy.sparse.csc_array(([1.0, 2.0], rows, [0, 2]), shape=(2, 1)))
    assert content.count(rows.tobytes()) == 1
    return content.replace(rows.tobytes(), np.array([0, 2_000_000_000], dtype=np.int32).tobytes())


def film() -> bytes:
    """Two images in one file."""
    buffer = io.BytesIO()
    Image.fromarray(GREY).save(buffer, "TIFF", save_all=True, append_images=[Image.fromarray(GREY)])
    return buffer.getvalue()


def masked_netcdf() -> bytes:
    return netcdf({"m": np.ma.masked_invalid([[1.0, np.nan]])})


HEADER, INDEX = "say header: true if line 1 is labels", "say index: true if column 1 is labels"
EITHER = f"{HEADER}, {INDEX.removeprefix('say ')}"
NUMBER = "expected a number; commas separate cells"
# Tables: content, suffix, keys, and the line.
TABLES: list[tuple[bytes, str, dict[str, Any], str]] = [
    (b"1;2\n3;4\n", "csv", {}, f"line 1, column 1: got '1;2', {NUMBER}; {HEADER}"),
    (b"a,2\n3,4\n", "csv", {"header": False}, f"line 1, column 1: got 'a', {NUMBER}; {INDEX}"),
    (b"c,a,2\n3,4,5\n", "csv", {}, f"line 1, column 2: got 'a', {NUMBER}; {HEADER}"),
    (b"x,1\n2,3\n", "csv", {}, f"line 1, column 1: got 'x', {NUMBER}; {EITHER}"),
    (b"x,1\n2,3\n", "csv", {"index": False}, f"line 1, column 1: got 'x', {NUMBER}; {HEADER}"),
    # what cannot be read is no label
    (b"NA,2,3\nNA,5,6\n", "csv", {}, f"line 1, column 1: got 'NA', {NUMBER}; {EITHER}"),
    (b"?\t2\n?\t5\n", "tsv", {}, f"line 1, column 1: got '?', expected a number; tabs separate cells; {EITHER}"),
    (b"u,v,w\nx,ND,3\ny,5,6\n", "csv", {}, f"line 2, column 2: got 'ND', {NUMBER}"),
    (b"a,b\nn/a,3\nn.a.,6\n", "csv", {}, f"line 2, column 1: got 'n/a', {NUMBER}; {INDEX}"),
    (b"bad,2,3\nbad,5,6\n", "csv", {}, f"line 1, column 1: got 'bad', {NUMBER}; {EITHER}"),
    (b"-,-,-\n1,2,3\n4,5,6\n", "csv", {}, f"line 1, column 2: got '-', {NUMBER}; {HEADER}"),
    (b"none\n1\n2\n", "csv", {}, f"line 1, column 1: got 'none', {NUMBER}; {HEADER}"),
    (b"1,1.2.3\n3,4\n", "csv", {}, f"line 1, column 2: got '1.2.3', {NUMBER}; {HEADER}"),
    (b'1,"1,000"\n3,4\n', "csv", {}, f"line 1, column 2: got '1,000', {NUMBER}; {HEADER}"),
    (b'"1,000",5\n"2,000",6\n', "csv", {}, f"line 1, column 1: got '1,000', {NUMBER}; {EITHER}"),
    (b"$3,$4\n1,2\n3,4\n", "csv", {}, f"line 1, column 2: got '$4', {NUMBER}; {HEADER}"),
    (b"10%,5\n20%,6\n", "csv", {}, f"line 1, column 1: got '10%', {NUMBER}; {EITHER}"),
    (b"1,#REF!\n3,4\n", "csv", {}, f"line 1, column 2: got '#REF!', {NUMBER}; {HEADER}"),
    ("1,\u0663\n3,4\n".encode(), "csv", {}, f"line 1, column 2: got '\u0663', {NUMBER}; {HEADER}"),
    (b",2,3\n4,5,6\n7,8,9\n", "csv", {}, f"line 1, column 1: got an empty cell, {NUMBER}; {EITHER}"),
    (b"a,,c\n4,5,6\n7,8,9\n", "csv", {}, f"line 1, column 2: got an empty cell, {NUMBER}; {HEADER}"),
    (b"a,a\n4,5\n", "csv", {}, f"line 1, column 2: got 'a', {NUMBER}; {HEADER}"),
    (b"1,2,\n3,4,\n", "csv", {}, f"line 1, column 3: got an empty cell, {NUMBER}; {HEADER}"),
    (b"1,2\n3,4\n,\n", "csv", {}, f"line 3, column 2: got an empty cell, {NUMBER}"),
    (b"1\n\n3\n", "csv", {}, "line 2 is empty; expected a number, or no such line"),
    (b'1\n""\n3\n', "csv", {}, f"line 2, column 1: got an empty cell, {NUMBER}"),
    # numbers that could be labels
    (b"0,5,4\n1,2,2\n", "csv", {}, f"column 1 is 0, 1, which could be labels; {INDEX}, else index: false"),
    (b"1,5,4\n2,2,2\n3,1,5\n", "csv", {}, f"column 1 is 1, 2, 3, which could be labels; {INDEX}, else index: false"),
    (b"X,a\n1,5\n2,2\n", "csv", {}, f"column 1 is 1, 2, which could be labels; {INDEX}, else index: false"),
    (
        b"year,a\n1990,5\n2000,2\n",
        "csv",
        {},
        f"column 1 is 1990, 2000, which could be labels; {INDEX}, else index: false",
    ),
    (b",a\n0.5,5\n1.5,2\n", "csv", {}, f"column 1 has no heading; {INDEX}, else index: false"),
    (b",a\n3,5\n3,2\n", "csv", {}, f"column 1 has no heading; {INDEX}, else index: false"),
    (b"a,b\n0.5,5,1\n1.5,2,1\n", "csv", {}, f"column 1 has no heading; {INDEX}, else index: false"),
    (b"0,1,2\n5,4,1\n", "csv", {}, f"line 1 is 0, 1, 2, which could be labels; {HEADER}, else header: false"),
    (b"2019,2020\n5,4\n", "csv", {}, f"line 1 is 2019, 2020, which could be labels; {HEADER}, else header: false"),
    (
        b"who,2019,2020\nx,1,2\ny,3,4\n",
        "csv",
        {},
        f"line 1 is 2019, 2020, which could be labels; {HEADER}, else header: false",
    ),
    # numbers that float64 does not hold
    (
        b"1,9007199254740993\n",
        "csv",
        {},
        "line 1, column 2: got '9007199254740993', expected a whole number that float64 holds, as all up to 2^53; "
        f"round it, or rescale; commas separate cells; {HEADER}",
    ),
    (
        b"2,1\n3,1e-400\n",
        "csv",
        {},
        "line 2, column 2: got '1e-400', expected a number in float64's range, 5e-324 to 1.8e308; rescale; commas "
        "separate cells",
    ),
]

# Name of the file, its content, further keys of the target.
FILES: list[tuple[str, Make, dict[str, Any], str]] = [
    # no such matrix
    ("m.npy", lambda: b"", {}, "not a readable .npy matrix (…)"),
    ("m.npz", lambda: b"", {}, "not a readable .npz matrix (…)"),
    ("m.csv", lambda: b"", {}, "is empty; expected rows of numbers"),
    ("m.tsv", lambda: b"\n\n", {}, "is empty; expected rows of numbers"),
    ("m.mat", lambda: b"", {}, "not a readable .mat matrix (…)"),
    ("m.mtx", lambda: b"", {}, "begins with '', expected '%%MatrixMarket matrix array real general' or alike"),
    ("m.nc", lambda: b"", {}, "not a readable .nc matrix (…)"),
    ("m.png", lambda: b"", {}, "is no PNG image"),
    (
        "m.pkl",
        lambda: b"",
        {},
        "got suffix '.pkl', expected one of …, .npy, …",
    ),
    (
        "matrix",
        lambda: b"1",
        {},
        "got suffix '', expected one of …, .npy, …",
    ),
    # what would run code
    ("m.npy", lambda: PICKLED, {}, "not a readable .npy matrix (…)"),
    ("m.npz", lambda: archive(m=PICKLED), {}, "not a readable .npz matrix (…)"),
    ("m.npy", lambda: b"\x80\x04\x95\x10\x00", {}, "not a readable .npy matrix (…)"),
    # mislabelled
    ("m.npy", lambda: npz(m=MATRIX), {}, "is an archive of arrays; call it .npz, or save one array with numpy.save"),
    ("m.npz", lambda: npy(MATRIX), {}, "not a readable .npz matrix (…)"),
    ("m.csv", lambda: npy(MATRIX), {}, "is no text in UTF-8 (byte 0x93 after line 0); save it so"),
    (
        "m.tsv",
        lambda: csv(MATRIX),
        {},
        "line 1, column 1: got '1.0,0.1,0.3333333333333333', expected a number; tabs separate cells; say header: true if line 1 is labels",
    ),
    ("m.mat", lambda: csv(MATRIX), {}, "not a readable .mat matrix (…)"),
    (
        "m.mtx",
        lambda: csv(MATRIX),
        {},
        "begins with '1.0,0.1,0.3333333333333333', expected '%%MatrixMarket matrix array real general' or alike",
    ),
    ("m.nc", lambda: mat(m=MATRIX), {}, "not a readable .nc matrix (…)"),
    (
        "m.jpg",
        lambda: image(GREY),
        {},
        "is no JPEG image that can be read; save it as .png of grey levels, or its numbers as .npy",
    ),
    (
        "m.mat",
        lambda: b"MATLAB 7.3 MAT-file".ljust(512),
        {},
        "is of MATLAB version 7.3; save it there with save(..., '-v7')",
    ),
    # cut short
    ("m.npy", lambda: npy(MATRIX)[:-8], {}, "not a readable .npy matrix (…)"),
    ("m.npz", lambda: npz(m=MATRIX)[:-30], {}, "not a readable .npz matrix (…)"),
    ("m.mat", lambda: mat(m=MATRIX)[:-8], {}, "is cut short"),
    ("trap.mat", stray_mat, {}, "not a readable .mat matrix (indices must be < 2)"),
    ("m.mtx", lambda: mtx(MATRIX)[:-20], {}, "line 8: got '3.333333333333333E-', expected one number"),
    ("m.mtx", lambda: GENERAL + b"2 2 1\n3 1 5\n", {}, "not a readable .mtx matrix (Line 3: Row index out of bounds)"),
    ("m.mtx", lambda: GENERAL + b"2 2 999999999999999\n1 1 5\n", {}, "has 1 entries, expected 999999999999999"),
    ("m.mtx", lambda: GENERAL + b"2 2\n1 1 5\n", {}, "got sizes '2 2', expected 3 whole numbers"),
    # numbers that SciPy would read as others
    ("m.mtx", lambda: GENERAL + b"% x\n2 2 1\n\n1 1 2,5\n", {}, "line 5: got '1 1 2,5', expected row, column, value"),
    ("m.mtx", lambda: GENERAL + b"2 2 1\n1 1 1.5+01\n", {}, "line 3: got '1 1 1.5+01', expected row, column, value"),
    ("m.mtx", lambda: GENERAL + b"2 2 1\n1 1 5 7\n", {}, "line 3: got '1 1 5 7', expected row, column, value"),
    ("m.mtx", lambda: GENERAL + b"2 2 1\n1 1.5 5\n", {}, "line 3: got '1 1.5 5', expected row, column, value"),
    ("m.mtx", lambda: GENERAL + b"2 2 1\n1 1 nan\n", {}, "line 3: got '1 1 nan', expected row, column, value"),
    ("m.mtx", lambda: GENERAL + b"2 2 1\n1 1 5\0\n", {}, r"line 3: got '1 1 5\x00', expected row, column, value"),
    ("m.mtx", lambda: ARRAY % b"general" + b"1 2\n2 2\n", {}, "line 3: got '1 2', expected one number"),
    ("m.mtx", lambda: ARRAY % b"symmetric" + b"1\n2\n", {}, "has 2 entries, expected 3"),
    ("m.mtx", lambda: ARRAY % b"symmetric" + b"1\n2\n2\n1\n", {}, "has 4 entries, expected 3"),
    ("m.mtx", lambda: ARRAY % b"skew-symmetric" + b"0\n2\n0\n", {}, "has 3 entries, expected 1"),
    (
        "m.mtx",
        lambda: SKEW.replace(b"skew-", b"") + b"2 3 1\n2 1 5\n",
        {},
        "got 2 rows and 3 columns of a symmetric matrix",
    ),
    (
        "m.mtx",
        lambda: SKEW.replace(b"skew-", b"") + b"2 2 3\n1 1 1\n1 2 5\n2 1 5\n",
        {},
        "is symmetric, but has row 1, column 2 twice, maybe as its mirror image; leave one of them out, or say general in the first line",
    ),
    (
        "m.mtx",
        lambda: SKEW + b"2 2 2\n1 2 -5\n2 1 5\n",
        {},
        "is skew-symmetric, but has row 1, column 2 twice, maybe as its mirror image; leave one of them out, or say general in the first line",
    ),
    (
        "m.mtx",
        lambda: SKEW + b"2 2 2\n2 2 7\n2 1 5\n",
        {},
        "is skew-symmetric, but row 2, column 2 is not zero; say general in the first line",
    ),
    ("m.nc", lambda: netcdf({"m": MATRIX})[:1000], {}, "not a readable .nc matrix (…)"),
    ("m.png", lambda: image(NOISE)[:500], {}, "is cut short: …"),
    # entries that are no finite real numbers
    ("m.npy", lambda: npy(ONE_BAD), {}, "got nan at row 1, column 1, expected finite numbers"),
    (
        "m.csv",
        lambda: b"1,nan\n",
        {},
        f"line 1, column 2: got 'nan', expected a number; commas separate cells; {HEADER}",
    ),
    (
        "m.csv",
        lambda: b"1,,3\n4,5,6\n",
        {},
        f"line 1, column 2: got an empty cell, expected a number; commas separate cells; {HEADER}",
    ),
    ("m.csv", lambda: b"1,2\n3,x\n", {}, "line 2, column 2: got 'x', expected a number; commas separate cells"),
    ("m.csv", lambda: b"1,2\n3,1_000\n", {}, "line 2, column 2: got '1_000', expected a number; commas separate cells"),
    ("m.npy", lambda: npy(np.array([[1.0, -np.inf]])), {}, "got -inf at row 0, column 1, expected finite numbers"),
    ("m.npy", lambda: npy(np.eye(2, dtype=complex)), {}, "got entries of type complex128, expected real numbers"),
    ("m.npy", lambda: npy(np.array([["a"]])), {}, "got entries of type <U1, expected real numbers"),
    ("m.npy", lambda: npy(np.eye(2, dtype="S1")), {}, "got entries of type |S1, expected real numbers"),
    (
        "m.npy",
        lambda: npy(np.zeros((1, 1), dtype=[("a", "f8")])),
        {},
        "got entries of type [('a', '<f8')], expected real numbers",
    ),
    ("m.mat", lambda: mat(m=np.eye(2, dtype=complex)), {}, "got entries of type complex128, expected real numbers"),
    ("m.mat", lambda: mat(m="text"), {}, "variable m is of type char, expected real numbers"),
    ("m.mat", lambda: mat(m={"a": 1}), {}, "variable m is of type struct, expected real numbers"),
    (
        "m.mtx",
        lambda: mtx(np.eye(2, dtype=complex)),
        {},
        "is complex symmetric, expected real or integer, and one of general, symmetric, skew-symmetric",
    ),
    (
        "m.mtx",
        lambda: b"%%MatrixMarket matrix coordinate pattern general\n2 2 1\n1 1\n",
        {},
        "is pattern general, expected real or integer, and one of general, symmetric, skew-symmetric",
    ),
    (
        "m.nc",
        lambda: netcdf({"m": np.array([["x"]], dtype="S1")}),
        {},
        "got entries of type bytes8, expected real numbers",
    ),
    ("m.nc", masked_netcdf, {}, "has missing values: got 9.969209968386869e+36 at [0, 1]; expected a full matrix"),
    (
        "m.png",
        lambda: image(np.ones((2, 2, 4), dtype=np.uint8)),
        {},
        "is an image of mode RGBA, expected grey levels or opaque colours",
    ),
    ("m.tif", film, {}, "has 2 images, expected one"),
    (
        "m.tif",
        lambda: image(GREY, "TIFF"),
        {"variable": "a"},
        "variable given, but only .mat, .nc, .npz files have one; leave it out",
    ),
    # shapes
    ("m.npy", lambda: npy(np.ones(3)), {}, "got shape (3,), expected a matrix with at least one row and column"),
    ("m.npy", lambda: npy(np.array(3.0)), {}, "got shape (), expected a matrix with at least one row and column"),
    ("m.npy", lambda: npy(CUBE), {}, "got shape (2, 2, 2), expected a matrix with at least one row and column"),
    ("m.npy", lambda: npy(np.ones((0, 3))), {}, "got shape (0, 3), expected a matrix with at least one row and column"),
    ("m.mat", lambda: mat(m=CUBE), {}, "got shape (2, 2, 2), expected a matrix with at least one row and column"),
    (
        "m.nc",
        lambda: netcdf({"m": CUBE}),
        {},
        "got shape (2, 2, 2), expected a matrix with at least one row and column",
    ),
    ("m.csv", lambda: b"1,2\n3\n", {}, "line 2 has 1 cells, line 1 has 2"),
    ("m.csv", lambda: b"a,b\n", {}, "got shape (0, 2), expected a matrix with at least one row and column"),
    ("m.csv", lambda: b"x\ny\n", {}, "line 2, column 1: got 'y', expected a number; commas separate cells"),
    # tables
    *((f"m.{suffix}", lambda text=text: text, keys, line) for text, suffix, keys, line in TABLES),
    ("m.csv", lambda: b"\xff\xfe1,2", {}, "is no text in UTF-8 (byte 0xff after line 0); save it so"),
    ("m.csv", lambda: b'"1,2\n', {}, "not a readable .csv matrix (…)"),
    ("m.csv", lambda: b"1," + b"2" * 200_000, {}, "not a readable .csv matrix (…)"),
    # gigantic
    (
        "m.npy",
        lambda: npy(np.ones((1, 4097))),
        {},
        "got shape (1, 4097), expected at most 4096 rows and columns; reduce the matrix",
    ),
    (
        "m.npy",
        lambda: header_only("{'descr': '<f8', 'fortran_order': False, 'shape': (9999999, 9999999), }"),
        {},
        "not a readable .npy matrix (…)",
    ),
    (
        "m.npy",
        lambda: header_only("{'descr': '|V0', 'fortran_order': False, 'shape': (1000000000, 1000000000), }"),
        {},
        "got entries of type |V0, expected real numbers",
    ),
    (
        "m.npz",
        lambda: archive(m=npy(np.zeros((4000, 4000)))),
        {},
        "unpacks to 128000128 bytes, expected at most 67108864; reduce the matrix",
    ),
    ("trap.mat", crashing_mat, {}, "not a readable .mat matrix (its reader crashed: SIGSEGV)"),
    ("trap.nc", endless_netcdf, {}, "not a readable .nc matrix (…)"),
    (
        "m.mat",
        lambda: mat(m=SPARSE_HUGE),
        {},
        "got shape (1000000, 1000000), expected at most 4096 rows and columns; reduce the matrix",
    ),
    (
        "m.mtx",
        lambda: mtx(SPARSE_HUGE),
        {},
        "got shape (1000000, 1000000), expected at most 4096 rows and columns; reduce the matrix",
    ),
    (
        "m.png",
        lambda: image(np.zeros((1, 5000), dtype=np.uint8)),
        {},
        "got shape (1, 5000), expected at most 4096 rows and columns; reduce the matrix",
    ),
    ("m.csv", lambda: b"1\n" * 5000, {}, "has more than 4096 rows or columns; reduce the matrix"),
    # rank 0, and sizes whose squares are lost
    ("m.npy", lambda: npy(np.zeros((2, 2))), {}, "all entries are zero; lambda_c is not defined for a zero target"),
    (
        "m.npy",
        lambda: npy(np.full((3, 2), 0.1)),
        {"center": "columns"},
        "nothing is left after centring; lambda_c is not defined for a zero target",
    ),
    (
        "m.npy",
        lambda: npy(np.full((2, 2), 1e200)),
        {},
        "the largest entry has size 1e+200, expected 1e-50 to 1e+50, where squares and products stay in float64's range; rescale the target",
    ),
    (
        "m.npy",
        lambda: npy(np.array([[1e200, 1.0], [2e200, 3.0]])),
        {"map": "covariance"},
        "the largest entry has size inf, expected 1e-50 to 1e+50, where squares and products stay in float64's range; rescale the target",
    ),
    (
        "m.npy",
        lambda: npy(np.full((2, 2), 1e-200)),
        {},
        "the largest entry has size 1e-200, expected 1e-50 to 1e+50, where squares and products stay in float64's range; rescale the target",
    ),
    # standardisation that is undefined
    (
        "m.npy",
        lambda: npy(np.array([[1.0, 2.0]])),
        {"map": "covariance"},
        "has one row; a covariance needs at least two observations",
    ),
    (
        "m.csv",
        lambda: b"a,b\n1,2\n1,3\n",
        {"map": "correlation"},
        "column a is constant, so its correlation is undefined; leave it out or use covariance",
    ),
    # keys that do not fit the file
    (
        "m.csv",
        lambda: b"1,2\n",
        {"variable": "m"},
        "variable given, but only .mat, .nc, .npz files have one; leave it out",
    ),
    ("m.npy", lambda: npy(MATRIX), {"header": True}, "header given, but only .csv, .tsv files have one; leave it out"),
    ("m.npy", lambda: npy(MATRIX), {"rows": ["a"]}, "rows: got 1 labels, but the matrix has 2 rows"),
    ("m.npz", lambda: npz(a=MATRIX, b=MATRIX), {}, "has variables a, b; name one with the key variable"),
    ("m.npz", lambda: npz(a=MATRIX), {"variable": "b"}, "has no variable 'b'; it has a"),
    ("m.npz", lambda: archive(), {}, "has variables (none); name one with the key variable"),
    ("m.mat", lambda: mat(a=MATRIX, b=MATRIX), {}, "has variables a, b; name one with the key variable"),
    ("m.nc", lambda: netcdf({"a": MATRIX, "b": MATRIX}), {}, "has variables a, b; name one with the key variable"),
    ("m.nc", lambda: netcdf({"a": MATRIX}), {"variable": "c"}, "has no variable 'c'; it has a"),
    ("m.nc", lambda: netcdf({}), {}, "has variables (none); name one with the key variable"),
]


def sparse_terabyte(path: Path) -> None:
    path.touch()
    os.truncate(path, 2**40)


def link(path: Path) -> None:
    Path("real.npy").write_bytes(npy(MATRIX))
    path.symlink_to("real.npy")


# Things of the file system that are no files, by what makes them under a name.
THINGS: list[tuple[str, Callable[[Path], object], str]] = [
    ("nowhere.npy", lambda path: None, "no such file; paths are relative to the working directory"),
    ("folder.npy", Path.mkdir, "is a folder, a device or a pipe; expected a file"),
    ("pipe.npy", os.mkfifo, "is a folder, a device or a pipe; expected a file"),
    ("link.npy", link, "is a symbolic link; give the path of the file itself"),
    ("loop.npy", lambda path: path.symlink_to("loop.npy"), "is a symbolic link; give the path of the file itself"),
    ("/dev/zero", lambda path: None, "is a folder, a device or a pipe; expected a file"),
    (f"{'a' * 300}.npy", lambda path: None, "not readable (File name too long)"),
    ("large.npy", sparse_terabyte, "has 1099511627776 bytes, expected at most 67108864; reduce the matrix"),
]
