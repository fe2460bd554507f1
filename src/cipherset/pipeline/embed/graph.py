"""Weights of a BERT to an ONNX graph from token ids to one pooled vector per text.

Only operators of the ONNX standard: the runtime fuses what it likes, and any other runtime can
open the same file. No converter, no tracing: what is computed is what is written here.

Source: J. Devlin, M. Chang, K. Lee, K. Toutanova, *BERT*, NAACL 2019, section 3; the encoder block
is A. Vaswani et al., *Attention Is All You Need*, 2017, sections 3.1 to 3.3, layer norm last.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper

from cipherset.core.values import Float32s
from cipherset.pipeline.embed.identity import BertSettings, Pooling, unsupported
from cipherset.pipeline.embed.nodes import Nodes
from cipherset.pipeline.embed.weights import WORDS, Tensors

FORMAT: Final = 1  # raise it when the graph changes: cached graphs are then built anew
IDS: Final = "input_ids"
MASK: Final = "attention_mask"
POOLED: Final = "pooled"
_OPSET: Final = 20  # the first with Gelu; its default is the exact one, by erf
_IR_VERSION: Final = 9
_FAR: Final = 1e9  # a padded token's score falls so far below all others that its weight is 0


def build_graph(tensors: Tensors, settings: BertSettings) -> bytes:
    """The serialized model: ids and mask, int64 (n, tokens), to ``pooled``, float32 (n, dim).

    ``pooled`` is not normalized, and the mean is a sum: they differ by the norm alone.

    Raises:
        InputError: ``encoder_unsupported``, a tensor is missing or has another shape.
    """
    graph = _Graph(tensors)
    n_positions, dim = _sizes(tensors, settings)
    x = _embeddings(graph, settings, (n_positions, dim))
    mask = graph.node("Cast", [MASK], {"to": TensorProto.FLOAT})
    mask = graph.node("Unsqueeze", [mask, graph.constant("one", np.array([1]))])
    nearness = graph.node("Sub", [mask, graph.constant("unit", np.float32(1))])
    nearness = graph.node("Mul", [nearness, graph.constant("far", np.float32(_FAR))])
    nearness = graph.node("Unsqueeze", [nearness, "one"])
    for layer in range(_n_layers(tensors)):
        block = _Block(graph, f"encoder.layer.{layer}.", settings, dim)
        x = block.output(block.attention(x, nearness))
    if settings.pooling is Pooling.CLS:
        first = graph.constant("first", np.array(0))
        graph.node("Gather", [x, first], {"axis": 1}, name=POOLED)
    else:
        graph.node("Squeeze", [graph.node("MatMul", [mask, x]), "one"], name=POOLED)
    return graph.serialized(dim)


def _sizes(tensors: Tensors, settings: BertSettings) -> tuple[int, int]:
    positions = tensors.get("embeddings.position_embeddings.weight")
    if positions is None or positions.ndim != 2:
        raise unsupported("its weights hold no table of positions")
    n_positions, dim = positions.shape
    if settings.n_heads < 1 or dim % settings.n_heads:
        raise unsupported(f"{settings.n_heads} heads do not divide its {dim} dimensions")
    if settings.max_tokens > n_positions:
        raise unsupported(f"{settings.max_tokens} tokens, but only {n_positions} positions")
    return n_positions, dim


def _n_layers(tensors: Tensors) -> int:
    layers = {name.split(".")[2] for name in tensors if name.startswith("encoder.layer.")}
    if not layers:
        raise unsupported("its weights hold no encoder.layer")
    return len(layers)


class _Graph(Nodes):
    """Nodes and constants that take their values from the weights."""

    def __init__(self, tensors: Tensors) -> None:
        super().__init__()
        self._tensors = tensors

    def tensor(self, name: str, shape: tuple[int, ...]) -> Float32s:
        """The weights of that name.

        Raises:
            InputError: ``encoder_unsupported``, missing or of another shape (-1 fits any).
        """
        found = self._tensors.get(name)
        if found is None:
            raise unsupported(f"its weights hold no {name}")
        fits = len(found.shape) == len(shape) and all(
            want in {-1, have} for want, have in zip(shape, found.shape, strict=True)
        )
        if not fits:
            raise unsupported(f"{name} has shape {found.shape}, not {shape}")
        return found

    def linear(self, x: str, name: str, shape: tuple[int, int], *, scale: float = 1.0) -> str:
        """``scale * (x @ weight.T + bias)``; weights are stored (out, in)."""
        weight = self.tensor(f"{name}.weight", shape) * np.float32(scale)
        bias = self.tensor(f"{name}.bias", (len(weight),)) * np.float32(scale)
        product = self.node(
            "MatMul", [x, self.constant(f"{name}.weight", np.ascontiguousarray(weight.T))]
        )
        return self.node("Add", [product, self.constant(f"{name}.bias", bias)])

    def layer_norm(self, x: str, name: str, dim: int, epsilon: float) -> str:
        scale = self.constant(f"{name}.weight", self.tensor(f"{name}.weight", (dim,)))
        shift = self.constant(f"{name}.bias", self.tensor(f"{name}.bias", (dim,)))
        return self.node("LayerNormalization", [x, scale, shift], {"epsilon": epsilon})

    def serialized(self, dim: int) -> bytes:
        def value(name: str, kind: int, shape: Sequence[str | int]) -> Any:  # noqa: ANN401 -- onnx
            return helper.make_tensor_value_info(name, kind, shape)

        inputs = [value(name, TensorProto.INT64, ["n", "tokens"]) for name in (IDS, MASK)]
        outputs = [value(POOLED, TensorProto.FLOAT, ["n", dim])]
        model = helper.make_model(
            helper.make_graph(self._nodes, "bert", inputs, outputs, self._constants),
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR_VERSION,
            producer_name="cipherset",
        )
        onnx.checker.check_model(model)
        serialized: bytes = model.SerializeToString(deterministic=True)
        return serialized


def _embeddings(graph: _Graph, settings: BertSettings, shape: tuple[int, int]) -> str:
    """Word + position + type, normalized; every token of a single text is of type 0."""
    dim = shape[1]
    words = graph.constant(WORDS, graph.tensor(WORDS, (-1, dim)))
    types = graph.tensor("embeddings.token_type_embeddings.weight", (-1, dim))
    places = graph.tensor("embeddings.position_embeddings.weight", shape) + types[0]
    n_tokens = graph.node("Shape", [IDS], {"start": 1, "end": 2})
    start = graph.constant("start", np.array([0]))
    used = graph.node("Slice", [graph.constant("positions", places), start, n_tokens, start])
    summed = graph.node("Add", [graph.node("Gather", [words, IDS]), used])
    return graph.layer_norm(summed, "embeddings.LayerNorm", dim, settings.layer_norm_epsilon)


class _Block:
    """One layer: attention, then two linear maps, each added to its input and normalized."""

    def __init__(self, graph: _Graph, prefix: str, settings: BertSettings, dim: int) -> None:
        self._graph = graph
        self._prefix = prefix
        self._settings = settings
        self._dim = dim
        self._head_dim = dim // settings.n_heads

    def attention(self, x: str, nearness: str) -> str:
        """``softmax(q @ k.T / sqrt(head_dim) + nearness) @ v`` for each head, then linear."""
        graph, dim = self._graph, self._dim
        query = self._heads(x, "query", [0, 2, 1, 3], scale=self._head_dim**-0.5)
        key = self._heads(x, "key", [0, 2, 3, 1])
        value = self._heads(x, "value", [0, 2, 1, 3])
        scores = graph.node("Add", [graph.node("MatMul", [query, key]), nearness])
        shares = graph.node("Softmax", [scores], {"axis": -1})
        mixed = graph.node("MatMul", [shares, value])
        mixed = graph.node("Transpose", [mixed], {"perm": [0, 2, 1, 3]})
        whole = graph.constant(f"{self._prefix}whole", np.array([0, 0, dim]))
        mixed = graph.node("Reshape", [mixed, whole])
        linear = graph.linear(mixed, f"{self._prefix}attention.output.dense", (dim, dim))
        return self._add_and_norm(linear, x, "attention.output.LayerNorm")

    def output(self, x: str) -> str:
        """``gelu(x @ a + b) @ c + d``, added and normalized."""
        graph, dim = self._graph, self._dim
        wide = graph.linear(x, f"{self._prefix}intermediate.dense", (-1, dim))
        wide = graph.node("Gelu", [wide])
        narrow = graph.linear(wide, f"{self._prefix}output.dense", (dim, -1))
        return self._add_and_norm(narrow, x, "output.LayerNorm")

    def _heads(self, x: str, name: str, order: list[int], *, scale: float = 1.0) -> str:
        full = f"{self._prefix}attention.self.{name}"
        linear = self._graph.linear(x, full, (self._dim, self._dim), scale=scale)
        split = np.array([0, 0, self._settings.n_heads, self._head_dim])
        split_name = self._graph.constant(f"{full}.split", split)
        parted = self._graph.node("Reshape", [linear, split_name])
        return self._graph.node("Transpose", [parted], {"perm": order})

    def _add_and_norm(self, x: str, skip: str, name: str) -> str:
        summed = self._graph.node("Add", [x, skip])
        epsilon = self._settings.layer_norm_epsilon
        return self._graph.layer_norm(summed, f"{self._prefix}{name}", self._dim, epsilon)
