"""Acts with their beginning and their end, from the ledger's events."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from cipherset.custody.ledger import Event, Outcome


@dataclass(frozen=True, slots=True)
class Use:
    """An act that was allowed; ``ended`` and ``outcome`` are None where its process died."""

    seq: int
    actor: str
    action: str
    subject: str
    began: str
    ended: str | None
    outcome: str | None
    facts: dict[str, Any] = field(repr=False)


def uses(events: Iterable[Event]) -> list[Use]:
    """The acts of ``events``, by their beginning, with the facts of both ends."""
    return sorted(_paired(events), key=lambda use: use.seq)


def _paired(events: Iterable[Event]) -> Iterator[Use]:
    begun: dict[tuple[str, str, str], list[Event]] = {}
    for event in events:
        act = (event.actor, event.action, event.subject)
        if event.outcome == Outcome.INTENDED:
            begun.setdefault(act, []).append(event)
        elif begun.get(act):
            yield _use(begun[act].pop(), event)
    for left in begun.values():
        yield from (_use(event, None) for event in left)


def _use(begin: Event, end: Event | None) -> Use:
    facts = json.loads(begin.body) | ({} if end is None else json.loads(end.body))
    return Use(
        seq=begin.seq,
        actor=begin.actor,
        action=begin.action,
        subject=begin.subject,
        began=begin.time,
        ended=None if end is None else end.time,
        outcome=None if end is None else end.outcome,
        facts=facts,
    )
