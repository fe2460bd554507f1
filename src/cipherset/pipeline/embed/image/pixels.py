"""What graphs from pixels to one pooled vector per image have in common.

Only operators of the ONNX standard, as in ``pipeline.embed.graph``.
"""

from typing import Final

import numpy as np
import onnx
from onnx import TensorProto, helper

from cipherset.core.values import Float32s, Floats
from cipherset.pipeline.embed.identity import unsupported
from cipherset.pipeline.embed.image.layout import Tensors
from cipherset.pipeline.embed.nodes import Nodes

FORMAT: Final = 1  # raise it when a graph changes: cached graphs are then built anew
PIXELS: Final = "pixels"
POOLED: Final = "pooled"
_OPSET: Final = 20
_IR_VERSION: Final = 9


class PixelGraph(Nodes):
    """Nodes and constants that take their values from the weights of a network of images."""

    def __init__(self, tensors: Tensors) -> None:
        """With these weights, by name."""
        super().__init__()
        self._tensors = tensors

    def has(self, name: str) -> bool:
        """Whether there are weights of that name."""
        return name in self._tensors

    def tensor(self, name: str, n_axes: int) -> Float32s:
        """The weights of that name.

        Raises:
            InputError: ``encoder_unsupported``, missing or with another number of axes.
        """
        found = self._tensors.get(name)
        if found is None or found.ndim != n_axes:
            raise unsupported(f"its weights hold no {name} of {n_axes} axes")
        return found

    def scaled(self, mean: Floats | float, scale: float) -> str:
        """``(pixels - mean) / scale`` as (n, 3, side, side); ``mean`` is of each color, or one."""
        x = self.node("Cast", [PIXELS], {"to": TensorProto.FLOAT})
        x = self.node("Sub", [x, self.constant("mean", np.asarray(mean, dtype=np.float32))])
        x = self.node("Div", [x, self.constant("scale", np.float32(scale))])
        return self.node("Transpose", [x], {"perm": [0, 3, 1, 2]})

    def pooled(self, x: str, *, name: str | None = None) -> str:
        """The mean of each channel, (n, channels)."""
        return self.node("Flatten", [self.node("GlobalAveragePool", [x])], name=name)

    def serialized(self, name: str, *, side: int, dim: int) -> bytes:
        """The model: RGB pixels, uint8 (n, side, side, 3), to ``pooled``, float32 (n, dim)."""
        pixels = helper.make_tensor_value_info(PIXELS, TensorProto.UINT8, ["n", side, side, 3])
        pooled = helper.make_tensor_value_info(POOLED, TensorProto.FLOAT, ["n", dim])
        model = helper.make_model(
            helper.make_graph(self._nodes, name, [pixels], [pooled], self._constants),
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR_VERSION,
            producer_name="cipherset",
        )
        onnx.checker.check_model(model)
        serialized: bytes = model.SerializeToString(deterministic=True)
        return serialized
