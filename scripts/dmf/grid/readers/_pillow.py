"""What readers of images share: Pillow opens them, and what it would change silently is refused or undone.

Pillow scales grey levels of few bits to 255, takes colours of 16 bits for 8, and turns some images but not others.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dmf.errors import UserError
from dmf.grid.labelled import refuse_shape

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

COLOUR = ("RGB", "P")
MOST_COUNTED = 10
ORIENTATION = 274  # tag of TIFF and EXIF; 1 is upright
LUMINANCE = np.array([299, 587, 114])  # thousandths of red, green and blue, ITU-R BT.601
CURE = "save it as .png of grey levels, or its numbers as .npy"


def opened(content: bytes, form: str) -> ImageFile:
    """The one image in a file, not yet decoded. Raises UserError where it is none, too large, or several."""
    from PIL import Image, UnidentifiedImageError

    try:
        image = Image.open(io.BytesIO(content), formats=[form])
    except UnidentifiedImageError:
        raise UserError(f"is no {form} image that can be read; {CURE}") from None
    refuse_shape((image.height, image.width))
    if (frames := _frames(image)) != 1:
        count = frames if frames < MOST_COUNTED else f"at least {MOST_COUNTED}"
        raise UserError(f"has {count} images, expected one")
    return image


def refuse_turned(orientation: object) -> None:
    """Raise UserError where a viewer would turn or mirror the image: some readers do, others do not."""
    if orientation not in (None, 1):
        raise UserError(f"has orientation {orientation}, expected 1, upright; turn its pixels and save it so")


def grey(image: ImageFile) -> NDArray[Any]:
    """Grey levels as Pillow has them; those of one bit, which it has as 0 and 255 or 1, are 0 and 1."""
    if image.mode == "1":
        return np.asarray(np.asarray(image.convert("L")) > 0).astype(np.uint8)
    return np.asarray(image)


def colours(image: ImageFile) -> NDArray[np.float64]:
    """The luminance of opaque colours of 8 bits a channel, (row, column); that of a grey is its level exactly.

    Raises UserError for other images.
    """
    if image.mode not in COLOUR or "transparency" in image.info:
        kind = "P with transparency" if image.mode == "P" else image.mode
        raise UserError(f"is an image of mode {kind}, expected grey levels or opaque colours")
    channels: NDArray[Any] = np.asarray(image)
    if image.mode == "P":
        palette = np.array(image.getpalette("RGB")).reshape(-1, 3)
        if channels.max() >= len(palette):
            raise UserError(f"has colour {channels.max()} of a palette of {len(palette)}; {CURE}")
        channels = palette[channels]
    return np.asarray(channels.astype(np.int64) @ LUMINANCE / 1000)


def _frames(image: ImageFile) -> int:
    """The number of images, or MOST_COUNTED: to count all of a film can take a minute."""
    for number in range(1, MOST_COUNTED):
        try:
            image.seek(number)
        except EOFError:
            return number
    return MOST_COUNTED
