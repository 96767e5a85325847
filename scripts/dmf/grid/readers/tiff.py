"""TIFF images as matrices of grey levels, as stored; their tags are checked before they are decoded."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dmf.errors import UserError, shown
from dmf.grid.labelled import LabelledMatrix, refuse_shape
from dmf.grid.readers._contract import Options
from dmf.grid.readers._pillow import CURE, ORIENTATION, colours, grey, opened, refuse_turned

if TYPE_CHECKING:
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

SUFFIXES = (".tif", ".tiff")
USES: tuple[str, ...] = ()
ISOLATED = True
LIBRARIES = tuple(f"PIL.{form}ImagePlugin" for form in ("Tiff", "Bmp", "Gif", "Ppm", "Jpeg", "Png"))
STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two are of BigTIFF
# Tags (TIFF 6.0, and one of GDAL's).
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL, SAMPLES = 256, 257, 258, 259, 262, 266, 277
STRIPS, STRIP_ROWS, PLANAR, TILE_WIDTH, TILE_HEIGHT, TILES = 273, 278, 284, 322, 323, 324
SIZES = {STRIPS: 279, TILES: 325}  # bytes of each
PALETTE, EXTRA, FORMAT, NO_DATA = 320, 338, 339, 42113
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, INDEXED, YCBCR = 0, 1, 2, 3, 6
FORMATS = {1: "unsigned", 2: "signed", 3: "floating-point"}
# Grey levels that Pillow decodes: bits and format, and what they are where Pillow gives something else of that size.
GREY: dict[tuple[int, int], type[np.generic] | None] = {
    (1, 1): None, (2, 1): None, (4, 1): None, (8, 1): None, (8, 2): np.int8, (16, 1): None,
    (16, 2): None, (32, 1): np.uint32, (32, 2): None, (32, 3): None,
}  # fmt: skip
SCALED = {2: 85, 4: 17}  # by what Pillow multiplies grey levels of so many bits
UNCOMPRESSED = 1
SEPARATE = 2  # each channel of a pixel in other strips


def read(content: bytes, suffix: str, options: Options) -> LabelledMatrix:
    """Rows from the top; grey levels unscaled, of colours their luminance."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Pillow only warns of an image that would fill the memory, or of odd tags
        tags = _tags(content)
        refuse_shape((tags.get(HEIGHT, 0), tags.get(WIDTH, 0)))
        refuse_turned(tags.get(ORIENTATION))
        _refuse_gaps(tags)
        photometric = tags.get(PHOTOMETRIC)
        kind = _grey_kind(tags) if photometric in (None, WHITE_IS_ZERO, BLACK_IS_ZERO) else None
        if kind is None:
            _check_colours(tags)
        with opened(content, "TIFF") as image:
            if kind is None:
                return LabelledMatrix(colours(image))
            levels = grey(image)
    view = GREY[kind]
    levels = levels // SCALED[kind[0]] if kind[0] in SCALED else levels if view is None else levels.view(view)
    _refuse_missing(levels, tags.get(NO_DATA))
    return LabelledMatrix(levels)


def _tags(content: bytes) -> ImageFileDirectory_v2:
    """The tags of the first image. Raises UserError where this is no TIFF."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    if not content.startswith(STARTS):
        raise UserError("is no TIFF image")
    tags = ImageFileDirectory_v2(content[: 16 if content.startswith(STARTS[2:]) else 8])
    file = io.BytesIO(content)
    file.seek(tags.next)
    tags.load(file)
    return tags


def _refuse_gaps(tags: ImageFileDirectory_v2) -> None:
    """Raise UserError where rows are not stored: Pillow would leave them black, or take other bytes for them."""
    height, width = tags.get(HEIGHT, 0), tags.get(WIDTH, 0)
    tag = TILES if TILES in tags else STRIPS
    if tag == TILES:
        expected = -(-height // tags.get(TILE_HEIGHT, height)) * -(-width // tags.get(TILE_WIDTH, width))
    else:
        expected = -(-height // min(tags.get(STRIP_ROWS, height), height))
    expected *= tags.get(SAMPLES, 1) if tags.get(PLANAR, 1) == SEPARATE else 1
    places, sizes = tags.get(tag, ()), tags.get(SIZES[tag], (1,))
    stored = sum(place > 0 for place in places) if all(sizes) else 0
    if stored != expected or len(places) != expected:
        raise UserError(f"has {stored} strips or tiles of pixels, expected {expected}; {CURE}")


def _grey_kind(tags: ImageFileDirectory_v2) -> tuple[int, int]:
    """Bits and format of grey levels. Raises UserError, by name, for what would be read as other numbers."""
    samples, bits, form = tags.get(SAMPLES, 1), tags.get(BITS, (1,))[0], tags.get(FORMAT, (1,))[0]
    words = f"{bits}-bit {FORMATS.get(form, f'format {form}')} grey levels"
    if samples != 1 or tags.get(EXTRA):
        raise UserError(f"has {samples} numbers a pixel, expected one grey level; {CURE}")
    if tags.get(PHOTOMETRIC) != BLACK_IS_ZERO:
        said = "is min-is-white: 0 is white" if PHOTOMETRIC in tags else "does not say whether 0 is black or white"
        raise UserError(f"{said}; save it as min-is-black, or its numbers as .npy")
    if (bits, form) not in GREY:
        known = ", ".join(f"{size}-bit {FORMATS[of]}" for size, of in GREY)
        raise UserError(f"has {words}, expected {known}; {CURE}")
    if tags.get(FILL, 1) != 1:
        raise UserError(f"has its bits in reverse order (FillOrder {tags[FILL]}); {CURE}")
    compressed = tags.get(COMPRESSION, UNCOMPRESSED) != UNCOMPRESSED
    if tags.prefix == b"MM" and ((bits, form) == (32, 1) or (compressed and form != 1 and bits > 8)):
        # Pillow would swap the bytes of compressed ones twice.
        raise UserError(f"has big-endian{' compressed' * compressed} {words}; save it as little-endian")
    return bits, form


def _check_colours(tags: ImageFileDirectory_v2) -> None:
    """Raise UserError, by name, for colours of which Pillow would read a part."""
    photometric, bits, samples = tags[PHOTOMETRIC], tags.get(BITS, (8,)), tags.get(SAMPLES, 1)
    if photometric not in (RGB, INDEXED, YCBCR):
        raise UserError(f"has colours of photometric interpretation {photometric}, expected RGB or grey levels; {CURE}")
    if samples != (1 if photometric == INDEXED else 3) or tags.get(EXTRA):
        raise UserError(f"has {samples} numbers a pixel, expected opaque colours; {CURE}")
    if max(bits) > 8 or set(tags.get(FORMAT, (1,))) != {1} or NO_DATA in tags:
        raise UserError(f"has colours of {max(bits)} bits, or not unsigned, or with no-data; expected 8 bits; {CURE}")
    if any(value % 256 not in (0, value // 256) for value in tags.get(PALETTE, ())):
        raise UserError(f"has a palette of 16-bit colours, of which 8 would be read; {CURE}")


def _refuse_missing(levels: NDArray[Any], no_data: str | None) -> None:
    """Raise UserError where the file says that a level stands for a missing one."""
    if no_data is None:
        return
    try:
        marker = float(str(no_data).strip("\0 "))
    except ValueError:
        raise UserError(f"says that {shown(no_data, quoted=True)} is no data, expected a number") from None
    close = np.isclose(levels, marker, rtol=1e-6, atol=0) if levels.dtype.kind == "f" else levels == marker
    if close.any():
        row, column = np.argwhere(close)[0]
        raise UserError(f"has no data ({marker:g}) at row {row}, column {column}; expected a full matrix")
