"""Matrix Market files, dense or sparse (Boisvert, Pozo and Remington 1996), by SciPy.

SciPy's reader crashes on some damaged files, so it runs in a separate process. It also ends a number at the first
character that it cannot use, without an error: it reads 1.5D+01 as 1.5 and 2,5 as 2. So every line is checked before.
"""

from __future__ import annotations

import io
import math
import re

import numpy as np
from numpy.typing import NDArray

from dmf.errors import UserError, shown
from dmf.grid.labelled import LabelledMatrix, refuse_shape
from dmf.grid.readers._contract import Options
from dmf.grid.readers._decimals import NUMBER, number

SUFFIXES = (".mtx",)
USES: tuple[str, ...] = ()
ISOLATED = True
LIBRARIES = ("scipy.io", "scipy.sparse", "scipy.io._fast_matrix_market._fmm_core")
FIELDS = ("real", "double", "integer", "unsigned-integer")
SYMMETRIES = {"general": 0, "symmetric": 1, "skew-symmetric": -1}  # what mirrors the lower triangle
SIZES = {"array": 2, "coordinate": 3}  # numbers in the line of sizes
VALUE = b"(" + NUMBER.encode() + b")"
ENTRIES = {"array": ("one number", VALUE), "coordinate": ("row, column, value", rb"\d+[ \t]+\d+[ \t]+" + VALUE)}


def read(content: bytes, suffix: str, options: Options) -> LabelledMatrix:
    """The matrix, made dense; its size is checked before. Values at one place of a general matrix add up."""
    from scipy.io import mmread

    banner, _, text = re.sub(rb"\r\n?", b"\n", content).partition(b"\n")
    layout, symmetry = _banner(banner.decode("latin-1"))
    text = re.sub(rb"%.*", b"", text).rstrip() + b"\n"  # comments, in any encoding; SciPy crashes on blanks at the end
    text = re.sub(rb"(?<=[\d.])[dD](?=[-+]?\d)", b"e", text)  # Fortran's exponents
    sizes, end = _sizes(text, layout)
    rows, columns, stored = sizes[0], sizes[1], math.prod(sizes) if layout == "array" else sizes[2]
    refuse_shape((rows, columns))
    sign = SYMMETRIES[symmetry]
    if sign and rows != columns:
        raise UserError(f"got {rows} rows and {columns} columns of a {symmetry} matrix")
    if sign and layout == "array":
        stored = rows * (rows + sign) // 2
    count = _count(text, end, layout)
    if count != stored:
        raise UserError(f"has {count} entries, expected {stored}")
    text = re.sub(rb"(?<!\S)\+", b"", text)  # SciPy refuses +1
    file = f"%%MatrixMarket matrix {layout} real {symmetry}\n".encode() + text  # also integers, which may be 1e3
    matrix = mmread(io.BytesIO(file), spmatrix=False)
    if layout == "coordinate":
        if sign:
            _refuse_mirrored(matrix.coords[0], matrix.coords[1], symmetry)
        matrix = matrix.toarray()
    if sign == -1 and matrix.diagonal().any():
        place = np.flatnonzero(matrix.diagonal())[0] + 1
        raise UserError(
            f"is skew-symmetric, but row {place}, column {place} is not zero; say general in the first line"
        )
    return LabelledMatrix(matrix)


def _banner(line: str) -> tuple[str, str]:
    words = line.lower().split()
    if len(words) != 5 or words[:2] != ["%%matrixmarket", "matrix"] or words[2] not in SIZES:
        begin = shown(line[:40].strip(), quoted=True)
        raise UserError(f"begins with {begin}, expected '%%MatrixMarket matrix array real general' or alike")
    if words[3] not in FIELDS or words[4] not in SYMMETRIES:
        raise UserError(
            f"is {shown(words[3])} {shown(words[4])}, expected real or integer, and one of {', '.join(SYMMETRIES)}"
        )
    return words[2], words[4]


def _sizes(text: bytes, layout: str) -> tuple[list[int], int]:
    """The numbers of the first line that is not empty, and where it ends."""
    start = len(text) - len(text.lstrip())
    line = text[start:].partition(b"\n")[0]
    sizes = line.split()
    if len(sizes) != SIZES[layout] or not all(map(bytes.isdigit, sizes)):
        shown = line.decode("latin-1")[:40].strip()
        raise UserError(f"got sizes {shown!r}, expected {SIZES[layout]} whole numbers")
    return list(map(int, sizes)), start + len(line)


def _count(text: bytes, start: int, layout: str) -> int:
    """The number of entries, one a line from `start` on. Raises UserError, with its number, for a line that is none."""
    what, entry = ENTRIES[layout]
    count = 0
    for line in re.finditer(rb"^[ \t]*+(?:%b[ \t]*+$|\S.*)" % entry, text[start:], re.MULTILINE):
        try:
            number((line[1] or b"").decode())  # SciPy's reading is as good, but silent where float64 is not
        except ValueError as error:
            at = 2 + text.count(b"\n", 0, start + line.start())
            got = line[0].decode("latin-1").strip()[:40]
            raise UserError(f"line {at}: got {got!r}, {error if line[1] else f'expected {what}'}") from None
        count += 1
    return count


def _refuse_mirrored(rows: NDArray[np.int32], columns: NDArray[np.int32], symmetry: str) -> None:
    """Raise UserError where both triangles are in the file: SciPy adds the mirror image of each to the other."""
    places, times = np.unique(rows * 2**15 + columns, return_counts=True)  # either is at most LARGEST_DIMENSION
    if (times > 1).any():
        row, column = divmod(int(places[times > 1][0]), 2**15)
        raise UserError(
            f"is {symmetry}, but has row {row + 1}, column {column + 1} twice, maybe as its mirror image; "
            "leave one of them out, or say general in the first line"
        )
