"""Weights of EfficientNet-Lite0 to an ONNX graph from pixels to one pooled vector per image.

Each batch normalization is folded into the convolution before it: ``(w * x - mean) * scale + bias``
is a convolution too.

Source: M. Tan, Q. Le, *EfficientNet*, ICML 2019, table 1; the lite variant leaves out squeeze and
excitation, takes ReLU6 for swish and keeps stem and head as they are:
https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite. The block is
M. Sandler et al., *MobileNetV2*, CVPR 2018, section 3.3.
"""

from typing import Final

import numpy as np

from cipherset.pipeline.embed.identity import unsupported
from cipherset.pipeline.embed.image.layout import Tensors
from cipherset.pipeline.embed.image.pixels import POOLED, PixelGraph

SIDE: Final = 224
# What a pixel is to the weights: lite models take (value - 127) / 128 of each color.
PIXEL_MEAN, PIXEL_SCALE = 127.0, 128.0
_EPSILON: Final = 1e-3  # of the batch normalizations
_STAGES: Final = ((1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1))  # blocks, first stride


def build_graph(tensors: Tensors) -> bytes:
    """The serialized model: RGB pixels, uint8 (n, 224, 224, 3), to ``pooled``, float32 (n, dim).

    Raises:
        InputError: ``encoder_unsupported``, a tensor is missing or of another shape.
    """
    graph = _Graph(tensors)
    x = graph.scaled(PIXEL_MEAN, PIXEL_SCALE)
    x = graph.bent(graph.convolution(x, "_conv_stem", "_bn0", stride=2))
    strides = [first if i == 0 else 1 for n, first in _STAGES for i in range(n)]
    for number, stride in enumerate(strides):
        x = _block(graph, x, f"_blocks.{number}.", stride)
    x = graph.bent(graph.convolution(x, "_conv_head", "_bn1"))
    graph.pooled(x, name=POOLED)
    return graph.serialized("lite0", side=SIDE, dim=len(graph.tensor("_conv_head.weight", 4)))


def _block(graph: "_Graph", x: str, at: str, stride: int) -> str:
    """Wider, each channel by itself, narrower; added to what came in where the sizes agree."""
    wide = x
    if graph.has(f"{at}_expand_conv.weight"):
        wide = graph.bent(graph.convolution(x, f"{at}_expand_conv", f"{at}_bn0"))
    depthwise = graph.tensor(f"{at}_depthwise_conv.weight", 4)
    apart = graph.convolution(
        wide, f"{at}_depthwise_conv", f"{at}_bn1", stride=stride, groups=len(depthwise)
    )
    narrow = graph.convolution(graph.bent(apart), f"{at}_project_conv", f"{at}_bn2")
    n_in = graph.tensor(f"{at}_expand_conv.weight", 4).shape[1] if wide != x else len(depthwise)
    n_out = len(graph.tensor(f"{at}_project_conv.weight", 4))
    return graph.node("Add", [narrow, x]) if stride == 1 and n_in == n_out else narrow


class _Graph(PixelGraph):
    """With its convolutions and what bends between them."""

    def __init__(self, tensors: Tensors) -> None:
        super().__init__(tensors)
        self._least = self.constant("least", np.float32(0))
        self._most = self.constant("most", np.float32(6))

    def convolution(
        self, x: str, name: str, normalized: str, *, stride: int = 1, groups: int = 1
    ) -> str:
        """``scale * (x * weight - mean) / sqrt(variance + epsilon) + bias``, sides padded."""
        weight = self.tensor(f"{name}.weight", 4).astype(np.float64)
        scale, bias, mean, variance = (
            self.tensor(f"{normalized}.{each}", 1).astype(np.float64)
            for each in ("weight", "bias", "running_mean", "running_var")
        )
        factor = scale / np.sqrt(variance + _EPSILON)
        if len(factor) != len(weight):
            raise unsupported(f"{normalized} is not as wide as {name}")
        folded = (weight * factor[:, None, None, None]).astype(np.float32)
        shift = (bias - mean * factor).astype(np.float32)
        return self.node(
            "Conv",
            [x, self.constant(f"{name}.weight", folded), self.constant(f"{name}.bias", shift)],
            {"strides": [stride, stride], "group": groups, "auto_pad": "SAME_UPPER"},
        )

    def bent(self, x: str) -> str:
        """``min(max(x, 0), 6)``."""
        return self.node("Clip", [x, self._least, self._most])
