"""The runtime keeps nothing of what it runs, and sends nothing: it would by default."""

import subprocess
import sys

import pytest

RUN = """
import {first}
import numpy as np, onnx, onnxruntime
from onnx import TensorProto, helper
x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [1]) for n in "xy")
graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "canary", [x], [y])
opsets = [helper.make_opsetid("", 17)]
model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
session = onnxruntime.InferenceSession(model.SerializeToString())
session.run(None, {{"x": np.ones(1, "f4")}})
"""


@pytest.mark.parametrize(
    "first", ["cipherset", "cipherset.pipeline.embed", "cipherset.pipeline.train"]
)
def test_onnxruntime_keeps_and_sends_nothing(tmp_path, first):
    environment = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "CI": ""}
    path = f"import sys; sys.path[:0] = {sys.path!r}\n"
    script = path + RUN.format(first=first)
    subprocess.run([sys.executable, "-c", script], env=environment, check=True, timeout=600)
    assert list(tmp_path.rglob("*")) == []
