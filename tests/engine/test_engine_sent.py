"""Exports in an object store: a real server, runs that are killed, and stores that are not true."""

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from engine_rows import CANARY, RAY, vectors
from ports import free_port

import cipherset
from cipherset.app.erasure.forget import foresee, forget
from cipherset.app.erasure.subject import Subject
from cipherset.app.exports.protect import exporting_act, protect
from cipherset.app.exports.request import Owner, ProtectRequest
from cipherset.app.exports.sent.sent import place_for, sent
from cipherset.app.inspection import inspect
from cipherset.app.models import TrainRequest, TrainSpec, train
from cipherset.app.workspace import open_workspace
from cipherset.core.errors import BackendError, CiphersetError, UsageError
from cipherset.core.manifest import ModelKind
from cipherset.core.objects import ObjectFolder
from cipherset.core.values import ColumnRoles, Guarantee
from cipherset.custody.keys import AesGcmSealer, KeyUse
from cipherset.pipeline.export import open_cipherset, send
from cipherset.pipeline.ingest import open_source

KILLED = Path(__file__).with_name("killed.py")
ROLES = ColumnRoles((), "vec", "topic")


def asked_of(owner, address: str, **more: object) -> ProtectRequest:
    """Vectors, to be protected and sent to ``address``."""
    source = owner.folder / "vectors.parquet"
    if not source.exists():
        vectors(owner.folder)
    place, store = place_for(owner.home, ObjectFolder(address))
    given = ("support", place, "lda:2", 5.0)
    return ProtectRequest(str(source), ROLES, *given, max_reid=0.4, store=store, **more)


def refused(code: str, act) -> None:
    with pytest.raises(CiphersetError) as caught:
        act()
    assert caught.value.code == code
    assert caught.value.hint
    assert CANARY not in caught.value.message


@pytest.mark.extra
@pytest.mark.parametrize("engine", [{}, {"engine": RAY}])
def test_cipherset_is_made_in_a_store_and_read_from_there(owner, ray, store, engine):
    ray()
    address = store.at("2026/a.cipherset")
    result = protect(owner.session, asked_of(owner, address, **engine))
    told = result.as_json()
    assert told["cipherset"] == "s3://tickets/2026/a.cipherset"
    assert Path(told["kept"]).parent == owner.home / "sent"
    there = cipherset.open(address, signer=told["signer"])
    here = cipherset.open(told["kept"])
    for split in ("train", "test"):
        for one, other in zip(there.to_numpy(split), here.to_numpy(split), strict=True):
            assert np.array_equal(one, other)
    assert inspect(ObjectFolder(address), told["signer"])["manifest"]["key_id"] == told["key_id"]
    spec = TrainSpec(ModelKind.LOGISTIC)
    for place, name in ((ObjectFolder(address), "s"), (result.target, "d")):
        train(TrainRequest(place, owner.folder / name, spec))
    # A bundle says when it was made, to the second.
    models = [(owner.folder / name / "model.onnx").read_bytes() for name in ("s", "d")]
    assert models[0] == models[1]
    event = owner.events("protect")[-1]
    assert event["at"] == told["kept"]
    refused("target_exists", lambda: protect(owner.session, asked_of(owner, address)))
    again = protect(owner.session, asked_of(owner, address, overwrite=True))
    assert again.repeated, "it is known again, and sent again"
    assert cipherset.open(address).manifest == there.manifest
    other = store.at("2026/b.cipherset")
    assert protect(owner.session, asked_of(owner, other)).target == result.target
    (emptied,) = foresee(owner.session, Subject("1", "topic")).exports
    assert emptied.copies == ("s3://tickets/2026/a.cipherset", "s3://tickets/2026/b.cipherset")


@pytest.mark.extra
def test_what_differs_by_a_byte_or_an_object_does_not_open(owner, store):
    address = store.at("a.cipherset")
    protect(owner.session, asked_of(owner, address))
    part = "a.cipherset/train/part-00000.parquet"
    raw = store.get(part)
    store(part, raw[:-9] + b"x" + raw[-8:])
    refused("digest", lambda: open_cipherset(address))
    store(part, raw + b"x")
    refused("file_size", lambda: open_cipherset(address))
    store(part, raw)
    store("a.cipherset/notes.txt", b"x")
    refused("files", lambda: open_cipherset(address))
    overwriting = asked_of(owner, address, overwrite=True)
    refused("target_not_ours", lambda: protect(owner.session, overwriting))
    assert store.get("a.cipherset/notes.txt") == b"x"
    refused("files", lambda: open_cipherset(store.at("nothing")))


@pytest.mark.extra
def test_a_run_that_is_killed_while_it_sends_leaves_nothing_that_opens(owner, store):
    address = store.at("a.cipherset")
    source = vectors(owner.folder)
    columns = ("--vector", "vec", "--label", "topic", "--key", "support", "--minimize", "lda:2")
    command = ["protect", str(source), *columns, "--approximation-factor", "5"]
    command += ["--max-reid", "0.4", "--to", address, "--home", str(owner.home), "--json"]

    def run(*before: str) -> "subprocess.CompletedProcess[str]":
        said = [sys.executable, *before, *command]
        return subprocess.run(said, capture_output=True, text=True, check=False, timeout=600)

    assert run(str(KILLED)).returncode == -signal.SIGKILL
    assert store.names() == {"a.cipherset/train/part-00000.parquet"}
    refused("files", lambda: open_cipherset(address))
    done = run("-c", "from cipherset.interfaces.cli.main import main; main()")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["repeated"]
    assert open_cipherset(address).manifest.splits.train.rows == 300


@pytest.mark.extra
def test_a_directory_or_a_store_that_changes_meanwhile(owner, store, monkeypatch):
    address, at_home = store.at("a.cipherset"), owner.folder / "copy"
    there = open_cipherset(protect(owner.session, asked_of(owner, address)).target)
    shutil.copytree(there.path, at_home)
    part = next(at_home.glob("test/*.parquet"))
    part.write_bytes(part.read_bytes()[:-1] + b"x")
    folder = ObjectFolder(store.at("b.cipherset"))
    refused("digest", lambda: send(there, at_home, folder, overwrite=False))
    assert "b.cipherset/manifest.json" not in store.names()
    # Another run sends there too.
    write = ObjectFolder.write

    def writing(self, name, raw) -> None:
        write(self, name, raw)
        store("c.cipherset/train/part-00009.parquet", b"another's")

    folder = ObjectFolder(store.at("c.cipherset"))
    monkeypatch.setattr(ObjectFolder, "write", writing)
    refused("object_store", lambda: send(there, there.path, folder, overwrite=False))
    # What it gives back is not what it was given.
    monkeypatch.setattr(
        ObjectFolder, "write", lambda self, name, raw: write(self, name, raw[:-1] + b"x")
    )
    folder = ObjectFolder(store.at("d.cipherset"))
    refused("object_store", lambda: send(there, there.path, folder, overwrite=False))
    assert not {name for name in store.names() if name.endswith("manifest.json")} - {
        "a.cipherset/manifest.json"
    }


@pytest.mark.extra
def test_a_store_that_does_not_answer_is_asked_before_the_rows_are_read(owner, credentials):
    where = f"endpoint_override=127.0.0.1:{free_port()}&scheme=http&region=us-east-1"
    asked = replace(asked_of(owner, f"s3://tickets/a?{where}"), source="not-there.parquet")
    with pytest.raises(BackendError) as caught:
        protect(owner.session, asked)
    assert caught.value.code == "object_store"


@pytest.mark.extra
def test_an_export_that_rows_were_taken_out_of_is_not_sent(owner):
    """``forget`` ran between the making and the sending."""
    asked = asked_of(owner, "s3://tickets/a")
    made = protect(owner.session, replace(asked, store=None, target=owner.folder / "out"))
    asked_for = Subject("1", "topic")
    with (
        open_workspace(owner.session) as workspace,
        exporting_act(workspace, asked, open_source(asked.source), {}),
    ):
        key = workspace.ring.open("support", purpose=KeyUse.EXPORT)
        its = Owner(workspace, key, AesGcmSealer.from_key(key), owner.session.progress)
        forget(owner.session, asked_for)
        refused("export_meanwhile", lambda: sent(its, asked, made))
    assert foresee(owner.session, asked_for).exports == ()


def test_what_is_drawn_is_not_sent(tmp_path):
    place, store = place_for(tmp_path, ObjectFolder("s3://b/p"))
    with pytest.raises(UsageError, match="written to a folder"):
        ProtectRequest("r", ROLES, "k", place, synthetic=Guarantee(1.0, 1e-6), store=store)
    assert place_for(tmp_path, tmp_path / "a") == (tmp_path / "a", None)
