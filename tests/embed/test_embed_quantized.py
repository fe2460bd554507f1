"""The encoder in 8-bit integers: near the exact one, each text alone, the same wherever made."""

import shutil

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from cipherset.app.encoders import CATALOG, DEFAULT_ENCODER, catalog, get, open_encoder
from cipherset.core.errors import BackendError
from cipherset.pipeline.embed import (
    QUANTIZATION,
    bundle,
    read_directory,
    write_bundle,
    write_quantized,
)
from cipherset.pipeline.embed.graph import IDS, MASK, POOLED
from cipherset.pipeline.embed.quantized import graph as quantized
from cipherset.pipeline.embed.quantized.ranges import (
    Range,
    calibration_texts,
    calibration_tokens,
    observe,
    run_alone,
)
from cipherset.pipeline.embed.runtime import chosen_providers

INT8 = "minilm-l6-v2-int8"
OTHERS = [
    "I was charged a fee that nobody told me about.",
    "The hotel was clean, the breakfast was cold.",
    "Reset my password",
    "A film about two brothers who open a bakery in a town without bread " * 6,
    "9f8e-22",
    "",
]


@pytest.fixture(scope="module")
def int8_cache(cache_dir, minilm, tmp_path_factory):
    """A cache with the exact encoder, and what ``get`` made of it without a network."""
    exact = catalog(cache_dir)[0].path
    folder = tmp_path_factory.mktemp("int8")
    shutil.copytree(exact, folder / "encoders" / exact.name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_CONFIG_FILE", "/dev/null")
        patch.setenv("PIP_NO_INDEX", "1")
        get(INT8, folder)
    return folder


@pytest.fixture(scope="module")
def int8(int8_cache):
    return open_encoder(INT8, int8_cache)


@pytest.fixture(scope="module")
def tiny_files(tiny_directory):
    return read_directory(tiny_directory)


@pytest.fixture(scope="module")
def tiny_made(tiny_files, tmp_path_factory):
    """The tiny encoder's exact graph, and the quantized one."""
    folder = tmp_path_factory.mktemp("quantized") / "tiny"
    write_bundle(folder, tiny_files)
    exact = (folder / bundle.GRAPH).read_bytes()
    return exact, _quantized(exact, tiny_files)


def _quantized(exact, files):
    return quantized.quantize_graph(
        exact, tokenizer=files.tokenizer, max_tokens=files.identity.settings.max_tokens
    )


def test_near_the_exact_vectors_on_texts_it_has_not_seen(minilm, int8):
    cosines = (minilm.encode(OTHERS) * int8.encode(OTHERS)).sum(axis=1)
    assert cosines.min() > 0.99
    assert cosines.min() < 0.99999, "nothing was rounded"


def test_a_text_does_not_depend_on_its_batch(int8):
    together = int8.encode(OTHERS)
    alone = np.concatenate([int8.encode([text]) for text in OTHERS])
    np.testing.assert_allclose(alone, together, atol=1e-5)


def test_it_is_another_encoder_of_the_same_weights(minilm, int8):
    entry = CATALOG[INT8]
    assert entry.weights == CATALOG[DEFAULT_ENCODER].weights
    assert int8.digest == entry.identity.digest != minilm.digest
    assert entry.identity.quantization == QUANTIZATION
    assert (int8.name, int8.dim) == (INT8, minilm.dim)


def test_the_texts_belong_to_the_method():
    """Other texts give other ranges: raise the number in METHOD when either changes."""
    assert QUANTIZATION == (
        "int8/1 sha256:11ccf50206190465c428a1f1982a387fc046cb2c0c1268f2d16d75b6136b6370"
    )


def test_the_same_graph_every_time(tiny_made, tiny_files):
    exact, made = tiny_made
    assert _quantized(exact, tiny_files).graph == made.graph


def test_any_runtime_gives_the_same_vectors(tiny_made, tiny_files):
    """The slow oracle: onnx's own reference, which multiplies what was dequantized."""
    tokens = calibration_tokens(tiny_files.tokenizer, 12)[:12]
    reference = ReferenceEvaluator(onnx.load_model_from_string(tiny_made[1].graph))
    for ids, fast in zip(tokens, run_alone(tiny_made[1].graph, tokens)[0], strict=True):
        row = np.array([ids], dtype=np.int64)
        slow = reference.run([POOLED], {IDS: row, MASK: np.ones_like(row)})[0]
        cosine = (slow * fast).sum() / np.linalg.norm(slow) / np.linalg.norm(fast)
        assert cosine > 0.999


def test_products_are_of_integers_but_those_of_the_first_third(minilm, int8_cache):
    path = next(info.path for info in catalog(int8_cache) if info.name == INT8) / bundle.GRAPH
    held = {each.name: each.data_type for each in onnx.load(str(path)).graph.initializer}
    whole = {name for name, kind in held.items() if kind == onnx.TensorProto.INT8}
    assert sum(name.endswith(".weight.int8") for name in whole) == 6 * 6 - 2
    for layer in range(6):
        name = f"encoder.layer.{layer}.output.dense.weight"
        assert (name in held) == (layer < 2)
        assert (f"{name}.int8" in held) == (layer >= 2)


def test_the_ranges_hold_every_value(tiny_made, tiny_files):
    model = onnx.load_model_from_string(tiny_made[0])
    name = next(node.output[0] for node in model.graph.node if node.op_type == "Gelu")
    tokens = calibration_tokens(tiny_files.tokenizer, 12)[:20]
    found = observe(model, [name], tokens).ranges[name]
    assert found.low.shape == found.high.shape
    assert (found.low >= -0.17001).all()  # the least that gelu gives
    assert (found.reach >= found.high).all()


def test_long_texts_are_among_those_that_are_seen():
    assert max(len(text.split()) for text in calibration_texts()) > 100


def test_rounding_loses_half_a_step_at_most():
    rng = np.random.default_rng(3)
    weight = rng.normal(size=(40, 7)).astype(np.float32)
    weight[:, 2] = 0
    whole, scales = quantized._columns(weight)
    assert np.abs(whole * scales - weight).max() <= scales.max() / 2 * 1.001
    seen = Range(rng.uniform(-9, 0, 40).astype(np.float32), rng.uniform(0, 3, 40).astype("f4"))
    scale = quantized._scale_of(seen, weight)
    for value in (seen.low, seen.high):
        even = value / scale.factors
        step = np.clip(np.round(even / scale.scale) + scale.zero, 0, 255)
        np.testing.assert_allclose(
            (step - scale.zero) * scale.scale, even, atol=float(scale.scale) * 1.01
        )


def test_weights_that_do_not_bear_it_are_refused(tiny_files, tmp_path):
    """A channel that is always off has weights so large that all others round to nothing."""
    write_bundle(tmp_path / "exact", tiny_files)
    model = onnx.load(str(tmp_path / "exact" / bundle.GRAPH))
    for each in model.graph.initializer:
        values = onnx.numpy_helper.to_array(each).copy()
        if "attention.output.LayerNorm" in each.name:
            values[0] = 0
        elif each.name.endswith("intermediate.dense.weight"):
            values[0] = 1e9
        each.CopyFrom(onnx.numpy_helper.from_array(values, each.name))
    (tmp_path / "exact" / bundle.GRAPH).write_bytes(model.SerializeToString())
    with pytest.raises(BackendError) as refusal:
        write_quantized(tmp_path / "int8", tmp_path / "exact", max_tokens=12)
    assert refusal.value.code == "encoder_inexact"
    assert not (tmp_path / "int8").exists()


def test_a_gpu_is_taken_where_there_is_one():
    cpu = ("CPUExecutionProvider", {})
    assert chosen_providers(["CPUExecutionProvider"]) == [cpu]
    assert chosen_providers(["AzureExecutionProvider", "CPUExecutionProvider"]) == [cpu]
    cuda = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]
    assert chosen_providers(cuda) == [("CUDAExecutionProvider", {"use_tf32": "0"}), cpu]
