"""The networks of images that there are: what decides their vectors, and how each is built."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from cipherset.core import canonical
from cipherset.pipeline.embed.image import graph, resnet
from cipherset.pipeline.embed.image.layout import FACES_TABLE, read_tensors

_FRAMING: Final = "central square, bicubic"


@dataclass(frozen=True, slots=True)
class ImageNetwork:
    """A network: the size of its images, in pixels, and its graph from the bytes of its weights.

    ``decides`` is all that its vectors depend on, beside size, framing and weights.
    """

    side: int
    decides: Mapping[str, str | float | list[float]]
    build: Callable[[bytes], bytes] = field(repr=False)

    def identity_of(self, weights: str) -> str:
        """``sha256:`` and hex over all of it; ``weights`` is the digest of their file."""
        told = {"weights": weights, "side": self.side, "framing": _FRAMING}
        return canonical.digest(told | dict(self.decides))


def _lite0(weights: bytes) -> bytes:
    return graph.build_graph(read_tensors(weights))


def _faces(weights: bytes) -> bytes:
    return resnet.build_face_graph(read_tensors(weights, FACES_TABLE))


LITE0: Final = ImageNetwork(
    graph.SIDE,
    {
        "architecture": "efficientnet-lite0",
        "pixel_mean": graph.PIXEL_MEAN,
        "pixel_scale": graph.PIXEL_SCALE,
    },
    _lite0,
)
FACES: Final = ImageNetwork(
    resnet.SIDE,
    {
        "architecture": "face-resnet-29",
        "pixel_mean": list(resnet.PIXEL_MEANS),
        "pixel_scale": resnet.PIXEL_SCALE,
    },
    _faces,
)
