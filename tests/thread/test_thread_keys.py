"""The life of a key through the commands: what is printed, recorded, refused and removed."""

import json
import os
import pty
import shutil
import subprocess
import sys

import pytest
from thread_samples import QUICK, leftovers, opened

from cipherset.app.keys import _remove_minimizers
from cipherset.app.workspace import Session
from cipherset.custody.keys import KeyRing
from cipherset.interfaces.cli.output import TerminalProgress

BOTH = ("intended", "done")
COLUMNS = ("--vector", "vec", "--label", "topic", "--key", "support")


def statuses(owner):
    return [version["status"] for version in owner.ok("key", "show", "support")["versions"]]


def acts(owner):
    return [(event.action, event.outcome) for event in owner.events()]


def refused(owner, *args):
    done = owner.run(*args)
    return done.code, done.error["code"]


def minimizers(owner):
    return sorted(path.name for path in (owner.home / "minimizers").iterdir())


def protected(owner, source, name):
    """The same rows exported again, which is a risk of its own: both exports can be joined."""
    options = ("--to", owner.folder / name, "--accept-risk", "the key was rotated", *QUICK)
    return owner.ok("protect", source, *COLUMNS, *options)


def test_rotating_prints_what_to_export_again(changed):
    owner, made = changed.owner, changed.protected
    owner.key("another")
    before = owner.exports()
    shown = owner.ok("key", "rotate", "support")
    assert shown.keys() >= {"key_id", "version", "status", "provider", "versions", "plan"}
    assert (shown["key_id"], shown["version"]) == (made["key_id"], 2)
    assert (shown["status"], shown["provider"]) == ("active", "file:kek")
    assert [v["status"] for v in shown["versions"]] == ["retiring", "active"]
    (stale,) = shown["plan"]
    assert stale == {
        "cipherset_id": made["cipherset_id"],
        "made": owner.events("protect")[-1].time,
        "rows": made["rows"]["train"] + made["rows"]["test"],
        "key_version": 1,
    }
    assert owner.exports() == before
    assert owner.ok("key", "rotate", "another")["plan"] == []
    assert owner.ok("key", "rotate", "support")["plan"] == [stale]


def test_a_retiring_version_predicts_and_the_new_one_exports(changed):
    owner = changed.owner
    before = owner.ok("predict", changed.bundle, changed.source)
    owner.ok("key", "rotate", "support")
    assert owner.ok("predict", changed.bundle, changed.source) == before
    owner.ok("evaluate", changed.bundle, changed.cipherset)
    again = protected(owner, changed.source, "again")
    manifest = owner.ok("inspect", owner.folder / "again")["manifest"]
    assert (manifest["key_id"], manifest["key_version"]) == (changed.protected["key_id"], 2)
    assert again["cipherset_id"] != changed.protected["cipherset_id"]
    assert minimizers(owner) == [f"{manifest['key_id']}.v{n}" for n in (1, 2)]
    plan = owner.ok("key", "rotate", "support")["plan"]
    assert [(one["cipherset_id"], one["key_version"]) for one in plan] == [
        (changed.protected["cipherset_id"], 1),
        (again["cipherset_id"], 2),
    ]


@pytest.mark.parametrize("status", ["retired", "destroyed"])
def test_nothing_is_done_under_a_retired_or_destroyed_version(changed, status):
    owner = changed.owner
    owner.ok("key", "rotate", "support")
    owner.ok("key", "retire", "support")
    if status == "destroyed":
        owner.ok("key", "destroy", "support", "--yes")
    assert statuses(owner) == [status, "active"]
    expected = (5, f"key_{status}")
    gate = owner.folder / "gate"
    assert refused(owner, "predict", changed.bundle, changed.source) == expected
    assert refused(owner, "evaluate", changed.bundle, changed.cipherset) == expected
    assert refused(owner, "train", changed.cipherset, "--to", gate, "--at-gate") == expected
    assert acts(owner)[-2:] == [("train.at-gate", "intended"), ("train.at-gate", "refused")]
    owner.ok("inspect", changed.cipherset)  # which takes no key
    owner.ok("train", changed.cipherset, "--to", owner.folder / "lab")
    assert owner.ok("key", "rotate", "support")["plan"] == []


def test_what_a_retired_version_exported_is_still_measured_with_and_a_destroyed_one_not(changed):
    owner, first = changed.owner, changed.protected["cipherset_id"]
    owner.ok("key", "rotate", "support")
    owner.ok("key", "retire", "support")
    again = protected(owner, changed.source, "again")
    assert again["joined_with"] == [first]
    assert again["assessment"]["joined_rows"] == 400
    owner.ok("key", "destroy", "support", "--yes")
    options = ("--to", owner.folder / "third", *QUICK, "--group", "thread")
    assert refused(owner, "protect", changed.source, *COLUMNS, *options) == (3, "export_unreadable")


def test_no_export_under_a_key_without_an_active_version(changed):
    owner = changed.owner
    owner.ok("key", "destroy", "support", "--force", "--yes")
    target = owner.folder / "again"
    done = owner.run("protect", changed.source, *COLUMNS, "--to", target, *QUICK)
    assert (done.code, done.error["code"]) == (5, "key_destroyed")
    assert not target.exists()
    assert leftovers(owner.folder) == []


def test_destroying_removes_the_minimizer_and_keeps_the_tombstone(changed):
    owner, key_id = changed.owner, changed.protected["key_id"]
    sealed = [name for name in owner.exports() if name.startswith("exports")]
    owner.ok("key", "rotate", "support")
    protected(owner, changed.source, "again")
    owner.ok("key", "retire", "support", "--version", "1")
    shown = owner.ok("key", "destroy", "support", "--version", "1", "--yes")
    assert (shown["version"], shown["status"], shown["minimizer_removed"]) == (1, "destroyed", True)
    assert minimizers(owner) == [f"{key_id}.v2"]
    assert set(sealed) <= set(owner.exports())
    done = json.loads(owner.events("key.destroy")[-1].body)
    assert (done["key_id"], done["version"], done["status"]) == (key_id, 1, "destroyed")
    assert done["minimizer_removed"] is True
    again = owner.ok("key", "destroy", "support", "--yes")
    assert (again["version"], again["minimizer_removed"]) == (1, False)
    assert owner.ok("key", "list")["keys"] == [owner.ok("key", "show", "support")]


def test_each_move_has_intent_and_outcome(owner):
    before = len(acts(owner))
    owner.ok("key", "rotate", "support")
    owner.ok("key", "retire", "support")
    owner.ok("key", "destroy", "support", "--yes")
    assert refused(owner, "key", "retire", "support") == (2, "key_transition")
    moves = ["key.rotate", "key.retire", "key.destroy"]
    expected = [(move, outcome) for move in moves for outcome in BOTH]
    expected += [("key.retire", "intended"), ("key.retire", "refused")]
    assert acts(owner)[before:] == expected
    intent, outcome = owner.events("key.destroy")
    assert json.loads(intent.body)["policy"] == "solo"
    assert json.loads(intent.body)["force"] is False
    assert json.loads(outcome.body)["version"] == 1


def test_a_refused_uri_is_not_recorded(owner):
    for args in (("create", "b"), ("rotate", "support")):
        asked = ("key", *args, "--provider", "file:kek?passphrase=canary-5511")
        assert refused(owner, *asked) == (4, "provider_uri")
    assert not any("canary-5511" in event.body for event in owner.events())
    assert statuses(owner) == ["active"]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (("destroy", "support"), (2, "confirm")),
        (("destroy", "support", "--yes"), (2, "key_transition")),
        (("destroy", "support", "--version", "1", "--yes"), (3, "key_not_retired")),
        (("destroy", "support", "--version", "2", "--yes"), (5, "key_version_unknown")),
        (("retire", "support", "--version", "1"), (2, "key_transition")),
        (("retire", "support", "--version", "0"), (2, "usage")),
        (("rotate", "nobody"), (5, "key_unknown")),
        (("retire", "nobody"), (5, "key_unknown")),
        (("destroy", "nobody", "--yes"), (5, "key_unknown")),
    ],
)
def test_moves_that_are_refused_change_nothing(owner, args, expected):
    before = (owner.home / "keys" / "support.json").read_bytes()
    assert refused(owner, "key", *args) == expected
    assert (owner.home / "keys" / "support.json").read_bytes() == before


def test_no_move_without_its_intent(owner):
    (owner.home / "ledger.sqlite").unlink()
    (owner.home / "ledger.sqlite").mkdir()
    for move in (("rotate",), ("retire",), ("destroy", "--force", "--yes")):
        assert owner.run("key", *move, "support").code == 6
    assert KeyRing(owner.home).get("support").versions[0].status == "active"


@pytest.mark.soak
@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 2), ("\n", 2)])
def test_at_a_terminal_one_is_asked(owner, answer, code):
    ours, theirs = pty.openpty()
    program = "from cipherset.interfaces.cli.main import main; main()"
    args = ("key", "destroy", "support", "--force", "--home", str(owner.home), "--json")
    os.write(ours, answer.encode())
    done = subprocess.run(
        [sys.executable, "-c", program, *args],
        stdin=theirs,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    os.close(ours)
    os.close(theirs)
    assert done.returncode == code, done.stderr
    assert "for good?" in done.stderr
    shown = json.loads(done.stdout)
    assert (shown["status"] == "destroyed") if code == 0 else (shown["error"]["code"] == "confirm")
    assert statuses(owner) == (["destroyed"] if code == 0 else ["active"])


def test_killed_between_secret_and_minimizer_the_next_run_removes_it(changed):
    owner, key_id = changed.owner, changed.protected["key_id"]
    KeyRing(owner.home).destroy("support", 1, force=True)  # where the other run was killed
    assert minimizers(owner) == [f"{key_id}.v1"]
    shown = owner.ok("key", "destroy", "support", "--yes")
    assert (shown["version"], shown["minimizer_removed"]) == (1, True)
    assert minimizers(owner) == []


def test_the_minimizers_of_others_stay(changed):
    owner = changed.owner
    owner.key("another")
    session = Session(owner.home, "ada", owner.folder, TerminalProgress())
    with opened(session) as workspace:
        assert not _remove_minimizers(workspace, workspace.ring.get("another"))
        assert not _remove_minimizers(workspace, workspace.ring.get("support"))
    assert len(minimizers(owner)) == 1


def test_an_export_whose_row_map_is_lost_is_in_the_plan_still(changed):
    owner = changed.owner
    folder = owner.home / "exports" / changed.protected["cipherset_id"]
    (folder / "rows").unlink()
    shutil.copytree(folder, folder.with_name("0" * 32))  # not what its name says
    (stale,) = owner.ok("key", "rotate", "support")["plan"]
    assert (stale["cipherset_id"], stale["rows"]) == (folder.name, None)
