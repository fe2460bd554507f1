"""The file of an SQLite ledger, which must stay in its place."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from cipherset.custody.ledger.database.failures import read_failures


def copy_ledger(source: Path, target: Path) -> None:
    """``target`` is the SQLite ledger ``source`` as of one moment; nobody's writing waits for it.

    Raises:
        BackendError: ``ledger_unreadable``: it is not there, or one of the two disks fails.
        IntegrityError: ``ledger_corrupt``.

    Source: SQLite's Online Backup API, https://www.sqlite.org/backup.html
    """
    with read_failures():
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as live,
            closing(sqlite3.connect(target)) as copy,
        ):
            live.backup(copy)


class OpenedFile:
    """The file that was opened, which is to be in its place whenever something is written.

    SQLite goes on in a file that was moved or removed, and makes one that is not there: events
    would be lost, or begin anew. Another file in the place is one for a process that starts, and
    holds it against what was seen of the ledger.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: tuple[int, int] | None = None

    def look(self, *_: object) -> None:
        """Nothing, where it is there.

        Raises:
            FileNotFoundError: it is not, or another one is.
        """
        found = self._path.stat()
        if self._opened not in {None, (found.st_dev, found.st_ino)}:
            raise FileNotFoundError

    def keep(self, *_: object) -> None:
        """Remember which one was opened first."""
        if self._opened is None:
            found = self._path.stat()
            self._opened = (found.st_dev, found.st_ino)
