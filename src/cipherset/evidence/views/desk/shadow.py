"""The map of shadow AI: which services logs showed, used by whom and how much; the worst first.

The same log looked at again counts once, as it was seen last; different logs add up.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log
from types import MappingProxyType
from typing import Any, Final

from cipherset.evidence.views.inventory.status import Review, Reviewed

ROWS: Final = "rows-sent"
HEATS: Final = 4
_ORDER: Final = (Review.UNAPPROVED, Review.UNREVIEWED, Review.IN_REVIEW, Review.APPROVED)
_NOBODY: Final = Reviewed(Review.UNREVIEWED, "nobody has asked for its approval")


@dataclass(frozen=True, slots=True)
class Cell:
    """A principal's use of a service; ``bytes_up`` None where no log counted.

    ``heat`` is 1 to ``HEATS``, by the logarithm of the count against the highest of the map.
    """

    count: int
    bytes_up: int | None
    heat: int = 1


@dataclass(frozen=True, slots=True)
class Line:
    """A service, all of its use together, and each principal's in ``cells``; times are UTC."""

    name: str
    vendor: str
    sort: str
    asset: str
    review: Reviewed
    first_seen: str | None
    last_seen: str | None
    count: int
    bytes_up: int | None
    principals: int
    cells: Mapping[str, Cell] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sent:
    """Rows of a data set that were found in what was sent to a service, or to an unnamed place."""

    dataset: str
    level: str
    where: str
    rows: int
    bodies: int
    principal: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ShadowMap:
    """All of it; ``principals`` are those that used most first. ``names``: they may be shown."""

    lines: tuple[Line, ...]
    sent: tuple[Sent, ...]
    principals: tuple[str, ...] = field(repr=False)
    looks: int
    names: bool = True


def shadow_map(
    looks: Sequence[Sequence[Mapping[str, Any]]], reviews: Mapping[str, Reviewed]
) -> ShadowMap:
    """The map of all looks, the oldest first; each is the findings that its report told."""
    latest: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for findings in looks:
        for each in findings:
            latest[each["kind"] == ROWS, *map(each.get, _SAME)] = each
    uses = [each for each in latest.values() if each["kind"] != ROWS]
    most = max((each["count"] for each in uses), default=1)
    services: dict[str, list[Mapping[str, Any]]] = {}
    totals: dict[str, int] = {}
    for each in uses:
        services.setdefault(each["asset"], []).append(each)
        totals[_who(each)] = totals.get(_who(each), 0) + each["count"]
    lines = [_line(those, reviews, most) for those in services.values()]
    return ShadowMap(
        lines=tuple(sorted(lines, key=_worst_first)),
        sent=tuple(_sent(each) for each in latest.values() if each["kind"] == ROWS),
        principals=tuple(sorted(totals, key=lambda name: (-totals[name], name))),
        looks=len(looks),
    )


def without_names(found: ShadowMap) -> ShadowMap:
    """The same for who may not see who did it: numbers only."""
    lines = tuple(replace(each, cells=MappingProxyType({})) for each in found.lines)
    sent = tuple(replace(each, principal=None) for each in found.sent)
    return replace(found, lines=lines, sent=sent, principals=(), names=False)


_SAME: Final = ("where", "service", "host", "what", "principal")


def _line(uses: Sequence[Mapping[str, Any]], reviews: Mapping[str, Reviewed], most: int) -> Line:
    first = uses[-1]
    by: dict[str, list[Mapping[str, Any]]] = {}
    for each in uses:
        by.setdefault(_who(each), []).append(each)
    return Line(
        name=first["what"],
        vendor=first["vendor"],
        sort=first["is"],
        asset=first["asset"],
        review=reviews.get(first["asset"], _NOBODY),
        first_seen=min(filter(None, (each["first_seen"] for each in uses)), default=None),
        last_seen=max(filter(None, (each["last_seen"] for each in uses)), default=None),
        count=sum(each["count"] for each in uses),
        bytes_up=_bytes(uses),
        principals=len(by),
        cells={who: _cell(those, most) for who, those in by.items()},
    )


def _cell(uses: Sequence[Mapping[str, Any]], most: int) -> Cell:
    count = sum(each["count"] for each in uses)
    share = log(1 + count) / log(1 + max(most, count, 1))
    return Cell(count, _bytes(uses), max(1, min(HEATS, round(HEATS * share))))


def _bytes(uses: Iterable[Mapping[str, Any]]) -> int | None:
    counted = [each["bytes_up"] for each in uses if each["bytes_up"] is not None]
    return sum(counted) if counted else None


def _sent(each: Mapping[str, Any]) -> Sent:
    where = each["service"] or each["host"] or each["where"]
    return Sent(each["what"], each["level"], where, each["rows"], each["count"], each["principal"])


def _who(each: Mapping[str, Any]) -> str:
    return each["principal"] or "not named"


def _worst_first(line: Line) -> tuple[int, int, str]:
    return _ORDER.index(line.review.status), -line.count, line.name
