"""The ledger as an auditor sees it: whole or not, and what can be shown without it."""

import hashlib
import json
import re
import shutil
import sqlite3
from dataclasses import astuple

import pytest
from thread_samples import QUICK, Owner, cipherset, vector_rows, write_rows

from cipherset.app.audit.files import put
from cipherset.core.errors import UsageError
from cipherset.pipeline.sanitize import default_rules

# Digests, random ids, and figures that were measured: of one in so many a detector makes a card.
RANDOM = re.compile(r"[0-9a-f]{8,}|-?[0-9]+\.[0-9]{5,}(e-?[0-9]+)?")
VALID = {"valid", "events", "first_bad", "because", "checkpoint"}


def alter(owner, *statements):
    with sqlite3.connect(owner.home / "ledger.sqlite") as database:
        for statement in statements:
            database.execute(statement)
    database.close()


@pytest.fixture
def audited(owner):
    """With ten events or more, and a checkpoint kept elsewhere."""
    for name in ("b", "c", "d", "e"):
        owner.key(name)
    told = owner.ok("audit", "checkpoint", "--to", owner.folder / "elsewhere.json")
    assert told["size"] == 11
    return owner


def test_a_whole_ledger_is_valid(audited):
    before = len(audited.events())
    found = audited.ok("audit", "verify")
    assert set(found) == VALID
    assert (found["valid"], found["events"], found["first_bad"]) == (True, before, None)
    kept = audited.folder / "elsewhere.json"
    found = audited.ok("audit", "verify", "--checkpoint", kept)
    assert found["checkpoint"]["size"] == 11
    assert audited.ok("audit", "verify", "--checkpoint", kept, "--signer",
                      found["checkpoint"]["signer"])["valid"]  # fmt: skip
    assert len(audited.events()) == before
    done = audited.run("audit", "verify", "--checkpoint", kept, "--signer", "0" * 64)
    assert (done.code, done.error["code"]) == (5, "signer")


@pytest.mark.parametrize(
    ("statements", "first_bad"),
    [
        (["UPDATE events SET actor = 'eve' WHERE seq = 4"], 4),
        (["DELETE FROM events WHERE seq = 4"], 4),
        (["UPDATE events SET seq = 99 WHERE seq = 4", "UPDATE events SET seq = 4 WHERE seq = 5",
          "UPDATE events SET seq = 5 WHERE seq = 99"], 4),
        (["INSERT INTO events SELECT 13, time, actor, action, subject, outcome, body, hash, hash "
          "FROM events WHERE seq = 12"], 13),
        (["DELETE FROM events WHERE seq > 8"], 9),
        (["DELETE FROM events"], 1),
    ],
)  # fmt: skip
def test_the_first_bad_event_is_named_and_nothing_is_written(audited, statements, first_bad):
    alter(audited, *statements)
    before = [astuple(event) for event in audited.events()]
    for more in ((), ("--checkpoint", audited.folder / "elsewhere.json")):
        done = audited.run("audit", "verify", *more)
        assert done.code == 5
        assert set(done.json) == {*VALID, "error"}
        assert (done.json["valid"], done.json["first_bad"]) == (False, first_bad)
        assert done.json["error"]["code"] == "ledger_invalid"
        assert str(first_bad) in done.json["error"]["message"]
    shown = cipherset("audit", "verify", "--home", audited.home)
    assert shown.code == 5
    assert "NOT valid" in shown.out
    assert [astuple(event) for event in audited.events()] == before


def test_of_a_workspace_that_forgot_a_checkpoint_remembers(audited):
    for path in (audited.home / "head.json", audited.home / "keys" / "_head.json"):
        path.unlink()
    alter(audited, "DELETE FROM events WHERE seq > 8")
    assert audited.ok("audit", "verify")["events"] == 8
    done = audited.run("audit", "verify", "--checkpoint", audited.folder / "elsewhere.json")
    assert (done.code, done.json["first_bad"]) == (5, 9)


def test_a_restored_backup_is_refused_until_the_owner_accepts(audited):
    backup = shutil.copy(audited.home / "ledger.sqlite", audited.folder / "backup.sqlite")
    audited.key("f")
    shutil.copy(backup, audited.home / "ledger.sqlite")
    keys = len(list((audited.home / "keys").iterdir()))
    done = audited.run("key", "create", "g")
    assert (done.code, done.error["code"]) == (5, "ledger_regressed")
    assert "cipherset audit accept" in done.error["hint"]
    assert len(list((audited.home / "keys").iterdir())) == keys
    assert audited.run("audit", "verify").json["first_bad"] == 13
    accepted = audited.ok("audit", "accept", "--reason", "the disk was replaced")
    assert accepted == {"seen": 14, "last": 14}
    intent, outcome = audited.events("audit.accept")
    told = json.loads(intent.body)
    assert (told["seen"], told["found"], told["reason"]) == (14, 12, "the disk was replaced")
    assert outcome.outcome == "done"
    audited.key("g")
    assert audited.ok("audit", "verify")["valid"]
    done = audited.run("audit", "accept", "--reason", "once more")
    assert (done.code, done.error["code"]) == (2, "nothing_to_accept")


def test_a_memory_that_was_changed_is_accepted_too(audited):
    (audited.home / "head.json").write_text("{}")
    for asked in (("key", "create", "f"), ("audit", "verify")):
        done = audited.run(*asked)
        assert (done.code, done.error["code"]) == (5, "head_corrupt")
    assert audited.ok("audit", "accept", "--reason", "an editor")["seen"] is None
    assert json.loads(audited.events("audit.accept")[0].body)["code"] == "head_corrupt"
    assert audited.ok("audit", "verify")["valid"]


def test_one_event_is_verified_without_the_ledger(audited, tmp_path):
    kept = audited.folder / "elsewhere.json"
    proof = audited.folder / "event.json"
    told = audited.ok("audit", "prove", 4, "--checkpoint", kept, "--to", proof)
    assert told["size"] == 11
    auditor = Owner(tmp_path / "auditor")
    auditor.folder.mkdir()
    found = auditor.ok("audit", "verify", "--event", proof, "--checkpoint", kept)
    assert found["valid"]
    assert found["event"]["seq"] == 4
    assert found["event"]["action"] == "key.create"
    assert not auditor.home.exists()
    changed = proof.read_bytes().replace(b'"seq":4', b'"seq":5')
    (tmp_path / "changed.json").write_bytes(changed)
    done = auditor.run("audit", "verify", "--event", tmp_path / "changed.json",
                       "--checkpoint", kept)  # fmt: skip
    assert (done.code, done.error["code"]) == (5, "proof_mismatch")
    done = audited.run("audit", "prove", 12, "--checkpoint", kept, "--to", tmp_path / "later")
    assert (done.code, done.error["code"]) == (2, "event_later")
    shown = cipherset("audit", "verify", "--event", proof, "--checkpoint", kept)
    assert "event 4 is in the checkpoint" in shown.out


def test_growth_is_verified_without_the_ledger(audited, stranger, tmp_path):
    older, newer = audited.folder / "elsewhere.json", audited.folder / "newer.json"
    audited.key("f")
    audited.ok("audit", "checkpoint", "--to", newer)
    proof = audited.folder / "consistency.json"
    audited.ok("audit", "prove", "--since", older, "--checkpoint", newer, "--to", proof)
    both = ("--since", older, "--checkpoint", newer)
    found = stranger.ok("audit", "verify", "--consistency", proof, *both)
    assert found["since"]["size"] < found["checkpoint"]["size"]
    back = ("--since", newer, "--checkpoint", older)
    done = stranger.run("audit", "verify", "--consistency", proof, *back)
    assert (done.code, done.error["code"]) == (5, "proof_mismatch")
    theirs = stranger.folder / "theirs.json"
    stranger.ok("audit", "checkpoint", "--to", theirs)
    done = stranger.run(
        "audit", "verify", "--consistency", proof, *both[:2], "--checkpoint", theirs
    )
    assert (done.code, done.error["code"]) == (5, "signer")
    done = audited.run("audit", "prove", *back, "--to", tmp_path / "back.json")
    assert (done.code, done.error["code"]) == (2, "checkpoint_order")
    assert audited.run("audit", "verify", "--checkpoint", theirs).json["first_bad"] == 1


@pytest.mark.parametrize(
    "asked",
    [
        ("verify", "--since", "a"),
        ("verify", "--signer", "a"),
        ("verify", "--event", "a"),
        ("verify", "--event", "a", "--consistency", "b", "--checkpoint", "c"),
        ("verify", "--consistency", "a", "--checkpoint", "c"),
        ("prove", "--checkpoint", "a", "--to", "b"),
        ("prove", "1", "--since", "c", "--checkpoint", "a", "--to", "b"),
        ("prove", "0", "--checkpoint", "a", "--to", "b"),
        ("export",),
        ("accept",),
        ("find",),
        ("find", "--value", "a", "--file", "b"),
    ],
)
def test_what_makes_no_sense_is_usage(owner, asked):
    done = owner.run("audit", *asked)
    assert (done.code, done.error["code"]) == (2, "usage")


def test_files_that_are_missing_or_there_already(audited):
    kept, gone = audited.folder / "elsewhere.json", audited.folder / "gone.json"
    for asked, code in (
        (("verify", "--checkpoint", gone), "file_missing"),
        (("verify", "--event", gone, "--checkpoint", kept), "file_missing"),
        (("prove", 1, "--checkpoint", gone, "--to", audited.folder / "p"), "file_missing"),
        (("prove", 99, "--checkpoint", kept, "--to", audited.folder / "p"), "event_unknown"),
        (("checkpoint", "--to", kept), "target_exists"),
        (("export", "--to", kept), "target_exists"),
        (("prove", 1, "--checkpoint", kept, "--to", kept), "target_exists"),
        (("checkpoint", "--to", audited.folder / "no" / "c.json"), "target_parent"),
        (("list", "--since", "yesterday"), "since"),
        (("list", "--since", "0001-01-01T00:00:00+23:59"), "since"),
        (("list", "--since", "9999-12-31T23:59:00-23:59"), "since"),
    ):
        done = audited.run("audit", *asked)
        assert (done.code, done.error["code"]) == (2, code)
    before = kept.read_bytes()
    audited.ok("audit", "checkpoint", "--to", kept, "--force")
    assert kept.read_bytes() != before


def test_a_file_that_comes_to_be_meanwhile_is_kept(tmp_path):
    (tmp_path / "there").write_bytes(b"theirs")
    with pytest.raises(UsageError) as caught:
        put(tmp_path / "there", b"ours", overwrite=False)
    assert caught.value.code == "target_exists"
    assert (tmp_path / "there").read_bytes() == b"theirs"


def test_events_are_listed_and_that_is_recorded(audited):
    found = audited.ok("audit", "list", "--action", "key")["events"]
    assert {event["action"] for event in found} == {"key.create"}
    assert len(found) == 10
    assert found[0]["body"]["policy"] == "solo"
    assert audited.ok("audit", "list", "--action", "key.rotate")["events"] == []
    assert audited.ok("audit", "list", "--actor", "nobody")["events"] == []
    assert audited.ok("audit", "list", "--since", "2999-01-01")["events"] == []
    listed = audited.events("audit")
    assert [event.outcome for event in listed[-2:]] == ["intended", "done"]
    when = found[6]["time"]
    later = audited.ok("audit", "list", "--action", "key", "--since", when)["events"]
    assert [event["seq"] for event in later] == [event["seq"] for event in found[6:]]
    alter(audited, "UPDATE events SET body = 'x' WHERE seq = 2")
    assert audited.ok("audit", "list")["events"][1]["body"] == "x"
    shown = cipherset("audit", "list", "--home", audited.home)
    assert "key.create" in shown.out


def test_the_chain_can_be_verified_from_the_export_alone(audited):
    target = audited.folder / "events.jsonl"
    told = audited.ok("audit", "export", "--to", target)
    raw = target.read_bytes()
    assert told["sha256"] == "sha256:" + hashlib.sha256(raw).hexdigest()
    previous = "sha256:" + "0" * 64
    for seq, line in enumerate(raw.splitlines(), 1):
        event = json.loads(line)
        digest = event.pop("hash")
        assert (event["seq"], event["previous"]) == (seq, previous)
        event["schema"] = "cipherset/event/1"
        text = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        previous = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
        assert digest == previous
    assert seq == told["events"]


def test_no_personal_data_is_in_the_ledger(owner):
    """Our own detectors look through all that a whole job wrote, refusals included."""
    rows = [
        {**row, "mail": f"jane.doe{i}@example.com", "card": "4111 1111 1111 1111"}
        for i, row in enumerate(vector_rows())
    ]
    source = write_rows(owner.folder / "rows.jsonl", rows)
    columns = ("--vector", "vec", "--label", "topic", "--key", "support", *QUICK)
    target, bundle = owner.folder / "rows.cipherset", owner.folder / "router.bundle"
    owner.ok("protect", source, *columns, "--to", target)
    owner.ok("train", target, "--to", bundle)
    owner.ok("evaluate", bundle, target)
    owner.ok("predict", bundle, source)
    for bad in (
        ("protect", source, *columns, "--to", owner.folder / "again", "--label", "mail"),
        ("protect", source, *columns, "--to", owner.folder / "again", "--keep", "card"),
        ("predict", bundle, "--value", "call +1 212 555 0199 or jane.doe@example.com"),
        ("evaluate", bundle, owner.folder / "rows.jsonl", "--json"),
    ):
        owner.run(*bad)
    owner.ok("audit", "checkpoint", "--to", owner.folder / "checkpoint.json")
    with sqlite3.connect(owner.home / "ledger.sqlite") as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master "
                                                       "WHERE type = 'table'")]  # fmt: skip
        cells = [
            cell
            for table in tables
            for row in database.execute(f"SELECT * FROM {table}")
            for cell in row
            if isinstance(cell, str)
        ]
    database.close()
    assert len(cells) > 100
    planted = {value for row in rows for value in (row["mail"], row["card"])}
    planted |= {"4111111111111111", "+1 212 555 0199", "12125550199", "jane.doe", "example.com"}
    assert [each for each in planted for cell in cells if each in cell] == []
    cells = [RANDOM.sub("...", cell) for cell in cells]
    detectors = default_rules().detectors
    found = {
        (span.entity, cell[max(span.start - 30, 0) : span.end + 30])
        for detector in detectors
        for cell, spans in zip(cells, detector.detect(cells), strict=True)
        for span in spans
    }
    assert found == set()
    awake = [rows[0]["mail"], rows[0]["card"]]
    assert all(any(d.detect([text])[0] for d in detectors) for text in awake)
