"""The ledger's events as the detectors see them: who asked for what, and how much it was."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from cipherset.app.gate import Action
from cipherset.custody.ledger import Event, Outcome
from cipherset.evidence.watch import Sighting

_ACTIONS: Final = frozenset(action.value for action in Action)
# A look at the ledger is no traffic: else watching would be what is watched.
_WATCHED: Final = _ACTIONS - {Action.AUDIT}


@dataclass(frozen=True, slots=True)
class Seen:
    """A sighting, and of what kind its asset is, as the event says."""

    sighting: Sighting
    kind: str | None


def seen_in(events: Iterable[Event]) -> list[Seen]:
    """What was asked for, allowed or refused, in the order of ``events``.

    How many rows an act touched its intent says, or else its outcome.
    """
    found: list[Seen] = []
    under_way: dict[tuple[str, str, str], int] = {}
    for event in events:
        if event.action not in _WATCHED:
            continue
        body, act = json.loads(event.body), (event.actor, event.action, event.subject)
        if event.outcome == Outcome.INTENDED:
            under_way[act] = len(found)
            found.append(_seen(event, body))
        elif event.outcome == Outcome.REFUSED:
            found.append(_seen(event, body))
        elif event.outcome == Outcome.DONE and act in under_way:
            place = under_way.pop(act)
            found[place] = _with_rows(found[place], body)
    return found


def _seen(event: Event, body: dict[str, Any]) -> Seen:
    sighting = Sighting(
        at=datetime.fromisoformat(event.time),
        principal=event.actor,
        action=event.action,
        asset=body.get("asset"),
        is_refused=event.outcome == Outcome.REFUSED,
        amount=_rows(body) or 1,
    )
    return Seen(sighting, body.get("kind"))


def _with_rows(seen: Seen, body: dict[str, Any]) -> Seen:
    rows = _rows(body)
    return replace(seen, sighting=replace(seen.sighting, amount=rows)) if rows else seen


def _rows(body: dict[str, Any]) -> int:
    rows = body.get("rows", 0)
    return int(rows) if isinstance(rows, int | float) else 0
