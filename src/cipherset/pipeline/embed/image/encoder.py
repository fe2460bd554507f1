"""Images to unit vectors with onnxruntime: no torch, no network, nothing but pixels."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

from cipherset.core.errors import DimensionError
from cipherset.core.protocols import Progress
from cipherset.core.values import Float32s, Pixels
from cipherset.pipeline.embed.encoder import OpenGraph, unit_rows
from cipherset.pipeline.embed.image.pixels import PIXELS, POOLED
from cipherset.pipeline.embed.runtime import open_session

BATCH_IMAGES: Final = 4  # the activations of the first blocks stay small


class PixelEncoder(OpenGraph):
    """Implements ``core.protocols.ImageEncoder``; may be used from several threads."""

    def __init__(self, name: str, digest: str, *, graph: bytes, workers: int | None = None) -> None:
        """Open what was verified before; without ``workers``, all cores this process may use."""
        self._session = open_session(graph)
        super().__init__(name, digest, int(self._session.get_outputs()[0].shape[1]))
        self._workers = workers or len(os.sched_getaffinity(0))
        self._side = int(self._session.get_inputs()[0].shape[1])

    @property
    def side(self) -> int:
        """How many pixels wide and high the images are."""
        return self._side

    def encode(self, pixels: Pixels, *, progress: Progress | None = None) -> Float32s:
        """Unit-norm rows, shape (n, dim), of RGB images (n, side, side, 3), in their order.

        Raises:
            DimensionError: ``image_shape``: the array is no batch of such images.
            IntegrityError: ``encoder_output``, the weights hold values that are no numbers.
        """
        side = self._side
        if pixels.ndim != 4 or pixels.shape[1:] != (side, side, 3) or pixels.dtype != np.uint8:
            raise DimensionError(
                f"an array of {pixels.dtype} {pixels.shape}, expected uint8 (n, {side}, {side}, 3)",
                code="image_shape",
                hint="decode images with the source they come from",
            )
        vectors = np.empty((len(pixels), self._dim), dtype=np.float32)
        with ThreadPoolExecutor(self._workers) as threads:
            for rows, pooled in threads.map(lambda rows: self._run(pixels, rows), _parts(pixels)):
                vectors[rows] = unit_rows(pooled)
                if progress is not None:
                    progress.advance(len(pooled))
        return vectors

    def _run(self, pixels: Pixels, rows: slice) -> tuple[slice, Float32s]:
        return rows, self._session.run([POOLED], {PIXELS: pixels[rows]})[0]


def _parts(pixels: Pixels) -> Iterator[slice]:
    for start in range(0, len(pixels), BATCH_IMAGES):
        yield slice(start, start + BATCH_IMAGES)
