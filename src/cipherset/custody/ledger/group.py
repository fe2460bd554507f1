"""Group commit: pieces of work of many threads share one durable commit.

A thread puts its piece in the queue. If nobody leads it leads: it takes all that wait, runs them in
one transaction, commits, makes the first that came meanwhile the next leader, and wakes those whose
pieces are settled. Everybody else sleeps until its piece is settled or it is its turn to lead.

Pieces run one after the other in the leader's thread. If one of several raises, the transaction is
rolled back and all are run again, each in a savepoint of its own, so that it is rolled back alone:
savepoints cost as much as the work, and most pieces do not raise. Where the database itself fails,
or the leader is interrupted, none of the group was written, and every thread of it is told so.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Final, Generic, TypeVar

from sqlalchemy import Connection, Engine

from cipherset.core.errors import BackendError, CiphersetError, UsageError
from cipherset.custody.ledger.database import (
    begin_piece,
    for_writing,
    is_in_transaction,
    keep_piece,
    undo_piece,
    write_failures,
    writing,
)
from cipherset.custody.ledger.transaction import Transaction

_T = TypeVar("_T")
_MOST_PIECES: Final = 64  # of one commit, so that nobody's waits for too many others
Clock = Callable[[], datetime]


class Piece(Generic[_T]):
    """Work and how it ended. As a context it keeps what is raised inside, for whose work it is."""

    def __init__(self, work: Callable[[Transaction], _T]) -> None:
        self.is_settled = self.is_written = False
        self.leads = False
        self._work = work
        self._value: _T | None = None
        self._error: BaseException | None = None
        self._asleep = threading.Lock()
        self._asleep.acquire()

    def sleep(self) -> None:
        """Wait until ``wake``."""
        self._asleep.acquire()

    def wake(self) -> None:
        """Let its thread go on."""
        self._asleep.release()

    def run(self, connection: Connection, clock: Clock) -> bool:
        """Whether it was done without raising."""
        self._error = None
        with self, write_failures():
            self._value = self._work(Transaction(connection, clock))
        return self._error is None

    def run_apart(self, connection: Connection, clock: Clock) -> None:
        """Do it in a savepoint.

        Raises:
            BackendError: ``ledger_unwritable``: with it the database ended the whole transaction.
        """
        begin_piece(connection)
        if self.run(connection, clock):
            keep_piece(connection)
        elif is_in_transaction(connection):
            undo_piece(connection)
        else:
            raise _not_written("the database ended the transaction")

    def fail(self, error: BaseException) -> None:
        """Say that it was not written because of ``error``, unless it has an error of its own."""
        self._error = self._error or error

    def result(self) -> _T:
        """What the work returned; raises what it raised, or why it was not written."""
        if self._error is not None:
            raise self._error
        if not self.is_written:
            raise _not_written("the thread that wrote was interrupted")
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

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = for_writing(engine)
        self._clock = clock
        self._waiting: deque[Piece[object]] = deque()
        self._has_leader = False
        self._leader: int | None = None
        self._queue = threading.Lock()

    def run(self, work: Callable[[Transaction], _T]) -> _T:
        """What ``work`` returns; what it wrote is on the disk then.

        Raises:
            UsageError: ``ledger_nested``: asked for inside another piece of work.
            BackendError: ``ledger_unwritable``: nothing of it was written.
        """
        if self._leader == threading.get_ident():
            raise UsageError(
                "a piece of work on the ledger asked the ledger for another",
                code="ledger_nested",
                hint="use the transaction that the work was handed",
            )
        piece = Piece(work)
        try:
            if not self._leads_at_once(piece):  # type: ignore[arg-type]
                piece.sleep()
            if not piece.is_settled:
                self._lead()
        except BaseException:
            self._leave(piece)  # type: ignore[arg-type]
            raise
        return piece.result()

    def _leads_at_once(self, piece: Piece[object]) -> bool:
        """Take a place in the queue; whoever is handed the lead later sleeps until then.

        Said under the lock: one that looked after it, and found itself handed the lead, would not
        sleep, and be woken twice.
        """
        with self._queue:
            self._waiting.append(piece)
            if self._has_leader:
                return False
            self._has_leader = piece.leads = True
            return True

    def _lead(self) -> None:
        """Commit what waits, its own piece first among it; then somebody else leads."""
        group: list[Piece[object]] = []
        try:
            self._leader = threading.get_ident()
            with self._queue:
                while self._waiting and len(group) < _MOST_PIECES:
                    group.append(self._waiting.popleft())
            self._commit(group)
        finally:
            self._leader = None
            self._hand_over()
            for piece in group:
                piece.is_settled = True
                piece.wake()

    def _hand_over(self) -> None:
        with self._queue:
            self._has_leader = bool(self._waiting)
            if self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].wake()

    def _leave(self, piece: Piece[object]) -> None:
        """Take back a piece whose thread was interrupted: nobody is left to act on it."""
        with self._queue:
            was_waiting = piece in self._waiting
            if was_waiting:
                self._waiting.remove(piece)
        if was_waiting and piece.leads:
            self._hand_over()

    def _commit(self, group: Sequence[Piece[object]]) -> None:
        try:
            if not self._done_together(group):
                self._do_apart(group)
        except CiphersetError as error:
            for piece in group:
                piece.fail(error)
            return
        for piece in group:
            piece.is_written = True

    def _done_together(self, group: Sequence[Piece[object]]) -> bool:
        """Whether no piece raised, or there is one only; else nothing was written."""
        with write_failures(), writing(self._engine) as connection:
            if all(piece.run(connection, self._clock) for piece in group):
                return True
            connection.get_transaction().rollback()  # type: ignore[union-attr]
        return len(group) == 1

    def _do_apart(self, group: Sequence[Piece[object]]) -> None:
        with write_failures(), writing(self._engine) as connection:
            for piece in group:
                piece.run_apart(connection, self._clock)


def _not_written(why: str) -> BackendError:
    return BackendError(
        f"the ledger cannot be written ({why}), so nothing was done",
        code="ledger_unwritable",
        hint="check the ledger's disk, permissions and server, then run the same command again",
    )
