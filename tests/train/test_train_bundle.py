"""A bundle is two files that belong together, and says which key and cipherset they are of."""

import errno
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from train_samples import CLASSES, Lab, argmax_model, graph, node

from cipherset.core import canonical
from cipherset.core.errors import BackendError, CiphersetError, InputError, IntegrityError
from cipherset.core.manifest import ModelKind, Task
from cipherset.pipeline.train import describe, load_bundle, save_bundle, write_bundle

ONNX = argmax_model().SerializeToString()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save_bundle(tmp_path / "b", ONNX, Lab(), {"lab_accuracy": 0.5}, kind=ModelKind.MLP)
    return tmp_path / "b"


def test_it_comes_back(saved):
    bundle = load_bundle(saved)
    facts = bundle.manifest
    assert bundle.onnx == ONNX
    assert bundle.digest == canonical.digest_bytes((saved / "bundle.json").read_bytes())
    assert (facts.key_id, facts.key_version, facts.key_check) == ("tickets", 2, "ab" * 16)
    assert facts.trained_on.cipherset_id == "c" * 32
    assert facts.trained_on.manifest == Lab().manifest_digest
    assert facts.classes == CLASSES
    assert facts.metrics == {"lab_accuracy": 0.5}
    assert facts.model is ModelKind.MLP
    assert not facts.at_gate
    assert set(facts.packages) >= {"cipherset", "onnx", "scikit-learn"}
    assert sorted(path.name for path in saved.iterdir()) == ["bundle.json", "model.onnx"]


def test_at_the_gate_the_model_is_wider(tmp_path):
    wide = graph(
        [node("ArgMax", ["x"], axis=1, keepdims=0)], given=(1, ["n", 384])
    ).SerializeToString()
    when = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    facts = describe(wide, Lab(), {}, kind=ModelKind.LOGISTIC, gate_dim=384, created=when)
    assert facts.at_gate
    assert facts.dim == 384
    assert facts.created == "2026-02-03T04:05:06Z"
    assert write_bundle(tmp_path / "b", wide, facts) == load_bundle(tmp_path / "b")


def test_numbers_carry_their_range():
    facts = describe(ONNX, Lab(Task.REGRESSION), {})
    assert facts.value_range is not None
    assert facts.value_range.low < 1000 < facts.value_range.high
    assert facts.classes == ()


def test_it_does_not_overwrite_unasked(saved):
    with pytest.raises(CiphersetError) as caught:
        save_bundle(saved, ONNX, Lab(), {})
    assert caught.value.code == "target_exists"
    save_bundle(saved, ONNX, Lab(), {"f": 1.0}, overwrite=True)
    assert load_bundle(saved).manifest.metrics == {"f": 1.0}


def test_what_the_gate_would_refuse_is_not_saved(tmp_path):
    plain = graph([node("Identity", ["x"])], output=(1, ["n", 4])).SerializeToString()
    with pytest.raises(CiphersetError) as caught:
        save_bundle(tmp_path / "b", plain, Lab(), {})
    assert caught.value.code == "model_output"
    with pytest.raises(InputError) as pickled:
        save_bundle(tmp_path / "b", b"\x80\x04.", Lab(), {})
    assert pickled.value.code == "model_format"
    assert list(tmp_path.iterdir()) == []


def test_a_cipherset_without_labels_has_no_models():
    with pytest.raises(InputError) as caught:
        describe(ONNX, Lab(None), {})
    assert caught.value.code == "no_label"


def edit(path: Path, **fields: object) -> None:
    found = json.loads(path.read_bytes())
    path.write_bytes(canonical.encode(found | fields))


def link(path: Path) -> None:
    target = path.parent.parent / "elsewhere"
    path.rename(target)
    path.symlink_to(target)


def pad(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def flip(path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[:-20] + bytes([raw[-20] ^ 1]) + raw[-19:])


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "the model": (lambda path: flip(path / "model.onnx"), "bundle_digest"),
    "its digest": (
        lambda path: edit(path / "bundle.json", onnx="sha256:" + "0" * 64),
        "bundle_digest",
    ),
    "white space": (
        lambda path: pad(path / "bundle.json"),
        "not_canonical",
    ),
    "not JSON": (lambda path: (path / "bundle.json").write_bytes(b"\x80\x04."), "not_json"),
    "one more field": (lambda path: edit(path / "bundle.json", extra=1), "bundle_schema"),
    "another schema": (
        lambda path: edit(path / "bundle.json", schema="cipherset/bundle/2"),
        "bundle_schema",
    ),
    "an extra file": (lambda path: (path / "model.pkl").write_bytes(b""), "bundle_files"),
    "no model": (lambda path: (path / "model.onnx").unlink(), "bundle_files"),
    "a link": (lambda path: link(path / "model.onnx"), "bundle_files"),
    "a pipe": (
        lambda path: ((path / "model.onnx").unlink(), os.mkfifo(path / "model.onnx")),
        "bundle_files",
    ),
    "a linked manifest": (lambda path: link(path / "bundle.json"), "bundle_files"),
    "a directory": (
        lambda path: ((path / "model.onnx").unlink(), (path / "model.onnx").mkdir()),
        "bundle_files",
    ),
    "a huge file": (
        lambda path: os.truncate(path / "bundle.json", 1 << 40),
        "bundle_files",
    ),
}


@pytest.mark.parametrize(("change", "code"), CHANGES.values(), ids=CHANGES.keys())
def test_whatever_changed_is_refused(saved, change, code):
    change(saved)
    with pytest.raises(IntegrityError) as caught:
        load_bundle(saved)
    assert caught.value.code == code


def test_what_is_no_bundle_is_named_wherever_it_is_asked_from(saved, monkeypatch):
    (saved / "model.onnx").unlink()
    monkeypatch.chdir(saved)
    with pytest.raises(IntegrityError, match=f"^{saved.name} is no bundle: 1 files"):
        load_bundle(".")


def test_no_directory(tmp_path):
    with pytest.raises(InputError) as caught:
        load_bundle(tmp_path / "absent")
    assert caught.value.code == "no_directory"


def test_a_file_that_may_not_be_read_is_a_backend_error(saved, monkeypatch):
    def refuse(*place: object, **options: object) -> int:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(BackendError) as caught:
        load_bundle(saved)
    assert caught.value.code == "no_permission"
