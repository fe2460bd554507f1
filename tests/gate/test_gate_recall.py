"""A process that runs on decides by the rows as they are, though it reads them once."""

import sqlite3
from dataclasses import replace

import pytest
from sqlalchemy import event

from cipherset.app.access.init import init
from cipherset.app.access.principals import Change, add
from cipherset.app.gate import About, Action, Moment
from cipherset.app.workspace import Session, hold, open_workspace
from cipherset.core import canonical
from cipherset.core.errors import IntegrityError, PolicyError
from cipherset.custody.ledger import QUERIES, Debit, Outcome, RunStatus
from cipherset.custody.ledger.access import find_principal, put_principal
from cipherset.custody.policy import BuiltIn, Kind
from cipherset.interfaces.cli.output import TerminalProgress

ROWS = About(Kind.DATASET, canonical.digest_bytes(b"rows"), "rows.csv")
KEY = About(Kind.KEY, canonical.digest_bytes(b"key"), "support")


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "workspace"
    root = Session(home, "root", tmp_path, TerminalProgress())
    init(root, BuiltIn.TEAM)
    add(root, Change("ada", ("data-owner",)))
    return home


@pytest.fixture
def gate(home, tmp_path):
    session = Session(home, "ada", tmp_path, TerminalProgress())
    with hold(session) as held, open_workspace(held) as workspace:
        yield workspace.gate


def scan(gate, **moment):
    with gate.act(Action.SCAN, ROWS.name, {}, about=ROWS, moment=Moment(**moment)):
        pass


def alter(home, statement, *values):
    with sqlite3.connect(home / "ledger.sqlite") as database:
        database.execute(statement, values)
    database.close()


def statements(gate):
    """What the ledger is told, from now on, as a list that grows."""
    said = []
    event.listen(gate.ledger._writes, "before_cursor_execute", lambda *a: said.append(a[2]))
    return said


def test_an_act_after_another_reads_no_fact_again(gate):
    debits = (Debit(QUERIES, ROWS.id, 1, None),)
    scan(gate, debits=debits)
    scan(gate, debits=debits)
    said = statements(gate)
    scan(gate, debits=debits)
    assert [each.split()[0] for each in said] == ["UPDATE", "INSERT", "INSERT"]


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE principals SET roles = '[\"auditor\"]' WHERE name = 'ada'", "principal_changed"),
        ("DELETE FROM principals WHERE name = 'ada'", "principal_changed"),
        ("UPDATE policies SET digest = 'sha256:' || digest", "policy_changed"),
    ],
)
def test_what_is_edited_past_the_gate_between_two_acts_is_seen(home, gate, statement, code):
    scan(gate)
    scan(gate)
    alter(home, statement)
    with pytest.raises(IntegrityError) as found:
        scan(gate)
    assert found.value.code == code


def test_who_left_in_another_process_is_nobody_at_once(home, gate, tmp_path):
    scan(gate)
    scan(gate)
    with open_workspace(Session(home, "root", tmp_path, TerminalProgress())) as other:
        other.gate.ledger.transact(leave)
    with pytest.raises(PolicyError) as found:
        scan(gate)
    assert found.value.code == "not_allowed"


def leave(work):
    put_principal(work, replace(find_principal(work.connection, "ada"), status="left"), actor="bob")


def test_a_key_that_the_act_opens_is_decided_with_it(gate):
    with gate.act(Action.SCAN, "x", {}, about=ROWS, moment=Moment(opens=(KEY,))):
        assert gate._opens == (KEY,)
        with gate.act(Action.SCAN, "y", {}, about=ROWS):
            assert gate._opens == (KEY,)
    assert gate._opens == ()


def test_a_key_that_may_not_be_opened_is_refused_at_its_use(home, gate):
    ledger = gate.ledger
    ledger.record_asset(KEY.id, actor="ada", kind="key", name="support", attributes={})
    run = ledger.start_run("suspend", actor="root", inputs=[KEY.id], parameters={})
    ledger.finish_run(run.id, status=RunStatus.DONE)
    with gate.act(Action.SCAN, "x", {}, about=ROWS, moment=Moment(opens=(KEY,))):
        assert gate._opens == ()


def test_a_moment_is_gathered_in_the_transaction_that_decides(gate):
    seen = []

    def moment(transaction):
        seen.append(transaction.now)
        return Moment(rows=3)

    with gate.act(Action.SCAN, "x", {}, about=ROWS, moment=moment):
        pass
    last = list(gate.ledger.events())[-2:]
    assert [each.outcome for each in last] == [Outcome.INTENDED, Outcome.DONE]
    assert [time.isoformat(timespec="microseconds") for time in seen] == [last[0].time]
