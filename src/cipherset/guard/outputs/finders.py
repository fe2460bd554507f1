"""Everything that looks at a reply, as one."""

from collections.abc import Iterator
from dataclasses import dataclass

from cipherset.core.protocols import Detector
from cipherset.guard.outputs.canaries import CanaryHashes
from cipherset.guard.outputs.findings import Finding, Kind, Remedy, Rows
from cipherset.guard.outputs.rules import Ruled
from cipherset.guard.outputs.sent import Sent
from cipherset.guard.outputs.spans import spans_of


@dataclass(frozen=True, slots=True)
class Finders:
    """What is handed in: data sets, canaries, and detectors of values and of topics.

    ``secret_entities``: what the detectors call passwords, tokens and keys; all else that they
    find is personal.
    """

    rows: tuple[Rows, ...] = ()
    canaries: tuple[CanaryHashes, ...] = ()
    detectors: tuple[Detector, ...] = ()
    topics: tuple[Detector, ...] = ()
    secret_entities: frozenset[str] = frozenset({"SECRET"})


def found(text: str, finders: Finders, ruled: Ruled, sent: Sent) -> list[Finding]:
    """What of ``text`` is not to leave as it is, in any order; it may overlap."""
    return [
        Finding(start, end, kind, name, remedy)
        for start, end, kind, name in _all(text, finders, ruled)
        if end > start
        and (remedy := ruled.remedy(kind, name)) is not Remedy.PASS
        and not (ruled.may_repeat(kind) and sent.holds(text[start:end]))
    ]


_Place = tuple[int, int, Kind, str]


def _all(text: str, finders: Finders, ruled: Ruled) -> Iterator[_Place]:
    yield from _copies(text, finders.rows, ruled)
    for canaries in finders.canaries:
        for start, end in canaries.find(text):
            yield start, end, Kind.CANARY, canaries.dataset
    for detector in finders.detectors:
        for span in spans_of(detector, text):
            kind = Kind.SECRET if span.entity in finders.secret_entities else Kind.PERSONAL
            yield span.start, span.end, kind, span.entity
    for detector in finders.topics:
        for span in spans_of(detector, text):
            yield span.start, span.end, Kind.TOPIC, span.entity


def _copies(text: str, rows: tuple[Rows, ...], ruled: Ruled) -> Iterator[_Place]:
    least = ruled.least_bits
    for each in rows:
        for copy in each.index.matches(text, least_words=ruled.rules.copies.least_words):
            rare = each.bits is None or not least or each.bits(text[copy.start : copy.end]) >= least
            if rare:
                yield copy.start, copy.end, Kind.COPY, each.dataset
