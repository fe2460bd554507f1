"""How far each input of a matrix product goes, seen on a hundred texts that ship with us.

The texts are of many kinds and all made up, so an encoder in 8 bits is made from its weights and
nothing else, and is the same wherever it is made: what is measured is rounded, so that the last
bits of another processor do not show.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from tokenizers import Tokenizer

from cipherset.core.values import Float32s
from cipherset.pipeline.embed.graph import IDS, MASK, POOLED

_TEXTS: Final = "calibration.txt"
_LONG_TEXTS: Final = 8  # as many texts of a dozen lines each: late positions are seen too


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the greatest value of each channel, shape (dim,), of one tensor."""

    low: Float32s
    high: Float32s

    @property
    def reach(self) -> Float32s:
        """How far from zero each channel goes."""
        reach: Float32s = np.maximum(np.abs(self.low), np.abs(self.high))
        return reach


@cache
def calibration() -> bytes:
    """The file of texts."""
    return (files(__package__) / _TEXTS).read_bytes()


def calibration_texts() -> list[str]:
    """Its lines, and lines joined to long texts."""
    lines = calibration().decode("utf-8").splitlines()
    return lines + [" ".join(lines[start::_LONG_TEXTS]) for start in range(_LONG_TEXTS)]


def run_alone(
    graph: bytes, tokens: Sequence[Sequence[int]], outputs: Sequence[str] = (POOLED,)
) -> list[list[Float32s]]:
    """Each of ``outputs`` for each text alone: arrays (1, tokens, dim), of POOLED (1, dim)."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    found: list[list[Float32s]] = [[] for _ in outputs]
    for ids in tokens:
        row = np.array([ids], dtype=np.int64)
        values = session.run(list(outputs), {IDS: row, MASK: np.ones_like(row)})
        for kept, value in zip(found, values, strict=True):
            kept.append(value)
    return found


@dataclass(frozen=True, slots=True)
class Seen:
    """The range of each tensor that was asked for, and the vectors, not normalized, (n, dim)."""

    ranges: Mapping[str, Range]
    pooled: Float32s


def observe(model: onnx.ModelProto, names: Sequence[str], tokens: Sequence[Sequence[int]]) -> Seen:
    """What the graph's tensors ``names`` hold, over all tokens of all texts."""
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    for name in names:
        watched.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    *found, pooled = run_alone(watched.SerializeToString(), tokens, [*names, POOLED])
    held = {}
    for name, values in zip(names, found, strict=True):
        every = np.concatenate([each[0] for each in values])
        held[name] = Range(every.min(axis=0), every.max(axis=0))
    return Seen(held, np.concatenate(pooled))


def lowest_cosine(pooled: Float32s, other: bytes, tokens: Sequence[Sequence[int]]) -> float:
    """Between rows (n, dim) and the vectors that another graph gives to the same texts."""
    vectors = np.concatenate(run_alone(other, tokens)[0])
    norms = np.linalg.norm(pooled, axis=1) * np.linalg.norm(vectors, axis=1)
    return float(((pooled * vectors).sum(axis=1) / norms).min())


def calibration_tokens(tokenizer: bytes, max_tokens: int) -> list[list[int]]:
    """The token ids of the texts, for an encoder whose ``tokenizer`` was read before."""
    opened = Tokenizer.from_str(tokenizer.decode())
    opened.no_padding()
    opened.enable_truncation(max_tokens)
    return [each.ids for each in opened.encode_batch_fast(calibration_texts())]
