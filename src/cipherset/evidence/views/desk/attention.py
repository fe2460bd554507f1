"""What needs attention now, the most urgent first: in words, each with what it is about."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from cipherset.evidence.views.desk.exports import Evidence, Export, exports
from cipherset.evidence.views.exposure.budgets import Use
from cipherset.evidence.views.picture import Notice, Picture

# What happened before that is for the audit trail.
_LATELY: Final = timedelta(days=7)
_SOON: Final = timedelta(days=3)
# From this share of a cap on, whoever answers for it should know.
NEARLY: Final = 0.75
_NAMED: Final = 3  # as many are named one by one; more are counted
_ABSENT: Final = "_unknown"
_SEEN: Final = frozenset({"retired", "suspended"})


class Urgency(StrEnum):
    """When somebody should look."""

    NOW = "now"
    SOON = "soon"
    KNOW = "to know"


class Topic(StrEnum):
    """What a matter is about; a page may know where to go on."""

    ASSET = "asset"
    EXPORTS = "exports"
    GRANT = "grant"
    BUDGET = "budget"
    EVENT = "event"
    STALE = "stale"
    UNLABELED = "unlabeled"


@dataclass(frozen=True, slots=True)
class Matter:
    """One of them; ``about`` is the id, name or number that ``topic`` says what of."""

    urgency: Urgency
    says: str
    why: str
    topic: Topic
    about: str


@dataclass(frozen=True, slots=True)
class Figures:
    """How much there is of everything."""

    assets: int
    exports: int
    models: int
    keys: int
    people: int
    waiting: int
    events: int


def figures(picture: Picture) -> Figures:
    """Counts for the top of a page."""
    kinds = Counter(each.kind for each in picture.things.values())
    return Figures(
        assets=len(picture.things),
        exports=sum("cipherset_id" in each.attributes for each in picture.things.values()),
        models=kinds["model"],
        keys=len({key.key_id for key in picture.keys}),
        people=sum(each.is_active for each in picture.people),
        waiting=sum(each.state == "pending" for each in picture.grants),
        events=picture.events,
    )


@dataclass(frozen=True, slots=True)
class Budget:
    """What is given away of ``what``, such as pairs of a key."""

    what: str
    use: Use


def attention(picture: Picture, budgets: Sequence[Budget] = ()) -> tuple[Matter, ...]:
    """Every matter, the most urgent first, and of the same urgency in a fixed order."""
    order = list(Urgency)
    found = [
        *_alarms(picture),
        *_waiting(picture),
        *_evidence(exports(picture)),
        *_budgets(budgets),
        *_stale(picture),
        *_refusals(picture),
        *_ending(picture),
        *_unlabeled(picture),
    ]
    return tuple(sorted(found, key=lambda matter: order.index(matter.urgency)))


def _alarms(picture: Picture) -> Iterator[Matter]:
    """Alerts, and glass that was broken, lately."""
    for each in reversed(_lately(picture)):
        if each.action == "alert":
            kind, of = each.facts.get("kind", "alert"), each.facts.get("of")
            why = f"{each.facts.get('found')} found, where {each.facts.get('usual')} are usual"
            says = f"alert of {kind}: {each.subject}" + (f", {of}" if of else "")
            yield Matter(Urgency.NOW, says, why, Topic.EVENT, str(each.seq))
        elif each.facts.get("break_glass") and each.outcome != "refused":
            says = f"{each.actor} broke glass for {each.action} of {each.subject}"
            why = f"they said: {each.facts['break_glass']}; a reviewer is to look at it"
            yield Matter(Urgency.NOW, says, why, Topic.EVENT, str(each.seq))


def _waiting(picture: Picture) -> Iterator[Matter]:
    for each in picture.grants:
        if each.state == "pending":
            missing = " and ".join(f"{n} {role}" for role, n in sorted(each.lacking.items()))
            says = f"{each.requester} asks for {each.action}, for {each.purpose}"
            why = f"waits for {missing}" if missing else each.because
            yield Matter(Urgency.NOW, says, why, Topic.GRANT, each.id)


def _evidence(found: Sequence[Export]) -> Iterator[Matter]:
    """Exports of which too little is known, or too much is given away."""
    live = [each for each in found if each.thing.standing not in _SEEN]
    wordings = (
        (Evidence.NOT_PROTECTIVE, Urgency.NOW, "was assessed as not protective"),
        (Evidence.NONE, Urgency.SOON, "was never assessed"),
        (Evidence.STALE, Urgency.SOON, "was assessed by an older suite of attacks"),
        (Evidence.INCONCLUSIVE, Urgency.SOON, "was assessed on too few rows to say"),
    )
    for evidence, urgency, words in wordings:
        those = [each for each in live if each.evidence is evidence]
        if len(those) > _NAMED:
            says = f"{len(those)} exports: each {words}"
            why = "assess them, or retire what nobody needs"
            yield Matter(urgency, says, why, Topic.EXPORTS, evidence.value)
            continue
        for each in those:
            yield Matter(
                urgency, f"{each.thing.name} {words}", _measured(each), Topic.ASSET, each.thing.id
            )


def _measured(export: Export) -> str:
    rows = "rows" if export.rows is None else f"{export.rows} rows"
    if export.reid is None:
        return f"{rows} under {export.key}"
    return f"{rows} under {export.key}; up to {export.reid:.1%} re-identified"


def _budgets(budgets: Sequence[Budget]) -> Iterator[Matter]:
    """Those of which much is used; one that lets nothing be used waits for evidence."""
    for each in budgets:
        used, cap = each.use.used, each.use.cap
        if cap and used >= NEARLY * cap:
            why = f"{used} of {cap} are used, and nothing refills it"
            says = f"{each.what} are {'spent' if used >= cap else 'nearly spent'}"
            yield Matter(Urgency.SOON, says, why, Topic.BUDGET, each.what)


def _stale(picture: Picture) -> Iterator[Matter]:
    those = [t for t in picture.things.values() if t.is_stale and t.standing not in _SEEN]
    why = "made of rows of somebody who was forgotten since: make them again, or retire them"
    if those:
        says = _counted(len(those), "asset holds", "assets hold") + " rows that are to be gone"
        yield Matter(Urgency.SOON, says, why, Topic.STALE, str(len(those)))


def _refusals(picture: Picture) -> Iterator[Matter]:
    """Who was refused what, how often; the most often first. What is not there is no refusal."""
    refused = [
        each
        for each in _lately(picture)
        if each.outcome == "refused" and not str(each.facts.get("code")).endswith(_ABSENT)
    ]
    last = {(each.actor, each.action): each for each in refused}
    often = Counter((each.actor, each.action) for each in refused).most_common()
    for (actor, action), n in often[:_NAMED]:
        one = last[actor, action]
        times = _counted(n, "time", "times")
        why = f"last of {one.subject}: {one.facts.get('code', 'refused')}"
        says = f"{actor} was refused {action} {times}"
        yield Matter(Urgency.KNOW, says, why, Topic.EVENT, str(one.seq))
    rest = sum(n for _, n in often[_NAMED:])
    if rest:
        says = f"{_counted(rest, 'more act was', 'more acts were')} refused in the last week"
        yield Matter(Urgency.KNOW, says, "see the audit trail", Topic.EVENT, "")


def _ending(picture: Picture) -> Iterator[Matter]:
    limit = (picture.now + _SOON).isoformat(timespec="microseconds")
    for each in picture.grants:
        if each.state == "live" and each.until is not None and each.until <= limit:
            says = f"the grant of {each.action} to {each.beneficiary} ends soon"
            yield Matter(Urgency.KNOW, says, f"at {each.until[:16]} UTC", Topic.GRANT, each.id)


def _unlabeled(picture: Picture) -> Iterator[Matter]:
    n = sum(t.kind == "dataset" and t.label is None for t in picture.things.values())
    if n:
        says = f"{_counted(n, 'dataset carries', 'datasets carry')} no label"
        why = "each counts as restricted until somebody scans it"
        yield Matter(Urgency.KNOW, says, why, Topic.UNLABELED, str(n))


def _lately(picture: Picture) -> list[Notice]:
    since = (picture.now - _LATELY).astimezone(UTC)
    return [each for each in picture.notices if datetime.fromisoformat(each.time) >= since]


def _counted(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"
