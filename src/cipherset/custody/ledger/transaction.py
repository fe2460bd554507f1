"""One piece of work on the ledger: what it reads is still so when it writes, and all holds or none.

Each change is written with its event. All events of one piece bear one time, never before the
time of the last event: a clock that was set back does not make anything last longer.

Nothing private may be given to the ledger: no row, vector, or key, and digests of plain data
keyed.
"""

import re
import secrets
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, insert, select, update

from cipherset.core.errors import InputError, IntegrityError, UsageError
from cipherset.custody.ledger.chain import FIRST_PREVIOUS, Event, Outcome, event_hash
from cipherset.custody.ledger.database import counting, keep_tail, recalled, tail_of
from cipherset.custody.ledger.records import (
    INPUT,
    OUTPUT,
    Asset,
    Run,
    RunStatus,
    checked_text,
    find_asset,
    find_run,
    json_text,
    link,
)
from cipherset.custody.ledger.tables import assets, events, runs

_T = TypeVar("_T")
_ASSET_ID: Final = re.compile(r"(hmac-)?sha256:[0-9a-f]{64}")
_LAST: Final = select(events.c.seq, events.c.hash, events.c.time).order_by(events.c.seq.desc())
_LAST_ONE: Final = _LAST.limit(1)
_INSERT: Final = insert(events)
_COLUMNS: Final = tuple(events.c.keys())


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of the chain; ``time`` is UTC, and the earliest there is for an empty one."""

    seq: int
    hash: str
    time: datetime


_EMPTY: Final = Tail(0, FIRST_PREVIOUS, datetime.min.replace(tzinfo=UTC))


class Transaction:
    """Reads and writes that hold together; handed to the work of ``Ledger.transact``."""

    def __init__(self, connection: Connection, clock: Callable[[], datetime]) -> None:
        """``connection`` holds the write lock."""
        self.connection = connection
        self._clock = clock
        self._now: datetime | None = None

    @property
    def now(self) -> datetime:
        """The time that its events bear, UTC: the clock's, or the last event's if that is later.

        Raises:
            IntegrityError: ``ledger_corrupt``: the last event's time is none.
        """
        if self._now is None:
            self._now = max(self._clock().astimezone(UTC), self._tail().time)
        return self._now

    @property
    def last_seq(self) -> int:
        """The number of the last event, 0 before the first.

        Raises:
            IntegrityError: ``ledger_corrupt``.
        """
        return self._tail().seq

    def recall(self, key: Hashable, read: Callable[[Connection], _T]) -> _T:
        """What ``read`` returns, or did under this ``key`` while no row was changed since.

        It may read any rows but events and budgets, which each act adds to, and nothing else; who
        changes a row past the gate changes it here too. What is returned is not to be changed.
        """
        return recalled(self.connection, key, lambda: read(self.connection))

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
            InputError: ``event_body``: a value that JSON or a database cannot hold.
            IntegrityError: ``ledger_corrupt``.
        """
        tail = self._tail()
        draft = Event(
            seq=tail.seq + 1,
            time=self.now.isoformat(timespec="microseconds"),
            actor=checked_text(str(actor)),
            action=checked_text(str(action)),
            subject=checked_text(str(subject)),
            outcome=Outcome(outcome).value,
            body=json_text(body or {}),
            previous=tail.hash,
            hash="",
        )
        event = replace(draft, hash=event_hash(draft))
        with counting(self.connection):
            self.connection.execute(_INSERT, {name: getattr(event, name) for name in _COLUMNS})
        keep_tail(self.connection, Tail(event.seq, event.hash, self.now))
        return event

    def record_asset(
        self, asset_id: str, *, actor: str, kind: str, name: str, attributes: Mapping[str, Any]
    ) -> Asset:
        """The asset, written with its event; as it was first recorded if it is known already.

        Raises:
            InputError: ``asset_id``: not a digest; ``event_body``.
            UsageError: ``asset_kind``: known as another kind.
        """
        if not _ASSET_ID.fullmatch(asset_id):
            raise InputError(
                "an asset's id is a SHA-256 or keyed SHA-256 digest",
                code="asset_id",
                hint="address it as sha256:<64 hex> or hmac-sha256:<64 hex>",
            )
        known = find_asset(self.connection, asset_id)
        if known is not None:
            return _of_kind(known, kind)
        body = {"kind": kind, "name": name, "attributes": dict(attributes)}
        event = self.append(
            actor=actor, action="asset.record", subject=asset_id, outcome=Outcome.DONE, body=body
        )
        row = {"id": asset_id, "kind": checked_text(kind), "name": checked_text(name)}
        row |= {"attributes": json_text(attributes), "created": event.time}
        self.connection.execute(insert(assets), row)
        return Asset(asset_id, kind, name, dict(attributes), event.time)

    def start_run(
        self, kind: str, *, actor: str, inputs: Sequence[str], parameters: Mapping[str, Any]
    ) -> Run:
        """A new run under way, written with its event.

        Raises:
            InputError: ``event_body``.
            UsageError: ``asset_unknown``.
        """
        run_id = f"run-{secrets.token_hex(8)}"
        body = {"kind": kind, "parameters": dict(parameters), "inputs": sorted(set(inputs))}
        event = self.append(
            actor=actor, action="run.start", subject=run_id, outcome=Outcome.DONE, body=body
        )
        row = {"id": run_id, "kind": checked_text(kind), "actor": actor, "started": event.time}
        row |= {"status": RunStatus.RUNNING.value, "parameters": json_text(parameters)}
        self.connection.execute(insert(runs), row)
        link(self.connection, run_id, INPUT, inputs)
        return find_run(self.connection, run_id)

    def finish_run(self, run_id: str, *, status: RunStatus, outputs: Sequence[str] = ()) -> Run:
        """The run with its end, written with its event.

        Raises:
            UsageError: ``run_unknown``, ``run_finished``, ``run_status``, ``asset_unknown``.
        """
        if status is RunStatus.RUNNING:
            raise UsageError(
                "a run was to end as running",
                code="run_status",
                hint="end it as done or failed",
            )
        run = find_run(self.connection, run_id)
        if run.status is not RunStatus.RUNNING:
            raise UsageError(
                f"run {run_id} is {run.status} already",
                code="run_finished",
                hint="start another run",
            )
        event = self.append(
            actor=run.actor,
            action="run.finish",
            subject=run_id,
            outcome=Outcome.DONE if status is RunStatus.DONE else Outcome.FAILED,
            body={"outputs": sorted(set(outputs))},
        )
        change = update(runs).where(runs.c.id == run_id)
        self.connection.execute(change.values(finished=event.time, status=status.value))
        link(self.connection, run_id, OUTPUT, outputs)
        return find_run(self.connection, run_id)

    def _tail(self) -> Tail:
        """The end of the chain, read at most once in a transaction: nobody else writes then."""
        kept = tail_of(self.connection)
        if isinstance(kept, Tail):
            return kept
        last = self.connection.execute(_LAST_ONE).one_or_none()
        tail = _EMPTY if last is None else Tail(last.seq, last.hash, _time_of(last.time))
        keep_tail(self.connection, tail)
        return tail


def _time_of(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise IntegrityError(
            "the last event of the ledger bears no time: it was changed",
            code="ledger_corrupt",
            hint="see what else was: cipherset audit verify",
        ) from None


def _of_kind(known: Asset, kind: str) -> Asset:
    if known.kind != kind:
        raise UsageError(
            f"{known.id} is recorded as a {known.kind}, not a {kind}",
            code="asset_kind",
            hint="record it as what it is",
        )
    return known
