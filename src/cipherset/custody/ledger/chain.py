"""Events, and the hash chain that holds them together; no I/O.

Each event's hash covers all its fields and the hash of the event before it, and numbers run
1, 2, 3, … So an edited, inserted, deleted or moved event shows at its place. What does not show
is a chain cut at its end, or computed anew from some place on: for that a checkpoint must be
kept elsewhere.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cipherset.core import canonical

EVENT_SCHEMA: Final = "cipherset/event/1"
FIRST_PREVIOUS: Final = "sha256:" + "0" * 64
# Of a flat object of text and a whole number this writes the canonical form, in compiled code: what
# there is to escape in text, and how, is the same in RFC 8785, section 3.2.2.2.
_FLAT: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


class Outcome(StrEnum):
    """Where an act stands: announced, or how it ended."""

    INTENDED = "intended"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Event:
    """One fact. ``time`` is UTC, ISO 8601; ``body`` is canonical JSON text.

    Every field is the text that is stored, also where that is not what was once written:
    ``verify`` is what tells.
    """

    seq: int
    time: str
    actor: str
    action: str
    subject: str
    outcome: str
    body: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether the chain holds, over how many events; if not, at which number it first does not.

    ``because`` says in words what is wrong there, and is empty where nothing is.
    """

    valid: bool
    events: int
    first_bad: int | None
    because: str = ""


def event_hash(event: Event) -> str:
    """``sha256:`` over the canonical form of every field but ``hash``; ``body`` as its text.

    Text that no UTF-8 can hold is hashed as if it were replaced, so it does not fit its hash.
    """
    fields = {
        "action": event.action,
        "actor": event.actor,
        "body": event.body,
        "outcome": event.outcome,
        "previous": event.previous,
        "schema": EVENT_SCHEMA,
        "seq": event.seq,
        "subject": event.subject,
        "time": event.time,
    }
    return canonical.digest_bytes(_FLAT(fields).encode(errors="replace"))


def verify(events: Iterable[Event]) -> Verification:
    """Whether ``events``, by number, are a whole chain from the first on.

    ``first_bad`` is the first number whose event is missing, changed or does not follow from the
    one before. ``events`` counts the events read up to there.
    """
    previous, count = FIRST_PREVIOUS, 0
    for event in events:
        count += 1
        because = _wrong(event, count, previous)
        if because:
            return Verification(valid=False, events=count, first_bad=count, because=because)
        previous = event.hash
    return Verification(valid=True, events=count, first_bad=None)


def _wrong(event: Event, seq: int, previous: str) -> str:
    """What is wrong with ``event`` where number ``seq`` is due; nothing if it is right."""
    if event.seq != seq:
        return f"event {event.seq} is found in its place"
    if event.previous != previous:
        return "it does not follow from the event before"
    if event.hash != event_hash(event):
        return "it was changed after it was written"
    return ""
