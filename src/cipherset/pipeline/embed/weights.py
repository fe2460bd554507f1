"""Files of weights to float32 tensors under the names that BERT's authors gave them.

No torch and no pickle: a safetensors file, or an ONNX graph that was exported from the same model.
"""

from enum import Enum
from typing import Final

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from safetensors import SafetensorError
from safetensors.numpy import load

from cipherset.core.values import Float32s
from cipherset.pipeline.embed.identity import unsupported

Tensors = dict[str, Float32s]
WORDS: Final = "embeddings.word_embeddings.weight"


class WeightsFormat(Enum):
    """How a file holds its weights."""

    SAFETENSORS = "safetensors"
    ONNX_EXPORT = "onnx"


def read_tensors(raw: bytes, form: WeightsFormat) -> Tensors:
    """The tensors of ``raw`` by name, without whatever prefix the exporting class gave them.

    Raises:
        InputError: ``encoder_unsupported``, for anything that is not the weights of a BERT.
    """
    named = _from_onnx(raw) if form is WeightsFormat.ONNX_EXPORT else _from_safetensors(raw)
    prefix = next((name.removesuffix(WORDS) for name in named if name.endswith(WORDS)), None)
    if prefix is None:
        raise unsupported(f"its weights hold no {WORDS}")
    return {
        name.removeprefix(prefix): np.ascontiguousarray(values, dtype=np.float32)
        for name, values in named.items()
        if name.startswith(prefix) and values.dtype.kind == "f"
    }


def _from_safetensors(raw: bytes) -> dict[str, np.ndarray]:
    try:
        tensors: dict[str, np.ndarray] = load(raw)
    except (SafetensorError, KeyError, TypeError, AttributeError):
        raise unsupported("model.safetensors cannot be read (float32 or float16 only)") from None
    return tensors


def _from_onnx(raw: bytes) -> dict[str, np.ndarray]:
    """The initializers, and each nameless matrix under the name of the bias that is added to it.

    Exporters transpose and rename the matrices of linear layers but leave their biases alone:
    ``Add(MatMul(x, W), "a.b.bias")`` says that ``W.T`` is ``a.b.weight``.
    """
    try:
        graph = onnx.load_model_from_string(raw).graph
    except DecodeError:
        raise unsupported("its ONNX file cannot be read") from None
    named = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
    matrices = {
        node.output[0]: node.input[1]
        for node in graph.node
        if node.op_type == "MatMul" and node.input[1] in named
    }
    for node in graph.node:
        if node.op_type != "Add":
            continue
        bias = next((name for name in node.input if name.endswith(".bias")), None)
        product = next((name for name in node.input if name in matrices), None)
        if bias is not None and product is not None:
            name = bias.removesuffix("bias") + "weight"
            named.setdefault(name, named[matrices[product]].T)
    return named
