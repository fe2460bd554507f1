"""A failing database as one of our errors, without the values it was given."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from cipherset.core.errors import BackendError, IntegrityError

_FAILURES: Final = (SQLAlchemyError, sqlite3.Error, OSError)


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
            hint="check the ledger's disk, permissions and server, then run the same command again",
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
            hint="check the ledger's disk, permissions and server, then run the same command again",
        ) from None


def _reason(error: Exception) -> str:
    """What the database calls it; its own words may hold values.

    Raises:
        IntegrityError: ``ledger_corrupt``: it says that this is not a database.
    """
    cause = error.orig if isinstance(error, DatabaseError) else error
    reason = getattr(cause, "sqlite_errorname", type(cause).__name__)
    if str(reason).startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        raise IntegrityError(
            f"the ledger is not a database that this version wrote ({reason})",
            code="ledger_corrupt",
            hint="restore the workspace from a backup",
        ) from None
    return str(reason)
