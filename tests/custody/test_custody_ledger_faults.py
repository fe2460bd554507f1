"""What may happen to a ledger's disk, server and processes; the chain holds, or it is said."""

import json
import sqlite3
import subprocess
import sys
import threading

import pytest
from custody_ledgers import Place, fill, place_of, ticking
from sqlalchemy import text

from cipherset.core.errors import BackendError, InputError, IntegrityError
from cipherset.custody.ledger import Ledger, Outcome, Verification, spent
from cipherset.custody.ledger.database import engine

CANARY = "canary-password-0815"


@pytest.fixture
def sqlite(tmp_path, request):
    return place_of("sqlite", tmp_path, request)


@pytest.fixture
def server(tmp_path, request):
    return place_of("postgresql", tmp_path, request)


def test_the_file_is_private_strict_and_write_ahead(sqlite):
    with ticking(sqlite) as ledger:
        fill(ledger)
        for path in sqlite.file.parent.iterdir():
            assert path.stat().st_mode & 0o777 == 0o600, path
        with ledger._engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    with sqlite3.connect(sqlite.file) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        tables = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'table'")
        assert all(sql.rstrip().endswith("STRICT") for (sql,) in tables)
    connection.close()


@pytest.mark.needs("postgresql")
def test_the_server_syncs_each_commit_whatever_it_does_for_others(server):
    server.alter("ALTER ROLE gateway SET synchronous_commit = off")
    try:
        with server.open() as ledger, ledger._engine.connect() as connection:
            asked = connection.exec_driver_sql("SHOW synchronous_commit").scalar()
    finally:
        server.alter("ALTER ROLE gateway RESET synchronous_commit")
    assert asked == "on"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "sqlite://",
        "sqlite:///:memory:",
        f"postgresql://u:{CANARY}@h/d",
        f"postgresql+psycopg://u:{CANARY}@h/d",
        f"postgresql+psycopg://u@h/d?password={CANARY}",
        "postgresql+psycopg://u@h",
        "postgresql+psycopg2://u@h/d",
        f"mysql://u:{CANARY}@h/d",
    ],
)
def test_other_urls_are_refused_and_not_repeated(url):
    with pytest.raises(InputError) as caught:
        Ledger(url)
    assert caught.value.code == "ledger_url"
    assert CANARY not in caught.value.message + caught.value.hint


def test_without_its_driver_postgresql_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(BackendError) as caught:
        Ledger("postgresql+psycopg://u@/d")
    assert caught.value.code == "ledger_driver"
    assert "cipherset[postgres]" in caught.value.hint


@pytest.mark.needs("postgresql")
def test_a_wrong_password_is_refused_and_not_repeated(server):
    with pytest.raises(BackendError) as caught:
        Ledger(server.url, password=CANARY)
    assert caught.value.code == "ledger_unwritable"
    assert CANARY not in caught.value.message + caught.value.hint
    with server.open() as ledger:
        assert str(server.password) not in repr(ledger._engine) + repr(ledger._engine.url)


@pytest.mark.needs("postgresql")
def test_a_server_that_is_down_refuses_and_one_that_came_back_goes_on(server):
    with ticking(server) as ledger:
        fill(ledger)
        server.server.stop()
        try:
            with pytest.raises(BackendError) as caught:
                fill(ledger, 1)
            assert caught.value.code == "ledger_unwritable"
            with pytest.raises(BackendError) as caught:
                ledger.verify()
            assert caught.value.code == "ledger_unreadable"
        finally:
            server.server.start()
        fill(ledger, 2)
        assert ledger.verify() == Verification(valid=True, events=8, first_bad=None)


@pytest.mark.needs("postgresql")
def test_a_connection_that_is_cut_in_the_work_leaves_nothing(server):
    with ticking(server) as ledger:
        fill(ledger)

        def cut(work):
            work.append(actor="a", action="b", subject="lost", outcome=Outcome.DONE)
            (number,) = work.connection.execute(text("SELECT pg_backend_pid()")).one()
            server.alter(f"SELECT pg_terminate_backend({number})")
            work.append(actor="a", action="b", subject="lost", outcome=Outcome.DONE)

        with pytest.raises(BackendError) as caught:
            ledger.transact(cut)
        assert caught.value.code == "ledger_unwritable"
        fill(ledger, 1)
        assert ledger.verify() == Verification(valid=True, events=7, first_bad=None)


def test_a_ledger_that_cannot_be_made_is_said(tmp_path):
    with pytest.raises(BackendError) as caught:
        Ledger(f"sqlite:///{tmp_path}/missing/ledger.sqlite")
    assert caught.value.code == "ledger_unwritable"


def test_a_full_disk_refuses_the_event_and_the_chain_holds(sqlite, small_files):
    with ticking(sqlite) as ledger:
        fill(ledger)
        with small_files(1), pytest.raises(BackendError) as caught:
            fill(ledger, 1)
        assert caught.value.code == "ledger_unwritable"
    with sqlite.open() as again:
        assert again.verify() == Verification(valid=True, events=6, first_bad=None)


def test_no_more_pages_refuse_the_event_and_it_goes_on_with_more(sqlite):
    """SQLite ends the transaction by itself then, whatever else was in it."""
    with ticking(sqlite) as ledger:
        fill(ledger)

        def limit(work, n_pages):
            work.connection.exec_driver_sql(f"PRAGMA max_page_count={n_pages}")

        ledger.transact(lambda work: limit(work, 1))
        with pytest.raises(BackendError) as caught:
            for _ in range(50):
                fill(ledger, 1)
        assert caught.value.code == "ledger_unwritable"
        assert "SQLITE_FULL" in caught.value.message
        before = ledger.verify()
        assert before.valid
        ledger.transact(lambda work: limit(work, 10**6))
        fill(ledger, 1)
        assert ledger.verify() == Verification(True, before.events + 1, None)


def test_a_file_that_is_no_database_is_said(sqlite):
    sqlite.file.write_bytes(b"this is no database" * 1000)
    with pytest.raises(IntegrityError) as caught:
        sqlite.open()
    assert caught.value.code == "ledger_corrupt"


def test_text_that_is_none_is_found(sqlite):
    with ticking(sqlite) as ledger:
        fill(ledger)
        sqlite.alter("UPDATE events SET subject = CAST(x'ff' AS TEXT) WHERE seq = 4")
        assert ledger.verify().first_bad == 4


def test_a_ledger_without_its_tables_cannot_be_read(ledger, place):
    place.alter("DROP TABLE events")
    with pytest.raises(BackendError) as caught:
        ledger.verify()
    assert caught.value.code == "ledger_unreadable"


# Eight spend at random from one budget and say so in the same piece of work. Each lives several
# times, and is killed at any moment after its first try.
LIVES = """
import os, signal, sys, time
import numpy as np
from cipherset.core.errors import PolicyError
from cipherset.custody.ledger import Debit, Ledger, Outcome, debit

url, password, cap, lives = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])

def live(random, started):
    with Ledger(url, password=password) as ledger:
        while True:
            ask(ledger, int(random.integers(1, 8)), f"p{random.integers(3)}")
            os.write(started, b".")

def ask(ledger, amount, who):
    def work(transaction):
        asked = (Debit("queries", "model", amount, cap), Debit("queries", who, amount, cap // 2))
        debit(transaction, asked)
        transaction.append(
            actor=who, action="predict", subject="model", outcome=Outcome.DONE, body={"n": amount}
        )
    try:
        ledger.transact(work)
    except PolicyError:
        time.sleep(0.01)

def family(seed):
    for life in range(lives):
        random = np.random.default_rng((seed, life))
        read, started = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                live(random, started)
            finally:
                os._exit(3)
        os.close(started)  # or there is no end to read of a child that is gone
        os.read(read, 1)
        time.sleep(random.uniform(0, 0.2))
        os.kill(child, signal.SIGKILL)
        died = os.waitpid(child, 0)[1]
        os.close(read)
        if died != signal.SIGKILL:
            os._exit(2)
    os._exit(0)

families = []
for seed in range(8):
    families.append(os.fork())
    if families[-1] == 0:
        family(seed)
sys.exit(max(os.waitpid(one, 0)[1] for one in families) and 1)
"""


def race(place: Place, cap: int, lives: int) -> None:
    with place.open() as ledger:
        fill(ledger)
    command = [sys.executable, "-c", LIVES, place.url, place.password or "", str(cap), str(lives)]
    done = subprocess.run(command, stderr=subprocess.PIPE, timeout=600, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    with place.open() as ledger:
        assert ledger.verify().valid
        granted = [(e.actor, json.loads(e.body)["n"]) for e in ledger.events(after=6)]
        assert len(granted) >= 8
        for scope in ("model", "p0", "p1", "p2"):
            total = sum(n for who, n in granted if scope in {who, "model"})
            used = ledger.transact(lambda work, scope=scope: spent(work, "queries", scope))
            assert used == total
            assert total <= (cap if scope == "model" else cap // 2)


@pytest.mark.soak
def test_racing_processes_that_are_killed_never_spend_too_much(place):
    race(place, cap=1000, lives=1)


@pytest.mark.soak
@pytest.mark.parametrize("cap", [500, 10**6])
def test_racing_processes_that_are_killed_again_and_again(place, cap):
    race(place, cap, lives=25)


@pytest.mark.parametrize("patience_s", [-1.0, 60.0])
def test_the_switch_to_write_ahead_waits_while_the_file_is_busy(sqlite, monkeypatch, patience_s):
    """SQLite itself would give up at once, whatever timeout it was given."""
    holding = sqlite3.connect(sqlite.file, isolation_level=None, check_same_thread=False)
    holding.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr(engine, "_BUSY_TIMEOUT_S", patience_s)
    asking = sqlite3.connect(sqlite.file, timeout=0)
    if patience_s < 0:
        with pytest.raises(sqlite3.OperationalError) as caught:
            engine._write_ahead(asking)
        assert caught.value.sqlite_errorname == "SQLITE_BUSY"
        holding.execute("COMMIT")
    else:
        later = threading.Timer(0.2, lambda: holding.execute("COMMIT"))
        later.start()
        engine._write_ahead(asking)
        later.join()
        assert asking.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    asking.close()
    holding.close()
