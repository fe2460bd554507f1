"""The inventory: one row for each AI asset, ours or found, with what is known of it and by what."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cipherset.evidence.views.inventory.sightings import Seen, all_seen, made_by
from cipherset.evidence.views.inventory.status import (
    APPROVE,
    NOTHING_SAID,
    Asked,
    Review,
    Reviewed,
    all_stands,
    reviewed,
)
from cipherset.evidence.views.picture import DONE, Finding, Key, Permission, Picture, Step, Thing

UNKNOWN: Final = "unknown origin"
NOT_OURS: Final = "not made here"
RUN: Final = "run"
_DEPLOY: Final = "deploy"
_BROUGHT: Final = "brought"
_NOT_SEEN: Final = Seen()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an asset comes from: the run that made it, or why none did.

    ``is_claimed``: somebody brought it, and what it was made of is its own word.
    """

    told: str
    run: str | None = None
    is_claimed: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One asset; ``measured`` is what the latest finding says of it or of what it learned from.

    ``sources`` says by what it is known: run (of ours), scan, agent, questionnaire, egress.
    """

    thing: Thing
    review: Reviewed
    origin: Origin
    seen: Seen
    sources: tuple[str, ...]
    key: str | None
    deployed: tuple[str, ...]
    measured: Finding | None

    @property
    def kind(self) -> str:
        """What it was seen as, for what was found; else what it is."""
        return str(self.thing.attributes.get("seen_as", self.thing.kind))

    @property
    def what(self) -> str:
        """What was seen, for what was found; else its name."""
        return str(self.thing.attributes.get("what", self.thing.name))

    def as_json(self) -> dict[str, Any]:
        """One of the view's ``assets``."""
        thing, answer = self.thing, self.seen.answer
        return {
            "id": thing.id,
            "kind": thing.kind,
            "seen_as": thing.attributes.get("seen_as"),
            "name": thing.name,
            "what": self.what,
            "status": self.review.status.value,
            "because": self.review.because,
            "grant": self.review.grant,
            "standing": thing.standing,
            "origin": self.origin.told,
            "run": self.origin.run,
            "claimed": self.origin.is_claimed,
            "owner": thing.owner or answer.get("owner"),
            "purpose": thing.purpose or answer.get("purpose"),
            "label": None if thing.label is None else thing.label.level.value,
            "tags": [] if thing.label is None else [str(tag) for tag in thing.label.tags],
            "sources": list(self.sources),
            "first_seen": thing.created,
            "last_seen": self.seen.last or thing.created,
            "where": list(self.seen.where),
            "places": self.seen.places,
            "gone": self.seen.is_gone,
            "told": dict(answer) or None,
            "key": self.key,
            "deployed": list(self.deployed),
            "measured": _measured(self.measured),
            "stale": thing.is_stale,
        }


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows: of a kind, of a status, with a text in what is shown of them; None is all."""

    kind: str | None = None
    status: Review | None = None
    search: str | None = None

    def takes(self, row: Row) -> bool:
        """Whether the row is one of them."""
        thing = row.thing
        if self.kind is not None and self.kind not in {thing.kind, row.kind}:
            return False
        if self.status is not None and row.review.status is not self.status:
            return False
        if self.search is None:
            return True
        told = (thing.id, thing.name, row.kind, thing.owner, thing.purpose, row.key)
        texts = (*told, *row.seen.where, *row.deployed, *map(str, row.seen.answer.values()))
        return any(self.search.casefold() in text.casefold() for text in texts if text)


EVERYTHING: Final = Wanted()


@dataclass(frozen=True, slots=True)
class _Index:
    """The picture, by asset."""

    seen: Mapping[str, Seen]
    makers: Mapping[str, Step]
    used: Mapping[str, Step]
    keys: Mapping[str, Key]
    names: Mapping[tuple[str, int], str]
    deployed: Mapping[str, tuple[str, ...]]
    findings: Mapping[str, Finding]


def inventory(picture: Picture, wanted: Wanted = EVERYTHING) -> tuple[Row, ...]:
    """The rows that are wanted, the oldest asset first."""
    index, said = _indexed(picture), all_stands(picture.steps)
    asked = _asked(picture.grants)
    rows = (
        _row(thing, reviewed(said.get(thing.id, NOTHING_SAID), asked.get(thing.id, ())), index)
        for thing in picture.things.values()
        if not thing.is_guards
    )
    return tuple(row for row in rows if wanted.takes(row))


def _indexed(picture: Picture) -> _Index:
    used: dict[str, Step] = {}
    for step in picture.steps:
        for each in step.inputs:
            used.setdefault(each, step)
    return _Index(
        seen=all_seen(picture.steps),
        makers=made_by(picture.steps),
        used=used,
        keys={key.id: key for key in picture.keys},
        names={(key.key_id, key.version): f"{key.name} v{key.version}" for key in picture.keys},
        deployed=deployments(picture),
        findings={each.about: each for each in picture.findings},
    )


def deployments(picture: Picture) -> dict[str, tuple[str, ...]]:
    """Under which names each model is served: what was put there last, unless it was retired."""
    latest: dict[str, str] = {}
    for step in picture.steps:
        if step.kind == _DEPLOY and step.status == DONE:
            latest |= {str(step.parameters.get("name")): each for each in step.inputs}
    found: dict[str, tuple[str, ...]] = {}
    for name, asset in sorted(latest.items()):
        thing = picture.things.get(asset)
        if thing is not None and thing.standing != "retired":
            found[asset] = (*found.get(asset, ()), name)
    return found


def _asked(grants: Iterable[Permission]) -> dict[str, list[Asked]]:
    found: dict[str, list[Asked]] = {}
    for each in grants:
        if each.action != APPROVE:
            continue
        for digest in set(each.bound.values()):
            found.setdefault(digest, []).append(Asked(each.id, each.created, each.state))
    return found


def _row(thing: Thing, review: Reviewed, index: _Index) -> Row:
    seen, maker = index.seen.get(thing.id, _NOT_SEEN), index.makers.get(thing.id)
    held = thing.id in index.keys
    of_ours = maker is not None or held or _is_used(index.used.get(thing.id))
    return Row(
        thing=thing,
        review=review,
        origin=_origin(thing, maker, index),
        seen=seen,
        sources=(*((RUN,) if of_ours else ()), *seen.sources),
        key=_key(thing, index),
        deployed=index.deployed.get(thing.id, ()),
        measured=_finding(thing, maker, index),
    )


def _is_used(step: Step | None) -> bool:
    return step is not None and step.kind != "discover"


def _origin(thing: Thing, maker: Step | None, index: _Index) -> Origin:
    if maker is not None:
        return made(maker)
    if thing.id in index.keys:
        return Origin("made in this workspace")
    first = index.used.get(thing.id)
    if thing.kind == "dataset" and _is_used(first) and first is not None:
        return Origin(f"brought to {first.id} ({first.kind})")
    return Origin(NOT_OURS if thing.kind == "service" else UNKNOWN)


def made(maker: Step | None) -> Origin:
    """The origin of what a run made; unknown where none did."""
    if maker is None:
        return Origin(UNKNOWN)
    by = f"{maker.id} ({maker.kind} by {maker.actor})"
    if maker.parameters.get(_BROUGHT):
        return Origin(f"{by}, as its bundle says", maker.id, is_claimed=True)
    return Origin(by, maker.id)


def _key(thing: Thing, index: _Index) -> str | None:
    held = index.keys.get(thing.id)
    if held is not None:
        return f"{held.name} v{held.version}"
    key_id, version = thing.attributes.get("key_id"), thing.attributes.get("key_version")
    if key_id is None:
        return None
    return index.names.get((str(key_id), int(version or 0)), f"{key_id} v{version}")


def _finding(thing: Thing, maker: Step | None, index: _Index) -> Finding | None:
    """The latest about the asset; for a model without one, about what it learned from."""
    own = index.findings.get(thing.id)
    if own is not None or thing.kind != "model" or maker is None:
        return own
    of_sources = [index.findings[each] for each in maker.inputs if each in index.findings]
    return max(of_sources, key=lambda each: each.seq, default=None)


def _measured(finding: Finding | None) -> dict[str, Any] | None:
    if finding is None:
        return None
    return {
        "action": finding.action,
        "verdict": finding.facts.get("verdict"),
        "reid": finding.facts.get("reid"),
        "fresh": finding.is_fresh,
        "time": finding.time,
        "event": finding.seq,
        "about": finding.about,
    }
