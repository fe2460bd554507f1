"""The ledger: a chain in which no change goes unseen, and nothing without its event."""

import hashlib
import json
import sqlite3
from datetime import datetime, timedelta, timezone

import pytest
from custody_ledgers import fill
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.core import canonical
from cipherset.core.errors import InputError, UsageError
from cipherset.custody.ledger import Event, Ledger, Outcome, RunStatus, Verification
from cipherset.custody.ledger.chain import event_hash

ASSET = "sha256:" + "a" * 64
OTHER = "hmac-sha256:" + "b" * 64


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
        (["DELETE FROM events WHERE seq = 1"], 1),
        (["DELETE FROM events WHERE seq = 4"], 4),
        (
            [
                "DELETE FROM events WHERE seq = 4",
                "UPDATE events SET seq = 4 WHERE seq = 5",
                "UPDATE events SET seq = 5 WHERE seq = 6",
            ],
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
def test_edit_insertion_deletion_and_reorder_are_found(ledger, place, statements, first_bad):
    fill(ledger)
    place.alter(*statements)
    found = ledger.verify()
    assert (found.valid, found.first_bad) == (False, first_bad)


def test_more_events_than_a_page(ledger, place):
    def many(work):
        for k in range(2001):
            work.append(actor="a", action="b", subject=str(k), outcome=Outcome.DONE)

    ledger.transact(many)
    assert ledger.verify() == Verification(valid=True, events=2001, first_bad=None)
    assert [event.seq for event in ledger.events(after=1999)] == [2000, 2001]
    place.alter("UPDATE events SET actor = 'x' WHERE seq = 1777")
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


@pytest.mark.parametrize("name", ["\udcff", "a\0b"])
def test_a_name_that_is_no_text_is_refused(ledger, name):
    for call in (
        lambda: ledger.append(actor=name, action="b", subject="c", outcome=Outcome.DONE),
        lambda: ledger.record_asset(ASSET, actor="a", kind="dataset", name=name, attributes={}),
        lambda: ledger.start_run(name, actor="a", inputs=[], parameters={}),
    ):
        with pytest.raises(InputError) as caught:
            call()
        assert caught.value.code == "event_body"
    assert list(ledger.events()) == []


def test_any_other_text_is_kept(ledger):
    odd = "".join(map(chr, range(1, 0x250))) + "\u2028\ufffe\U0001f512"
    ledger.append(actor=odd, action=odd, subject=odd, outcome=Outcome.DONE, body={odd: "\0" + odd})
    (event,) = ledger.events()
    assert (event.actor, event.action, event.subject) == (odd,) * 3
    assert json.loads(event.body) == {odd: "\0" + odd}
    assert ledger.verify().valid


def test_times_are_utc_whatever_the_clock_says(place):
    zone = timezone(timedelta(hours=5))
    with place.open(clock=lambda: datetime(2026, 1, 2, 5, tzinfo=zone)) as ledger:
        fill(ledger, 1)
        assert next(ledger.events()).time == "2026-01-02T00:00:00.000000+00:00"


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@given(st.lists(TEXT, min_size=7, max_size=7), st.integers(1 - 2**53, 2**53 - 1))
def test_the_fast_hash_is_the_one_over_the_canonical_form(texts, seq):
    time, *others, previous = texts
    event = Event(seq, time, *others, previous, "")
    names = ("seq", "time", "actor", "action", "subject", "outcome", "body", "previous")
    fields = {name: getattr(event, name) for name in names}
    assert event_hash(event) == canonical.digest({**fields, "schema": "cipherset/event/1"})


@settings(max_examples=12)
@given(
    names=st.lists(TEXT, min_size=1, max_size=6),
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
