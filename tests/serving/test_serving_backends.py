"""A gateway whose ledger is in PostgreSQL, or whose key is in a token, when that is gone."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import serving_thread
from serving_process import (
    Process,
    outcomes,
    result,
    serving,
    stopped,
    told_of,
    until,
    whole_chain,
)

sys.path.append(str(Path(__file__).parents[1] / "custody"))

from custody_postgres import PASSWORD, Server, postgresql
from custody_servers import softhsm

from cipherset.app.workspace import LedgerAddress
from cipherset.custody.ledger import Event, Ledger

__all__ = ["postgresql", "softhsm"]

DONE = [("intended", None), ("done", None)]


@pytest.fixture
def database(postgresql) -> Iterator[Server]:
    postgresql.empty()
    yield postgresql
    postgresql.empty()


def events(server: Server) -> list[Event]:
    with Ledger(server.url, password=PASSWORD) as ledger:
        return whole_chain(ledger)


@pytest.mark.needs("postgresql")
def test_a_database_that_stops_is_waited_for(database, tmp_path):
    address = LedgerAddress(database.url, PASSWORD)
    owner = serving_thread.vector_owner(tmp_path / "owner", ledger=address)
    where = {"CIPHERSET_LEDGER": address.url, "CIPHERSET_LEDGER_PASSWORD": PASSWORD}
    with serving(owner.session.home, where) as process:
        assert result(process.predict("before")) == (200, "")
        (worker,) = process.workers()
        with stopped(worker):
            found = asked(process, "meanwhile")
            until(lambda: told_of(events(database), "meanwhile"))
            database.stop()
        until(lambda: found)
        assert found == [(503, "ledger_unwritable")]
        assert result(process.predict("stopped")) == (503, "ledger_unwritable")
        database.start()
        assert result(process.predict("after")) == (200, "")
        assert process.end() == 0
    told = events(database)
    assert [told_of(told, who) for who in ("before", "meanwhile", "after")] == [DONE] * 3
    assert told_of(told, "stopped") == []


def asked(process: Process, who: str) -> list[tuple[int, str]]:
    """What is answered, once it is."""
    found: list[tuple[int, str]] = []
    ask = threading.Thread(target=lambda: found.append(result(process.predict(who))), daemon=True)
    ask.start()
    return found


@pytest.mark.extra
@pytest.mark.needs("softhsm2")
def test_a_token_that_is_taken_out(softhsm, tmp_path):
    """What was opened answers on; what is to be opened waits until the token is back."""
    module = f"module-path={softhsm.module}&pin-source=file:{softhsm.pin}"
    owner = serving_thread.vector_owner(
        tmp_path / "owner", provider=f"pkcs11:token=kek;object=served?{module}"
    )
    tokens = softhsm.pin.parent / "tokens"
    with serving(owner.session.home) as process:
        with taken_out(tokens):
            assert result(process.predict("never-in")) == (503, "provider_unreachable")
        assert result(process.predict("put-in")) == (200, "")
        with taken_out(tokens):
            assert result(process.predict("opened")) == (200, "")
            owner.deploy()
            assert result(process.predict("to-open")) == (503, "provider_unreachable")
        assert result(process.predict("back-in")) == (200, "")
        assert process.end() == 0
    with Ledger(f"sqlite:///{owner.session.home / 'ledger.sqlite'}") as ledger:
        told = outcomes(whole_chain(ledger))
    assert [told[who] for who in ("put-in", "opened", "back-in")] == [DONE] * 3
    assert told["never-in"] == [DONE[0], ("refused", "provider_unreachable")]
    assert told["to-open"] == [DONE[0], ("refused", "provider_unreachable")]


@contextmanager
def taken_out(tokens: Path) -> Iterator[None]:
    """No token is in any slot inside."""
    drawer = tokens.with_name("drawer")
    tokens.rename(drawer)
    tokens.mkdir()
    try:
        yield
    finally:
        tokens.rmdir()
        drawer.rename(tokens)
