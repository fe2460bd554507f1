"""The one place that knows which database it is: how to open, begin and report a failure.

SQLite in WAL mode, every commit synced (synchronous=FULL), foreign keys on. A transaction that
writes begins IMMEDIATE: it holds the write lock before it reads the last event, so two processes
never chain onto the same one.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, SQLAlchemyError

from cipherset.core.errors import BackendError, InputError, IntegrityError
from cipherset.custody.ledger.tables import METADATA

_BUSY_TIMEOUT_S: Final = 30.0
_WRITES: Final = "ledger_writes"
_FAILURES: Final = (SQLAlchemyError, sqlite3.Error, OSError)


def open_engine(url: str) -> Engine:
    """An engine on the ledger at ``url``, whose tables are made if they are not there.

    Raises:
        InputError: ``ledger_url``.
        BackendError: ``ledger_unwritable``.
        IntegrityError: ``ledger_corrupt``: the file is not a database.
    """
    parsed = _parse(url)
    with write_failures():
        _create_private(Path(parsed.database or ""))
        engine = create_engine(
            parsed, hide_parameters=True, connect_args={"timeout": _BUSY_TIMEOUT_S}
        )
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        with writing(engine) as connection:
            METADATA.create_all(connection)
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that holds the write lock from its start; committed at the end."""
    with engine.execution_options(**{_WRITES: True}).begin() as connection:
        yield connection


@contextmanager
def write_failures() -> Iterator[None]:
    """Inside, a failing database becomes one of our errors, without the values it was given.

    Raises:
        BackendError: ``ledger_unwritable``: locked, full, not permitted, out of reach.
        IntegrityError: ``ledger_corrupt``: not a database.
    """
    try:
        yield
    except _FAILURES as error:
        raise BackendError(
            f"the ledger cannot be written ({_reason(error)}), so nothing was done",
            code="ledger_unwritable",
            hint="check the workspace's disk and permissions, then run the same command again",
        ) from None


@contextmanager
def read_failures() -> Iterator[None]:
    """The same for reading.

    Raises:
        BackendError: ``ledger_unreadable``: locked, not permitted, out of reach, no such table.
        IntegrityError: ``ledger_corrupt``: not a database.
    """
    try:
        yield
    except _FAILURES as error:
        raise BackendError(
            f"the ledger cannot be read ({_reason(error)})",
            code="ledger_unreadable",
            hint="check the workspace's disk and permissions, then run the same command again",
        ) from None


def _reason(error: Exception) -> str:
    """What the database calls it; its own words may hold values.

    Raises:
        IntegrityError: ``ledger_corrupt``: it says that this is not a database.
    """
    cause = error.orig if isinstance(error, DatabaseError) else error
    reason = getattr(cause, "sqlite_errorname", type(cause).__name__)
    if isinstance(cause, sqlite3.DatabaseError) and not isinstance(cause, sqlite3.OperationalError):
        raise IntegrityError(
            f"the ledger is not a database that this version wrote ({reason})",
            code="ledger_corrupt",
            hint="restore the workspace from a backup",
        ) from None
    return str(reason)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise _bad_url() from None
    if parsed.get_backend_name() != "sqlite" or parsed.database in {None, "", ":memory:"}:
        raise _bad_url()
    return parsed


def _bad_url() -> InputError:
    return InputError(
        "the ledger's URL does not name an SQLite file",  # the URL may hold a password
        code="ledger_url",
        hint="use sqlite:////path/to/ledger.sqlite",
    )


def _create_private(path: Path) -> None:
    # SQLite would make it readable by others; its side files take over the mode.
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _prepare(connection: sqlite3.Connection, _: Any) -> None:  # noqa: ANN401 -- SQLAlchemy's
    connection.isolation_level = None  # we say BEGIN ourselves
    connection.text_factory = _text
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _text(raw: bytes) -> str:
    # Bytes that are not UTF-8 are somebody's edit: let them be read, so that verify finds them.
    return raw.decode(errors="replace")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
