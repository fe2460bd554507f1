"""The bytes of an image file to a square of pixels, within bounds.

A file of a few bytes can claim a billion pixels, so its header is judged before anything is
decoded. Only the formats named here are tried. Of all that a file says, the orientation is heeded
and only pixels go on: no place, no time, no camera, no comment, no thumbnail, no second frame.
"""

import io
import struct
import zlib
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from cipherset.core.errors import InputError
from cipherset.core.process.unwarned import unwarned
from cipherset.core.values import Pixels

FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "PPM")
SUFFIXES: Final = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".pbm", ".pgm", ".ppm"}
)
MOST_BYTES: Final = 1 << 25
MOST_PIXELS: Final = 40_000_000  # 160 MB as RGBA
_WHITE: Final = (255, 255, 255)
# Modes of 8 bits a channel, or of one; others Pillow cuts off where they are brighter than that.
_EIGHT_BITS: Final = frozenset({"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "CMYK"})
_SIXTEEN_BITS: Final = 65535
# A JPEG is decoded at a fraction of its size where that is still twice what is asked for.
_SPARE: Final = 2
# What Pillow's decoders raise for bytes that are not what they claim to be.
_BROKEN: Final = (
    *(OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, AttributeError),
    *(EOFError, OverflowError, MemoryError, RecursionError, struct.error, zlib.error),
    *(AssertionError, ZeroDivisionError, NotImplementedError),
)


def decoded(raw: bytes, side: int, *, place: str) -> Pixels:
    """The central square of an image, uint8 RGB (side, side, 3); ``place`` is what messages say.

    Transparency lies over white. Of an animation it is the first frame.

    Raises:
        InputError: ``image_too_large``, or ``image_unreadable``: not an image of ``FORMATS``, or
            a damaged one.
    """
    if len(raw) > MOST_BYTES:
        raise too_large(place, f"{len(raw)} bytes", f"{MOST_BYTES} bytes")
    try:
        # Its warning of large images is to be no warning: they are refused below.
        with (
            unwarned(),
            Image.open(io.BytesIO(raw), "r", FORMATS) as image,
        ):
            width, height = image.size
            if width * height <= MOST_PIXELS:
                return _square(image, side)
            found = f"{width} x {height} pixels"
    except Image.DecompressionBombError:  # far more than that, and not to be told how many
        found = "far more pixels"
    except _BROKEN:
        raise InputError(
            f"{place}: no image that can be read",
            code="image_unreadable",
            hint=f"expected a whole file of one of {', '.join(FORMATS)}",
        ) from None
    raise too_large(place, found, f"{MOST_PIXELS} pixels")


def _square(image: Image.Image, side: int) -> Pixels:
    if image.format == "JPEG":
        image.draft("RGB", (_SPARE * side, _SPARE * side))
    upright = ImageOps.exif_transpose(image)
    least = min(upright.size)
    left, top = ((length - least) // 2 for length in upright.size)
    central = _colored(upright.crop((left, top, left + least, top + least)))
    framed = central.resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(framed, dtype=np.uint8)


def _colored(image: Image.Image) -> Image.Image:
    """RGB; what is transparent is white.

    Raises:
        ValueError: samples that are no whole numbers of at most 16 bits.
    """
    if image.mode == "I" or image.mode.startswith("I;16"):
        return _scaled(np.asarray(image)).convert("RGB")
    if image.mode not in _EIGHT_BITS:
        raise ValueError(image.mode)
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        under = Image.new("RGBA", seen.size, (*_WHITE, 255))
        return Image.alpha_composite(under, seen).convert("RGB")
    return image.convert("RGB")


def _scaled(gray: npt.NDArray[np.integer]) -> Image.Image:
    """16 bits to 8; a decoder that hands out 32 has brought them to 16."""
    if gray.min() < 0 or gray.max() > _SIXTEEN_BITS:
        raise ValueError("samples of more than 16 bits")
    return Image.fromarray(np.rint(gray * (255 / _SIXTEEN_BITS)).astype(np.uint8))


def too_large(place: str, found: str, most: str) -> InputError:
    """An image that is not read; ``found`` and ``most`` are sizes with their units."""
    return InputError(
        f"{place}: an image of {found}, at most {most} are read",
        code="image_too_large",
        hint="scale it down first",
    )
