"""Weights out of the bytes of the file that a package has, without a reader of such files.

One of them is in a format that is a program to be run when it is read. The files are pinned by
digest, so where each tensor lies in them is known once and for all: a table says so. ``lite0.json``
was written by ``scripts/image_encoder_layout.py``, which runs nothing of the file either, and
``faces.json`` by ``scripts/face_encoder_layout.py``.
"""

import json
from importlib.resources import files
from math import prod
from typing import Final

import numpy as np

from cipherset.core.values import Float32s
from cipherset.pipeline.embed.identity import unsupported

Tensors = dict[str, Float32s]
LITE0_TABLE: Final = "lite0.json"
FACES_TABLE: Final = "faces.json"
_NUMBER_BYTES: Final = 4
_CONVOLUTION: Final = 4  # dimensions
_TO_OIHW: Final = (3, 2, 0, 1)  # from the HWIO of the memory


def read_tensors(raw: bytes, table: str = LITE0_TABLE) -> Tensors:
    """The tensors of ``raw`` by name; those of convolutions as (out, in, height, width).

    Raises:
        InputError: ``encoder_unsupported``: it is too short to be that file.
    """
    places = json.loads(files(__package__).joinpath(table).read_text(encoding="ascii"))
    found = {name: _tensor(raw, start, sizes) for name, (start, sizes) in places.items()}
    if table == LITE0_TABLE:
        return {name: _as_oihw(values) for name, values in found.items()}
    return found


def _tensor(raw: bytes, start: int, sizes: list[int]) -> Float32s:
    count = prod(sizes)
    if start + _NUMBER_BYTES * count > len(raw):
        raise unsupported("its file of weights is cut off")
    numbers = np.frombuffer(raw, dtype="<f4", count=count, offset=start).reshape(sizes)
    return np.ascontiguousarray(numbers, dtype=np.float32)


def _as_oihw(values: Float32s) -> Float32s:
    if values.ndim != _CONVOLUTION:
        return values
    return np.ascontiguousarray(values.transpose(_TO_OIHW))
