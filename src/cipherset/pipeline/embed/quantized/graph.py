"""A graph of float32 to one whose matrix products are of 8-bit integers, four times as dense.

    x @ w  ->  dequantize(quantize(x / s)) @ dequantize(quantize(s * w))

Weights have a scale per column. Inputs have one scale and one zero for the whole tensor, fixed
when the graph is made: so the vector of a text depends on that text alone, not on what else is in
its batch, as it would with scales found while running. ``s`` evens the channels out between input
and weights, since a few channels go ten times as far as all others. What the first layers' second
linear map gets from its activation goes furthest; these products stay in float32.

Operators of the ONNX standard (QuantizeLinear, DequantizeLinear): a runtime that knows the pattern
multiplies integers, and any other gives the same vectors, only slower.

Source: evening out is G. Xiao et al., *SmoothQuant*, ICML 2023, section 4, equation 4 with
alpha = 0.8 and ``s`` over its geometric mean; scales and zeros are B. Jacob et al., *Quantization
and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference*, CVPR 2018,
section 2.1.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from cipherset.core.canonical import digest_bytes
from cipherset.core.values import Float32s
from cipherset.pipeline.embed.quantized.ranges import (
    Range,
    calibration,
    calibration_tokens,
    lowest_cosine,
    observe,
)

_NUMBER: Final = 1  # of this construction: raise it when the graph changes
METHOD: Final = f"int8/{_NUMBER} {digest_bytes(calibration())}"
_ALPHA: Final = 0.8  # the highest of the lowest cosines among .3, .5, .7, .8 and .9
_LEAST: Final = 1e-5  # a channel that is never on
_STEPS: Final = 4  # factors are powers of 2 ** (1 / 4)
_KEPT: Final = re.compile(r"encoder\.layer\.(\d+)\.output\.dense\.weight")
_KEPT_SHARE: Final = 3  # the first third of the layers


@dataclass(frozen=True, slots=True)
class Quantized:
    """The serialized graph, and the lowest cosine to the exact vectors of the shipped texts."""

    graph: bytes = field(repr=False)
    lowest_cosine: float


def quantize_graph(graph: bytes, *, tokenizer: bytes, max_tokens: int) -> Quantized:
    """``graph``, which ``build_graph`` made, with 8-bit products; inputs and output are the same.

    The graph and ``tokenizer`` were opened as an encoder before.
    """
    model = onnx.load_model_from_string(graph)
    tokens = calibration_tokens(tokenizer, max_tokens)
    rewritten = _Rewritten(model)
    seen = observe(model, list(rewritten.products), tokens)
    made = rewritten.serialized(seen.ranges)
    return Quantized(made, lowest_cosine(seen.pooled, made, tokens))


@dataclass(frozen=True, slots=True)
class _Scale:
    """Of an input: ``factors`` per channel, then one ``scale`` and ``zero`` for all."""

    factors: Float32s
    scale: np.float32
    zero: np.uint8


def _scale_of(seen: Range, weights: Float32s) -> _Scale:
    """For an input with these ranges and all the weights (dim, n) that it is multiplied with."""
    reach = np.maximum(seen.reach, _LEAST)
    weight = np.maximum(np.abs(weights).max(axis=1), _LEAST)
    exponents = np.log2(reach) * _ALPHA - np.log2(weight) * (1 - _ALPHA)
    steps = np.round((exponents - exponents.mean()) * _STEPS) / _STEPS
    factors = np.exp2(steps).astype(np.float32)
    low = min(float((seen.low / factors).min()), 0.0)
    high = max(float((seen.high / factors).max()), 0.0)
    scale = np.float32(f"{max((high - low) / 255, _LEAST):.3g}")
    return _Scale(factors, scale, np.uint8(np.clip(round(-low / scale), 0, 255)))


def _columns(weight: Float32s) -> tuple[npt.NDArray[np.int8], Float32s]:
    """``weight`` (dim, n) as integers of -127 ... 127, and the scale of each column (n,)."""
    scales = (np.maximum(np.abs(weight).max(axis=0), _LEAST) / 127).astype(np.float32)
    return np.clip(np.round(weight / scales), -127, 127).astype(np.int8), scales


class _Rewritten:
    """A model with its products taken apart; ``products`` are the weights that each input meets."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._model = model
        held = {each.name: each for each in model.graph.initializer}
        self._held = {
            node.input[1]: numpy_helper.to_array(held[node.input[1]])
            for node in model.graph.node
            if node.op_type == "MatMul" and node.input[1] in held
        }
        self.products: dict[str, list[str]] = {}
        kept = _kept(list(self._held))
        for node in model.graph.node:
            if node.op_type == "MatMul" and node.input[1] in self._held.keys() - kept:
                self.products.setdefault(node.input[0], []).append(node.input[1])
        self._constants: list[Any] = []

    def serialized(self, seen: Mapping[str, Range]) -> bytes:
        scales = {}
        for name, weights in self.products.items():
            scales[name] = _scale_of(
                seen[name], np.concatenate([self._held[weight] for weight in weights], axis=1)
            )
        nodes = list(self._nodes(scales))
        replaced = {weight for weights in self.products.values() for weight in weights}
        old = self._model.graph
        graph = helper.make_graph(
            nodes,
            old.name,
            old.input,
            old.output,
            [*(each for each in old.initializer if each.name not in replaced), *self._constants],
        )
        made = helper.make_model(
            graph,
            opset_imports=self._model.opset_import,
            ir_version=self._model.ir_version,
            producer_name=self._model.producer_name,
        )
        onnx.checker.check_model(made)
        serialized: bytes = made.SerializeToString(deterministic=True)
        return serialized

    def _nodes(self, scales: Mapping[str, _Scale]) -> Iterator[Any]:
        """The old nodes in order; each input is quantized once, before it is first used."""
        done: set[str] = set()
        for node in self._model.graph.node:
            x = node.input[0]
            if node.op_type != "MatMul" or node.input[1] not in self.products.get(x, ()):
                yield node
                continue
            if x not in done:
                done.add(x)
                yield from self._input(x, scales[x])
            yield from self._product(node, scales[x])

    def _input(self, x: str, scale: _Scale) -> Iterator[Any]:
        even = self._constant(f"{x}.even", (1 / scale.factors).astype(np.float32))
        self._constant(f"{x}.scale", scale.scale)
        self._constant(f"{x}.zero", scale.zero)
        yield helper.make_node("Mul", [x, even], [f"{x}.evened"])
        inputs = [f"{x}.evened", f"{x}.scale", f"{x}.zero"]
        yield helper.make_node("QuantizeLinear", inputs, [f"{x}.int8"])

    def _product(self, node: Any, scale: _Scale) -> Iterator[Any]:  # noqa: ANN401 -- onnx
        x, weight = node.input
        whole, columns = _columns(self._held[weight] * scale.factors[:, None])
        constants = [
            self._constant(f"{weight}.int8", whole),
            self._constant(f"{weight}.scale", columns),
            self._constant(f"{weight}.zero", np.zeros(len(columns), dtype=np.int8)),
        ]
        # Each product has a Dequantize of its own, or the runtime does not know the pattern.
        inputs = [f"{x}.int8", f"{x}.scale", f"{x}.zero"]
        yield helper.make_node("DequantizeLinear", inputs, [f"{weight}.x"])
        yield helper.make_node("DequantizeLinear", constants, [f"{weight}.w"], axis=1)
        yield helper.make_node("MatMul", [f"{weight}.x", f"{weight}.w"], list(node.output))

    def _constant(self, name: str, values: np.ndarray | np.generic) -> str:
        self._constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name


def _kept(weights: Sequence[str]) -> set[str]:
    """The weights that stay in float32."""
    layers = {int(found[1]): name for name in weights if (found := _KEPT.fullmatch(name))}
    return {name for layer, name in layers.items() if layer < len(layers) // _KEPT_SHARE}
