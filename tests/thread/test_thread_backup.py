"""The drill: a workspace is copied while others work in it, and goes on elsewhere from the copy."""

import os
import shutil
import stat
import threading

import pytest
from thread_samples import Owner, bytes_below

from cipherset.core.errors import BackendError, IntegrityError
from cipherset.custody.ledger import Ledger, Outcome, copy_ledger

ASKED = ("--value", "nothing")


class Writing:
    """Somebody at work: events, one after the other, until told to end."""

    def __init__(self, home):
        self._ledger = Ledger(f"sqlite:///{home / 'ledger.sqlite'}")
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self.done = []

    def _work(self):
        while not self._ends.is_set():
            told = {"actor": "ann", "action": "work", "subject": "s", "outcome": Outcome.DONE}
            self.done.append(self._ledger.append(**told).seq)

    def __enter__(self):
        self._thread.start()
        while len(self.done) < 3:
            assert self._thread.is_alive(), "what was to be written could not be"
            self._ends.wait(0.01)
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._thread.join(600)
        assert not self._thread.is_alive()
        self._ledger.close()


def predicted(owner, exported):
    rows = exported.source
    return [
        each["label"] for each in owner.ok("predict", exported.bundle, rows)["predictions"][:50]
    ]


def test_the_drill(changed, tmp_path):
    live = changed.owner
    before = predicted(live, changed)
    copy, restored = Owner(tmp_path / "copies"), Owner(tmp_path / "elsewhere")
    copy.folder.mkdir()
    with Writing(live.home) as writing:
        known = writing.done[-1]
        told = live.ok("backup", "--to", copy.home)
    assert writing.done[-1] > known
    assert told["events"] >= known + 1  # all that was written when it began, and its own intent
    restored.folder.mkdir()
    shutil.move(copy.home, restored.home)
    found = restored.ok("audit", "verify")
    assert (found["valid"], found["first_bad"]) == (True, None)
    held = [event.seq for event in restored.events("work")]
    assert held[: len(writing.done)] == writing.done[: len(held)]
    assert held[-1] >= known
    assert predicted(restored, changed) == before
    assert restored.exports() == live.exports()
    assert restored.ok("key", "rotate", "support")["version"] == 2
    assert restored.ok("inspect", changed.cipherset)["valid"]
    (intent, *_) = live.events("backup")
    assert [event.outcome for event in live.events("backup")] == ["intended", "done"]
    assert [event.hash for event in restored.events("backup")] == [intent.hash]


def test_an_older_ledger_in_place_of_the_newer_is_seen(changed, tmp_path):
    live, copy = changed.owner, tmp_path / "copy"
    live.ok("backup", "--to", copy)
    live.ok("key", "list")
    live.ok("key", "create", "later")
    for name in ("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"):
        (live.home / name).unlink(missing_ok=True)
    shutil.copy2(copy / "ledger.sqlite", live.home / "ledger.sqlite")
    assert live.run("key", "list").error["code"] == "ledger_regressed"
    live.ok("audit", "accept", "--reason", "the disk was lost; restored from the copy")
    assert live.ok("audit", "verify")["valid"]
    shutil.rmtree(live.home)
    shutil.copytree(copy, live.home)
    assert live.ok("audit", "verify")["valid"]


def test_what_is_copied_is_all_that_is_to_be_and_as_private(owner, tmp_path):
    (owner.home / "models" / "router").mkdir(parents=True)
    (owner.home / "models" / "router" / "link").symlink_to("nowhere")
    (owner.home / "rules.toml").write_text("x")
    (owner.home / ".serving").write_text("")
    os.mkfifo(owner.home / "pipe")
    target = tmp_path / "copy"
    told = owner.ok("backup", "--to", target)
    files = bytes_below(target)
    left = {name.split("/", 1)[1] for name in files}
    assert left == {
        *("kek", "rules.toml", "workspace.json", "ledger.sqlite", "head.json"),
        *("keys/support.json", "keys/_signer.json", "keys/_head.json"),
        *(f"keys/_providers/{path.name}" for path in (target / "keys" / "_providers").iterdir()),
    }
    assert not list((target / "models" / "router").iterdir())
    assert told["files"] == len(left) - 3  # the ledger, and where it ends, are not copied as files
    for path in (target, *target.rglob("*")):
        if path.name != "rules.toml":  # as private as it was: what its folder is
            assert not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO), path


def test_what_goes_meanwhile_is_left_and_what_fails_leaves_nothing(owner, tmp_path, monkeypatch):
    copy2, gone = shutil.copy2, owner.home / "rules.toml"
    gone.write_text("x")

    def late(source, target):
        if source == gone:
            gone.unlink(missing_ok=True)
        return copy2(source, target)

    monkeypatch.setattr(shutil, "copy2", late)
    owner.ok("backup", "--to", tmp_path / "one")
    assert not (tmp_path / "one" / "rules.toml").exists()

    def full(source, target):
        raise OSError(28, "no space")

    monkeypatch.setattr(shutil, "copy2", full)
    assert owner.run("backup", "--to", tmp_path / "two").error["code"] == "disk_full"
    assert [path.name for path in tmp_path.iterdir() if "two" in path.name] == []


def test_refusals(owner, tmp_path):
    def code(*args):
        return owner.run("backup", "--to", *args).error["code"]

    assert code(tmp_path) == "target_exists"
    assert code(tmp_path / "no" / "such") == "target_parent"
    assert code(owner.home / "copy") == "backup_inside"
    (owner.home / "ledger.toml").write_text('url = "postgresql+psycopg://a@db.invalid/ledger"\n')
    assert code(tmp_path / "copy") == "backup_ledger"


def test_a_chain_that_does_not_hold_is_not_kept_as_a_backup(owner, tmp_path):
    import sqlite3

    connection = sqlite3.connect(owner.home / "ledger.sqlite")
    connection.execute("UPDATE events SET actor = 'eve' WHERE seq = 1")
    connection.commit()
    connection.close()
    assert owner.run("backup", "--to", tmp_path / "copy").error["code"] == "ledger_broken"
    assert not (tmp_path / "copy").exists()


def test_a_ledger_that_cannot_be_read_is_not_copied(tmp_path):
    with pytest.raises(BackendError) as caught:
        copy_ledger(tmp_path / "none", tmp_path / "copy")
    assert caught.value.code == "ledger_unreadable"
    (tmp_path / "text").write_text("no database, but long enough to be asked " * 40)
    with pytest.raises(IntegrityError) as corrupt:
        copy_ledger(tmp_path / "text", tmp_path / "other")
    assert corrupt.value.code == "ledger_corrupt"
