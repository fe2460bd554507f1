"""Every act through the gate: its intent before it, its outcome after it, or it does not happen."""

import json
import shutil
import sqlite3

import pytest
from thread_samples import QUICK, leftovers, vector_rows, write_rows

from cipherset.custody.ledger import Ledger

BOTH = ("intended", "done")
BY_TOPIC = ("--vector", "vec", "--label", "topic", "--key", "support")


WRITTEN_BESIDE = ("asset.record", "run.start", "run.finish")


def _acts(owner):
    """What the gate let in, without what acts wrote down of assets."""
    return [
        (event.action, event.outcome)
        for event in owner.events()
        if event.action not in WRITTEN_BESIDE
    ]


def test_each_act_has_intent_and_outcome(changed):
    owner, gate = changed.owner, changed.owner.folder / "gate"
    assert _acts(owner)[:6] == [
        *(("key.create", outcome) for outcome in BOTH),
        ("protect", "intended"),
        *(("export", outcome) for outcome in BOTH),
        ("protect", "done"),
    ]
    before = len(_acts(owner))
    owner.ok("train", changed.cipherset, "--to", gate, "--at-gate")
    owner.ok("evaluate", gate, changed.cipherset)
    owner.ok("predict", gate, changed.source)
    expected = ["train.at-gate", "evaluate", "predict"]
    assert _acts(owner)[before:] == [(a, o) for a in expected for o in BOTH]
    with Ledger(f"sqlite:///{owner.home / 'ledger.sqlite'}") as ledger:
        assert ledger.verify().valid


def test_what_is_told_of_an_export(exported):
    intent, outcome = exported.owner.events("protect")
    asked, done = json.loads(intent.body), json.loads(outcome.body)
    assert asked["policy"] == "solo"
    assert asked["source"] == "rows.parquet"
    assert done["cipherset"] == exported.protected["cipherset_id"]
    assert done["key_id"] == exported.protected["key_id"]
    assert intent.subject == str(exported.cipherset)


def test_reading_leaves_no_event(exported):
    owner, before = exported.owner, len(exported.owner.events())
    owner.ok("key", "list")
    owner.ok("key", "show", "support")
    owner.ok("inspect", exported.cipherset)
    assert len(owner.events()) == before


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--minimize", "none", "--approximation-factor", "0.5"), "measured_risk"),
        (("--label", "absent"), "column_missing"),
        (("--to", "/proc/out"), "no_permission"),
    ],
)
def test_a_refusal_is_an_outcome(owner, options, code):
    source = write_rows(owner.folder / "rows.jsonl", vector_rows())
    asked = ("protect", source, *BY_TOPIC, "--to", owner.folder / "out", *QUICK, *options)
    assert owner.run(*asked).code > 1
    intent, outcome = owner.events("protect")
    assert (intent.outcome, outcome.outcome) == ("intended", "refused")
    told = json.loads(outcome.body)["code"]
    assert told == code or (code, told) == ("no_permission", "disk")


def test_a_refusal_of_a_key_is_an_outcome(owner):
    assert owner.run("key", "create", "support").code == 2
    *_, intent, outcome = owner.events("key.create")
    assert (intent.outcome, outcome.outcome) == ("intended", "refused")
    assert json.loads(outcome.body)["code"] == "key_exists"


def test_a_refused_prediction_is_an_outcome(changed):
    done = changed.owner.run("predict", changed.bundle, "--value", "a text")
    assert (done.code, done.error["code"]) == (4, "value_is_text")
    assert _acts(changed.owner)[-2:] == [("predict", "intended"), ("predict", "refused")]


@pytest.fixture
def broken_ledger(changed):
    """A ledger that can be opened and read but takes no event; not even root writes to it."""
    path = changed.owner.home / "ledger.sqlite"
    with sqlite3.connect(path) as database:
        (table,) = database.execute(
            "SELECT name FROM sqlite_master WHERE type='table' AND name LIKE '%event%'"
        ).fetchone()
        fails = "BEGIN INSERT INTO nowhere VALUES (1); END"
        database.execute(f"CREATE TRIGGER fails BEFORE INSERT ON {table} {fails}")
    database.close()
    return changed


def test_no_act_without_its_intent(broken_ledger):
    owner, gate = broken_ledger.owner, broken_ledger.owner.folder / "gate"
    before, keys = owner.exports(), sorted((owner.home / "keys").iterdir())
    there = sorted(owner.folder.iterdir())
    target = owner.folder / "out"
    for asked in (
        ("key", "create", "another"),
        ("protect", broken_ledger.source, *BY_TOPIC, "--to", target, *QUICK),
        ("train", broken_ledger.cipherset, "--to", gate, "--at-gate"),
        ("evaluate", broken_ledger.bundle, broken_ledger.cipherset),
        ("predict", broken_ledger.bundle, broken_ledger.source),
    ):
        done = owner.run(*asked)
        assert (done.code, done.error["code"]) == (6, "ledger_unwritable")
        assert "so nothing was done" in done.error["message"]
        assert "predictions" not in done.out
    assert sorted(owner.folder.iterdir()) == there
    assert sorted((owner.home / "keys").iterdir()) == keys
    assert owner.exports() == before
    assert leftovers(owner.folder) == []


def test_a_ledger_in_the_way(changed):
    owner, path = changed.owner, changed.owner.home / "ledger.sqlite"
    for name in ("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"):
        (owner.home / name).unlink(missing_ok=True)
    path.mkdir()
    done = owner.run("evaluate", changed.bundle, changed.cipherset)
    assert done.code == 6, done.out
    path.rmdir()
    path.write_bytes(b"this is no database, and long enough to be looked at" * 100)
    done = owner.run("evaluate", changed.bundle, changed.cipherset)
    assert done.code in {5, 6}, done.out
    shutil.rmtree(changed.bundle)
