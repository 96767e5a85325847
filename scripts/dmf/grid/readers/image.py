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
ISOLATED = False
GREY = ("L", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")
COLOUR = ("RGB", "P")
LUMINANCE = np.array([0.299, 0.587, 0.114])  # of red, green and blue, ITU-R BT.601


def read(content: bytes, suffix: str, options: Options) -> LabelledMatrix:
    """Rows from the top; grey levels unscaled (0 to 255 in most images), of colours their luminance."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Pillow only warns of an image that would fill the memory
        with _opened(content, FORMATS[suffix]) as image:
            refuse_shape((image.height, image.width))
            if (frames := getattr(image, "n_frames", 1)) != 1:
                raise UserError(f"has {frames} images, expected one")
            if image.mode in COLOUR and "transparency" not in image.info:
                return LabelledMatrix(np.asarray(image.convert("RGB")) @ LUMINANCE)
            if image.mode not in GREY or "transparency" in image.info:
                raise UserError(f"is an image of mode {image.mode}, expected grey levels or opaque colours")
            return LabelledMatrix(np.asarray(image))


def _opened(content: bytes, form: str) -> ImageFile:
    from PIL import Image, UnidentifiedImageError

    try:
        return Image.open(io.BytesIO(content), formats=[form])
    except UnidentifiedImageError:
        raise UserError(f"is no {form} image") from None
