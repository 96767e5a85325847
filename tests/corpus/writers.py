"""Target files byte by byte, from the formats' public specifications: independent of the libraries that read them."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

# --- images ---


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(levels: np.ndarray, bits: int) -> list[bytes]:
    """Rows of levels of 1, 2, 4 or 8 bits, most significant first, or of 16 bits, big-endian."""
    if bits == 16:
        return [row.astype(">u2").tobytes() for row in levels]
    rows = []
    for row in levels:
        number = "".join(format(int(level), f"0{bits}b") for level in row)
        number += "0" * (-len(number) % 8)
        rows.append(int(number, 2).to_bytes(len(number) // 8, "big"))
    return rows


# The seven images of an interlaced one: first column and row, and steps to the next.
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def png(
    levels: np.ndarray, bits: int, colour: int = 0, filtered: int = 0, interlaced: bool = False, **parts: bytes
) -> bytes:
    """Levels (row, column, and channel where there are several) of colour type 0, 2, 3, 4 or 6.

    `parts` are further chunks between header and pixels; `filtered` is 0, or 1 for differences to the left.
    """
    height, width = levels.shape[:2]
    images = [levels[y::down, x::across] for x, y, across, down in ADAM7] if interlaced else [levels]
    rows = [row for part in images if part.size for row in packed(part.reshape(len(part), -1), bits)]
    step = max(1, bits * (levels.size // (height * width)) // 8)
    if filtered:
        rows = [bytes((b - (row[i - step] if i >= step else 0)) % 256 for i, b in enumerate(row)) for row in rows]
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced))
    more = b"".join(png_chunk(kind.encode(), data) for kind, data in parts.items())
    pixels = zlib.compress(b"".join(bytes([filtered]) + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + head + more + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")


def pgm(levels: np.ndarray, most: int, text: bool, comment: str = "") -> bytes:
    height, width = levels.shape
    note = f"# {comment}\n" if comment else ""
    head = f"P{2 if text else 5}\n{note}{width} {height}\n{note}{most}\n".encode()
    if text:
        return head + "\n".join(" ".join(map(str, row)) for row in levels.tolist()).encode() + b"\n"
    return head + levels.astype("u1" if most < 256 else ">u2").tobytes()


def bmp(pixels: np.ndarray, bits: int, palette: Sequence[tuple[int, int, int]] = (), down: bool = False) -> bytes:
    """Indices into a palette of red, green and blue (1, 4, 8 bits), or colours (24, 32 bits); rows from the bottom."""
    height, width = pixels.shape[:2]
    if bits <= 8:
        rows = packed(pixels, bits)
    else:
        filler = [np.zeros((height, width, 1), dtype=np.uint8)] if bits == 32 else []
        rows = [row.tobytes() for row in np.concatenate([pixels[:, :, ::-1].astype(np.uint8), *filler], axis=2)]
    rows = [row + bytes(-len(row) % 4) for row in (rows if down else rows[::-1])]
    table = b"".join(struct.pack("BBBB", blue, green, red, 0) for red, green, blue in palette)
    head = struct.pack("<IiiHHIIiiII", 40, width, -height if down else height, 1, bits, 0, 0, 0, 0, len(palette), 0)
    start = 14 + len(head) + len(table)
    body = b"".join(rows)
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + head + table + body


def tiff(
    levels: np.ndarray,
    bits: int,
    form: int = 1,
    order: str = "<",
    photometric: int = 1,
    compressed: bool = False,
    rows: int | None = None,
    more: Mapping[int, tuple[int, Sequence[int] | bytes]] | None = None,
) -> bytes:
    """Levels (row, column, and channel where there are several), in strips of `rows`.

    `form` is 1, 2 or 3: unsigned, signed, floating point; `order` < or >; `more` are further tags, type and values.
    """
    height, width = levels.shape[:2]
    samples = levels.size // (height * width)
    flat = levels.reshape(height, width * samples)
    lines = packed(flat, bits) if bits < 8 else [row.astype(row.dtype.newbyteorder(order)).tobytes() for row in flat]
    rows = rows or height
    strips = [b"".join(lines[at : at + rows]) for at in range(0, height, rows)]
    strips = [zlib.compress(strip) if compressed else strip for strip in strips]
    tags: dict[int, tuple[int, Sequence[int] | bytes]] = {
        256: (4, [width]), 257: (4, [height]), 258: (3, [bits] * samples), 259: (3, [8 if compressed else 1]),
        262: (3, [photometric]), 273: (4, [0] * len(strips)), 277: (3, [samples]), 278: (4, [rows]),
        279: (4, [len(strip) for strip in strips]), 339: (3, [form] * samples), **(more or {}),
    }  # fmt: skip
    code = {1: "B", 2: "B", 3: "H", 4: "I"}
    far = 8 + 2 + 12 * len(tags) + 4  # where values are that do not fit into their tag
    size = {tag: struct.calcsize(code[kind]) * len(values) for tag, (kind, values) in tags.items()}
    place = far + sum(taken + taken % 2 for taken in size.values() if taken > 4)
    tags[273] = (4, [place + sum(map(len, strips[:at])) for at in range(len(strips))])
    entries = blob = b""
    for tag, (kind, values) in sorted(tags.items()):
        data = struct.pack(order + code[kind] * len(values), *values)
        if len(data) > 4:
            at, blob = struct.pack(order + "I", far + len(blob)), blob + data + bytes(len(data) % 2)
        else:
            at = data.ljust(4, b"\0")
        entries += struct.pack(order + "HHI", tag, kind, len(values)) + at
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(tags))
    return head + entries + struct.pack(order + "I", 0) + blob + b"".join(strips)


# --- NumPy and SciPy ---


def npy(values: np.ndarray, version: int = 1) -> bytes:
    fortran = values.flags.f_contiguous and not values.flags.c_contiguous
    text = f"{{'descr': {values.dtype.str!r}, 'fortran_order': {fortran}, 'shape': {values.shape}, }}"
    size = "<H" if version == 1 else "<I"
    before = 8 + struct.calcsize(size)
    text = text + " " * (-(before + len(text) + 1) % 64) + "\n"
    head = b"\x93NUMPY" + bytes([version, 0]) + struct.pack(size, len(text)) + text.encode()
    return head + values.tobytes("F" if fortran else "C")


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, values in arrays.items():
            file.writestr(f"{name}.npy", npy(np.asarray(values)))
    return buffer.getvalue()


# --- MATLAB ---

# Of version 5: classes of arrays, and types of stored numbers.
MAT_CLASS = {"f8": 6, "f4": 7, "i1": 8, "u1": 9, "i2": 10, "u2": 11, "i4": 12, "u4": 13, "i8": 14, "u8": 15}
MAT_TYPE = {"i1": 1, "u1": 2, "i2": 3, "u2": 4, "i4": 5, "u4": 6, "f4": 7, "f8": 9, "i8": 12, "u8": 13}
CHAR, CELL, STRUCT, SPARSE, OPAQUE = 4, 1, 2, 5, 17
LOGICAL, COMPLEX = 2, 8


def mat4(order: str = "<", **variables: np.ndarray | tuple[np.ndarray, str]) -> bytes:
    """Version 4: dense numbers; a pair with "sparse" or "text" is stored so."""
    content = b""
    for name, given in variables.items():
        values, kind = given if isinstance(given, tuple) else (given, "full")
        if kind == "sparse":
            rows, columns = np.nonzero(values)
            table = np.column_stack([rows + 1, columns + 1, values[rows, columns]])
            values = np.vstack([table, [[*values.shape, 0]]])
        code = {"f8": 0, "f4": 1, "i4": 2, "i2": 3, "u2": 4, "u1": 5}[values.dtype.str[1:]]
        mopt = 1000 * (order == ">") + 10 * code + {"full": 0, "text": 1, "sparse": 2}[kind]
        head = struct.pack(order + "5i", mopt, *values.shape, 0, len(name) + 1)
        data = values.astype(values.dtype.newbyteorder(order)).tobytes("F")
        content += head + name.encode() + b"\0" + data
    return content


def element(kind: int, data: bytes, order: str = "<") -> bytes:
    if 0 < len(data) <= 4:  # the small form
        return struct.pack(order + "I", len(data) << 16 | kind) + data.ljust(4, b"\0")
    return struct.pack(order + "II", kind, len(data)) + data + bytes(-len(data) % 8)


def mat_numbers(values: np.ndarray, order: str) -> bytes:
    kind = values.dtype.str[1:]
    return element(MAT_TYPE[kind], values.astype(values.dtype.newbyteorder(order)).tobytes("F"), order)


def mat_array(
    name: str, values: np.ndarray, stored: str | None = None, order: str = "<", flags: int = 0, sparse: bool = False
) -> bytes:
    """A numeric array of version 5; its numbers may be stored in another type than that of its class."""
    kind = SPARSE if sparse else MAT_CLASS[values.dtype.str[1:]]
    count = int(np.count_nonzero(values)) if sparse else 0
    body = element(6, struct.pack(order + "II", flags << 8 | kind, max(count, 1) if sparse else 0), order)
    body += element(5, struct.pack(f"{order}{values.ndim}i", *values.shape), order)
    body += element(1, name.encode(), order)
    if sparse:
        columns, rows = np.nonzero(values.T)
        starts = np.concatenate([[0], np.cumsum(np.count_nonzero(values, axis=0))])
        body += mat_numbers(rows.astype("i4"), order) + mat_numbers(starts.astype("i4"), order)
        values = values[rows, columns]
    body += mat_numbers(values.astype(stored or values.dtype), order)
    return element(14, body, order)


def mat_text(name: str, text: str, order: str = "<") -> bytes:
    body = element(6, struct.pack(order + "II", CHAR, 0), order) + element(
        5, struct.pack(order + "2i", 1, len(text)), order
    )
    return element(
        14,
        body + element(1, name.encode(), order) + element(4, text.encode(f"utf-16-{'lb'[order == '>']}e"), order),
        order,
    )


def mat_cell(name: str, entries: Sequence[bytes], order: str = "<") -> bytes:
    body = element(6, struct.pack(order + "II", CELL, 0), order)
    body += element(5, struct.pack(order + "2i", 1, len(entries)), order) + element(1, name.encode(), order)
    return element(14, body + b"".join(entries), order)


def mat_object(name: str, kind: str, order: str = "<") -> bytes:
    """A table, datetime or string, as MATLAB stores objects: a reference into a variable without a name."""
    body = element(6, struct.pack(order + "II", OPAQUE, 0), order) + element(1, name.encode(), order)
    body += element(1, b"MCOS", order) + element(1, kind.encode(), order)
    reference = np.array([[0xDD000000], [2], [1], [1], [1], [1]], dtype="u4")
    return element(14, body + mat_array("", reference, order=order), order)


def mat_workspace(order: str = "<") -> bytes:
    """The variable without a name at the end of a file with objects."""
    return mat_array("", np.zeros((1, 32), dtype="u1"), order=order)


def mat5(*variables: bytes, order: str = "<", compressed: bool = False) -> bytes:
    head = b"MATLAB 5.0 MAT-file, by hand".ljust(116) + bytes(8) + struct.pack(order + "H", 0x0100)
    head += b"IM" if order == "<" else b"MI"
    if compressed:
        variables = tuple(struct.pack(order + "II", 15, len(z)) + z for z in map(zlib.compress, variables))
    return head + b"".join(variables)


# --- netCDF ---

NC_TYPE = {"i1": 1, "S1": 2, "i2": 3, "i4": 4, "f4": 5, "f8": 6, "u1": 7, "u2": 8, "u4": 9, "i8": 10, "u8": 11}


def netcdf3(
    dimensions: Mapping[str, int],
    variables: Mapping[str, tuple[Sequence[str], np.ndarray, Mapping[str, Any]]],
    version: int = 1,
) -> bytes:
    """Classic (1), with 64-bit offsets (2), or with more types (5). A variable is its dimensions, values, attributes."""
    count = ">q" if version == 5 else ">i"

    def text(name: str) -> bytes:
        data = name.encode()
        return struct.pack(count, len(data)) + data + bytes(-len(data) % 4)

    def attribute(value: Any) -> bytes:
        if isinstance(value, str):
            kind, number, data = 2, len(value.encode()), value.encode()
        else:
            array = np.atleast_1d(value)
            kind, number, data = (
                NC_TYPE[array.dtype.str[1:]],
                array.size,
                array.astype(array.dtype.newbyteorder(">")).tobytes(),
            )
        return struct.pack(">i", kind) + struct.pack(count, number) + data + bytes(-len(data) % 4)

    def listed(tag: int, entries: Sequence[bytes]) -> bytes:
        return struct.pack(">i", tag if entries else 0) + struct.pack(count, len(entries)) + b"".join(entries)

    names = list(dimensions)
    datas = [v.astype(v.dtype.newbyteorder(">")).tobytes() for _, v, _ in variables.values()]
    datas = [data + bytes(-len(data) % 4) for data in datas]

    def head(begin: int) -> bytes:
        parts = []
        for (name, (dims, values, attributes)), data in zip(variables.items(), datas, strict=True):
            part = text(name) + struct.pack(count, len(dims))
            part += b"".join(struct.pack(count, names.index(dim)) for dim in dims)
            part += listed(12, [text(key) + attribute(value) for key, value in attributes.items()])
            part += struct.pack(">i", NC_TYPE[values.dtype.str[1:]]) + struct.pack(count, len(data))
            parts.append(part + struct.pack(">i" if version == 1 else ">q", begin))
            begin += len(data)
        known = [text(name) + struct.pack(count, size) for name, size in dimensions.items()]
        return (
            b"CDF" + bytes([version]) + struct.pack(count, 0) + listed(10, known) + listed(12, []) + listed(11, parts)
        )

    return head(len(head(0))) + b"".join(datas)
