"""The ledger: a chain in which no change goes unseen, and nothing without its event."""

import hashlib
import json
import resource
import sqlite3
import subprocess
import sys
from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.core.errors import BackendError, InputError, IntegrityError, UsageError
from cipherset.custody.ledger import Event, Ledger, Outcome, RunStatus, Verification
from cipherset.custody.ledger.chain import event_hash

ASSET = "sha256:" + "a" * 64
OTHER = "hmac-sha256:" + "b" * 64


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'ledger.sqlite'}"


@pytest.fixture
def ledger(url):
    times = (datetime(2026, 1, 2, tzinfo=UTC) + timedelta(seconds=k) for k in range(10**6))
    with Ledger(url, clock=lambda: next(times)) as opened:
        yield opened


def fill(ledger, n_events=6):
    for k in range(n_events):
        ledger.append(
            actor="ada", action="protect", subject=f"s{k}", outcome=Outcome.DONE, body={"k": k}
        )


def alter(tmp_path, *statements):
    """What somebody with the file and SQLite could do to it."""
    with sqlite3.connect(tmp_path / "ledger.sqlite") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_events_are_what_was_appended_in_order(ledger):
    fill(ledger)
    found = list(ledger.events())
    assert [event.seq for event in found] == [1, 2, 3, 4, 5, 6]
    assert found[2].subject == "s2"
    assert found[2].body == '{"k":2}'
    assert found[2].time == "2026-01-02T00:00:02.000000+00:00"
    assert [event.previous for event in found[1:]] == [event.hash for event in found[:-1]]
    assert [event.seq for event in ledger.events(after=4)] == [5, 6]
    assert ledger.verify() == Verification(valid=True, events=6, first_bad=None)


def test_the_hash_is_what_the_docstring_says(ledger):
    event = ledger.append(actor="ä", action="b", subject="c", outcome=Outcome.INTENDED)
    fields = {
        name: getattr(event, name)
        for name in ("seq", "time", "actor", "action", "subject", "outcome", "body", "previous")
    }
    text = json.dumps(
        {**fields, "schema": "cipherset/event/1"},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    assert event.hash == "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    assert event.previous == "sha256:" + "0" * 64


def test_an_empty_ledger_is_valid(ledger):
    assert ledger.verify() == Verification(valid=True, events=0, first_bad=None)


@pytest.mark.parametrize(
    ("statements", "first_bad"),
    [
        (["UPDATE events SET actor = 'eve' WHERE seq = 3"], 3),
        (["UPDATE events SET body = '{\"k\":9}' WHERE seq = 6"], 6),
        (["UPDATE events SET time = '' WHERE seq = 1"], 1),
        (["UPDATE events SET hash = previous WHERE seq = 2"], 2),
        (["UPDATE events SET subject = CAST(x'ff' AS TEXT) WHERE seq = 4"], 4),
        (["DELETE FROM events WHERE seq = 1"], 1),
        (["DELETE FROM events WHERE seq = 4"], 4),
        (
            ["DELETE FROM events WHERE seq = 4", "UPDATE events SET seq = seq - 1 WHERE seq > 4"],
            4,
        ),
        (
            [
                "UPDATE events SET seq = -1 WHERE seq = 2",
                "UPDATE events SET seq = 2 WHERE seq = 3",
                "UPDATE events SET seq = 3 WHERE seq = -1",
            ],
            2,
        ),
        (["INSERT INTO events SELECT 7, time, actor, action, subject, outcome, body, hash, hash "
          "FROM events WHERE seq = 6"], 7),
        (["INSERT INTO events SELECT -9223372036854775808, time, actor, action, subject, outcome, "
          "body, previous, hash FROM events WHERE seq = 1"], 1),
    ],
)  # fmt: skip
def test_edit_insertion_deletion_and_reorder_are_found(ledger, tmp_path, statements, first_bad):
    fill(ledger)
    alter(tmp_path, *statements)
    found = ledger.verify()
    assert (found.valid, found.first_bad) == (False, first_bad)


def test_more_events_than_a_page(ledger, tmp_path):
    with sqlite3.connect(tmp_path / "ledger.sqlite") as connection:
        previous = "sha256:" + "0" * 64
        for seq in range(1, 2501):
            event = Event(seq, "2026-01-01", "a", "b", "c", "done", "{}", previous, "")
            event = replace(event, hash=event_hash(event))
            connection.execute(f"INSERT INTO events VALUES ({','.join('?' * 9)})", astuple(event))
            previous = event.hash
    connection.close()
    assert ledger.verify() == Verification(valid=True, events=2500, first_bad=None)
    fill(ledger, 1)
    assert [event.seq for event in ledger.events(after=2499)] == [2500, 2501]
    alter(tmp_path, "UPDATE events SET actor = 'x' WHERE seq = 1777")
    assert ledger.verify().first_bad == 1777


def test_assets_and_runs_come_with_their_events(ledger):
    asset = ledger.record_asset(
        ASSET, actor="ada", kind="dataset", name="tickets", attributes={"rows": 10}
    )
    assert ledger.asset(ASSET) == asset
    assert ledger.asset(OTHER) is None
    run = ledger.start_run("protect", actor="ada", inputs=[ASSET], parameters={"k": 6})
    assert run.status is RunStatus.RUNNING
    assert (run.inputs, run.outputs, run.finished) == ((ASSET,), (), None)
    ledger.record_asset(OTHER, actor="ada", kind="dataset", name="out", attributes={})
    done = ledger.finish_run(run.id, status=RunStatus.DONE, outputs=[OTHER, OTHER])
    assert (done.status, done.outputs) == (RunStatus.DONE, (OTHER,))
    assert done.finished is not None
    assert ledger.run(run.id) == done
    assert ledger.runs() == (done,)
    assert [a.id for a in ledger.assets()] == [ASSET, OTHER]
    events = list(ledger.events())
    assert [(event.action, event.subject) for event in events] == [
        ("asset.record", ASSET),
        ("run.start", run.id),
        ("asset.record", OTHER),
        ("run.finish", run.id),
    ]
    assert json.loads(events[1].body)["inputs"] == [ASSET]
    assert ledger.verify().valid


def test_an_asset_is_recorded_once(ledger):
    first = ledger.record_asset(ASSET, actor="ada", kind="dataset", name="a", attributes={})
    again = ledger.record_asset(ASSET, actor="bob", kind="dataset", name="b", attributes={})
    assert again == first
    assert len(list(ledger.events())) == 1
    with pytest.raises(UsageError) as caught:
        ledger.record_asset(ASSET, actor="ada", kind="model", name="a", attributes={})
    assert caught.value.code == "asset_kind"


def test_a_failed_run_says_so(ledger):
    run = ledger.start_run("protect", actor="ada", inputs=[], parameters={})
    ledger.finish_run(run.id, status=RunStatus.FAILED)
    assert [event.outcome for event in ledger.events()] == ["done", "failed"]


def test_a_refused_change_leaves_no_row_and_no_event(ledger):
    run = ledger.start_run("protect", actor="ada", inputs=[], parameters={})
    cases = [
        ("asset_unknown", lambda: ledger.start_run("p", actor="a", inputs=[ASSET], parameters={})),
        (
            "asset_unknown",
            lambda: ledger.finish_run(run.id, status=RunStatus.DONE, outputs=[ASSET]),
        ),
        ("run_unknown", lambda: ledger.finish_run("run-x", status=RunStatus.DONE)),
        ("run_unknown", lambda: ledger.run("run-x")),
        ("run_status", lambda: ledger.finish_run(run.id, status=RunStatus.RUNNING)),
    ]
    for code, call in cases:
        with pytest.raises(UsageError) as caught:
            call()
        assert caught.value.code == code
    assert ledger.runs() == (run,)
    assert len(list(ledger.events())) == 1
    ledger.finish_run(run.id, status=RunStatus.DONE)
    with pytest.raises(UsageError) as caught:
        ledger.finish_run(run.id, status=RunStatus.DONE)
    assert caught.value.code == "run_finished"


@pytest.mark.parametrize("asset_id", ["", "tickets", "sha256:ab", "sha256:" + "A" * 64])
def test_an_assets_id_is_a_digest(ledger, asset_id):
    with pytest.raises(InputError) as caught:
        ledger.record_asset(asset_id, actor="ada", kind="dataset", name="a", attributes={})
    assert caught.value.code == "asset_id"


@pytest.mark.parametrize("value", [float("nan"), 2**60, b"bytes", {1: 2}, "\ud800", object()])
def test_what_json_cannot_hold_is_refused(ledger, value):
    with pytest.raises(InputError) as caught:
        ledger.append(
            actor="a", action="b", subject="c", outcome=Outcome.DONE, body={"value": value}
        )
    assert caught.value.code == "event_body"
    assert list(ledger.events()) == []


def test_a_name_that_is_no_text_is_refused(ledger):
    with pytest.raises(InputError) as caught:
        ledger.append(actor="\udcff", action="b", subject="c", outcome=Outcome.DONE)
    assert caught.value.code == "event_body"


def test_times_are_utc_whatever_the_clock_says(url):
    zone = timezone(timedelta(hours=5))
    with Ledger(url, clock=lambda: datetime(2026, 1, 2, 5, tzinfo=zone)) as ledger:
        fill(ledger, 1)
        assert next(ledger.events()).time == "2026-01-02T00:00:00.000000+00:00"


def test_the_file_is_private_strict_and_write_ahead(ledger, tmp_path):
    fill(ledger)
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path
    with sqlite3.connect(tmp_path / "ledger.sqlite") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        tables = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'table'")
        assert all(sql.rstrip().endswith("STRICT") for (sql,) in tables)
    connection.close()
    with ledger._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


@pytest.mark.parametrize("url", ["", "nonsense", "sqlite://", "postgresql://u:canary@h/d"])
def test_other_urls_are_refused_and_not_repeated(url):
    with pytest.raises(InputError) as caught:
        Ledger(url)
    assert caught.value.code == "ledger_url"
    assert "canary" not in caught.value.message + caught.value.hint


def test_a_ledger_that_cannot_be_made_is_said(tmp_path):
    with pytest.raises(BackendError) as caught:
        Ledger(f"sqlite:///{tmp_path}/missing/ledger.sqlite")
    assert caught.value.code == "ledger_unwritable"


def test_a_full_disk_refuses_the_event_and_the_chain_holds(ledger, url):
    fill(ledger)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        with pytest.raises(BackendError) as caught:
            fill(ledger, 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.code == "ledger_unwritable"
    with Ledger(url) as again:
        assert again.verify() == Verification(valid=True, events=6, first_bad=None)


def test_a_file_that_is_no_database_is_said(tmp_path):
    (tmp_path / "ledger.sqlite").write_bytes(b"this is no database" * 1000)
    with pytest.raises(IntegrityError) as caught:
        Ledger(f"sqlite:///{tmp_path}/ledger.sqlite")
    assert caught.value.code == "ledger_corrupt"


def test_a_ledger_without_its_tables_cannot_be_read(ledger, tmp_path):
    alter(tmp_path, "DROP TABLE events")
    with pytest.raises(BackendError) as caught:
        ledger.verify()
    assert caught.value.code == "ledger_unreadable"


@settings(max_examples=12, deadline=None)
@given(
    names=st.lists(st.text(max_size=8), min_size=1, max_size=6),
    place=st.integers(0, 5),
    field=st.sampled_from(["time", "actor", "action", "subject", "outcome", "body", "previous"]),
)
def test_any_edit_of_any_field_is_found(tmp_path_factory, names, place, field):
    path = tmp_path_factory.mktemp("ledger") / "ledger.sqlite"
    with Ledger(f"sqlite:///{path}") as ledger:
        for name in names:
            ledger.append(actor=name, action="x", subject=name, outcome=Outcome.DONE)
        assert ledger.verify().valid
        seq = place % len(names) + 1
        with sqlite3.connect(path) as connection:
            connection.execute(f"UPDATE events SET {field} = {field} || 'x' WHERE seq = {seq}")
        connection.close()
        assert ledger.verify().first_bad == seq


LIVES = """
import os, signal, sys, time
import numpy as np
from cipherset.custody.ledger import Ledger, Outcome

url = sys.argv[1]
random = np.random.default_rng(int(sys.argv[2]))
for life in range(5):
    child = os.fork()
    if child == 0:
        with Ledger(url) as ledger:
            while True:
                ledger.append(actor="a", action="x", subject="s", outcome=Outcome.DONE)
    time.sleep(random.uniform(0.01, 0.2))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""


def test_several_processes_killed_at_any_moment_leave_a_whole_chain(url):
    with Ledger(url) as ledger:
        fill(ledger)
    command = [sys.executable, "-c", LIVES, url]
    running = [subprocess.Popen([*command, str(seed)], stderr=subprocess.PIPE) for seed in range(2)]
    for process in running:
        assert process.communicate(timeout=60)[1] == b""
    with Ledger(url) as ledger:
        found = ledger.verify()
        assert found.valid
        assert found.events >= 6
