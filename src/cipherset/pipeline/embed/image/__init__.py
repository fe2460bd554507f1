"""Images to unit-norm vectors, by an encoder pinned by digest."""

from cipherset.pipeline.embed.image.bundle import (
    is_image_built,
    read_image_bundle,
    write_image_bundle,
)
from cipherset.pipeline.embed.image.encoder import PixelEncoder, identity_of
from cipherset.pipeline.embed.image.graph import SIDE

__all__ = [
    "SIDE",
    "PixelEncoder",
    "identity_of",
    "is_image_built",
    "read_image_bundle",
    "write_image_bundle",
]
