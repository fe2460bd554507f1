"""A gateway whose ledger is in PostgreSQL, or whose key is in a token, when that is gone."""

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import serving_thread
from serving_process import (
    DEADLINE_S,
    Process,
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
    uri = (
        f"pkcs11:token=kek;object=served?module-path={softhsm.module}&pin-source=file:{softhsm.pin}"
    )
    owner = serving_thread.vector_owner(tmp_path / "owner", provider=uri)
    tokens = softhsm.pin.parent / "tokens"
    shutil.move(tokens, tmp_path / "drawer")
    tokens.mkdir()
    with serving(owner.session.home) as process:
        print(result(process.predict("out")))
        tokens.rmdir()
        shutil.move(tmp_path / "drawer", tokens)
        print(result(process.predict("in")))
        shutil.move(tokens, tmp_path / "drawer")
        print(result(process.predict("out2")))
        owner.deploy()
        print(result(process.predict("out3")))
        shutil.move(tmp_path / "drawer", tokens)
        print(result(process.predict("in2")))
    assert 0
