"""Model files are told by how they begin, as the libraries that are here write them."""

import gzip
import hashlib
import io
import json
import pickle  # noqa: TID251 -- written by tests, to be told apart; none is read here
import pickletools
import struct
import zipfile
import zlib
from collections import OrderedDict
from datetime import timedelta
from fractions import Fraction
from pathlib import PurePosixPath

import joblib  # noqa: TID251 -- models of others are written so; none is read here
import numpy as np
import onnx
import pytest
from discover_planted import lay
from onnx import TensorProto, helper
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression

from cipherset.core import canonical
from cipherset.core.manifest import (
    BundleManifest,
    CiphersetRef,
    ModelKind,
    Task,
    manifest_bytes,
)
from cipherset.evidence.discover.code import Kind, Limits, ReadFault, scan
from cipherset.evidence.discover.code.look.models import model_format
from cipherset.evidence.discover.code.look.pickles import pickled_model


def onnx_bytes() -> bytes:
    shape = [1, 2]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    )
    return helper.make_model(graph, producer_name="pytorch").SerializeToString()


def fitted() -> LogisticRegression:
    return LogisticRegression().fit(np.array([[0.0], [1.0]]), [0, 1])


def zipped(*names: str) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        for name in names:
            archive.writestr(name, b"x" * 100)
    return raw.getvalue()


def joblib_bytes(value: object, compress: object = 0) -> bytes:
    raw = io.BytesIO()
    joblib.dump(value, raw, compress=compress)
    return raw.getvalue()


def safetensors_bytes(tmp_path) -> bytes:
    save_file({"w": np.zeros((2, 2), np.float32)}, tmp_path / "w")
    return (tmp_path / "w").read_bytes()


def test_safetensors_and_onnx_of_their_own_libraries(tmp_path):
    raw = safetensors_bytes(tmp_path)
    assert model_format(raw, "any", len(raw)) == "safetensors"
    raw = onnx_bytes()
    assert onnx.load_from_string(raw).graph.name == "g"
    assert model_format(raw, "m.onnx", len(raw)) == "ONNX"
    assert model_format(raw, "blob", len(raw)) == "ONNX"


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3)])
def test_scikit_learn_in_a_pickle(compress):
    assert pickled_model(joblib_bytes(fitted(), compress), "a.joblib") == "scikit-learn (pickle)"


@pytest.mark.parametrize(
    ("head", "name", "told"),
    [
        (b"GGUF\3\0\0\0" + bytes(16), "q4", "GGUF"),
        (b"GGUF\0\0\0\3" + bytes(16), "q4", "GGUF"),
        (b"tjgg\1\0\0\0", "ggml.bin", "GGML"),
        (zipped("archive/data.pkl", "archive/version"), "pytorch_model.bin", "PyTorch (zip)"),
        (zipped("metadata.json", "model.weights.h5"), "m.keras", "Keras"),
        (zipped("MAR-INF/MANIFEST.json"), "m.mar", "TorchServe archive"),
        (b"\x89HDF\r\n\x1a\n" + bytes(90) + b"keras_version", "m.h5", "Keras (HDF5)"),
        (b"\x1c\0\0\0TFL3" + bytes(8), "m.tflite", "TensorFlow Lite"),
        (b"\x08\1\x12\2ab", "saved_model.pb", "TensorFlow SavedModel"),
        (b"\x08\1\x12\2ab", "net.mlmodel", "Core ML"),
        (b"CBM1" + bytes(9), "m.cbm", "CatBoost"),
        (b"tree\nversion=v4\n", "m.txt", "LightGBM"),
        (b'{"learner":{"a":1}}', "m.json", "XGBoost"),
        (b"{L\0\0\0\0\0\0\0\7learner{", "m.ubj", "XGBoost"),
        (b'<?xml version="1.0"?><PMML version="4.4">', "m.xml", "PMML"),
        (b'<?xml version="1.0"?><net name="n" version="11">', "m.xml", "OpenVINO"),
        (struct.pack("<i", 793_712_314), "m.ftz", "fastText"),
        (b"ptrt" + bytes(9), "m.engine", "TensorRT"),
        (b"x" * 9, "m.pdiparams", "PaddlePaddle"),
        (b"\x80\2\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "old.pt", "PyTorch (pickle)"),
        (b"\x80\2ctorch._utils\n_rebuild_tensor_v2\n.", "a.ckpt", "PyTorch (pickle)"),
        (b"\x80\4\x8c\x04mine\x8c\x05Churn\x93.", "churn_model.pkl", "pickle of another class"),
        (b"(isklearn.svm\nSVC\n.", "old.pkl", ""),
        (b"csklearn.svm\nSVC\n.", "old.pkl", "scikit-learn (pickle)"),
    ],
)
def test_a_format_is_told_by_its_beginning(head, name, told):
    assert model_format(head, name, len(head)) == told


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"", "a.onnx"),
        (b"{}", "a.json"),
        (b'{"version": 1, "learner_name": 3}', "a.json"),
        (b"\xff" * 100, "a.onnx"),
        (b"\x08\x07\x12\x03abc", "a.onnx"),
        (b"\x08\x07" + b"\x3a\x05hello", "other.pb"),
        (zipped("word/document.xml"), "a.docx"),
        (zipped("a/data.txt"), "a.zip"),
        (b"\x89HDF\r\n\x1a\n" + bytes(90), "climate.h5"),
        (bytes(8) + b"{", "a.safetensors"),
        (b"\xff" * 8 + b'{"dtype"', "a.safetensors"),
        (b"GGUF", "a.gguf"),
        (b"<html>net version=1</html>", "a.html"),
        (b"\x80\4\x95", "x.pkl"),
        (b"\x80\4]\x94.", "model.pkl"),
        (b"\x80\4\x8c\x06pandas\x8c\x09DataFrame\x93.", "table.pkl"),
        (b"\x80\4\x8c\x14sklearn.utils._bunch\x8c\x05Bunch\x93.", "iris.pkl"),
        (b"\x80\4" + b"\x8c\x05hello" * 30_000, "model.pkl"),
        (zlib.compress(b"hello"), "a.joblib"),
        (b"\x78\x9cgarbage", "a.joblib"),
    ],
)
def test_what_is_no_model(head, name):
    assert model_format(head, name, len(head)) == ""


def test_a_pickle_of_arrays_is_data():
    assert pickled_model(joblib_bytes(np.zeros(5)), "cache.joblib") == ""


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "value", [OrderedDict(a=1), Fraction(1, 3), PurePosixPath("a"), {1, 2}, timedelta(1)]
)
def test_a_value_of_the_standard_library_is_no_model(value, protocol):
    raw = pickle.dumps(value, protocol=protocol)
    assert pickled_model(raw, "car_model.pkl") == ""


def test_a_model_among_values_of_the_standard_library():
    raw = pickle.dumps(OrderedDict(a=fitted()))
    assert pickled_model(raw, "car_model.pkl") == "scikit-learn (pickle)"
    raw = pickle.dumps(OrderedDict(a=ReadFault))
    assert pickled_model(raw, "car_model.pkl") == "pickle of another class"


def test_no_pickle_is_executed(tmp_path):
    """One that would leave a file if it were read by anything but a list of its opcodes."""
    mark = tmp_path / "executed"
    raw = (
        b"\x80\2cos\nsystem\nX" + struct.pack("<I", len(f"touch {mark}")) + f"touch {mark}".encode()
    )
    raw += b"\x85R.csklearn.svm\nSVC\n."
    assert [opcode.name for opcode, _, _ in pickletools.genops(raw)][-1] == "STOP"
    for name in ("model.pkl", "model.joblib", "model.pt", "plain"):
        (tmp_path / name).write_bytes(raw)
    (tmp_path / "packed.joblib").write_bytes(gzip.compress(raw))
    scan([tmp_path])
    assert not mark.exists()


def test_a_model_file_is_found_with_its_digest(tmp_path):
    raw = onnx_bytes()
    (tmp_path / "net.onnx").write_bytes(raw)
    large = b"GGUF\3\0\0\0" + bytes(3_000_000)
    (tmp_path / "blob-without-ending").write_bytes(large)
    found = {one.what: one for one in scan([tmp_path]).findings}
    assert {one.kind for one in found.values()} == {Kind.MODEL_FILE}
    for name, content in (("net.onnx", raw), ("blob-without-ending", large)):
        assert found[name].digest == "sha256:" + hashlib.sha256(content).hexdigest()
        assert found[name].size_bytes == len(content)
        assert found[name].bundle == ""


def test_a_model_beyond_the_limit_is_found_without(tmp_path):
    (tmp_path / "a.gguf").write_bytes(b"GGUF\3\0\0\0" + bytes(100))
    report = scan([tmp_path], limits=Limits(digest_bytes=50))
    assert [one.digest for one in report.findings] == [""]
    assert [one.fault for one in report.not_read] == [ReadFault.TOO_LARGE]


def bundle(onnx_model: bytes) -> bytes:
    return manifest_bytes(
        BundleManifest(
            created="2026-01-01T00:00:00Z",
            model=ModelKind.EXTERNAL,
            task=Task.CLASSIFICATION,
            classes=("a", "b"),
            value_range=None,
            scheme="rsap/1",
            key_id="support-0011223344556677",
            key_version=1,
            key_check="00" * 16,
            dim=2,
            trained_on=CiphersetRef(cipherset_id="0" * 32, manifest="sha256:" + "0" * 64),
            at_gate=False,
            metrics={},
            label=None,
            onnx=canonical.digest_bytes(onnx_model),
            packages={},
        )
    )


@pytest.mark.parametrize("is_its_own", [True, False])
def test_a_model_of_ours_is_known_by_its_bundle(is_its_own, tmp_path):
    model = onnx_bytes()
    raw = bundle(model if is_its_own else b"another")
    folder = tmp_path / "triage.bundle"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(model)
    (folder / "bundle.json").write_bytes(raw)
    (found,) = scan([tmp_path]).findings
    assert found.digest == canonical.digest_bytes(model)
    assert found.bundle == (canonical.digest_bytes(raw) if is_its_own else "")


def test_a_bundle_that_is_none(tmp_path):
    lay({"a/bundle.json": "{", "b/bundle.json": '{"onnx": 3}', "c/bundle.json": "[]"}, tmp_path)
    assert scan([tmp_path]).findings == ()


def test_a_folder_that_describes_its_model(tmp_path):
    lay(
        {
            "a/config.json": json.dumps({"architectures": ["BertModel"], "model_type": "bert"}),
            "b/adapter_config.json": json.dumps(
                {"peft_type": "LORA", "base_model_name_or_path": "org/base"}
            ),
            "c/meta.json": json.dumps(
                {"spacy_version": "3", "pipeline": [], "lang": "en", "name": "x"}
            ),
            "d/config.json": json.dumps({"architectures": ["x86"], "type": "bert"}),
            "e/MLmodel": "flavors:\n",
            "f/Modelfile": "FROM llama3.2\n",
        },
        tmp_path,
    )
    assert {one.what for one in scan([tmp_path]).findings} == {
        "BertModel",
        "adapter of org/base",
        "en_x",
        "MLflow model",
        "Ollama Modelfile",
        "llama3.2",
    }
