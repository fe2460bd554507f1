"""The ledger: assets, runs and the chain of events, each change and its event in one transaction.

Order rule: before an act its intent is appended, after it its outcome. If the intent cannot be
written, ``append`` raises and the act must not happen. An intent without an outcome is an act
whose process died.

Nothing private may be given to the ledger: no row, vector, or key, and digests of plain data
keyed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from sqlalchemy import Connection, select

from cipherset.custody.ledger import chain
from cipherset.custody.ledger.chain import Event, Outcome, Verification
from cipherset.custody.ledger.engine import open_engine, read_failures, write_failures
from cipherset.custody.ledger.group import GroupCommit
from cipherset.custody.ledger.migrate import migrate
from cipherset.custody.ledger.records import (
    Asset,
    Run,
    RunStatus,
    all_assets,
    all_runs,
    find_asset,
    find_run,
)
from cipherset.custody.ledger.tables import events
from cipherset.custody.ledger.transaction import Transaction

_T = TypeVar("_T")
UTC_CLOCK: Final = partial(datetime.now, UTC)

_PAGE_ROWS: Final = 1000
_LEAST_SEQ: Final = -(2**63)  # an inserted event may have any number


class Ledger:
    """The ledger at a database URL, made on first use; usable from several processes at once."""

    def __init__(
        self, url: str, *, password: str | None = None, clock: Callable[[], datetime] = UTC_CLOCK
    ) -> None:
        """Open it, and bring an older one to the shape of this version.

        Raises:
            InputError: ``ledger_url``.
            BackendError: ``ledger_unwritable``, ``ledger_driver``.
            IntegrityError: ``ledger_corrupt``; ``ledger_newer``.
        """
        self._engine = open_engine(url, password)
        try:
            with write_failures():
                migrate(self._engine)
        except BaseException:
            self._engine.dispose()
            raise
        self._group = GroupCommit(self._engine, clock)

    def close(self) -> None:
        """Give back its connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def append(
        self,
        *,
        actor: str,
        action: str,
        subject: str,
        outcome: Outcome,
        body: Mapping[str, Any] | None = None,
    ) -> Event:
        """The event as written; it is on the disk on return.

        Raises:
            InputError: ``event_body``: a value that JSON cannot hold.
            BackendError: ``ledger_unwritable``: then the act must not happen.
        """
        return self.transact(
            lambda work: work.append(
                actor=actor, action=action, subject=subject, outcome=outcome, body=body
            )
        )

    def transact(self, work: Callable[[Transaction], _T]) -> _T:
        """What ``work`` returns; all that it wrote is on the disk then, or nothing where it raised.

        One writer at a time: what ``work`` reads is still so when it writes. What several threads
        hand in at once is committed together, and may run in a thread of any of them. It must not
        do anything else that lasts, nor call the ledger itself.

        Raises:
            BackendError: ``ledger_unwritable``: then the act must not happen.
        """
        return self._group.run(work)

    def record_asset(
        self, asset_id: str, *, actor: str, kind: str, name: str, attributes: Mapping[str, Any]
    ) -> Asset:
        """``Transaction.record_asset``, by itself.

        Raises:
            InputError: ``asset_id``: not a digest; ``event_body``.
            UsageError: ``asset_kind``: known as another kind.
            BackendError: ``ledger_unwritable``.
        """
        return self.transact(
            lambda work: work.record_asset(
                asset_id, actor=actor, kind=kind, name=name, attributes=attributes
            )
        )

    def start_run(
        self, kind: str, *, actor: str, inputs: Sequence[str], parameters: Mapping[str, Any]
    ) -> Run:
        """``Transaction.start_run``, by itself.

        Raises:
            InputError: ``event_body``.
            UsageError: ``asset_unknown``.
            BackendError: ``ledger_unwritable``.
        """
        return self.transact(
            lambda work: work.start_run(kind, actor=actor, inputs=inputs, parameters=parameters)
        )

    def finish_run(self, run_id: str, *, status: RunStatus, outputs: Sequence[str] = ()) -> Run:
        """``Transaction.finish_run``, by itself.

        Raises:
            UsageError: ``run_unknown``, ``run_finished``, ``run_status``, ``asset_unknown``.
            BackendError: ``ledger_unwritable``.
        """
        return self.transact(lambda work: work.finish_run(run_id, status=status, outputs=outputs))

    def asset(self, asset_id: str) -> Asset | None:
        """The asset, or None if it is not known."""
        with self._reading() as connection:
            return find_asset(connection, asset_id)

    def assets(self) -> tuple[Asset, ...]:
        """Every asset, the oldest first."""
        with self._reading() as connection:
            return all_assets(connection)

    def run(self, run_id: str) -> Run:
        """The run.

        Raises:
            UsageError: ``run_unknown``.
        """
        with self._reading() as connection:
            return find_run(connection, run_id)

    def runs(self) -> tuple[Run, ...]:
        """Every run, the oldest first."""
        with self._reading() as connection:
            return all_runs(connection)

    def events(self, after: int = 0) -> Iterator[Event]:
        """The events with a number above ``after``, in order, unverified.

        Raises:
            BackendError: ``ledger_unreadable``.
            IntegrityError: ``ledger_corrupt``.
        """
        return self._events_from(after + 1)

    def verify(self) -> Verification:
        """Whether no event was edited, inserted, deleted or moved.

        A chain cut at its end, or computed anew, takes a checkpoint kept elsewhere to see.

        Raises:
            BackendError: ``ledger_unreadable``.
            IntegrityError: ``ledger_corrupt``.
        """
        return chain.verify(self._events_from(_LEAST_SEQ))

    def _events_from(self, first: int) -> Iterator[Event]:
        # In pages, so that no connection is held while the caller is at work.
        query = select(events).order_by(events.c.seq).limit(_PAGE_ROWS)
        while True:
            with self._reading() as connection:
                page = connection.execute(query.where(events.c.seq >= first)).all()
            for row in page:
                yield Event(*row)
            if len(page) < _PAGE_ROWS:
                return
            first = page[-1].seq + 1

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with read_failures(), self._engine.connect() as connection:
            yield connection
