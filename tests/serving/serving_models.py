"""Graphs by hand: honest ones, and what a model that nobody vouches for may try."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from cipherset.app.serving.models.sandbox.worker import Job
from cipherset.core.manifest import Task
from cipherset.pipeline.train import check_model

NAMES = ("a", "b", "c")
GIGABYTE = 1_000_000_000


def graph(nodes, outputs, constants, *, dim=4):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, dim])
    made = helper.make_graph(
        nodes,
        "model",
        [x],
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(made, opset_imports=opsets, ir_version=8).SerializeToString()


LABEL = ("label", TensorProto.INT64, [None])
ARGMAX = helper.make_node("ArgMax", ["logits"], ["label"], axis=1, keepdims=0)


def linear(weights, *, scores=None):
    """A linear head: the label, and, if asked, softmax probabilities or another second output."""
    dim, n_classes = weights.shape
    nodes = [helper.make_node("MatMul", ["x", "w"], ["logits"]), ARGMAX]
    outputs = [LABEL]
    if scores is not None:
        nodes.append(scores)
        outputs.append(("scores", TensorProto.FLOAT, [None, n_classes]))
    return graph(nodes, outputs, {"w": weights.astype("f4")}, dim=dim)


SOFTMAX = helper.make_node("Softmax", ["logits"], ["scores"], axis=1)
# Prints the ciphertext itself as its second output.
IDENTITY = helper.make_node("Identity", ["x"], ["scores"])


def memory_bomb(*, doublings=40):
    """Each step is twice as wide as the one before: 2 ** 40 numbers a row."""
    nodes = [
        helper.make_node("Concat", [f"y{i}", f"y{i}"], [f"y{i + 1}"], axis=1)
        for i in range(doublings)
    ]
    nodes[0].input[0] = nodes[0].input[1] = "x"
    nodes += [helper.make_node("ArgMax", [f"y{doublings}"], ["label"], axis=1, keepdims=0)]
    return graph(nodes, [LABEL], {})


def time_bomb(*, steps=20_000, width=1024):
    """A long chain of large products."""
    rng = np.random.default_rng(0)
    constants = {
        "first": rng.normal(size=(4, width)).astype("f4"),
        "w": (rng.normal(size=(width, width)) / width**0.5).astype("f4"),
    }
    nodes = [helper.make_node("MatMul", ["x", "first"], ["y0"])]
    nodes += [helper.make_node("MatMul", [f"y{i}", "w"], [f"y{i + 1}"]) for i in range(steps)]
    nodes += [helper.make_node("ArgMax", [f"y{steps}"], ["label"], axis=1, keepdims=0)]
    return graph(nodes, [LABEL], constants)


def folding_bomb(*, steps=40):
    """Constants that only unfold as the graph is loaded."""
    nodes = [
        helper.make_node("Concat", [f"c{i}", f"c{i}"], [f"c{i + 1}"], axis=0) for i in range(steps)
    ]
    nodes += [
        helper.make_node("MatMul", ["x", "w"], ["logits"]),
        ARGMAX,
        helper.make_node("ArgMax", [f"c{steps}"], ["other"], axis=0),
    ]
    constants = {"c0": np.ones(1000, "f4"), "w": np.eye(4, 3, dtype="f4")}
    outputs = [LABEL, ("other", TensorProto.INT64, [None])]
    return graph(nodes, outputs, constants)


def job(raw, *, dim=4, classes=NAMES, memory_bytes=GIGABYTE):
    """What the worker is told, and the bytes that were checked."""
    task = Task.CLASSIFICATION if classes else Task.REGRESSION
    checked = check_model(raw, dim=dim, task=task)
    return Job(
        checked.input, checked.output, checked.scores, dim, classes, memory_bytes
    ), checked.onnx


def parsed(raw):
    return onnx.load_model_from_string(raw)
