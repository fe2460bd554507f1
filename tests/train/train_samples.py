"""Rows, models and graphs for the train room."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from cipherset.core.manifest import (
    EncoderFacts,
    Lineage,
    Manifest,
    ModelKind,
    PartFile,
    SignerFacts,
    SplitFacts,
    SplitsFacts,
    Task,
)
from cipherset.pipeline.train import Bundle, describe

CLASSES = ("bad", "fine", "good")
DIM = 4


def rows(n: int = 400, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Vectors and class names that a linear model can tell apart."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, DIM)).astype(np.float32)
    names = np.array(CLASSES)[np.digitize(x[:, 0] + x[:, 1], [-0.7, 0.7])]
    return x, names


def numbers(n: int = 400, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Vectors and labels far from zero and one, linear in them."""
    x, _ = rows(n, seed)
    return x, 1000 + 50 * (x[:, 0] - x[:, 2]).astype(np.float64)


@dataclass
class Lab:
    """A cipherset as the lab sees it: a manifest, its digest and rows."""

    task: Task | None = Task.CLASSIFICATION
    manifest_digest: str = "sha256:" + "d" * 64
    manifest: Manifest = field(init=False)

    def __post_init__(self) -> None:
        part = PartFile(
            path="train/part-00000.parquet", sha256="sha256:" + "1" * 64, bytes=1, rows=400
        )
        self.manifest = Manifest(
            scheme="rsap/1",
            key_id="tickets",
            key_version=2,
            key_check="ab" * 16,
            cipherset_id="c" * 32,
            created="2026-01-02T03:04:05Z",
            dim=DIM,
            approximation_factor=4.0,
            minimizer="bottleneck:4",
            encoder=EncoderFacts(name="given", digest=None, dim=8),
            task=self.task,
            label_column=None if self.task is None else "mood",
            classes=CLASSES if self.task and self.task.has_names else (),
            clear_columns=(),
            splits=SplitsFacts(
                train=SplitFacts(rows=400, files=(part,)), test=SplitFacts(rows=0, files=())
            ),
            sanitizer={},
            k_anonymity=None,
            assessment={},
            utility={},
            settings={},
            lineage=Lineage(
                source_digest="hmac-sha256:" + "0" * 64, run_id="r", package_version="0.1.0"
            ),
            signer=SignerFacts(public_key="0" * 64),
        )

    def to_numpy(self, split: str) -> tuple[np.ndarray, np.ndarray[Any, Any]]:
        return numbers() if self.task is Task.REGRESSION else rows()


def bundle_of(onnx_model: bytes, task: Task = Task.CLASSIFICATION) -> Bundle:
    """A bundle around any bytes at all, as a lab that means harm would write it."""
    manifest = describe(onnx_model, Lab(task), {}, kind=ModelKind.EXTERNAL)
    return Bundle(manifest, "sha256:" + "0" * 64, onnx_model)


def graph(
    nodes: list[onnx.NodeProto],
    *,
    output: tuple[int, list[Any]] = (TensorProto.INT64, ["n"]),
    given: tuple[int, list[Any]] = (TensorProto.FLOAT, ["n", DIM]),
    constants: dict[str, np.ndarray] | None = None,
    domains: tuple[str, ...] = ("", "ai.onnx.ml"),
) -> onnx.ModelProto:
    """A model of ``nodes`` from ``x`` to ``label``."""
    body = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info("x", *given)],
        [helper.make_tensor_value_info("label", *output)],
        [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()],
    )
    versions = {"": 17, "ai.onnx.ml": 3}
    imports = [helper.make_opsetid(domain, versions.get(domain, 1)) for domain in domains]
    return helper.make_model(body, opset_imports=imports, ir_version=8)


def node(kind: str, given: list[str], out: str = "label", **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(kind, given, [out], **attributes)


def argmax_model() -> onnx.ModelProto:
    """The honest little model: the class of the largest of three sums."""
    weights = np.eye(DIM, 3, dtype=np.float32)
    return graph(
        [node("MatMul", ["x", "w"], "z"), node("ArgMax", ["z"], axis=1, keepdims=0)],
        constants={"w": weights},
    )
