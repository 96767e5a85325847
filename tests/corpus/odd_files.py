"""Odd but valid target files of every format, drawn from a seed, each with the numbers that it says.

The bytes are written here and in `writers`; where another library reads them, it is the witness of what they say.
What float64 or a matrix cannot hold, or what two readers would read differently, is drawn with the words that refuse it.
"""

from __future__ import annotations

import io
import struct
import tempfile
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import netCDF4
import numpy as np
import pandas
import scipy.io
import scipy.sparse
from PIL import Image

from corpus import writers

Random = np.random.Generator
Witness = Callable[[bytes], np.ndarray]


class Odd(NamedTuple):
    """A file: what is odd, its suffix and bytes, keys, and its matrix, or a part of the line that refuses it."""

    name: str
    suffix: str
    content: bytes
    truth: np.ndarray | None = None
    refusal: str = ""
    keys: Mapping[str, Any] = MappingProxyType({})
    witness: Witness | None = None
    rows: tuple[str, ...] | None = None
    columns: tuple[str, ...] | None = None


def pick(rng: Random, choices: Any) -> Any:
    return choices[int(rng.integers(len(choices)))]


def shape(rng: Random, least: int = 2) -> tuple[int, int]:
    return int(rng.integers(least, 7)), int(rng.integers(least, 7))


def reals(rng: Random, size: tuple[int, ...]) -> np.ndarray:
    """Numbers of all digits and many sizes, without a zero."""
    return rng.standard_normal(size) * 10.0 ** rng.integers(-6, 7, size)


# --- tables ---

MISSING = (
    "NA",
    "?",
    "-",
    ".",
    "null",
    "None",
    "N/A",
    "#N/A",
    "<NA>",
    "nan",
    "",
    "n.a.",
    "--",
    "NaN",
    "*",
    "1.2.3",
    "1,000",
)
MISSING += (
    "1 000",
    "0x1F",
    "1.5D+00",
    "5%",
    "$3",
    "1_000",
    "\u0665",
    "(3)",
    "1e",
    "inf",
    "-Infinity",
    "TRUE",
    "#REF!",
    "O.5",
)
ACROSS = ("none", "words", "words", "counts", "years")
DOWN = ("none", "none", "words", "dates", "counts", "from 1", "years", "shuffled")


def _axis(kind: str, size: int) -> list[str]:
    return {
        "none": [],
        "words": [f"x{i}.y" for i in range(size)],
        "dates": [f"2020-{i + 1:02}-01" for i in range(size)],
        "counts": [str(i) for i in range(size)],
        "from 1": [str(i + 1) for i in range(size)],
        "years": [str(1990 + 5 * i) for i in range(size)],
        "shuffled": [str(7 * i % 11) for i in range(3, size + 3)],
    }[kind]


def _said(across: str, down: str, named: bool, rows: int) -> str | None:
    """What refuses a table of such labels where no key is set; None where they are unmistakable, by config/README.md."""
    numbers = down not in ("none", "words", "dates")
    if across == "words":
        return "say index: true" if numbers and named else None
    if across == "none":
        return "say index: true" if numbers and (down != "from 1" or rows > 2) else None
    if down == "none" or named:  # a first row of numbers, with a number or a word before it
        return "could be labels" if down in ("none", "words", "dates") and not named else "header: true"
    return None if not numbers or (across == down == "counts") else "header: true"


def tables(rng: Random) -> Iterator[Odd]:
    while True:
        suffix, separator = pick(rng, [(".csv", ","), (".tsv", "\t")])
        rows, columns = shape(rng)
        truth = reals(rng, (rows, columns)) if rng.random() < 0.5 else 0.125 + rng.integers(-999, 999, (rows, columns))
        across, down, named, said = pick(rng, ACROSS), pick(rng, DOWN), rng.random() < 0.3, rng.random() < 0.5
        short = not named and across != "none" and down != "none" and rng.random() < 0.3
        if (down == "shuffled" and (across == "none" or named)) or (short and across != "words" and not said):
            continue  # those are numbers to any reader
        if across == "none" and down == "from 1" and rows == 2 and not said:
            continue
        top, side = _axis(across, columns), _axis(down, rows)
        body = [[_spelled(rng, value) for value in row] for row in truth.tolist()]
        bad = None
        refusal = None if said else _said(across, down, named, rows)
        if refusal is None and rng.random() < 0.2:
            bad = int(rng.integers(rows)), int(rng.integers(columns))
            body[bad[0]][bad[1]] = pick(rng, MISSING)
            line, column = bad[0] + 1 + bool(top), bad[1] + 1 + bool(side)
            refusal = f"line {line}, column {column}: got "
        lines = [[label, *cells] for label, cells in zip(side, body, strict=True)] if side else body
        if top:
            lines = [[*([] if short else ["" if not named else "name"] if side else []), *top], *lines]
        quoted = rng.random() < 0.3
        pad = " " if rng.random() < 0.2 and not quoted and suffix == ".csv" else ""
        text = [separator.join(_cell(cell, quoted or separator in cell, pad) for cell in line) for line in lines]
        end = pick(rng, ["\n", "\r\n", "\r"])
        content = pick(rng, ["", "\ufeff"]) + end.join(text) + pick(rng, ["", end, end * 3])
        keys = {"header": bool(top), "index": bool(side)} if said else {}
        yield Odd(
            f"{across} over {down}{' named' * named}{' short' * short}{' said' * said} {bad or ''}", suffix,
            content.encode(), None if refusal else truth, refusal or "", keys,
            None if refusal or pad else _by_pandas(separator, bool(top), bool(side)),
            tuple(side), tuple(top),
        )  # fmt: skip


def _spelled(rng: Random, value: float) -> str:
    return pick(rng, [repr(value), f"{value:.17g}", f"{value:.16e}", f"{value:.16E}", f"{value:+.17g}"])


def _cell(cell: str, quoted: bool, pad: str) -> str:
    return f'"{cell}"' if quoted else f"{pad}{cell}{pad}"


def _by_pandas(separator: str, header: bool, index: bool) -> Witness:
    def read(content: bytes) -> np.ndarray:
        layout: dict[str, Any] = {"header": 0 if header else None, "index_col": 0 if index else None}
        frame = pandas.read_csv(io.BytesIO(content), sep=separator, dtype=str, **layout)
        return frame.to_numpy().astype(np.float64)  # by Python, from the text of each cell

    return read


# --- images ---


def luminance(colours: np.ndarray) -> np.ndarray:
    """0.299 R + 0.587 G + 0.114 B, rounded once."""
    weights = (Fraction(299, 1000), Fraction(587, 1000), Fraction(114, 1000))
    flat = [float(sum(w * int(c) for w, c in zip(weights, colour, strict=True))) for colour in colours.reshape(-1, 3)]
    return np.array(flat).reshape(colours.shape[:2])


def _by_pillow(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def exif(orientation: int) -> bytes:
    return b"II*\0" + struct.pack("<IHHHII", 8, 1, 274, 3, 1, orientation) + bytes(4)


def pngs(rng: Random) -> Iterator[Odd]:
    while True:
        height, width = shape(rng, 1)
        bits = pick(rng, [1, 2, 4, 8, 16])
        levels = rng.integers(0, 2**bits, (height, width)).astype(np.uint16)
        levels[0, 0] = 1
        filtered = int(rng.integers(2))
        kind = pick(
            rng,
            [
                "grey",
                "grey",
                "grey",
                "interlaced",
                "interlaced",
                "chunks",
                "colours",
                "palette",
                "palette",
                "clear",
                "alpha",
                "turned",
                "damaged",
                "short",
            ],
        )
        if kind in ("grey", "chunks"):
            more = (
                {"gAMA": struct.pack(">I", 45455), "tEXt": b"Title\0grey", "eXIf": exif(1)} if kind == "chunks" else {}
            )
            content = writers.png(levels, bits, 0, filtered, **more)
            yield Odd(f"{bits} bits {kind}", ".png", content, levels, witness=_by_pillow if bits in (8, 16) else None)
        elif kind == "colours":
            bits = pick(rng, [8, 8, 16])
            pixels = rng.integers(1, 2**bits, (height, width, 3)).astype(np.uint16)
            content = writers.png(pixels, bits, 2, filtered)
            fine = bits == 8
            yield Odd(
                f"{bits} bits {kind}", ".png", content, luminance(pixels) if fine else None, "colours" * (not fine)
            )
        elif kind == "palette" and bits < 16:
            palette = rng.integers(1, 256, (2**bits, 3)).astype(np.uint8)
            chunk, lost = palette.tobytes(), bits > 1 and rng.random() < 0.2
            levels[0, 0] = 2**bits - 1
            content = writers.png(levels, bits, 3, filtered, PLTE=chunk[:-3] if lost else chunk)
            yield Odd(
                f"{bits} bits {kind}",
                ".png",
                content,
                None if lost else luminance(palette[levels]),
                "of a palette" * lost,
            )
        elif kind == "clear":
            content = writers.png(levels, bits, 0, filtered, tRNS=struct.pack(">H", 1))
            yield Odd(f"{bits} bits {kind}", ".png", content, refusal="mode" if bits < 16 else "transparency")
        elif kind == "alpha" and bits >= 8:
            colour, channels = pick(rng, [(4, 2), (6, 4)])
            pixels = rng.integers(1, 2**bits, (height, width, channels)).astype(np.uint16)
            content = writers.png(pixels, bits, colour, filtered)
            yield Odd(f"{bits} bits {kind}", ".png", content, refusal="mode" if bits == 8 else "transparency")
        elif kind == "turned":
            turn = int(rng.integers(2, 9))
            yield Odd(
                f"turned {turn}", ".png", writers.png(levels, bits, eXIf=exif(turn)), refusal=f"orientation {turn}"
            )
        elif kind == "interlaced":
            content = writers.png(levels, bits, 0, filtered, interlaced=True)
            yield Odd(f"{bits} bits {kind}", ".png", content, levels, witness=_by_pillow if bits in (8, 16) else None)
        elif kind == "short":
            content = writers.png(levels, bits)
            taller = writers.png(np.concatenate([levels, levels]), bits)
            yield Odd(f"{bits} bits {kind}", ".png", taller[:33] + content[33:], refusal="is cut short")
        elif kind == "damaged":
            content = bytearray(writers.png(levels, bits))
            content[-17] ^= 1  # in the checksum of the pixels
            yield Odd("damaged", ".png", bytes(content), refusal="is damaged")


def pgms(rng: Random) -> Iterator[Odd]:
    while True:
        height, width = shape(rng, 1)
        most, text = pick(rng, [1, 7, 15, 100, 254, 255, 256, 1000, 4095, 65534, 65535]), rng.random() < 0.5
        levels = rng.integers(0, most + 1, (height, width))
        levels[0, 0] = most
        comment = pick(rng, ["", "", "made by hand 9 9"])
        name = f"most {most} {'text' if text else 'binary'}"
        content = writers.pgm(levels, most, text, comment)
        kind = pick(rng, [""] * 8 + ["bright", "short", "long", "colours"])
        if kind == "":
            yield Odd(
                name, ".pgm", content, levels, witness=_by_pillow if most in (255, 65535) and not comment else None
            )
        elif kind == "bright" and most not in (255, 65535):
            content = writers.pgm(np.where(levels == most, most + 1, levels), most, text) if most != 255 else b""
            yield Odd(f"{name} {kind}", ".pgm", content, refusal=f"grey level {most + 1}")
        elif kind == "short":
            yield Odd(
                f"{name} {kind}",
                ".pgm",
                content[: -len(str(most)) - 2 if text and width * height == 1 else -2]
                if not text
                else content.rstrip()[: -len(str(levels[-1, -1]))],
                refusal="grey levels, expected",
            )
        elif kind == "long":
            yield Odd(f"{name} {kind}", ".pgm", content + (b" 1" if text else b"\0"), refusal="grey levels, expected")
        elif kind == "colours":
            yield Odd(
                f"{name} {kind}",
                ".pgm",
                content.replace(b"P2", b"P3").replace(b"P5", b"P6"),
                refusal="expected P2 or P5",
            )


def bmps(rng: Random) -> Iterator[Odd]:
    while True:
        height, width = shape(rng, 1)
        bits, down = pick(rng, [1, 4, 8, 16, 24, 32]), rng.random() < 0.3
        name = f"{bits} bits{' down' * down}"
        if bits == 16:
            content = bytearray(writers.bmp(np.ones((height, width, 3)), 24, down=down))
            content[28] = 16
            yield Odd(name, ".bmp", bytes(content), refusal="16 bits a pixel")
        elif bits < 16:
            kind = pick(rng, ["colours", "colours", "greys", "ramp"])
            size = 2**bits
            palette = rng.integers(1, 256, (size, 3))
            if kind != "colours":
                palette = np.repeat(rng.integers(1, 256, (size, 1)), 3, axis=1)
            if kind == "ramp":
                palette = np.repeat(
                    np.linspace(0, 255, size).astype(int)[:, None] if bits != 4 else np.arange(16)[:, None], 3, axis=1
                )
            pixels = rng.integers(0, size, (height, width))
            pixels[0, 0] = size - 1
            fine = not (kind == "ramp" and bits == 4)
            content = writers.bmp(pixels, bits, [tuple(colour) for colour in palette.tolist()], down)
            yield Odd(
                f"{name} {kind}",
                ".bmp",
                content,
                luminance(palette[pixels]) if fine else None,
                "palette of greys" * (not fine),
            )
        else:
            pixels = rng.integers(1, 256, (height, width, 3))
            yield Odd(name, ".bmp", writers.bmp(pixels, bits, down=down), luminance(pixels))


TIFF = {"u1": (8, 1), "i1": (8, 2), "u2": (16, 1), "i2": (16, 2), "u4": (32, 1), "i4": (32, 2), "f4": (32, 3)}


def tiffs(rng: Random) -> Iterator[Odd]:
    while True:
        height, width = shape(rng, 1)
        order, compressed, rows = pick(rng, "<>"), rng.random() < 0.4, pick(rng, [None, 1, 2])
        layout: dict[str, Any] = {"order": order, "compressed": compressed, "rows": rows}
        kind = pick(
            rng,
            ["grey"] * 10
            + ["few"] * 4
            + ["colours", "white", "turned", "deep", "missing", "full", "extra", "palette", "short"],
        )
        code = pick(rng, list(TIFF))
        bits, form = TIFF[code]
        least, most = (-1e3, 1e3) if code == "f4" else (np.iinfo(code).min, np.iinfo(code).max)
        levels = (
            rng.uniform(least, most, (height, width))
            if code == "f4"
            else rng.integers(least, most, (height, width), endpoint=True)
        ).astype(code)
        levels[0, 0] = 1
        name = f"{code} {'little' if order == '<' else 'big'}-endian{' compressed' * compressed} strips {rows} {kind}"
        swapped = order == ">" and (code == "u4" or (compressed and code in ("i2", "i4", "f4")))
        if kind in ("grey", "full") or (kind in ("missing", "turned", "white") and swapped):
            more = {42113: (2, b"-9999\0"), 274: (3, [1])} if kind == "full" else {}
            content = writers.tiff(levels, bits, form, more=more, **layout)
            yield Odd(name, ".tif", content, None if swapped else levels, "big-endian" * swapped)
        elif kind == "few":
            bits = pick(rng, [1, 2, 4])
            levels = rng.integers(0, 2**bits, (height, width))
            levels[0, 0] = 1
            yield Odd(f"{bits} bits {name}", ".tif", writers.tiff(levels, bits, **layout), levels)
        elif kind == "colours":
            bits = pick(rng, [8, 16])
            pixels = rng.integers(1, 2**bits, (height, width, 3)).astype(f"u{bits // 8}")
            content = writers.tiff(pixels, bits, photometric=2, **layout)
            yield Odd(
                f"{bits} bits {name}",
                ".tif",
                content,
                luminance(pixels) if bits == 8 else None,
                "16 bits" * (bits == 16),
            )
        elif kind == "white":
            yield Odd(name, ".tif", writers.tiff(levels, bits, form, photometric=0, **layout), refusal="min-is-white")
        elif kind == "turned":
            turn = int(rng.integers(2, 9))
            content = writers.tiff(levels, bits, form, more={274: (3, [turn])}, **layout)
            yield Odd(f"{name} {turn}", ".tif", content, refusal=f"orientation {turn}")
        elif kind == "deep":
            code = pick(rng, ["f8", "f2", "i8", "u8"])
            form = {"f": 3, "i": 2, "u": 1}[code[0]]
            content = writers.tiff((levels.astype("f8") % 99).astype(code), 8 * int(code[1]), form, **layout)
            yield Odd(f"{name} {code}", ".tif", content, refusal=f"{8 * int(code[1])}-bit")
        elif kind == "missing":
            marker = levels.reshape(-1)[-1]
            content = writers.tiff(levels, bits, form, more={42113: (2, f"{marker!s}\0".encode())}, **layout)
            yield Odd(name, ".tif", content, refusal="has no data")
        elif kind == "extra":
            pixels = np.stack([levels, levels], axis=2)
            content = writers.tiff(pixels, bits, form, more={338: (3, [0])}, **layout)
            yield Odd(name, ".tif", content, refusal="numbers a pixel")
        elif kind == "short":
            content = writers.tiff(levels, bits, form, more={257: (4, [2 * height + 7])}, **layout)
            yield Odd(name, ".tif", content, refusal="strips or tiles of pixels")
        elif kind == "palette":
            colours = rng.integers(1, 256, (256, 3))
            exact = rng.random() < 0.7
            indices = rng.integers(0, 256, (height, width)).astype("u1")
            table = (colours * 257 + (0 if exact else 1)).clip(0, 65535).T.reshape(-1).tolist()
            content = writers.tiff(indices, 8, photometric=3, more={320: (3, table)}, **layout)
            yield Odd(
                name, ".tif", content, luminance(colours[indices]) if exact else None, "16-bit colours" * (not exact)
            )


# --- Matrix Market ---


def _by_scipy_mtx(content: bytes) -> np.ndarray:
    found = scipy.io.mmread(io.BytesIO(content), spmatrix=False)
    return found.toarray() if scipy.sparse.issparse(found) else found


def mtxs(rng: Random) -> Iterator[Odd]:
    while True:
        symmetry = pick(rng, ["general", "general", "symmetric", "skew-symmetric"])
        size = shape(rng)
        rows, columns = size if symmetry == "general" else (size[0], size[0])
        layout, field = pick(rng, ["array", "coordinate"]), pick(rng, ["real", "real", "double", "integer"])
        values = (
            rng.integers(-99, 99, (rows, columns)).astype(float) if field == "integer" else reals(rng, (rows, columns))
        )
        if layout == "coordinate":
            values[rng.random(size=values.shape) < 0.4] = 0
        values[1, 0] = 3
        if symmetry != "general":
            sign = 1 if symmetry == "symmetric" else -1
            values = np.tril(values, 0 if sign == 1 else -1)
            values = values + sign * np.tril(values, -1).T
        kept = np.tril(np.ones(values.shape), {"general": 99, "symmetric": 0, "skew-symmetric": -1}[symmetry]) > 0
        style = (
            pick(rng, ["{:.17g}", "{:.17g}", "{!r}", "{:.16e}", "{:+.17g}", "fortran"])
            if field != "integer"
            else "{:.0f}"
        )

        def spell(value: float, style: str = style) -> str:
            return f"{value:.16E}".replace("E", "D") if style == "fortran" else style.format(float(value))

        if layout == "array":
            entries = [spell(values[i, j]) for j in range(columns) for i in range(rows) if kept[i, j]]
        else:
            entries = [
                f"{i + 1} {j + 1}  {spell(values[i, j])}"
                for i in range(rows)
                for j in range(columns)
                if kept[i, j] and values[i, j]
            ]
            rng.shuffle(entries)
        kind = pick(
            rng,
            [
                "",
                "",
                "",
                "",
                "",
                "both",
                "diagonal",
                "comma",
                "outside",
                "count",
                "pattern",
                "complex",
                "huge",
                "twice",
            ],
        )
        banner, refusal, odd = f"%%MatrixMarket matrix {layout} {field} {symmetry}", "", True
        count = len(entries)
        if kind == "both" and layout == "coordinate" and symmetry != "general":
            entries.append(f"1 2 {spell(values[0, 1])}")
            refusal, count = "twice, maybe as its mirror image", count + 1
        elif kind == "diagonal" and layout == "coordinate" and symmetry == "skew-symmetric":
            entries.append("2 2 4")
            refusal, count = "row 2, column 2 is not zero", count + 1
        elif kind == "comma":
            entries[-1] += ",5"
            refusal = ",5', expected"
        elif kind == "outside" and layout == "coordinate":
            entries[-1] = f"{rows + 1} 1 5"
            refusal = "out of bounds"
        elif kind == "count":
            entries = entries[:-1]
            refusal = f"entries, expected {count}"
        elif kind in ("pattern", "complex"):
            banner, refusal = banner.replace(field, kind), f"is {kind} {symmetry}"
        elif kind == "huge" and layout == "array" and symmetry == "general":
            entries[-1] = "9007199254740993"
            refusal = "a whole number that float64 holds"
        elif kind == "twice" and layout == "coordinate" and symmetry == "general":
            entries += ["1 1 0.5", "1 1 0.25"]
            values[0, 0] = values[0, 0] + 0.5 + 0.25
            count += 2
        else:
            odd = False
        sizes = f"{rows} {columns}" + (f" {count}" if layout == "coordinate" else "")
        notes = pick(rng, [[], ["% plain"], ["% Ren\u00e9", "  % indented", ""], ["%"]])
        after = pick(rng, ["", "", " % a note"])
        end = pick(rng, ["\n", "\n", "\r\n", "\r"])
        lines = [
            banner if rng.random() < 0.7 else banner.replace("matrix", "MATRIX"),
            *notes,
            sizes,
            *(entry + after for entry in entries),
        ]
        content = (end.join(lines) + pick(rng, ["", end, end * 2])).encode(pick(rng, ["latin-1", "utf-8"]))
        plain = not (after or style in ("fortran", "{:+.17g}") or end == "\r") and kind != "twice"
        name = f"{layout} {field} {symmetry} {kind * odd} {style} {notes[:1]} {after} {end!r}"
        yield Odd(
            name,
            ".mtx",
            content,
            None if refusal else values,
            refusal,
            witness=_by_scipy_mtx if plain and not refusal else None,
        )


# --- MATLAB ---


def _by_scipy_mat(content: bytes) -> np.ndarray:
    found = scipy.io.loadmat(io.BytesIO(content), spmatrix=False, mat_dtype=True)["m"]
    return found.toarray() if scipy.sparse.issparse(found) else found


def mats(rng: Random) -> Iterator[Odd]:
    while True:
        size, order = shape(rng), pick(rng, "<>")
        values = reals(rng, size)
        values[rng.random(size) < 0.3] = 0
        values[0, 0] = 2.5
        end = "little" if order == "<" else "big"
        if rng.random() < 0.3:
            code = pick(rng, ["f8", "f4", "i4", "i2", "u2", "u1"])
            kind = pick(rng, ["full", "full", "sparse", "beside text"])
            values = (
                values.astype("f4").astype("f8")
                if code == "f4"
                else values
                if code == "f8"
                else np.abs(values).clip(1, 200).round()
            )
            given: Any = (values, "sparse") if kind == "sparse" else values.astype(code)
            more = {"note": (np.array([[104.0, 105.0]]), "text")} if kind == "beside text" else {}
            yield Odd(
                f"version 4 {end}-endian {code} {kind}",
                ".mat",
                writers.mat4(order, **more, m=given),
                values,
                witness=_by_scipy_mat,
            )
            continue
        compressed = rng.random() < 0.5
        kind = pick(
            rng,
            [
                "dense",
                "dense",
                "stored small",
                "whole",
                "sparse",
                "logical",
                "sparse logical",
                "dense",
                "complex",
                "cube",
                "two",
                "text",
                "huge",
                "cut",
            ],
        )
        neighbours = [
            writers.mat_text("note", "an example", order), writers.mat_cell("names", [writers.mat_text("", "x", order)], order),
            writers.mat_object("table", "table", order), writers.mat_object("when", "datetime", order),
        ]  # fmt: skip
        chosen = [part for part in neighbours if rng.random() < 0.4]
        objects = any(part in chosen for part in neighbours[2:])
        tail = [writers.mat_workspace(order)] if objects else []
        truth: np.ndarray | None = values
        refusal = ""
        if kind == "dense":
            code = pick(rng, ["f8", "f4"])
            truth = values.astype(code).astype("f8")
            own = writers.mat_array("m", values.astype(code), order=order)
        elif kind == "stored small":
            code = pick(rng, ["u1", "i2", "u2", "i4"])
            truth = rng.integers(1, 200, size).astype("f8")
            own = writers.mat_array("m", truth, code, order)
        elif kind == "whole":
            code = pick(rng, ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
            truth = rng.integers(1, 100, size).astype(code)
            own = writers.mat_array("m", truth, order=order)
        elif kind == "sparse":
            own = writers.mat_array("m", values, order=order, sparse=True)
        elif kind in ("logical", "sparse logical"):
            truth = (values != 0).astype("f8")
            own = writers.mat_array(
                "m", truth if kind != "logical" else truth.astype("u1"), "u1", order, writers.LOGICAL, kind != "logical"
            )
        elif kind == "complex":
            buffer = io.BytesIO()
            scipy.io.savemat(buffer, {"m": values + 1j})
            yield Odd("complex", ".mat", buffer.getvalue(), refusal="complex128")
            continue
        elif kind == "cube":
            truth, refusal = None, "got shape (2, 3, 2)"
            own = writers.mat_array("m", np.ones((2, 3, 2)), order=order)
        elif kind == "two":
            truth, refusal = None, "has variables m, n; name one with the key variable"
            own = writers.mat_array("m", values, order=order) + writers.mat_array("n", values, order=order)
            if rng.random() < 0.5:
                truth, refusal = values, ""
                compressed = False
                yield Odd(
                    f"chosen {end}",
                    ".mat",
                    writers.mat5(*chosen, own, *tail, order=order),
                    values,
                    keys={"variable": "m"},
                )
                continue
            compressed = False
        elif kind == "text":
            truth, refusal, chosen, tail = None, "is of type char", [], []
            own = writers.mat_text("m", "words", order)
        elif kind == "huge":
            truth, refusal = None, "which float64 does not hold"
            own = writers.mat_array("m", np.full(size, 2**53 + 1, dtype="i8"), order=order)
        else:
            truth, refusal, compressed = None, "is cut short", False
            own = writers.mat_array("m", values, order=order)
        content = writers.mat5(*chosen, own, *tail, order=order, compressed=compressed)
        if kind == "cut":
            content = writers.mat5(own, order=order)[: -int(rng.integers(1, 8))]
        name = (
            f"version 5 {end}-endian {kind}{' compressed' * compressed} {len(chosen)} neighbours{' objects' * objects}"
        )
        yield Odd(
            name, ".mat", content, truth, refusal, witness=_by_scipy_mat if truth is not None and not objects else None
        )


# --- netCDF ---


def _by_scipy_netcdf(content: bytes) -> np.ndarray:
    with scipy.io.netcdf_file(io.BytesIO(content), mmap=False, maskandscale=True) as file:
        return np.array(file.variables["m"][:]).squeeze()


def netcdfs(rng: Random) -> Iterator[Odd]:
    while True:
        rows, columns = shape(rng)
        code = pick(rng, ["f8", "f4", "i2", "i4", "i1", "u1", "u2", "u4", "i8", "u8"])
        version = 5 if code in ("u1", "u2", "u4", "i8", "u8") else pick(rng, [1, 2, 5])
        raw = (
            reals(rng, (rows, columns)).astype(code)
            if code[0] == "f"
            else rng.integers(1, 100, (rows, columns)).astype(code)
        )
        truth: np.ndarray | None = raw
        kind = pick(rng, NETCDF)
        dims, sizes, attributes, others, refusal = ["y", "x"], {"y": rows, "x": columns}, {}, {}, ""
        names: tuple[str, ...] = ()
        whole = code[0] in "iu"
        last = raw[-1, -1]
        if kind == "packed":
            scale, offset = np.float64(rng.uniform(0.01, 2)), np.float64(rng.uniform(-9, 9))
            attributes = {"scale_factor": scale, "add_offset": offset}
            truth = raw * scale + offset
        elif kind == "packed single" and whole and code[1] in "12":
            attributes = {"scale_factor": np.float32(0.25), "add_offset": np.float32(2)}
            truth = raw * 0.25 + 2
        elif kind == "unsigned" and code in ("i1", "i2", "i4"):
            raw = rng.integers(np.iinfo(code).min + 1, -1, (rows, columns)).astype(code)
            if code == "i2":
                raw[raw == -32767] = -5
            attributes = {"_Unsigned": pick(rng, ["true", "True"])}
            truth = raw.astype("i8") + 2 ** (8 * int(code[1]))
        elif kind == "one more axis":
            dims, sizes = ["t", "y", "x"], {"t": 1, **sizes}
        elif kind == "one last axis":
            dims, sizes = ["y", "x", "band"], {**sizes, "band": 1}
        elif kind == "names":
            names = tuple(f"place {i}" for i in range(rows))
            text = np.array([list(name.ljust(12, pick(rng, " \0"))) for name in names], dtype="S1")
            sizes = {**sizes, "letters": 12}
            others["y"] = (["y", "letters"], text, {})
        elif kind == "dates":
            names = tuple(f"2020-01-{i + 1:02}" for i in range(rows))
            steps = np.arange(rows, dtype="i4")
            hours = rng.random() < 0.5
            units = "hours since 2020-01-01 00:00" if hours else "days since 2020-01-01"
            others["y"] = (["y"], steps * 24 if hours else steps, {"units": units, "calendar": "standard"})
        elif kind == "described":
            others = {
                "spatial_ref": ([], np.array(0, dtype="i4"), {}), "lat": (["y", "x"], np.ones((rows, columns)), {}),
                "y_bnds": (["y", "two"], np.ones((rows, 2)), {}), "y": (["y"], np.arange(rows) + 0.5, {"bounds": "y_bnds"}),
                "mean": (["x"], np.ones(columns), {}),
            }  # fmt: skip
            sizes = {**sizes, "two": 2}
            attributes = {"coordinates": "lat", "grid_mapping": "spatial_ref"}
            names = tuple(str(i + 0.5) for i in range(rows))
        elif kind == "two":
            others = {"n": (["y", "x"], raw, {})}
            truth, refusal = None, "has variables n, m; name one with the key variable"
        elif kind == "fill":
            attributes, truth, refusal = {"_FillValue": last}, None, "has missing values"
        elif kind == "missing as double":
            attributes, truth, refusal = {"missing_value": np.float64(last)}, None, "has missing values"
        elif kind == "missing as text":
            attributes, truth, refusal = {"missing_value": repr(float(last))}, None, "has missing values"
        elif kind == "missing as single" and code == "f8":
            raw[-1, -1] = np.float32(-999.9)
            attributes, truth, refusal = {"missing_value": np.float32(-999.9)}, None, "has missing values"
        elif kind == "missing of another precision" and code == "f4":
            raw[-1, -1] = -999.9
            attributes, truth, refusal = {"missing_value": np.float64(-999.9)}, None, "has missing values"
        elif kind == "not there" and whole:
            attributes = {"missing_value": np.float64(-999.5), "_FillValue": raw.dtype.type(101)}
        elif kind == "missing unpacked":
            attributes = {"scale_factor": np.float64(0.5), "missing_value": np.float64(last) * 0.5}
            truth, refusal = None, "has missing values"
        elif kind == "invalid":
            key, value = pick(rng, [("valid_min", last + last.dtype.type(1)), ("valid_max", last - last.dtype.type(1))])
            attributes, truth, refusal = {key: value}, None, "has missing values"
            if value == last:
                continue
        elif kind == "range":
            attributes = {"valid_range": np.array([-1e9, 1e9])}
        elif kind == "words":
            key = pick(rng, ["scale_factor", "add_offset", "valid_min"])
            attributes, truth, refusal = {key: "0.1"}, None, f"has {key} '0.1', expected a number"
        elif kind == "huge" and code in ("i8", "u8"):
            raw[0, 0] = 2**53 + 1
            truth, refusal = None, "which float64 does not hold"
        elif kind != "plain":
            continue
        values = raw.reshape([sizes[dim] for dim in dims])
        name = f"{code} {kind} version {version}"
        content = writers.netcdf3(sizes, {**others, "m": (dims, values, attributes)}, version)
        if len(content) < 256:  # some of them netCDF-C 4.9 does not open in memory
            continue
        yield Odd(
            name, ".nc", content, truth, refusal,
            witness=_by_scipy_netcdf if truth is not None and version < 5 and kind not in ("unsigned", "not there", "described") else None,
            rows=names if truth is not None else None,
        )  # fmt: skip
        if rng.random() < 0.3:
            yield Odd(
                f"{name} as netCDF-4",
                ".nc",
                _netcdf4(sizes, {**others, "m": (dims, values, attributes)}),
                truth,
                refusal,
            )


NETCDF = (
    "plain", "plain", "plain", "packed", "packed", "packed single", "unsigned", "one more axis", "one last axis", "names",
    "names", "dates", "dates", "described", "described", "two", "fill", "missing as double", "missing as text",
    "missing as single", "missing of another precision", "not there", "missing unpacked", "invalid", "range", "words", "huge",
)  # fmt: skip


def _netcdf4(sizes: dict[str, int], variables: dict[str, Any]) -> bytes:
    """The same in the format of HDF5, as its library writes it, without any conversion."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.nc"
        with netCDF4.Dataset(path, "w") as file:
            for name, size in sizes.items():
                file.createDimension(name, size)
            for name, (dims, values, attributes) in variables.items():
                fill = attributes.get("_FillValue")
                variable = file.createVariable(name, values.dtype, dims, fill_value=fill)
                variable.set_auto_maskandscale(False)
                variable.set_auto_chartostring(False)
                variable.setncatts({key: value for key, value in attributes.items() if key != "_FillValue"})
                variable[...] = values
        return path.read_bytes()


# --- NumPy and SciPy ---


def _by_numpy(content: bytes) -> np.ndarray:
    return np.asarray(np.load(io.BytesIO(content)))


def npys(rng: Random) -> Iterator[Odd]:
    while True:
        size = shape(rng, 1)
        code = pick(rng, ["f8", "f4", "f2", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "b1"])
        order = pick(rng, "<>")
        values = (rng.standard_normal(size) if code[0] == "f" else rng.integers(0, 100, size) + 1).astype(code)
        truth = values.astype("f8")
        values = values.astype(values.dtype.newbyteorder(order))
        values = np.asfortranarray(values) if rng.random() < 0.4 else values
        version = pick(rng, [1, 1, 2])
        kind = pick(rng, [""] * 18 + ["huge", "complex", "date", "cube", "line", "longer", "cut", "fields"])
        name = f"{values.dtype.str} {'Fortran' if values.flags.f_contiguous else 'C'} version {version}"
        if kind == "":
            yield Odd(name, ".npy", writers.npy(values, version), truth, witness=_by_numpy)
            continue
        big = np.full(size, 2**53 + 1, dtype=pick(rng, ["<i8", ">u8"]))
        odd, refusal = {
            "huge": (big, "which float64 does not hold"),
            "complex": (truth.astype("c16"), "complex128"),
            "date": (np.zeros(size, dtype="<M8[D]"), "datetime64"),
            "cube": (truth[None], "expected a matrix"),
            "line": (truth[0], "expected a matrix"),
            "longer": (truth, "bytes after its array"),
            "cut": (truth, "not a readable .npy"),
            "fields": (np.zeros(size, dtype="S3"), "expected real numbers"),
        }[kind]
        content = writers.npy(odd, version)
        content = content + b"\0" if kind == "longer" else content[:-1] if kind == "cut" else content
        yield Odd(f"{name} {kind}", ".npy", content, refusal=refusal)


def _by_scipy_npz(content: bytes) -> np.ndarray:
    return np.asarray(scipy.sparse.load_npz(io.BytesIO(content)).toarray())


def npzs(rng: Random) -> Iterator[Odd]:
    while True:
        size = shape(rng)
        values = reals(rng, size)
        values[rng.random(size) < 0.3] = 0
        values[0, 0] = 2.5
        kind = pick(
            rng,
            [
                "one",
                "chosen",
                "sparse",
                "sparse",
                "sparse",
                "sparse",
                "bytes",
                "two",
                "variable",
                "sums",
                "outside",
                "huge",
                "logical",
            ],
        )
        if kind == "one":
            yield Odd(kind, ".npz", writers.npz(anything=values), values)
        elif kind == "chosen":
            yield Odd(kind, ".npz", writers.npz(other=np.ones(3), m=values), values, keys={"variable": "m"})
        elif kind == "two":
            yield Odd(kind, ".npz", writers.npz(a=values, b=values), refusal="has variables a, b")
        elif kind in ("sparse", "logical"):
            form, code = pick(rng, ["csr", "csc", "coo", "dia", "bsr"]), pick(rng, ["f8", "f4", "i4", "i8"])
            made = values.round().clip(-99, 99) if code[0] == "i" else values
            made = (made != 0) if kind == "logical" else made.astype(code)
            buffer = io.BytesIO()
            wrap = scipy.sparse.coo_array if rng.random() < 0.5 else scipy.sparse.coo_matrix
            scipy.sparse.save_npz(buffer, wrap(made).asformat(form), compressed=rng.random() < 0.5)
            yield Odd(
                f"{kind} {form} {made.dtype} {wrap.__name__}",
                ".npz",
                buffer.getvalue(),
                made.astype("f8"),
                witness=_by_scipy_npz,
            )
        else:
            rows, columns = (part.astype("i4") for part in np.nonzero(values))
            parts = {
                "row": rows,
                "col": columns,
                "format": np.array(b"coo"),
                "shape": np.array(size),
                "data": values[rows, columns],
            }
            truth: np.ndarray | None = values
            refusal, keys = "", {}
            if kind == "sums":  # at one place; as whole numbers of 8 bits they would overflow
                parts |= {
                    "row": np.array([0, 0, 1]),
                    "col": np.array([0, 0, 1]),
                    "data": np.array([100, 100, 3], dtype="i1"),
                }
                truth = np.zeros(size)
                truth[0, 0], truth[1, 1] = 200, 3
            elif kind == "variable":
                truth, refusal, keys = None, "leave variable out", {"variable": "data"}
            elif kind == "outside":
                parts["row"] = np.where(rows == 0, size[0], rows)
                truth, refusal = None, "not a readable .npz"
            elif kind == "huge":
                parts["data"] = np.full(len(rows), 2**53 + 1, dtype="i8")
                truth, refusal = None, "which float64 does not hold"
            yield Odd(kind, ".npz", writers.npz(**parts), truth, refusal, keys)


FAMILIES: dict[str, tuple[Callable[[Random], Iterator[Odd]], int]] = {
    "table": (tables, 110), "png": (pngs, 50), "pgm": (pgms, 30), "bmp": (bmps, 30), "tiff": (tiffs, 70), "mtx": (mtxs, 60),
    "mat": (mats, 60), "netcdf": (netcdfs, 70), "npy": (npys, 40), "npz": (npzs, 40),
}  # fmt: skip


def odd_files(family: str, seed: int = 0) -> list[Odd]:
    """As many different ones of a format as FAMILIES says."""
    generator, count = FAMILIES[family]
    drawn = generator(np.random.default_rng([seed, list(FAMILIES).index(family)]))
    found: dict[bytes, Odd] = {}
    for odd in islice(drawn, 20 * count):
        found.setdefault(odd.content + str(odd.keys).encode(), odd)
        if len(found) == count:
            break
    return list(found.values())
