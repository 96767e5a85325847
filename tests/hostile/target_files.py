"""Hostile target files, drawn by families from a seed: content to refuse, or at least to survive."""

from __future__ import annotations

import io
import os
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.sparse

import outside
from corpus.target_files import (
    CUBE,
    PICKLED,
    SPARSE_HUGE,
    crashing_mat,
    endless_netcdf,
    header_only,
    stray_mat,
)
from files import MATRIX, archive, csv, image, mat, mtx, netcdf, npy, npz
from hostile.configurations import EVIL

GREY = np.arange(12, dtype=np.uint8).reshape(3, 4)
ENDLESS = "jpg of many scans"
VARIABLES = [text for text in EVIL if "\x00" not in text]


class Case(NamedTuple):
    """`name` says what it is, `file` is its name; `make` writes it. `may_pass`: what is left may be a matrix."""

    name: str
    file: str
    make: Callable[[Path], object]
    may_pass: bool = False
    endless: bool = False
    """Only the bound on a reader's computing time ends it."""


def samples(folder: Path) -> dict[str, list[bytes]]:
    """Well-formed files by suffix."""
    sparse, draft = scipy.sparse.csc_array(MATRIX), str(folder / "draft.nc")
    return {
        ".npy": [npy(MATRIX)],
        ".npz": [npz(m=MATRIX)],
        ".csv": [csv(MATRIX), b"who,a,b\nx,1,2\ny,3,4\n"],
        ".tsv": [csv(MATRIX, "\t")],
        ".mat": [mat(m=MATRIX), mat(compress=True, m=MATRIX), mat(version="4", m=MATRIX), mat(m=sparse)],
        ".mtx": [mtx(MATRIX), mtx(sparse), mtx(np.eye(3), symmetry="symmetric")],
        ".nc": [netcdf({"m": MATRIX}, form=form, draft=draft) for form in ("NETCDF4", "NETCDF3_CLASSIC")],
        ".png": [image(GREY)],
        ".bmp": [image(GREY, "BMP")],
        ".pgm": [image(GREY, "PPM")],
        ".jpg": [image(GREY, "JPEG")],
        ".tif": [image(GREY, "TIFF"), image(GREY, "TIFF", compression="tiff_lzw")],
    }


def put(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def cut(rng: random.Random, known: dict[str, list[bytes]]) -> Iterator[Case]:
    while True:
        suffix = rng.choice(list(known))
        content = rng.choice(known[suffix])
        end = rng.randint(1, len(content) - 1)
        yield Case(f"{suffix} cut at {end}", f"m{suffix}", put(content[:end]), may_pass=True)


def flipped(rng: random.Random, known: dict[str, list[bytes]]) -> Iterator[Case]:
    while True:
        suffix = rng.choice(list(known))
        content = bytearray(rng.choice(known[suffix]))
        places = [rng.randrange(len(content)) for _ in range(rng.randint(1, 6))]
        for place in places:
            content[place] ^= 1 << rng.randrange(8)
        yield Case(f"{suffix} flipped at {places}", f"m{suffix}", put(bytes(content)), may_pass=True)


def foreign(rng: random.Random, known: dict[str, list[bytes]]) -> Iterator[Case]:
    """The content of one format under the suffix of another, and noise."""
    while True:
        suffix, other = rng.sample(list(known), 2)
        content = rng.choice([rng.choice(known[other]), rng.randbytes(rng.randint(1, 3000)), b"\x00" * 2000])
        yield Case(f"{other} as {suffix}", f"m{suffix}", put(content), may_pass=True)


def named(rng: random.Random, known: dict[str, list[bytes]]) -> Iterator[Case]:
    """Names inside files that would forge a line, steer a terminal or fill it."""
    while True:
        one, other = rng.sample(VARIABLES, 2)
        word = one.replace("\n", "").replace("\r", "")[:200].encode()
        yield rng.choice(
            [
                Case(f"npz {one[:8]!r}", "m.npz", put(archive(**{one: npy(MATRIX), other: npy(MATRIX)}))),
                Case(f"npz many {one[:8]!r}", "m.npz", put(archive(**{f"{i}{one}": b"" for i in range(99)}))),
                Case(f"mat {one[:8]!r}", "m.mat", put(_mat_named(one[:31], other[:31]))),
                Case(f"nc {one[:8]!r}", "m.nc", partial(_netcdf_named, one=one, other=other)),
                Case(f"link {one[:8]!r}", "m.nc", partial(_linked, name=one)),
                Case(
                    f"mtx banner {word[:8]!r}", "m.mtx", put(b"%%MatrixMarket matrix array " + word + b" x\n1 1\n1\n")
                ),
                Case(f"mtx line {word[:8]!r}", "m.mtx", put(b"%%MatrixMarket matrix array real general\n1 1\n" + word)),
                Case(f"mtx megabyte {word[:4]!r}", "m.mtx", put(b"%%MatrixMarket " + word * 10**5)),
                Case(f"csv cell {word[:8]!r}", "m.csv", put(b"1,2\n3," + word + b"\n")),
                Case(f"csv head {word[:8]!r}", "m.csv", put(b"a,2," + word + b"\n1,2,3\n")),
                Case(f"dtype {word[:8]!r}", "m.npy", put(_fields(one))),
                Case(f"suffix {one[:8]!r}", f"m.{one.replace('/', '')[:100]}", put(b"")),
            ]
        )


MTX = b"%%MatrixMarket matrix array real general\n"
BMP = image(GREY, "BMP")
LIE = "{{'descr': '<f8', 'fortran_order': False, 'shape': ({}, 9999), }}"
TEXT = b"zTXt", b"k\0\0"
# What each is, its file, and its content for a number.
LARGE: list[tuple[str, str, Callable[[int], bytes]]] = [
    ("csv of one long line", "m.csv", lambda n: b"1," * (29 * 2**20 + n) + b"1"),
    ("csv of one long cell", "m.csv", lambda n: b"1" * (50 * 2**20 + n)),
    ("csv of one long row in quotes", "m.csv", lambda n: b'"a\n",' * (9 * 2**20 + n)),
    ("tsv of empty lines", "m.tsv", lambda n: b"\n" * (2**20 + n)),
    ("csv of many rows", "m.csv", lambda n: b"1\n" * (25 * 2**20 + n)),
    ("tif of many frames", "m.tif", lambda n: _film(100_000 + n)),
    ("npz bomb", "m.npz", lambda n: archive(m=b"\x00" * (70 * 2**20 + n))),
    ("npz of many members", "m.npz", lambda n: _directory(300_000 + n)),
    ("npz lzma", "m.npz", lambda n: _lzma(n)),
    ("npy that lies", "m.npy", lambda n: header_only(LIE.format(4000 + n))),
    ("npy that promises", "m.npy", lambda n: header_only(LIE.format(10**9 + n))),
    ("npy of deep header", "m.npy", lambda n: header_only("(" * 90)),
    ("mat bomb", "m.mat", lambda n: _mat_bomb(300 + n)),
    ("mat giant", "m.mat", lambda n: mat(m=SPARSE_HUGE, n=np.ones((n, 1)))),
    (
        "mtx giant",
        "m.mtx",
        lambda n: b"%%MatrixMarket matrix coordinate real general\n999999999 9999999 1\n1 1 %d\n" % n,
    ),
    ("mtx of a long line", "m.mtx", lambda n: MTX + b"1 1\n" + b"1 " * (10**7 + n)),
    ("mtx that promises", "m.mtx", lambda n: MTX + b"4096 4096\n" + b"1\n" * n),
    ("png giant", "m.png", lambda n: _png(100_000 + n, 100_000)),
    ("png wide", "m.png", lambda n: _png(2**31 - n, 1)),
    ("png of text", "m.png", lambda n: _png(2, 2, _chunk(TEXT[0], TEXT[1] + zlib.compress(b"x" * (2**27 + n))))),
    ("pgm giant", "m.pgm", lambda n: b"P5 4096 4096 255\n" + b"x" * n),
    ("pgm of digits", "m.pgm", lambda n: b"P5 " + b"9" * (1000 + n)),
    ("bmp giant", "m.bmp", lambda n: BMP[:18] + struct.pack("<ii", 10**6, 10**6 + n) + BMP[26:]),
    (ENDLESS, "m.jpg", lambda n: _scans(2000 + n)),
    ("nc endless", "m.nc", lambda n: endless_netcdf() + b"\0" * n),
    ("nc cube", "m.nc", lambda n: netcdf({"m": np.ones((2, 2, n + 2))})),
]


def large(rng: random.Random, known: dict[str, list[bytes]]) -> Iterator[Case]:
    """Small to make, large to read."""
    while True:
        name, file, content = rng.choice(LARGE)
        number = rng.randint(1, 1000)
        made = partial(_write, content=content, number=number)
        yield Case(f"{name} {number % 2}", file, made, endless=name == ENDLESS)
        yield Case("file too large", "m.npy", partial(_sparse, size=2**27 + number))


def _write(path: Path, content: Callable[[int], bytes], number: int) -> None:
    path.write_bytes(content(number))


def reaching(rng: random.Random, known: dict[str, list[bytes]]) -> Iterator[Case]:
    """Files that name other files, and things that are no files."""
    while True:
        way = rng.choice([outside.external_storage, outside.deep_storage, outside.virtual, outside.external_link])
        other = rng.choice(["/dev/urandom", "/dev/zero", "/etc/passwd", "/proc/self/environ", "nowhere", "pipe", "."])
        suffix = rng.choice([*known])
        yield rng.choice(
            [
                Case(f"{way.__name__} {other}", "m.nc", partial(_reach, way=way, other=other)),
                Case(f"{way.__name__} itself", "m.nc", partial(_reach, way=way, other="m.nc")),
                Case(f"pipe{suffix}", f"m{suffix}", os.mkfifo),
                Case(f"folder{suffix}", f"m{suffix}", Path.mkdir),
                Case(f"link{suffix}", f"m{suffix}", lambda path: path.symlink_to("/etc/passwd")),
                Case(f"loop{suffix}", f"m{suffix}", lambda path: path.symlink_to(path)),
                Case(f"link to a device{suffix}", f"m{suffix}", lambda path: path.symlink_to("/dev/zero")),
                Case("known to crash", "m.mat", put(rng.choice([crashing_mat(), stray_mat()]))),
                Case("pickled", "m.npy", put(PICKLED)),
                Case("pickled member", "m.npz", put(archive(m=PICKLED))),
                Case("cube", "m.mat", put(mat(m=CUBE))),
            ]
        )


FAMILIES: dict[Callable[[random.Random, dict[str, list[bytes]]], Iterator[Case]], int] = {
    cut: 25, flipped: 25, foreign: 20, named: 35, large: 40, reaching: 30,
}  # fmt: skip


def cases(seed: int, folder: Path) -> list[Case]:
    """Different ones by name, as many of each family as FAMILIES says."""
    found: dict[str, Case] = {}
    known, wanted = samples(folder), 0
    for family, count in FAMILIES.items():
        wanted += count
        rng = random.Random(f"{seed} {family.__name__}")
        for case in family(rng, known):
            found.setdefault(f"{family.__name__}: {case.name}", case)
            if len(found) == wanted:
                break
    return [case._replace(name=name) for name, case in found.items()]


def _reach(path: Path, way: Callable[[Path, Path], bytes], other: str) -> None:
    there = path.parent / other if not other.startswith("/") else Path(other)
    if other == "pipe":
        os.mkfifo(there)
    way(path, there)


def _linked(path: Path, name: str) -> None:
    outside.external_link(path, Path("/etc/passwd"), name.replace("/", "").replace("\0", "")[:200] or "m")


def _netcdf_named(path: Path, one: str, other: str) -> None:
    """Names that netCDF itself refuses, by HDF5: two virtual datasets would be refused for being so."""
    outside.plain(path, [one[:500], other[:500]])


def _mat_named(one: str, other: str) -> bytes:
    content = mat(**{"a" * 31: MATRIX, "b" * 31: MATRIX})
    for old, new in ((b"a" * 31, one), (b"b" * 31, other)):
        content = content.replace(old, new.encode()[:31].ljust(31, b"_"))
    return content


def _fields(name: str) -> bytes:
    return npy(np.zeros((1, 1), dtype=[(name[:3000] or "x", "f8")]))


def _film(frames: int) -> bytes:
    """Images of one pixel, each pointing to the next."""
    tags = [
        (256, 3, 1),
        (257, 3, 1),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 3, 1),
        (279, 4, 1),
    ]
    size = 2 + 12 * len(tags) + 4
    body = struct.pack("<H", len(tags)) + b"".join(
        struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags
    )
    parts = [b"II*\0" + struct.pack("<I", 12) + b"\0\0\0\0"]
    parts += [body + struct.pack("<I", 12 + size * (i + 1) if i + 1 < frames else 0) for i in range(frames)]
    return b"".join(parts)


def _directory(members: int) -> bytes:
    """An archive whose directory names one empty member many times."""
    name = b"m.npy"
    head = b"PK\x03\x04" + struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0) + name
    entry = (
        b"PK\x01\x02"
        + struct.pack("<HHHHHHIIIHHHHHII", 20, 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0)
        + name
    )
    body = entry * members
    return (
        head
        + body
        + b"PK\x05\x06"
        + struct.pack("<HHHHIIH", 0, 0, members % 65536, members % 65536, len(body), len(head), 0)
    )


def _lzma(number: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as file:
        file.writestr("m.npy", b"\0" * (2**20 + number))
    return buffer.getvalue()


def _mat_bomb(mebibytes: int) -> bytes:
    """A variable of two rows and columns whose values unpack to very many bytes."""
    plain = mat(m=np.ones((2, 2)))
    values = plain.rfind(struct.pack("<II", 9, 32))
    size = mebibytes * 2**20
    element = plain[136:values] + struct.pack("<II", 9, size)
    packer = zlib.compressobj(1)
    packed = packer.compress(struct.pack("<II", 14, len(element) + size) + element)
    packed += b"".join(packer.compress(b"\0" * 2**20) for _ in range(mebibytes)) + packer.flush()
    return plain[:128] + struct.pack("<II", 15, len(packed)) + packed


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width: int, height: int, extra: bytes = b"") -> bytes:
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + extra + _chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + _chunk(b"IEND", b"")


def _scans(count: int) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    content = image(np.zeros((4096, 4096), dtype=np.uint8), "JPEG", progressive=True)
    last = content.rfind(b"\xff\xda")
    return content[:last] + content[last:-2] * count + content[-2:]


def _sparse(path: Path, size: int) -> None:
    path.touch()
    os.truncate(path, size)
