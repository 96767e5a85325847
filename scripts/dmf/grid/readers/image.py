"""PNG, BMP and JPEG images as matrices of grey levels, as stored."""

from __future__ import annotations

import struct
import warnings
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dmf.errors import UserError
from dmf.grid.labelled import LabelledMatrix, refuse_shape
from dmf.grid.readers._contract import Options
from dmf.grid.readers._pillow import CURE, ORIENTATION, colours, grey, opened, refuse_turned

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

FORMATS = {".png": "PNG", ".bmp": "BMP", ".jpg": "JPEG", ".jpeg": "JPEG"}
SUFFIXES = tuple(FORMATS)
USES: tuple[str, ...] = ()
ISOLATED = True
LIBRARIES = tuple(f"PIL.{form}ImagePlugin" for form in ("Png", "Bmp", "Gif", "Ppm", "Jpeg", "Mpo", "Tiff"))
GREY = ("1", "L", "I;16")
PNG = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # numbers a pixel, by the type of its colours
# Of the seven images that an interlaced one is stored as: first column and row, and steps to the next ones.
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
SCALED = {2: 85, 4: 17}  # by what Pillow multiplies grey levels of so many bits


def read(content: bytes, suffix: str, options: Options) -> LabelledMatrix:
    """Rows from the top; grey levels unscaled (0 to 255 in most images), of colours their luminance."""
    form = FORMATS[suffix]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Pillow only warns of an image that would fill the memory
        bits = _png_bits(content) if form == "PNG" else _bmp_bits(content) if form == "BMP" else 8
        with opened(content, form) as image:
            if form == "BMP":
                _refuse_greys(image.mode, bits)
            image.load()  # a PNG may say how it is turned after its pixels
            refuse_turned(image.getexif().get(ORIENTATION))
            if image.mode in GREY and "transparency" not in image.info:
                return LabelledMatrix(_grey(image, form, bits))
            if bits == 16:
                raise UserError(f"has colours or transparency of 16 bits, of which 8 would be read; {CURE}")
            return LabelledMatrix(colours(image))


def _grey(image: ImageFile, form: str, bits: int) -> NDArray[Any]:
    levels = grey(image)
    return levels * np.uint8(255) if form == "BMP" and image.mode == "1" else levels // SCALED.get(bits, 1)


def _refuse_greys(mode: str, bits: int) -> None:
    """Raise UserError for a BMP whose palette Pillow leaves out, and then takes its pixels for those of other bits."""
    if (mode == "1" and bits != 1) or (mode == "L" and bits != 8):
        raise UserError(f"has a palette of greys for {bits} bits, which is not read; {CURE}")


def _png_bits(content: bytes) -> int:
    """Bits of a channel. Raises UserError where a part is not as it was written, or pixels are missing."""
    if not content.startswith(PNG):
        raise UserError("is no PNG image")
    place, head, pixels = len(PNG), b"", []
    while place + 12 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, place)
        end = place + 8 + size
        if (
            end + 4 <= len(content)
            and zlib.crc32(content[place + 4 : end]) != struct.unpack_from(">I", content, end)[0]
        ):
            raise UserError(f"is damaged: the checksum of its part at byte {place} is wrong")
        if kind == b"IHDR" and size == 13:
            head = content[place + 8 : end]
        elif kind == b"IDAT":
            pixels.append(content[place + 8 : end])
        place = end + 4
    if not head:
        return 0
    width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", head)
    refuse_shape((height, width))
    steps = ADAM7 if interlaced else ((0, 0, 1, 1),)
    parts = [(-(-(width - x) // across), -(-(height - y) // down)) for x, y, across, down in steps]
    depth = bits * CHANNELS.get(colour, 1)
    expected = sum(rows * (1 + -(-columns * depth // 8)) for columns, rows in parts if columns > 0 and rows > 0)
    if (found := _unpacked_size(pixels, expected)) < expected:  # Pillow would leave the other pixels black
        raise UserError(f"is cut short: its pixels unpack to {found} bytes, expected {expected}")
    return int(bits)


def _unpacked_size(pixels: list[bytes], most: int) -> int:
    """Bytes that the pixels unpack to, at least `most` where there are so many."""
    unpacker, size = zlib.decompressobj(), 0
    for part in pixels:
        while part and size < most:
            size += len(unpacker.decompress(part, 2**16))
            part = unpacker.unconsumed_tail
    return size + len(unpacker.flush() if size < most else b"")


def _bmp_bits(content: bytes) -> int:
    """Bits of a pixel. Raises UserError for 16, of which each colour has fewer than 8."""
    if len(content) < 30:
        return 0
    bits: int = struct.unpack_from("<H", content, 24 if content[14] == 12 else 28)[0]
    if bits == 16:
        raise UserError(f"has 16 bits a pixel, whose colours would be scaled; {CURE}")
    return bits
