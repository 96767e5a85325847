"""Grey levels in the PGM format of netpbm, text (P2) or binary (P5).

Pillow scales levels whose largest is declared to be other than 255, with rounding, so it is not asked.
"""

from __future__ import annotations

import re

import numpy as np

from dmf.errors import UserError, shown
from dmf.grid.labelled import LabelledMatrix, refuse_shape
from dmf.grid.readers._contract import Options

SUFFIXES = (".pgm",)
USES: tuple[str, ...] = ()
ISOLATED = False
MOST = 65535  # of a level, by the format
GAP = rb"(?:[ \t\n\r\f\v]|#[^\n\r]*+[\n\r])++"  # blanks and comments
HEAD = re.compile(rb"P([25])" + 3 * (GAP + rb"([0-9]{1,9})"))
NO_LEVEL = re.compile(rb"(?<!\S)(?![0-9]{1,9}(?!\S))\S+")
BLANK = b" \t\n\r\f\v"


def read(content: bytes, suffix: str, options: Options) -> LabelledMatrix:
    """The levels as stored, rows from the top."""
    head = HEAD.match(content)
    if head is None:
        begin = shown(content[:20].decode("latin-1"), quoted=True)
        raise UserError(f"begins with {begin}, expected P2 or P5, width, height and the largest grey level")
    width, height, most = (int(number) for number in head.groups()[1:])
    refuse_shape((height, width))
    if not 0 < most <= MOST:
        raise UserError(f"got largest grey level {most}, expected 1 to {MOST}")
    rest = content[head.end() :]
    levels = _binary(rest, width * height, most) if head[1] == b"5" else _text(rest)
    if len(levels) != width * height:
        raise UserError(f"has {len(levels)} grey levels, expected {width} x {height}")
    if levels.max() > most:
        raise UserError(f"got grey level {levels.max()}, expected at most {most}, which the file says is the largest")
    return LabelledMatrix(levels.reshape(height, width))


def _binary(rest: bytes, count: int, most: int) -> np.ndarray[tuple[int], np.dtype[np.uint16]]:
    """Levels of one or two bytes after one blank. Raises UserError unless they are all that is left."""
    size = 1 if most < 256 else 2
    if rest[:1] not in BLANK or len(rest) != 1 + count * size:
        raise UserError(f"has {max(len(rest) - 1, 0)} bytes of grey levels, expected {count} levels of {size}")
    return np.frombuffer(rest, dtype=">u2" if size == 2 else "u1", offset=1).astype(np.uint16)


def _text(rest: bytes) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Levels in decimal. Raises UserError for one that is none."""
    text = re.sub(rb"#[^\n\r]*", b"", rest)
    if bad := NO_LEVEL.search(text):
        raise UserError(f"got {shown(bad[0][:40].decode('latin-1'), quoted=True)}, expected a grey level")
    # Not a list of words, which would take fifty bytes a level.
    return np.fromstring(text, dtype=np.int64, sep=" ") if text.strip() else np.zeros(0, dtype=np.int64)
