"""Assets to look through: filtered, counted and a page at a time; the newest first."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from cipherset.core.labels import Level
from cipherset.evidence.views.picture import Finding, Permission, Picture, Step, Thing

UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Sought:
    """Which assets; what is empty is any. ``level`` may be ``unknown``: nobody has looked.

    ``words`` are looked for in names, ids, owners, purposes and tags, whatever their case.
    """

    words: str = ""
    kind: str = ""
    level: str = ""
    standing: str = ""
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """One page, of how many in all; ``levels`` and ``kinds`` count all assets there are."""

    things: tuple[Thing, ...]
    page: int
    pages: int
    found: int
    total: int
    kinds: Mapping[str, int] = field(default_factory=dict)
    levels: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Detail:
    """One asset: what made it, what was made of it, what was said and measured of it, who may."""

    thing: Thing
    made_by: tuple[Step, ...]
    used_by: tuple[Step, ...]
    findings: tuple[Finding, ...]
    grants: tuple[Permission, ...]
    names: Mapping[str, str]


def listing(picture: Picture, sought: Sought, page: int, most: int) -> Listing:
    """Page number ``page``, from 1, of at most ``most`` assets."""
    every = [each for each in picture.things.values() if not each.is_guards]
    found = [each for each in reversed(every) if _is_sought(each, sought)]
    pages = max(1, -(-len(found) // most))
    page = min(max(page, 1), pages)
    return Listing(
        things=tuple(found[(page - 1) * most : page * most]),
        page=page,
        pages=pages,
        found=len(found),
        total=len(every),
        kinds=Counter(each.kind for each in every),
        levels=Counter(level_of(each) for each in every),
    )


def detail(picture: Picture, asset_id: str) -> Detail | None:
    """One asset; None where it is not known."""
    thing = picture.things.get(asset_id)
    if thing is None:
        return None
    made_by = tuple(step for step in picture.steps if asset_id in step.outputs)
    used_by = tuple(step for step in picture.steps if asset_id in step.inputs)
    named = chain.from_iterable((*step.inputs, *step.outputs) for step in (*made_by, *used_by))
    return Detail(
        thing=thing,
        made_by=made_by,
        used_by=used_by,
        findings=tuple(each for each in picture.findings if each.about == asset_id),
        grants=tuple(each for each in picture.grants if asset_id in each.bound.values()),
        names={each: picture.things[each].name for each in named if each in picture.things},
    )


def level_of(thing: Thing) -> str:
    """The level of its label; ``unknown`` where nobody has looked."""
    return UNKNOWN if thing.label is None else thing.label.level.value


def levels() -> tuple[str, ...]:
    """Every level, the highest first, and ``unknown``."""
    return (*(level.value for level in reversed(Level)), UNKNOWN)


def _is_sought(thing: Thing, sought: Sought) -> bool:
    return (
        sought.kind in {"", thing.kind}
        and sought.level in {"", level_of(thing)}
        and sought.standing in {"", thing.standing}
        and (thing.is_stale or not sought.stale)
        and _has_words(thing, sought.words.casefold().split())
    )


def _has_words(thing: Thing, words: list[str]) -> bool:
    if not words:
        return True
    tags = () if thing.label is None else thing.label.tags
    text = " ".join((thing.name, thing.id, thing.owner or "", thing.purpose or "", *tags))
    text = text.casefold()
    return all(word in text for word in words)
