"""What was read once is not read again while no row changed, and is as soon as one did."""

import pytest
from custody_ledgers import BOTH, fill, place_of
from sqlalchemy import text

from cipherset.core.errors import PolicyError
from cipherset.custody.ledger import Debit, Outcome, debit
from cipherset.custody.ledger.access import StoredPrincipal, find_principal, put_principal

ADA = StoredPrincipal("ada", ("data-owner",), {}, None, "active", "2026-01-01")
EDIT = "UPDATE principals SET status = 'left'"


@pytest.fixture(params=BOTH)
def place(request, tmp_path):
    return place_of(request.param, tmp_path, request)


@pytest.fixture
def ledger(place):
    with place.open() as opened:
        opened.transact(lambda work: put_principal(work, ADA, actor="root"))
        yield opened


class Reader:
    """Reads the status of ada through what is recalled, and counts how often it is really read."""

    def __init__(self, ledger):
        self.ledger, self.count = ledger, 0

    def of(self, work):
        def read(connection):
            self.count += 1
            return connection.execute(text("SELECT status FROM principals")).scalar_one_or_none()

        return work.recall("status", read)

    def __call__(self):
        return self.ledger.transact(self.of)


@pytest.fixture
def read(ledger):
    made = Reader(ledger)
    made()
    made()
    made.count = 0
    return made


def append(work):
    return work.append(actor="ada", action="x", subject="s", outcome=Outcome.DONE)


def test_events_and_debits_change_nothing_that_is_recalled(ledger, read):
    for k in range(5):
        ledger.transact(append)
        ledger.transact(lambda work: debit(work, (Debit("queries", "m", 1, None),)))
        assert read() == "active", k
    assert read.count == 0


def test_the_same_is_so_inside_one_transaction(ledger, read):
    def work(transaction):
        return [(append(transaction).seq, read.of(transaction)) for _ in range(3)]

    assert [status for _, status in ledger.transact(work)] == ["active"] * 3
    assert read.count == 0


def test_who_changes_a_row_past_the_ledger_is_seen(place, read):
    place.alter(EDIT)
    assert read() == "left"
    place.alter("DELETE FROM principals")
    assert read() is None


def test_an_edit_is_refused_where_it_was_recalled_before(place, ledger):
    def find(work):
        return work.recall("ada", lambda rows: find_principal(rows, "ada"))

    assert ledger.transact(find) == ADA
    assert ledger.transact(find) == ADA
    place.alter(EDIT)
    with pytest.raises(Exception, match="was changed past the gate") as found:
        ledger.transact(find)
    assert found.value.code == "principal_changed"


def test_another_process_is_seen(place, read):
    with place.open() as other:
        other.transact(lambda work: work.connection.execute(text(EDIT)))
        assert read() == "left"
        other.append(actor="bob", action="x", subject="s", outcome=Outcome.DONE)
        assert read() == "left"


def test_an_own_change_is_seen_in_its_transaction_and_undone_with_it(ledger, read):
    def work(transaction):
        before = read.of(transaction)
        transaction.connection.execute(text(EDIT))
        append(transaction)
        seen.append((before, read.of(transaction)))
        raise PolicyError("no", code="no")

    seen = []
    with pytest.raises(PolicyError):
        ledger.transact(work)
    assert seen == [("active", "left")]
    assert read() == "active"


def test_an_own_change_that_holds_is_seen_after(ledger, read):
    ledger.transact(lambda work: work.connection.execute(text(EDIT)))
    assert read() == "left"


def test_a_debit_that_was_refused_takes_what_was_read_with_it(ledger, read):
    def work(transaction):
        transaction.connection.execute(text(EDIT))
        with pytest.raises(PolicyError):
            debit(transaction, (Debit("queries", "a", 1, None), Debit("queries", "b", 2, 1)))
        return read.of(transaction)

    assert ledger.transact(work) == "left"
    assert read() == "left"


def test_the_chain_goes_on_from_whoever_wrote_last(place, ledger):
    with place.open() as other:
        for _ in range(3):
            fill(ledger, 2)
            fill(other, 2)
    assert ledger.verify().valid
    assert [event.seq for event in ledger.events()] == list(range(1, 14))


FAIL_AT_COMMIT = {
    "sqlite": (
        "CREATE TRIGGER late AFTER INSERT ON events WHEN new.subject = 'bad' BEGIN "
        "INSERT INTO votes VALUES ('none', 'x', 'approve', 't', '{}'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF new.subject = 'bad' THEN RAISE EXCEPTION 'late'; END IF; RETURN NULL; END $$",
        "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION late()",
    ),
}


def test_a_commit_that_failed_leaves_no_end_to_chain_onto(place, ledger):
    """What was to be written is not there, so nothing may follow it."""
    place.alter(*FAIL_AT_COMMIT["sqlite" if place.server is None else "postgresql"])
    fill(ledger, 2)

    def work(transaction):
        if place.server is None:  # a row that refers to none is found at the end
            transaction.connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        transaction.append(actor="ada", action="x", subject="bad", outcome=Outcome.DONE)

    with pytest.raises(Exception, match="nothing was done") as found:
        ledger.transact(work)
    assert found.value.code == "ledger_unwritable"
    fill(ledger, 2)
    assert ledger.verify().valid
    assert len(list(ledger.events())) == 5


def test_what_only_looks_keeps_nothing(place, ledger, read):
    before = ledger.look(read.of)
    assert (before, ledger.look(read.of), read.count) == ("active", "active", 2)


def test_no_more_is_kept_than_so_much(ledger):
    counts = []

    def work(transaction):
        for k in range(5000):
            transaction.recall(k, lambda _: counts.append(1))

    ledger.transact(work)
    ledger.transact(work)
    assert len(counts) > 5000
