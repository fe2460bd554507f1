"""``audit watch``: what is unusual in the ledger, told once each and written down.

The same past is looked at each time, so the same alert bears the same id and is written once,
whoever looks, and however often. What follows from it is done in the same transaction.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from cipherset.app.audit.show import utc
from cipherset.app.gate import Action, Fact
from cipherset.app.watching.respond import stop
from cipherset.app.watching.traffic import Seen, seen_in
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core import canonical
from cipherset.custody.ledger import Outcome, Transaction
from cipherset.custody.ledger.records import events_of
from cipherset.evidence.watch import Alert, alerts

ALERT: Final = "alert"
# What is older is neither judged nor a yardstick: people change.
PAST: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Told:
    """An alert; ``is_new``: nobody was told before. ``stopped``: ids of grants or assets."""

    id: str
    kind: str
    principal: str
    action: str | None
    since: str
    until: str
    found: float
    usual: float
    stopped: tuple[str, ...]
    is_new: bool

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        return {
            "id": self.id,
            "kind": self.kind,
            "principal": self.principal,
            "action": self.action,
            "since": self.since,
            "until": self.until,
            "found": self.found,
            "usual": self.usual,
            "stopped": list(self.stopped),
            "new": self.is_new,
        }


def watch(session: Session, since: str | None = None) -> list[Told]:
    """Every alert from ``since`` on (UTC, ISO 8601), the oldest first; new ones are written down.

    Raises:
        UsageError: ``since``.
        PolicyError: ``not_allowed``.
        IntegrityError: ``ledger_regressed``, ``ledger_corrupt``.
        BackendError: the ledger cannot be read or written.
    """
    earliest = "" if since is None else utc(since)
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.AUDIT, "alerts", {"what": "watch"}) as act,
    ):
        seen = _recent(workspace)
        unusual = alerts([each.sighting for each in seen])
        found = [each for each in unusual if _text(each.until) > earliest]
        told = workspace.gate.ledger.transact(
            lambda transaction: _tell(transaction, workspace, found, seen)
        )
        act.facts.update(alerts=len(told), new=sum(each.is_new for each in told))
    return [each for each in told if each.until > earliest]


def _recent(workspace: Workspace) -> list[Seen]:
    ledger = workspace.gate.ledger
    oldest = _text(ledger.transact(lambda transaction: transaction.now) - PAST)
    return seen_in(event for event in ledger.events() if event.time >= oldest)


def _tell(
    transaction: Transaction, workspace: Workspace, found: list[Alert], seen: list[Seen]
) -> list[Told]:
    """All that were told, then those that are new; these are written down and acted upon."""
    told = [
        _told(json.loads(event.body), event.subject, is_new=False)
        for event in events_of(transaction.connection, ALERT, Outcome.DONE)
    ]
    known = {each.id for each in told}
    told += [
        write_alert(transaction, workspace, alert, seen)
        for alert in found
        if _id(alert) not in known
    ]
    return told


def write_alert(
    transaction: Transaction, workspace: Workspace, alert: Alert, seen: Iterable[Seen]
) -> Told:
    """Write an alert down, and stop what it is about where the policy says so of its kind."""
    body = _body(alert)
    if alert.kind in workspace.gate.policies(transaction).limits.alerts.suspend:
        body["stopped"] = ",".join(stop(transaction, workspace, alert, seen))
    transaction.append(
        actor=workspace.gate.actor,
        action=ALERT,
        subject=alert.principal,
        outcome=Outcome.DONE,
        body=body,
    )
    return _told(body, alert.principal, is_new=True)


def _body(alert: Alert) -> dict[str, Fact]:
    return {
        "id": _id(alert),
        "kind": alert.kind.value,
        "of": alert.action,
        "since": _text(alert.since),
        "until": _text(alert.until),
        "found": alert.found,
        "usual": alert.usual,
    }


def _id(alert: Alert) -> str:
    what = [alert.kind.value, alert.principal, alert.action, _text(alert.since)]
    return canonical.digest({"alert": what}).removeprefix("sha256:")[:16]


def _told(body: dict[str, Any], principal: str, *, is_new: bool) -> Told:
    stopped = body.get("stopped", "")
    return Told(
        id=body["id"],
        kind=body["kind"],
        principal=principal,
        action=body["of"],
        since=body["since"],
        until=body["until"],
        found=body["found"],
        usual=body["usual"],
        stopped=tuple(stopped.split(",")) if stopped else (),
        is_new=is_new,
    )


def _text(time: datetime) -> str:
    return time.isoformat(timespec="microseconds")
