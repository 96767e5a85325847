"""Images as matrices of grey levels, as stored."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

import numpy as np

from dmf.errors import UserError
from dmf.grid.labelled import LabelledMatrix, refuse_shape
from dmf.grid.readers._contract import Options

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

FORMATS = {".png": "PNG", ".bmp": "BMP", ".pgm": "PPM"}
FORMATS |= {".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF"}
SUFFIXES = tuple(FORMATS)
USES: tuple[str, ...] = ()
ISOLATED = True
LIBRARIES = tuple(f"PIL.{form}ImagePlugin" for form in ("Png", "Bmp", "Gif", "Ppm", "Jpeg", "Mpo", "Tiff"))
GREY = ("L", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")
COLOUR = ("RGB", "P")
MOST_COUNTED = 10
LUMINANCE = np.array([0.299, 0.587, 0.114])  # of red, green and blue, ITU-R BT.601


def read(content: bytes, suffix: str, options: Options) -> LabelledMatrix:
    """Rows from the top; grey levels unscaled (0 to 255 in most images), of colours their luminance."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Pillow only warns of an image that would fill the memory
        with _opened(content, FORMATS[suffix]) as image:
            refuse_shape((image.height, image.width))
            if (frames := _frames(image)) != 1:
                count = frames if frames < MOST_COUNTED else f"at least {MOST_COUNTED}"
                raise UserError(f"has {count} images, expected one")
            if image.mode in COLOUR and "transparency" not in image.info:
                return LabelledMatrix(np.asarray(image.convert("RGB")) @ LUMINANCE)
            if image.mode not in GREY or "transparency" in image.info:
                raise UserError(f"is an image of mode {image.mode}, expected grey levels or opaque colours")
            return LabelledMatrix(np.asarray(image))


def _frames(image: ImageFile) -> int:
    """The number of images, or MOST_COUNTED: to count all of a film can take a minute."""
    for number in range(1, MOST_COUNTED):
        try:
            image.seek(number)
        except EOFError:
            return number
    return MOST_COUNTED


def _opened(content: bytes, form: str) -> ImageFile:
    from PIL import Image, UnidentifiedImageError

    try:
        return Image.open(io.BytesIO(content), formats=[form])
    except UnidentifiedImageError:
        raise UserError(f"is no {form} image") from None
