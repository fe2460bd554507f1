"""The ledger: assets, runs and the chain of events, each change and its event in one transaction.

Order rule: before an act its intent is appended, after it its outcome. If the intent cannot be
written, ``append`` raises and the act must not happen. An intent without an outcome is an act
whose process died.

Nothing private may be given to the ledger: no row, vector, or key, and digests of plain data
keyed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from sqlalchemy import Connection, select

from cipherset.core.errors import BackendError, CiphersetError, IntegrityError, UsageError
from cipherset.custody.ledger import chain
from cipherset.custody.ledger.access.compare import rows_held
from cipherset.custody.ledger.chain import Event, Outcome, Verification
from cipherset.custody.ledger.database import open_engine, read_failures, write_failures
from cipherset.custody.ledger.group import GroupCommit
from cipherset.custody.ledger.heads import Head, Heads, regressed
from cipherset.custody.ledger.migrate import migrate
from cipherset.custody.ledger.owed import LATE, Owed
from cipherset.custody.ledger.proofs import (
    Checkpoint,
    checkpoint_over,
    held_against,
    prove_consistency,
    prove_event,
    remembered,
)
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

NO_HEADS: Final = Heads(())

_PAGE_ROWS: Final = 1000
_BY_SEQ: Final = select(events.c.seq, events.c.hash).order_by(events.c.seq)
_BY_SEQ_DESC: Final = select(events.c.seq, events.c.hash).order_by(events.c.seq.desc())
_LEAST_SEQ: Final = -(2**63)  # an inserted event may have any number


class Ledger:
    """The ledger at a database URL, made on first use; usable from several processes at once."""

    def __init__(
        self,
        url: str,
        *,
        password: str | None = None,
        clock: Callable[[], datetime] = UTC_CLOCK,
        heads: Heads = NO_HEADS,
    ) -> None:
        """Open it, and bring an older one to the shape of this version.

        ``heads`` are told where it ends; ``check_heads`` is what holds it against them.

        Raises:
            InputError: ``ledger_url``.
            BackendError: ``ledger_unwritable``, ``ledger_driver``.
            IntegrityError: ``ledger_corrupt``; ``ledger_newer``.
        """
        self._engine = open_engine(url, password)
        try:
            with write_failures():
                migrate(self._engine, clock)
        except BaseException:
            self._engine.dispose()
            raise
        # Apart from those that read: what one connection has read is kept with it.
        self._writes = open_engine(url, password)
        self._group = GroupCommit(self._writes, clock)
        self._clock = clock
        self._heads = heads
        self._has_written = False
        self._owed = Owed()

    def close(self) -> None:
        """Write what is owed, give back its connections, and remember where it ends."""
        with suppress(CiphersetError):
            self._owed.pay(self._group.run)
        if self._has_written:
            with suppress(CiphersetError):  # what was written is, whoever remembers it
                self._remember()
        self._writes.dispose()
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
        is_owed: bool = False,
    ) -> Event:
        """The event as written; it is on the disk on return.

        ``is_owed``: it says how an act ended whose intent is written. Where it cannot be written
        now, it is, with ``late`` in its body, before anything else is.

        Raises:
            InputError: ``event_body``: a value that JSON cannot hold.
            BackendError: ``ledger_unwritable``: then the act must not happen.
        """

        def written(work: Transaction, told: Mapping[str, Any] | None = body) -> Event:
            return work.append(
                actor=actor, action=action, subject=subject, outcome=outcome, body=told
            )

        try:
            return self.transact(written)
        except BackendError:
            if is_owed:
                self._owed.add(lambda work: written(work, {**(body or {}), LATE: True}))
            raise

    def transact(self, work: Callable[[Transaction], _T]) -> _T:
        """What ``work`` returns; all that it wrote is on the disk then, or nothing where it raised.

        One writer at a time: what ``work`` reads is still so when it writes. What several threads
        hand in at once is committed together, and may run in a thread of any of them. It must not
        do anything else that lasts, nor call the ledger itself.

        Raises:
            BackendError: ``ledger_unwritable``: then the act must not happen.
        """
        self._owed.pay(self._group.run)
        done = self._group.run(work)
        self._has_written = True
        if self._heads.is_due():
            with suppress(CiphersetError):  # it is written, whoever remembers it
                self._remember()
        return done

    def look(self, work: Callable[[Transaction], _T]) -> _T:
        """What ``work`` returns, which only reads; it waits for no writer, and none waits for it.

        Raises:
            BackendError: ``ledger_unreadable``.
            IntegrityError: ``ledger_corrupt``.
        """
        with self._reading() as connection:
            return work(Transaction(connection, self._clock))

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

    def verify(
        self, *, checkpoint: Checkpoint | None = None, seen: Head | None = None
    ) -> Verification:
        """Whether no event was edited, inserted, deleted or moved, nor a row that events speak of.

        A chain cut at its end, or computed anew, shows only against a ``checkpoint`` that was kept
        elsewhere, or against an end that was ``seen``.

        Raises:
            BackendError: ``ledger_unreadable``.
            IntegrityError: ``ledger_corrupt``.
        """
        found, hashes = self._verified()
        if seen is not None:
            found = remembered(found, hashes, (seen.ledger, seen.seq, seen.hash))
        if checkpoint is not None:
            found = held_against(found, hashes, checkpoint)
        with self._reading() as connection:
            return rows_held(connection, found)

    def checkpoint(self) -> Checkpoint:
        """What the ledger is now, to be signed and kept elsewhere.

        Raises:
            IntegrityError: ``ledger_broken``: its chain does not hold; ``ledger_corrupt``.
            UsageError: ``ledger_empty``.
            BackendError: ``ledger_unreadable``.
        """
        hashes = self._whole()
        if not hashes:
            raise UsageError(
                "the ledger has no event yet",
                code="ledger_empty",
                hint="make a checkpoint once something has happened",
            )
        return checkpoint_over(hashes, self._clock())

    def prove_event(self, seq: int, checkpoint: Checkpoint) -> bytes:
        """The file that shows event ``seq`` to be in ``checkpoint``, without the ledger.

        Raises:
            UsageError: ``event_unknown``; ``event_later``.
            IntegrityError: ``ledger_broken``, ``checkpoint_mismatch``, ``ledger_corrupt``.
            BackendError: ``ledger_unreadable``.
        """
        hashes = self._whole()
        if not 0 < seq <= len(hashes):
            raise UsageError(
                f"the ledger has no event {seq}",
                code="event_unknown",
                hint="see which there are: cipherset audit list",
            )
        event = next(self.events(after=seq - 1))
        return prove_event(event, hashes[: checkpoint.size], checkpoint)

    def prove_consistency(self, older: Checkpoint, newer: Checkpoint) -> bytes:
        """The file that shows ``newer`` to hold all that ``older`` does, without the ledger.

        Raises:
            UsageError: ``checkpoint_order``.
            IntegrityError: ``ledger_broken``, ``checkpoint_mismatch``, ``ledger_corrupt``.
            BackendError: ``ledger_unreadable``.
        """
        return prove_consistency(self._whole()[: newer.size], older, newer)

    def head(self) -> Head | None:
        """Where it ends, unverified; None where it is empty.

        Raises:
            BackendError: ``ledger_unreadable``.
            IntegrityError: ``ledger_corrupt``.
        """
        with self._reading() as connection:
            first = connection.execute(_BY_SEQ.limit(1)).one_or_none()
            last = connection.execute(_BY_SEQ_DESC.limit(1)).one_or_none()
        return None if first is None or last is None else Head(first.hash, last.seq, last.hash)

    def check_heads(self) -> None:
        """Nothing, where it holds what was seen of it before.

        Raises:
            IntegrityError: ``ledger_regressed``: restored from an older copy, or cut;
                ``head_corrupt``, ``ledger_corrupt``.
            BackendError: ``ledger_unreadable``, ``no_permission`` or ``disk``.
        """
        seen = self._heads.read()
        if seen is None:
            return
        query = select(events.c.seq, events.c.hash).where(events.c.seq.in_((1, seen.seq)))
        with self._reading() as connection:
            found = {row.seq: row.hash for row in connection.execute(query)}
        if found.get(1) != seen.ledger or found.get(seen.seq) != seen.hash:
            raise regressed(seen)

    def accept_head(self) -> None:
        """Let where it ends now be what was seen of it, whatever was before.

        Raises:
            BackendError: ``ledger_unreadable``.
            IntegrityError: ``ledger_corrupt``.
        """
        self._remember(in_any_case=True)

    def _remember(self, *, in_any_case: bool = False) -> None:
        head = self.head()
        if head is not None:
            self._heads.keep(head, in_any_case=in_any_case)

    def _verified(self) -> tuple[Verification, list[str]]:
        """Whether the chain holds, and the hashes of its events up to where it does not."""
        hashes: list[str] = []

        def noted() -> Iterator[Event]:
            for event in self._events_from(_LEAST_SEQ):
                hashes.append(event.hash)
                yield event

        return chain.verify(noted()), hashes

    def _whole(self) -> list[str]:
        """The hashes of all events.

        Raises:
            IntegrityError: ``ledger_broken``.
        """
        found, hashes = self._verified()
        if not found.valid:
            raise IntegrityError(
                f"the ledger's chain does not hold at event {found.first_bad}: {found.because}",
                code="ledger_broken",
                hint="keep a copy for whoever investigates, then restore the newest whole one",
            )
        return hashes

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
