"""The events, listed or exported, through the gate."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict

from cipherset.app.audit.files import check_free, put
from cipherset.app.gate import Action
from cipherset.app.workspace import Session, open_workspace
from cipherset.core import canonical
from cipherset.core.errors import UsageError
from cipherset.custody.ledger import Event


class EventResult(TypedDict):
    """An event as it may be told; ``body`` is text where it is not the JSON it was written as."""

    seq: int
    time: str
    actor: str
    action: str
    subject: str
    outcome: str
    body: Any
    hash: str


class ListResult(TypedDict):
    """Events, the oldest first."""

    events: list[EventResult]


class ExportResult(TypedDict):
    """Where the events are now, and how many."""

    to: str
    events: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events: by action (also ``key`` for all that begin with ``key.``), by actor, by time.

    ``since`` is an ISO 8601 date or time, in UTC where it names no zone; ``outcome`` and
    ``subject`` are taken whole; ``without`` are actions that are left out.
    """

    action: str | None = None
    actor: str | None = None
    since: str | None = None
    outcome: str | None = None
    subject: str | None = None
    without: frozenset[str] = frozenset()

    def of(self, events: Iterable[Event]) -> Iterable[Event]:
        """Those of ``events`` that are wanted.

        Raises:
            UsageError: ``since``: it is no date and no time.
        """
        since = "" if self.since is None else utc(self.since)
        return (event for event in events if self._has(event) and event.time >= since)

    def _has(self, event: Event) -> bool:
        of_action = self.action in {None, event.action, event.action.partition(".")[0]}
        return (
            of_action
            and self.actor in {None, event.actor}
            and self.outcome in {None, event.outcome}
            and self.subject in {None, event.subject}
            and event.action not in self.without
        )


def list_events(session: Session, wanted: Wanted) -> ListResult:
    """The events that are wanted, the oldest first, unverified.

    Raises:
        UsageError: ``since``.
        IntegrityError: ``ledger_regressed``, ``ledger_corrupt``.
        BackendError: the ledger cannot be read, or written: to look is an act too.
    """
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.AUDIT, "events", {"what": "list"}) as act,
    ):
        found = [shown(event) for event in wanted.of(workspace.gate.ledger.events())]
        act.facts["events"] = len(found)
    return ListResult(events=found)


def export_events(session: Session, target: Path, *, overwrite: bool) -> ExportResult:
    """Every event as a line of canonical JSON in ``target``, as it is stored, unverified.

    The lines hold all that the chain is computed from: it can be verified from the file alone.

    Raises:
        UsageError: ``target_exists``, ``target_parent``.
        IntegrityError: ``ledger_regressed``, ``ledger_corrupt``.
        BackendError: the ledger cannot be read or written; ``disk_full``, ``no_permission``.
    """
    check_free(target, overwrite=overwrite)
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.AUDIT, "events", {"what": "export"}) as act,
    ):
        lines = [canonical.encode(asdict(event)) for event in workspace.gate.ledger.events()]
        raw = b"".join(line + b"\n" for line in lines)
        put(target, raw, overwrite=overwrite)
        digest = canonical.digest_bytes(raw)
        act.facts.update(events=len(lines), sha256=digest)
    return ExportResult(to=str(target), events=len(lines), sha256=digest)


def shown(event: Event) -> EventResult:
    """``event`` as it may be told: all of it, it holds nothing private."""
    return EventResult(
        seq=event.seq,
        time=event.time,
        actor=event.actor,
        action=event.action,
        subject=event.subject,
        outcome=event.outcome,
        body=_body(event),
        hash=event.hash,
    )


def _body(event: Event) -> Any:  # noqa: ANN401 -- any JSON value
    try:
        return json.loads(event.body)
    except ValueError:  # somebody's edit; verify finds it
        return event.body


def utc(text: str) -> str:
    """The date or time (ISO 8601; UTC where it names no zone) as events bear it.

    Raises:
        UsageError: ``since``.
    """
    try:
        moment = datetime.fromisoformat(text)
        in_zone = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        in_utc = in_zone.astimezone(UTC)
    except (ValueError, OverflowError):  # overflow: in UTC it is of the year 0 or 10000
        raise UsageError(
            f"{text!r} is no date and no time",
            code="since",
            hint="write it as 2026-11-26 or 2026-11-26T09:30:00+01:00",
        ) from None
    return in_utc.isoformat(timespec="microseconds")
