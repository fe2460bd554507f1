"""The ledger: assets, runs and the chain of events, each change and its event in one transaction.

Order rule: before an act its intent is appended, after it its outcome. If the intent cannot be
written, ``append`` raises and the act must not happen. An intent without an outcome is an act
whose process died.

Nothing private may be given to the ledger: no row, vector, or key, and digests of plain data
keyed.
"""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from sqlalchemy import Connection, insert, select, update

from cipherset.core.errors import InputError, UsageError
from cipherset.custody.ledger import chain
from cipherset.custody.ledger.chain import (
    FIRST_PREVIOUS,
    Event,
    Outcome,
    Verification,
    event_hash,
)
from cipherset.custody.ledger.engine import open_engine, read_failures, write_failures, writing
from cipherset.custody.ledger.records import (
    INPUT,
    OUTPUT,
    Asset,
    Run,
    RunStatus,
    all_assets,
    all_runs,
    find_asset,
    find_run,
    json_text,
    link,
)
from cipherset.custody.ledger.tables import assets, events, runs

_T = TypeVar("_T")
UTC_CLOCK: Final = partial(datetime.now, UTC)

_PAGE_ROWS: Final = 1000
_LEAST_SEQ: Final = -(2**63)  # an inserted event may have any number
_ASSET_ID: Final = re.compile(r"(hmac-)?sha256:[0-9a-f]{64}")


class Ledger:
    """The ledger at a database URL, made on first use; usable from several processes at once."""

    def __init__(self, url: str, *, clock: Callable[[], datetime] = UTC_CLOCK) -> None:
        """Open it.

        Raises:
            InputError: ``ledger_url``.
            BackendError: ``ledger_unwritable``.
            IntegrityError: ``ledger_corrupt``.
        """
        self._clock = clock
        self._engine = open_engine(url)

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

    def transact(self, work: Callable[["Transaction"], _T]) -> _T:
        """What ``work`` returns; all that it wrote is on the disk then, or nothing where it raised.

        One writer at a time: what ``work`` reads is still so when it writes. It must not do
        anything else that lasts, and may be run again.

        Raises:
            BackendError: ``ledger_unwritable``: then the act must not happen.
        """
        with self._writing() as connection:
            return work(Transaction(connection, self._clock))

    def record_asset(
        self, asset_id: str, *, actor: str, kind: str, name: str, attributes: Mapping[str, Any]
    ) -> Asset:
        """The asset, written with its event; as it was first recorded if it is known already.

        Raises:
            InputError: ``asset_id``: not a digest; ``event_body``.
            UsageError: ``asset_kind``: known as another kind.
            BackendError: ``ledger_unwritable``.
        """
        if not _ASSET_ID.fullmatch(asset_id):
            raise InputError(
                "an asset's id is a SHA-256 or keyed SHA-256 digest",
                code="asset_id",
                hint="address it as sha256:<64 hex> or hmac-sha256:<64 hex>",
            )
        body = {"kind": kind, "name": name, "attributes": dict(attributes)}
        draft = self._draft(
            actor=actor, action="asset.record", subject=asset_id, outcome=Outcome.DONE, body=body
        )
        with self._writing() as connection:
            known = find_asset(connection, asset_id)
            if known is not None:
                return _of_kind(known, kind)
            row = {"kind": kind, "name": name, "attributes": json_text(attributes)}
            connection.execute(insert(assets).values(id=asset_id, created=draft.time, **row))
            _append(connection, draft)
        return Asset(asset_id, kind, name, dict(attributes), draft.time)

    def start_run(
        self, kind: str, *, actor: str, inputs: Sequence[str], parameters: Mapping[str, Any]
    ) -> Run:
        """A new run under way, written with its event.

        Raises:
            InputError: ``event_body``.
            UsageError: ``asset_unknown``.
            BackendError: ``ledger_unwritable``.
        """
        run_id = f"run-{secrets.token_hex(8)}"
        body = {"kind": kind, "parameters": dict(parameters), "inputs": sorted(set(inputs))}
        draft = self._draft(
            actor=actor, action="run.start", subject=run_id, outcome=Outcome.DONE, body=body
        )
        with self._writing() as connection:
            row = {"kind": kind, "actor": actor, "started": draft.time}
            values = {**row, "status": RunStatus.RUNNING.value, "parameters": json_text(parameters)}
            connection.execute(insert(runs).values(id=run_id, **values))
            link(connection, run_id, INPUT, inputs)
            _append(connection, draft)
            return find_run(connection, run_id)

    def finish_run(self, run_id: str, *, status: RunStatus, outputs: Sequence[str] = ()) -> Run:
        """The run with its end, written with its event.

        Raises:
            UsageError: ``run_unknown``, ``run_finished``, ``run_status``, ``asset_unknown``.
            BackendError: ``ledger_unwritable``.
        """
        if status is RunStatus.RUNNING:
            raise UsageError(
                "a run was to end as running",
                code="run_status",
                hint="end it as done or failed",
            )
        outcome = Outcome.DONE if status is RunStatus.DONE else Outcome.FAILED
        with self._writing() as connection:
            run = find_run(connection, run_id)
            if run.status is not RunStatus.RUNNING:
                raise UsageError(
                    f"run {run_id} is {run.status} already",
                    code="run_finished",
                    hint="start another run",
                )
            draft = self._draft(
                actor=run.actor,
                action="run.finish",
                subject=run_id,
                outcome=outcome,
                body={"outputs": sorted(set(outputs))},
            )
            change = update(runs).where(runs.c.id == run_id)
            connection.execute(change.values(finished=draft.time, status=status.value))
            link(connection, run_id, OUTPUT, outputs)
            _append(connection, draft)
            return find_run(connection, run_id)

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
    def _writing(self) -> Iterator[Connection]:
        with write_failures(), writing(self._engine) as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with read_failures(), self._engine.connect() as connection:
            yield connection

    def _draft(
        self, *, actor: str, action: str, subject: str, outcome: Outcome, body: Mapping[str, Any]
    ) -> Event:
        """The event before it has its place in the chain."""
        return _draft(self._clock, actor, action, subject, outcome, body)


class Transaction:
    """Reads and writes that hold together; handed to the work of ``Ledger.transact``."""

    def __init__(self, connection: Connection, clock: Callable[[], datetime]) -> None:
        """``connection`` holds the write lock."""
        self.connection = connection
        self._clock = clock

    @property
    def now(self) -> datetime:
        """The time that its events bear, UTC."""
        return self._clock().astimezone(UTC)

    def append(
        self,
        *,
        actor: str,
        action: str,
        subject: str,
        outcome: Outcome,
        body: Mapping[str, Any] | None = None,
    ) -> Event:
        """The event in its place at the end of the chain.

        Raises:
            InputError: ``event_body``: a value that JSON cannot hold.
        """
        draft = _draft(self._clock, actor, action, subject, outcome, body or {})
        return _append(self.connection, draft)


def _draft(
    clock: Callable[[], datetime],
    actor: str,
    action: str,
    subject: str,
    outcome: Outcome,
    body: Mapping[str, Any],
) -> Event:
    """The event before it has its place in the chain."""
    now = clock().astimezone(UTC).isoformat(timespec="microseconds")
    fields = {"actor": str(actor), "action": str(action), "subject": str(subject)}
    json_text(fields)
    return Event(
        seq=0,
        time=now,
        **fields,
        outcome=Outcome(outcome).value,
        body=json_text(body),
        previous="",
        hash="",
    )


def _append(connection: Connection, draft: Event) -> Event:
    """``draft`` in its place at the end of the chain, written; holds the write lock."""
    query = select(events.c.seq, events.c.hash).order_by(events.c.seq.desc()).limit(1)
    last = connection.execute(query).one_or_none()
    seq, previous = (1, FIRST_PREVIOUS) if last is None else (last.seq + 1, last.hash)
    placed = replace(draft, seq=seq, previous=previous)
    event = replace(placed, hash=event_hash(placed))
    connection.execute(insert(events).values(**asdict(event)))
    return event


def _of_kind(known: Asset, kind: str) -> Asset:
    if known.kind != kind:
        raise UsageError(
            f"{known.id} is recorded as a {known.kind}, not a {kind}",
            code="asset_kind",
            hint="record it as what it is",
        )
    return known
