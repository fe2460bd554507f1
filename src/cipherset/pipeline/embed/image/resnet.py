"""Weights of dlib's network of faces to an ONNX graph from pixels to a vector of 128 numbers.

A residual network of 29 convolutions, each with an affine map per channel that is folded into it:
``scale * (x * weight + bias) + shift`` is a convolution too. Where what is added differs in size,
the smaller is filled up with zeros, as dlib's ``add_prev`` does.

Source: K. He et al., *Deep Residual Learning for Image Recognition*, CVPR 2016, section 3.3; the
layers are those of ``anet_type`` in
https://github.com/davisking/dlib/blob/master/examples/dnn_face_recognition_ex.cpp.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from cipherset.pipeline.embed.identity import unsupported
from cipherset.pipeline.embed.image.layout import Tensors
from cipherset.pipeline.embed.image.pixels import POOLED, PixelGraph

SIDE: Final = 150
# What a pixel is to the weights: (value - mean of that color) / 256; red, green, blue.
PIXEL_MEANS, PIXEL_SCALE = (122.782, 117.001, 104.298), 256.0
# Blocks, and the stride of the first of them.
_STAGES: Final = ((3, 1), (4, 2), (3, 2), (3, 2), (1, 2))


@dataclass(frozen=True, slots=True)
class _Maps:
    """What a node gives: so many channels, so many pixels wide and high."""

    name: str
    channels: int
    side: int


def build_face_graph(tensors: Tensors) -> bytes:
    """The serialized model: RGB pixels, uint8 (n, 150, 150, 3), to ``pooled``, float32 (n, dim).

    Raises:
        InputError: ``encoder_unsupported``, a tensor is missing or of another shape.
    """
    graph = _Graph(tensors)
    x = _Maps(graph.scaled(np.array(PIXEL_MEANS), PIXEL_SCALE), 3, SIDE)
    x = graph.strided(graph.rectified(graph.convolution(x, 0, stride=2)), "MaxPool", kernel=3)
    strides = [first if i == 0 else 1 for n, first in _STAGES for i in range(n)]
    for number, stride in enumerate(strides):
        x = _block(graph, x, 1 + 2 * number, stride)
    head = graph.tensor("head.weight", 2)
    mean = graph.pooled(x.name)
    if len(head) != x.channels:
        raise unsupported(f"head.weight takes {len(head)} numbers, not {x.channels}")
    graph.node("MatMul", [mean, graph.constant("head.weight", head)], name=POOLED)
    return graph.serialized("faces", side=SIDE, dim=head.shape[1])


def _block(graph: "_Graph", x: _Maps, number: int, stride: int) -> _Maps:
    """Two convolutions, added to what came in, which is made as coarse as they make it."""
    inner = graph.rectified(graph.convolution(x, number, stride=stride))
    outer = graph.convolution(inner, number + 1, stride=1)
    skipped = x if stride == 1 else graph.strided(x, "AveragePool", kernel=2)
    return graph.rectified(graph.added(outer, skipped))


class _Graph(PixelGraph):
    """With its convolutions, and what lies between them."""

    def convolution(self, x: _Maps, number: int, *, stride: int) -> _Maps:
        """``scale * (x * weight + bias) + shift``; the sides are padded where nothing is skipped.

        Raises:
            InputError: ``encoder_unsupported``.
        """
        name = f"conv{number}"
        weight = self.tensor(f"{name}.weight", 4).astype(np.float64)
        bias, scale, shift = (
            self.tensor(f"{name}.{each}", 1).astype(np.float64)
            for each in ("bias", "scale", "shift")
        )
        if weight.shape[1] != x.channels or not len(weight) == len(bias) == len(scale):
            raise unsupported(f"{name} does not fit what comes before it")
        kernel = weight.shape[2]
        padded = 0 if stride > 1 else kernel // 2
        made = self.node(
            "Conv",
            [
                x.name,
                self.constant(f"{name}.weight", _float32(weight * scale[:, None, None, None])),
                self.constant(f"{name}.bias", _float32(bias * scale + shift)),
            ],
            {"strides": [stride, stride], "pads": [padded] * 4},
        )
        return _Maps(made, len(weight), (x.side + 2 * padded - kernel) // stride + 1)

    def rectified(self, x: _Maps) -> _Maps:
        """``max(x, 0)``."""
        return _Maps(self.node("Relu", [x.name]), x.channels, x.side)

    def strided(self, x: _Maps, operator: str, *, kernel: int) -> _Maps:
        """Every second pixel of the maxima or means of squares of ``kernel`` pixels."""
        attributes = {"kernel_shape": [kernel, kernel], "strides": [2, 2]}
        made = self.node(operator, [x.name], attributes)
        return _Maps(made, x.channels, (x.side - kernel) // 2 + 1)

    def added(self, x: _Maps, y: _Maps) -> _Maps:
        """``x + y``, each filled up with zeros to the size of the other."""
        channels, side = max(x.channels, y.channels), max(x.side, y.side)
        both = [self._filled(each, channels, side) for each in (x, y)]
        return _Maps(self.node("Add", both), channels, side)

    def _filled(self, x: _Maps, channels: int, side: int) -> str:
        more, wider = channels - x.channels, side - x.side
        if not more and not wider:
            return x.name
        pads = np.array([0, 0, 0, 0, 0, more, wider, wider])
        return self.node("Pad", [x.name, self.constant(f"{x.name}.filled", pads)])


def _float32(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)
