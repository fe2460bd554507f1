"""Group commit: pieces of work that many threads hand in at once share one durable commit.

A thread puts its piece in the queue and waits for its turn to lead. Whoever leads takes all that
wait, runs each in a savepoint of its own, and commits once; the others find theirs settled when
their turn comes. A piece that raises is rolled back alone. Where the database itself fails, or
the leader is interrupted, none of the group was written, and every thread of it is told so.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Final, Generic, TypeVar

from sqlalchemy import Connection, Engine

from cipherset.core.errors import BackendError, CiphersetError
from cipherset.custody.ledger.engine import (
    begin_piece,
    is_in_transaction,
    keep_piece,
    undo_piece,
    write_failures,
    writing,
)
from cipherset.custody.ledger.transaction import Transaction

_T = TypeVar("_T")
_MOST_PIECES: Final = 64  # of one commit, so that nobody's waits for too many others


class Piece(Generic[_T]):
    """Work and how it ended. As a context it keeps what is raised inside, for whose work it is."""

    def __init__(self, work: Callable[[Transaction], _T]) -> None:
        self.is_settled = False
        self._work = work
        self._value: _T | None = None
        self._error: BaseException | None = None

    def run(self, connection: Connection, clock: Callable[[], datetime]) -> None:
        """Do it, in a savepoint.

        Raises:
            BackendError: ``ledger_unwritable``: with it the database ended the whole transaction.
        """
        begin_piece(connection)
        with self, write_failures():
            self._value = self._work(Transaction(connection, clock))
        if self._error is None:
            keep_piece(connection)
        elif is_in_transaction(connection):
            undo_piece(connection)
        else:
            raise _not_written("the database ended the transaction")

    def fail(self, error: BaseException) -> None:
        """Say that it was not written because of ``error``, unless it has an error of its own."""
        self._error = self._error or error
        self.is_settled = True

    def result(self) -> _T:
        """What the work returned; raises what it raised."""
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if isinstance(error, KeyboardInterrupt):
            return False  # it is the leader's, whoever's work it was
        self._error = error
        return True


class GroupCommit:
    """Runs pieces of work of the threads of one process; other processes wait for the lock."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock
        self._waiting: deque[Piece[object]] = deque()
        self._leading = threading.Lock()

    def run(self, work: Callable[[Transaction], _T]) -> _T:
        """What ``work`` returns; what it wrote is on the disk then.

        Raises:
            BackendError: ``ledger_unwritable``: nothing of it was written.
        """
        piece = Piece(work)
        self._waiting.append(piece)  # type: ignore[arg-type]
        try:
            with self._leading:
                while not piece.is_settled:
                    self._commit(self._taken())
        except BaseException:
            with suppress(ValueError):  # nobody is left to act on it
                self._waiting.remove(piece)  # type: ignore[arg-type]
            raise
        return piece.result()

    def _taken(self) -> Sequence[Piece[object]]:
        n_pieces = min(len(self._waiting), _MOST_PIECES)
        return [self._waiting.popleft() for _ in range(n_pieces)]

    def _commit(self, group: Sequence[Piece[object]]) -> None:
        try:
            with write_failures(), writing(self._engine) as connection:
                for piece in group:
                    piece.run(connection, self._clock)
        except CiphersetError as error:
            for piece in group:
                piece.fail(error)
        except BaseException:
            for piece in group:
                piece.fail(_not_written("the thread that wrote was interrupted"))
            raise
        for piece in group:
            piece.is_settled = True


def _not_written(why: str) -> BackendError:
    return BackendError(
        f"the ledger cannot be written ({why}), so nothing was done",
        code="ledger_unwritable",
        hint="check the ledger's disk, permissions and server, then run the same command again",
    )
