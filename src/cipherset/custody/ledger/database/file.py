"""The file of an SQLite ledger, which must stay in its place."""

from pathlib import Path


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
