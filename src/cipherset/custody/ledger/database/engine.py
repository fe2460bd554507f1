"""The one place that knows which database it is: how to open, begin and report a failure.

SQLite for one workspace: WAL mode, every commit synced (synchronous=FULL), foreign keys on.
PostgreSQL for several gateways: every commit synced there (synchronous_commit=on).

Either has one writer at a time. A transaction that writes takes the write lock (BEGIN IMMEDIATE,
or an advisory lock) before it reads the last event, so no two ever chain onto the same one.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from cipherset.core.errors import BackendError, InputError
from cipherset.custody.ledger.database.failures import write_failures
from cipherset.custody.ledger.database.file import OpenedFile

_T = TypeVar("_T")
_BUSY_TIMEOUT_S: Final = 30.0
_BUSY_PAUSE_S: Final = 0.01
_CONNECT_TIMEOUT_S: Final = 10
_WRITES: Final = "ledger_writes"
_TAIL: Final = "ledger_tail"
_READ: Final = "ledger_read"
_STATE: Final = "ledger_state"
_COMMITTED: Final = "ledger_committed"
_CHANGES: Final = "ledger_changes"
_BEGUN: Final = "ledger_begun"
_OTHERS: Final = "ledger_others"
_MOST_READ: Final = 4096  # rows, or small joins, that one connection keeps
_POSTGRESQL: Final = "postgresql"
# Of one database there is one ledger: any number does, as long as every version says the same.
_WRITE_LOCK: Final = f"SELECT pg_advisory_xact_lock({int.from_bytes(b'cphrset')})"
_SNAPSHOT: Final = "SELECT pg_current_snapshot()::text"
_CHANGING: Final = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "COPY"})
_SESSION: Final = (
    f"-c synchronous_commit=on -c lock_timeout={_BUSY_TIMEOUT_S:.0f}s -c timezone=UTC "
    "-c client_encoding=utf8 -c default_transaction_isolation=read\\ committed"
)
_IN_TRANSACTION: Final = (2, 3)  # libpq: PQTRANS_INTRANS, PQTRANS_INERROR


class _State(NamedTuple):
    """Which state of the database all that is recalled is of; no version is like any other."""

    version: int | None
    n_changes: int


def open_engine(url: str, password: str | None = None) -> Engine:
    """An engine on the database at ``url``; an SQLite file is made if it is not there.

    Raises:
        InputError: ``ledger_url``.
        BackendError: ``ledger_unwritable``; ``ledger_driver``: PostgreSQL's is not installed.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == _POSTGRESQL:
        engine = _postgresql(parsed, password)
        event.listen(engine, "after_cursor_execute", _count_changes)
    else:
        with write_failures():
            _create_private(Path(parsed.database or ""))
        options = {"timeout": _BUSY_TIMEOUT_S}
        engine = create_engine(parsed, hide_parameters=True, connect_args=options)
        event.listen(engine, "connect", _prepare)
        _stay_with(engine, OpenedFile(Path(parsed.database or "")))
    event.listen(engine, "begin", _begin)
    event.listen(engine, "rollback", _forget)
    event.listen(engine, "rollback_savepoint", _forget)
    return engine


def for_writing(engine: Engine) -> Engine:
    """The same, whose transactions hold the write lock from their start."""
    return engine.execution_options(**{_WRITES: True})


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction of an engine ``for_writing``, committed at the end.

    Only after a commit that succeeded is what was read and written known to hold.
    """
    with engine.begin() as connection:
        info = connection.info
        yield connection
    info[_COMMITTED] = True


def is_in_transaction(connection: Connection) -> bool:
    """Whether the database still holds it open: some failures end a transaction by themselves."""
    if connection.invalidated:
        return False
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == _POSTGRESQL:
        return driver.info.transaction_status in _IN_TRANSACTION
    return bool(driver.in_transaction)


def begin_piece(connection: Connection) -> None:
    """A savepoint, said in plain SQL: SQLAlchemy's own is compiled anew each time."""
    connection.exec_driver_sql("SAVEPOINT piece")


def keep_piece(connection: Connection) -> None:
    """What was done since ``begin_piece`` belongs to the transaction."""
    connection.exec_driver_sql("RELEASE SAVEPOINT piece")


def undo_piece(connection: Connection) -> None:
    """What was done since ``begin_piece`` was never done."""
    connection.exec_driver_sql("ROLLBACK TO SAVEPOINT piece")
    connection.exec_driver_sql("RELEASE SAVEPOINT piece")
    _forget(connection)


def tail_of(connection: Connection) -> Any:  # noqa: ANN401 -- whatever was kept
    """What ``keep_tail`` kept, or None; forgotten like all that is recalled, and by a rollback."""
    return connection.info.get(_TAIL)


def keep_tail(connection: Connection, tail: object) -> None:
    """Keep ``tail`` in this transaction, and as long as nobody else writes."""
    connection.info[_TAIL] = tail


def recalled(connection: Connection, key: Hashable, read: Callable[[], _T]) -> _T:
    """What ``read`` returns of rows, as read before where no row was changed since.

    The database says whether any was, whoever did it. Of other connections, in this process or any:
    SQLite by ``data_version``, PostgreSQL by the transactions that ended. Of this one: by its count
    of changes, of which only those inside ``counting`` change nothing that is recalled.
    Source: https://www.sqlite.org/pragma.html#pragma_data_version and
    https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
    """
    if connection.get_execution_options().get(_WRITES) is None:
        return read()
    if connection.info[_STATE].n_changes != _n_changes(connection):
        _forget_read(connection)
    known: dict[Hashable, Any] = connection.info[_READ]
    if key not in known:
        found = read()
        if len(known) >= _MOST_READ:
            known.clear()
        known[key] = found
    kept: _T = known[key]
    return kept


@contextmanager
def counting(connection: Connection) -> Iterator[None]:
    """Inside, only what nobody recalls is changed: events are appended, budgets are debited."""
    if _STATE in connection.info and connection.info[_STATE].n_changes != _n_changes(connection):
        _forget_read(connection)
    yield
    if _STATE in connection.info:
        version = connection.info[_STATE].version
        connection.info[_STATE] = _State(version, _n_changes(connection))


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise _bad_url() from None
    if parsed.drivername == "sqlite" and parsed.database not in {None, "", ":memory:"}:
        return parsed
    if parsed.drivername == "postgresql+psycopg" and parsed.database:
        if parsed.password is None and "password" not in parsed.query:
            return parsed
        raise InputError(
            "the ledger's URL holds a password, where others may read it",
            code="ledger_url",
            hint="leave it out of the URL; give it in a file: CIPHERSET_LEDGER_PASSWORD_FILE",
        )
    raise _bad_url()


def _bad_url() -> InputError:
    return InputError(
        "the ledger's URL names neither an SQLite file nor a PostgreSQL database",  # no URL shown
        code="ledger_url",
        hint="use sqlite:////path/to/ledger.sqlite or postgresql+psycopg://user@host/database",
    )


def _postgresql(url: URL, password: str | None) -> Engine:
    options: dict[str, Any] = {"connect_timeout": _CONNECT_TIMEOUT_S, "options": _SESSION}
    if password is not None:
        options["password"] = password
    try:
        return create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=options)
    except ModuleNotFoundError:
        raise BackendError(
            "a ledger in PostgreSQL needs psycopg, which is not installed",
            code="ledger_driver",
            hint="pip install 'cipherset[postgres]'",
        ) from None


def _create_private(path: Path) -> None:
    # SQLite would make it readable by others; its side files take over the mode. One that is there
    # is not opened: closing it would give up the locks that other connections of this process hold.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _stay_with(engine: Engine, file: OpenedFile) -> None:
    for name, step in (("do_connect", file.look), ("connect", file.keep), ("begin", file.look)):
        event.listen(engine, name, step)


def _prepare(connection: sqlite3.Connection, _: Any) -> None:  # noqa: ANN401 -- SQLAlchemy's
    connection.isolation_level = None  # we say BEGIN ourselves
    connection.text_factory = _text
    _write_ahead(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to WAL; of several at once on a new file, the others wait for the first.

    For this switch SQLite does not ask its busy handler: it is busy at once.
    """
    until_s = time.monotonic() + _BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").fetchone()
        except sqlite3.OperationalError as error:
            is_busy = str(error.sqlite_errorname).startswith("SQLITE_BUSY")
            if not is_busy or time.monotonic() > until_s:
                raise
            time.sleep(_BUSY_PAUSE_S)
        else:
            return


def _text(raw: bytes) -> str:
    # Bytes that are not UTF-8 are somebody's edit: let them be read, so that verify finds them.
    return raw.decode(errors="replace")


def _begin(connection: Connection) -> None:
    info = connection.info
    is_committed = info.pop(_COMMITTED, False)
    writes = connection.get_execution_options().get(_WRITES, False)
    if not writes:
        info.pop(_TAIL, None)
        if _is_sqlite(connection):
            connection.exec_driver_sql("BEGIN")
        return
    before = info.get(_STATE)
    version = _sqlite_begun(connection) if _is_sqlite(connection) else _postgresql_begun(connection)
    if not is_committed or version is None or before != (version, _n_changes(connection)):
        _forget(connection)
    info[_STATE] = _State(version, _n_changes(connection))


def _sqlite_begun(connection: Connection) -> int | None:
    """Begun; the number that each commit of another connection changes."""
    driver: Any = connection.connection.driver_connection
    driver.execute("BEGIN IMMEDIATE")
    (version,) = driver.execute("PRAGMA data_version").fetchone()
    return int(version)


def _postgresql_begun(connection: Connection) -> int | None:
    """Begun; a number that each transaction of others changes, None where one is under way.

    A snapshot holds one past the highest transaction that has ended, and the lowest under way. Of
    those that ended since the last time one was our own, if it changed rows; with any more (there
    are, where it had savepoints) the number is another.
    """
    connection.exec_driver_sql(_WRITE_LOCK)
    lowest, highest, _ = str(connection.exec_driver_sql(_SNAPSHOT).scalar_one()).split(":")
    info, n_changes = connection.info, _n_changes(connection)
    last, info[_BEGUN] = info.get(_BEGUN, (0, 0)), (int(highest), n_changes)
    if lowest != highest or int(highest) - last[0] != int(n_changes > last[1]):
        info[_OTHERS] = info.get(_OTHERS, 0) + 1
    return None if lowest != highest else int(info.get(_OTHERS, 0))


def _forget(connection: Connection, *_: object) -> None:
    """Whatever was read or written in what is rolled back may not be so."""
    connection.info.pop(_TAIL, None)
    _forget_read(connection)


def _forget_read(connection: Connection) -> None:
    # The next transaction begins without any of it: no version is this one.
    connection.info[_STATE] = _State(None, _n_changes(connection))
    connection.info[_READ] = {}


def _n_changes(connection: Connection) -> int:
    """How many rows this connection has changed since it was opened, or more."""
    driver: Any = connection.connection.driver_connection
    if _is_sqlite(connection):
        return int(driver.total_changes)
    return int(connection.info.get(_CHANGES, 0))


def _count_changes(connection: Connection, cursor: Any, *_: object) -> None:  # noqa: ANN401 -- its
    """Add the rows that a statement of PostgreSQL's changed."""
    command = (cursor.statusmessage or "").partition(" ")[0]
    if command in _CHANGING and cursor.rowcount:
        connection.info[_CHANGES] = connection.info.get(_CHANGES, 0) + abs(cursor.rowcount)


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name != _POSTGRESQL
