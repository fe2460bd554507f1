"""Where a ledger may be kept: every test of the ledger runs over each."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from custody_postgres import PASSWORD, Server

from cipherset.custody.ledger import Ledger, Outcome

BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql")))


@dataclass(frozen=True)
class Place:
    """A database that holds a ledger or will; ``alter`` is what somebody with access could do."""

    url: str
    password: str | None
    server: Server | None = None

    def open(self, **options) -> Ledger:
        return Ledger(self.url, password=self.password, **options)

    @property
    def file(self) -> Path:
        return Path(self.url.removeprefix("sqlite:///"))

    def alter(self, *statements: str) -> None:
        if self.server is not None:
            self.server.run(*statements)
            return
        with sqlite3.connect(self.file) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()


def place_of(kind: str, tmp_path: Path, request) -> Place:
    if kind == "sqlite":
        return Place(f"sqlite:///{tmp_path / 'ledger.sqlite'}", None)
    server = request.getfixturevalue("postgresql")
    server.empty()
    return Place(server.url, PASSWORD, server)


@pytest.fixture(params=BOTH)
def place(request, tmp_path) -> Place:
    return place_of(request.param, tmp_path, request)


@pytest.fixture
def ledger(place) -> Iterator[Ledger]:
    """Whose clock ticks once a second whenever it is asked."""
    with ticking(place) as opened:
        yield opened


@contextmanager
def ticking(place: Place) -> Iterator[Ledger]:
    times = (datetime(2026, 1, 2, tzinfo=UTC) + timedelta(seconds=k) for k in range(10**6))
    with place.open(clock=lambda: next(times)) as opened:
        yield opened


def fill(ledger: Ledger, n_events: int = 6) -> None:
    for k in range(n_events):
        ledger.append(
            actor="ada", action="protect", subject=f"s{k}", outcome=Outcome.DONE, body={"k": k}
        )
