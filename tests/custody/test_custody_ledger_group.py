"""Pieces of work of many threads in one commit: each for itself, all on the disk or told."""

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from custody_ledgers import fill
from sqlalchemy import text

from cipherset.core.errors import BackendError, IntegrityError, PolicyError, UsageError
from cipherset.custody.ledger import Outcome, Verification

THREADS = 12
PATIENCE_S = 60


def refusal():
    return PolicyError("no", code="no")


def event(work, subject):
    return work.append(actor="ada", action="x", subject=subject, outcome=Outcome.DONE)


def together(ledger, pieces):
    """Hand in all ``pieces`` while one holds the lead, so that they share one commit."""
    taken, go = threading.Event(), threading.Event()

    def first(work):
        taken.set()
        assert go.wait(PATIENCE_S)
        event(work, "first")

    with ThreadPoolExecutor(len(pieces) + 1) as pool:
        leading = pool.submit(ledger.transact, first)
        assert taken.wait(PATIENCE_S)
        futures = [pool.submit(ledger.transact, piece) for piece in pieces]
        end = time.monotonic() + PATIENCE_S
        while len(ledger._group._waiting) < len(pieces) and time.monotonic() < end:
            time.sleep(0.001)
        go.set()
        leading.result()
        return [future.exception() or future.result() for future in futures]


def test_pieces_of_one_commit_are_chained_and_each_gets_its_own(ledger):
    commits = []
    begin = ledger._group._commit
    ledger._group._commit = lambda group: (commits.append(len(group)), begin(group))[1]
    found = together(ledger, [lambda work, k=k: event(work, f"s{k}") for k in range(THREADS)])
    assert [piece.subject for piece in found] == [f"s{k}" for k in range(THREADS)]
    assert sorted(piece.seq for piece in found) == list(range(2, THREADS + 2))
    assert commits == [1, THREADS]
    assert ledger.verify() == Verification(valid=True, events=THREADS + 1, first_bad=None)


def test_who_is_handed_the_lead_before_it_sleeps_wakes_the_others(ledger, monkeypatch):
    """A thread may be held up between its place in the queue and its sleep."""
    group = ledger._group
    took_place = group._leads_at_once

    def held_up(piece):
        leads = took_place(piece)
        if not leads and next(iter(group._waiting), None) is piece:
            end = time.monotonic() + PATIENCE_S
            while not piece.leads:
                assert time.monotonic() < end
                time.sleep(0.001)
        return leads

    monkeypatch.setattr(group, "_leads_at_once", held_up)
    found = together(ledger, [lambda work, k=k: event(work, f"s{k}") for k in range(3)])
    assert [piece.subject for piece in found] == ["s0", "s1", "s2"]


def test_one_that_raises_is_rolled_back_alone(ledger):
    def fails(work):
        event(work, "lost")
        raise refusal()

    def breaks(work):
        event(work, "lost")
        work.connection.execute(text("INSERT INTO assets (id) VALUES (NULL)"))

    def asks_nonsense(work):
        event(work, "lost")
        work.connection.execute(text("SELECT nothing FROM nowhere"))

    pieces = [
        lambda work: event(work, "one"),
        fails,
        breaks,
        lambda work: event(work, "two"),
        asks_nonsense,
        lambda _work: 1 / 0,
        lambda work: event(work, "three"),
    ]
    found = together(ledger, pieces)
    assert [found[k].subject for k in (0, 3, 6)] == ["one", "two", "three"]
    assert isinstance(found[1], PolicyError)
    assert [found[k].code for k in (2, 4)] == ["ledger_unwritable"] * 2
    assert isinstance(found[5], ZeroDivisionError)
    assert [e.subject for e in ledger.events()] == ["first", "one", "two", "three"]
    assert ledger.verify().valid


def test_a_part_that_is_rolled_back_leaves_the_chain_whole(ledger):
    def work(transaction):
        event(transaction, "before")
        with pytest.raises(PolicyError), transaction.connection.begin_nested():
            event(transaction, "lost")
            raise refusal()
        return event(transaction, "after")

    assert ledger.transact(work).seq == 2
    assert [e.subject for e in ledger.events()] == ["before", "after"]
    assert ledger.verify().valid


def test_where_the_database_gives_up_all_of_the_group_are_told(ledger, place):
    """Some failures end a transaction by themselves; here somebody's work does."""
    fill(ledger, 1)

    def gives_up(work):
        event(work, "lost")
        work.connection.exec_driver_sql("ROLLBACK")
        work.connection.exec_driver_sql("SELECT nothing FROM nowhere")

    pieces = [lambda work: event(work, "a"), gives_up, lambda work: event(work, "b")]
    found = together(ledger, pieces)
    assert [type(piece) for piece in found] == [BackendError] * 3
    assert [piece.code for piece in found] == ["ledger_unwritable"] * 3
    assert [e.subject for e in ledger.events()] == ["s0", "first"]
    event_after = ledger.transact(lambda work: event(work, "after"))
    assert event_after.seq == 3
    assert ledger.verify().valid


def test_an_interrupted_leader_tells_the_others(ledger):
    def interrupted(work):
        event(work, "lost")
        raise KeyboardInterrupt

    found = together(ledger, [interrupted, lambda work: event(work, "lost")])
    kinds = {type(piece) for piece in found}
    assert kinds <= {KeyboardInterrupt, BackendError}
    assert KeyboardInterrupt in kinds
    assert [e.subject for e in ledger.events()] == ["first"]
    assert ledger.transact(lambda work: event(work, "after")).seq == 2


def test_work_that_asks_the_ledger_itself_is_refused(ledger):
    with pytest.raises(UsageError) as caught:
        ledger.transact(lambda _work: fill(ledger, 1))
    assert caught.value.code == "ledger_nested"
    fill(ledger, 1)
    assert ledger.verify().events == 1


@pytest.fixture
def interruptible():
    """A process that runs tests beside others may not heed a signal of its own accord.

    It heeds one: whoever interrupts may say so again until it was heard.
    """

    def once(*_):
        # By a function: one that came before it is ignored would be a warning.
        signal.signal(signal.SIGINT, lambda *_: None)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, once)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_who_waits_and_is_interrupted_takes_its_piece_back(ledger):
    taken, go, heard = threading.Event(), threading.Event(), threading.Event()
    main = threading.get_ident()

    def first(work):
        taken.set()
        assert go.wait(PATIENCE_S)
        event(work, "first")

    def interrupt():
        end = time.monotonic() + PATIENCE_S
        while not ledger._group._waiting and time.monotonic() < end:
            time.sleep(0.01)
        # A signal that comes before it sleeps would not wake it.
        while not heard.wait(0.1) and time.monotonic() < end:
            signal.pthread_kill(main, signal.SIGINT)

    with ThreadPoolExecutor(3) as pool:
        leading = pool.submit(ledger.transact, first)
        assert taken.wait(PATIENCE_S)
        pool.submit(interrupt)
        with pytest.raises(KeyboardInterrupt):
            ledger.transact(lambda work: event(work, "lost"))
        heard.set()
        later = pool.submit(ledger.transact, lambda work: event(work, "later"))
        go.set()
        leading.result(PATIENCE_S)
        assert later.result(PATIENCE_S).seq == 2
    assert [e.subject for e in ledger.events()] == ["first", "later"]


def test_more_pieces_than_one_commit_takes(ledger):
    found = together(ledger, [lambda work, k=k: event(work, f"s{k}") for k in range(70)])
    assert sorted(piece.seq for piece in found) == list(range(2, 72))
    assert ledger.verify().events == 71


def test_many_threads_at_once(ledger):
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda k: ledger.transact(lambda work: event(work, f"s{k}")), range(200)))
    assert ledger.verify() == Verification(valid=True, events=200, first_bad=None)
    assert {e.subject for e in ledger.events()} == {f"s{k}" for k in range(200)}


def test_time_never_goes_back(place):
    start = datetime(2026, 1, 2, tzinfo=UTC)
    clock = [start]
    with place.open(clock=lambda: clock[0]) as ledger:
        fill(ledger, 1)
        clock[0] = start - timedelta(days=30)
        assert ledger.transact(lambda work: work.now) == start
        fill(ledger, 1)
    with place.open(clock=lambda: clock[0]) as ledger:
        assert ledger.transact(lambda work: work.now) == start
        clock[0] = start + timedelta(seconds=1)
        found = ledger.transact(lambda work: (work.now, event(work, "s"), event(work, "t")))
        assert found[0] == clock[0]
        assert found[1].time == found[2].time
        times = [e.time for e in ledger.events()]
        assert times == sorted(times)


@pytest.mark.parametrize("time", ["", "yesterday", "0001-01-01T00:00:00+23:00"])
def test_after_an_event_without_a_time_nothing_is_written(ledger, place, time):
    fill(ledger)
    place.alter(f"UPDATE events SET time = '{time}' WHERE seq = 6")
    with pytest.raises(IntegrityError) as caught:
        fill(ledger, 1)
    assert caught.value.code == "ledger_corrupt"
    assert ledger.verify().first_bad == 6
