"""The policies that hold, and what nobody used of what they allow."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from cipherset.app.gate import Action
from cipherset.app.gate.facts import principal_of
from cipherset.app.workspace import Session, open_workspace
from cipherset.custody.ledger import Event, Outcome, Transaction
from cipherset.custody.ledger.access import principals
from cipherset.custody.policy import Kind, Policies
from cipherset.custody.policy.unused import Unused, unused

WINDOW: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Permissions:
    """What was not used since ``since`` (UTC, ISO 8601)."""

    since: str
    unused: tuple[Unused, ...]


def active(session: Session) -> Policies:
    """The policies that hold in the session's workspace."""
    with open_workspace(session) as workspace:
        return workspace.gate.ledger.transact(workspace.gate.policies)


def unused_permissions(session: Session, window: timedelta = WINDOW) -> Permissions:
    """What each principal may do and did not within ``window``.

    Raises:
        PolicyError: ``not_allowed``.
    """
    facts = {"what": "unused permissions"}
    with open_workspace(session) as workspace:
        gate = workspace.gate
        with gate.act(Action.AUDIT, "permissions", facts):
            policies, known, since = gate.ledger.transact(
                lambda transaction: (
                    gate.policies(transaction),
                    principals(transaction.connection),
                    _iso(transaction, window),
                )
            )
            used = list(_used(gate.ledger.events(), since))
            people = [principal_of(each.name, each, policies) for each in known]
            return Permissions(since, tuple(unused(policies, used, people)))


def _iso(transaction: Transaction, window: timedelta) -> str:
    return (transaction.now - window).isoformat(timespec="microseconds")


def _used(events: Iterator[Event], since: str) -> Iterator[tuple[str, Action, Kind]]:
    known = {action.value for action in Action}
    for event in events:
        if event.outcome == Outcome.INTENDED and event.time >= since and event.action in known:
            kind = json.loads(event.body).get("kind", Kind.WORKSPACE.value)
            yield event.actor, Action(event.action), Kind(kind)
