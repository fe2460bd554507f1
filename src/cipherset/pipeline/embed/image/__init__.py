"""Images to unit-norm vectors, by an encoder pinned by digest."""

from cipherset.pipeline.embed.image.bundle import (
    is_image_built,
    read_image_bundle,
    write_image_bundle,
)
from cipherset.pipeline.embed.image.encoder import PixelEncoder
from cipherset.pipeline.embed.image.network import FACES, LITE0, ImageNetwork

__all__ = [
    "FACES",
    "LITE0",
    "ImageNetwork",
    "PixelEncoder",
    "is_image_built",
    "read_image_bundle",
    "write_image_bundle",
]
