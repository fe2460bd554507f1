"""Weights of EfficientNet-Lite0 out of the bytes of the file its package has, without a reader.

The file is in a format that is a program to be run when it is read. It is pinned by digest, so
where each tensor lies in it is known once and for all: ``lite0.json`` says so, and was written by
``scripts/image_encoder_layout.py``, which runs nothing of it either.
"""

import json
from importlib.resources import files
from math import prod
from typing import Final

import numpy as np

from cipherset.core.values import Float32s
from cipherset.pipeline.embed.identity import unsupported

Tensors = dict[str, Float32s]
_TABLE: Final = "lite0.json"
_NUMBER_BYTES: Final = 4
_CONVOLUTION: Final = 4  # dimensions
_TO_OIHW: Final = (3, 2, 0, 1)  # from the HWIO of the memory


def read_tensors(raw: bytes) -> Tensors:
    """The tensors of ``raw`` by name; those of convolutions as (out, in, height, width).

    Raises:
        InputError: ``encoder_unsupported``: it is too short to be that file.
    """
    table = json.loads(files(__package__).joinpath(_TABLE).read_text(encoding="ascii"))
    return {name: _tensor(raw, start, sizes) for name, (start, sizes) in table.items()}


def _tensor(raw: bytes, start: int, sizes: list[int]) -> Float32s:
    count = prod(sizes)
    if start + _NUMBER_BYTES * count > len(raw):
        raise unsupported("its file of weights is cut off")
    numbers = np.frombuffer(raw, dtype="<f4", count=count, offset=start).reshape(sizes)
    ordered = numbers.transpose(_TO_OIHW) if len(sizes) == _CONVOLUTION else numbers
    return np.ascontiguousarray(ordered, dtype=np.float32)
