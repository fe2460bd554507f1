"""The graph computes a BERT: checked against ten lines of numpy per layer, one text at a time."""

import math

import numpy as np
import onnx
import onnxruntime
import pytest

from cipherset.core.errors import InputError
from cipherset.pipeline.embed import BertSettings, Pooling
from cipherset.pipeline.embed.graph import build_graph

MEAN = BertSettings(3, 1e-12, Pooling.MEAN, max_tokens=12)
CLS = BertSettings(3, 1e-12, Pooling.CLS, max_tokens=12)
IDS = [[2, 6, 4, 7, 5, 3], [2, 3, 0, 0, 0, 0], [2, 9, 4, 8, 3, 0]]
MASK = [[1] * 6, [1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 1, 0]]


@pytest.mark.parametrize("settings", [MEAN, CLS], ids=["mean", "cls"])
def test_graph_is_the_slow_oracle(tiny_tensors, settings):
    pooled = _run(build_graph(tiny_tensors, settings))
    pairs = zip(IDS, MASK, strict=True)
    slow = [_slow_bert(tiny_tensors, ids, mask, settings) for ids, mask in pairs]
    np.testing.assert_allclose(_unit(pooled), _unit(np.array(slow)), atol=2e-6)


def test_the_same_weights_give_the_same_bytes(tiny_tensors):
    shuffled = dict(reversed(tiny_tensors.items()))
    assert build_graph(tiny_tensors, MEAN) == build_graph(shuffled, MEAN)


def test_only_operators_of_the_standard(tiny_tensors):
    model = onnx.load_model_from_string(build_graph(tiny_tensors, MEAN))
    assert {node.domain for node in model.graph.node} == {""}
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 20)]


@pytest.mark.parametrize(
    "missing",
    [
        "embeddings.position_embeddings.weight",
        "embeddings.LayerNorm.bias",
        "encoder.layer.1.attention.self.key.bias",
        "encoder.layer.",
    ],
)
def test_a_missing_tensor_is_refused(tiny_tensors, missing):
    rest = {name: each for name, each in tiny_tensors.items() if not name.startswith(missing)}
    with pytest.raises(InputError, match="hold no") as refusal:
        build_graph(rest, MEAN)
    assert refusal.value.code == "encoder_unsupported"


@pytest.mark.parametrize("shape", [(24, 25), (24,)])
def test_a_tensor_of_another_shape_is_refused(tiny_tensors, shape):
    name = "encoder.layer.0.attention.self.query.weight"
    changed = tiny_tensors | {name: np.zeros(shape, dtype=np.float32)}
    with pytest.raises(InputError, match=name) as refusal:
        build_graph(changed, MEAN)
    assert refusal.value.code == "encoder_unsupported"


@pytest.mark.parametrize(
    ("heads", "tokens", "words"), [(5, 12, "5 heads"), (0, 12, "0 heads"), (3, 17, "16 positions")]
)
def test_settings_that_contradict_the_weights_are_refused(tiny_tensors, heads, tokens, words):
    with pytest.raises(InputError, match=words) as refusal:
        build_graph(tiny_tensors, BertSettings(heads, 1e-12, Pooling.MEAN, max_tokens=tokens))
    assert refusal.value.code == "encoder_unsupported"


def _run(graph):
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    feeds = {"input_ids": np.array(IDS), "attention_mask": np.array(MASK)}
    return session.run(None, feeds)[0]


def _unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def _slow_bert(tensors, ids, mask, settings):
    """One text without its padding, in float64, head by head and token by token."""
    ids = [number for number, counts in zip(ids, mask, strict=True) if counts]
    at = {name: each.astype(np.float64) for name, each in tensors.items()}
    x = np.array(
        [
            at["embeddings.word_embeddings.weight"][number]
            + at["embeddings.position_embeddings.weight"][place]
            + at["embeddings.token_type_embeddings.weight"][0]
            for place, number in enumerate(ids)
        ]
    )
    x = _norm(x, at, "embeddings.LayerNorm")
    for layer in range(2):
        name = f"encoder.layer.{layer}."
        query, key, value = (
            _linear(x, at, f"{name}attention.self.{part}") for part in ("query", "key", "value")
        )
        mixed = np.zeros_like(x)
        size = x.shape[1] // settings.n_heads
        for head in range(settings.n_heads):
            cut = slice(head * size, (head + 1) * size)
            for token in range(len(ids)):
                scores = key[:, cut] @ query[token, cut] / math.sqrt(size)
                shares = np.exp(scores - scores.max())
                mixed[token, cut] = (shares / shares.sum()) @ value[:, cut]
        x = _norm(
            x + _linear(mixed, at, f"{name}attention.output.dense"),
            at,
            f"{name}attention.output.LayerNorm",
        )
        wide = _linear(x, at, f"{name}intermediate.dense")
        wide = wide * 0.5 * (1 + np.vectorize(math.erf)(wide / math.sqrt(2)))
        x = _norm(x + _linear(wide, at, f"{name}output.dense"), at, f"{name}output.LayerNorm")
    return x[0] if settings.pooling is Pooling.CLS else x.mean(axis=0)


def _linear(x, at, name):
    return x @ at[f"{name}.weight"].T + at[f"{name}.bias"]


def _norm(x, at, name):
    x = (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + 1e-12)
    return x * at[f"{name}.weight"] + at[f"{name}.bias"]
