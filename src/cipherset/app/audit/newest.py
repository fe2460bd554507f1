"""The newest events first, a page at a time, through the gate."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, takewhile
from typing import Final

from cipherset.app.audit.show import EventResult, Wanted, shown, utc
from cipherset.app.gate import Action
from cipherset.app.workspace import Session, open_workspace
from cipherset.custody.ledger import Event, Ledger

# Events that are looked through for one page; where few are wanted, the next page goes on.
_LOOKED_AT: Final = 50_000
_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class Newest:
    """Events, the newest first; ``before`` is where the next page goes on, None at the end.

    ``total`` is how many there are in all, wanted or not.
    """

    events: tuple[EventResult, ...]
    before: int | None
    total: int


def newest(session: Session, wanted: Wanted, *, before: int | None, most: int) -> Newest:
    """At most ``most`` wanted events with a number below ``before``, the newest first, unverified.

    Raises:
        PolicyError: ``not_allowed``.
        UsageError: ``since``: it is no date and no time.
        BackendError: the ledger cannot be read, or written: to look is an act too.
    """
    since = None if wanted.since is None else utc(wanted.since)
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.AUDIT, "events", {"what": "list"}) as act,
    ):
        ledger = workspace.gate.ledger
        head = ledger.head()
        total = 0 if head is None else head.seq
        below = total + 1 if before is None else min(before, total + 1)
        least = max(1, below - _LOOKED_AT)
        found = list(islice(replace(wanted, since=since).of(_back(ledger, below, least)), most + 1))
        act.facts["events"] = len(found[:most])
    if len(found) > most:
        following: int | None = found[most - 1].seq
    else:
        following = least if least > 1 else None
    return Newest(tuple(shown(event) for event in found[:most]), following, total)


def _back(ledger: Ledger, below: int, least: int) -> Iterator[Event]:
    """The events with numbers from ``below - 1`` down to ``least``."""
    while below > least:
        first = max(least, below - _AT_ONCE)
        page = takewhile(partial(_is_below, below), ledger.events(first - 1))
        yield from reversed(list(page))
        below = first


def _is_below(number: int, event: Event) -> bool:
    return event.seq < number
