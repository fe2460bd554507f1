"""Detector of what a text is about: the special categories of GDPR article 9, crime, finances.

A lexicon with weights, read from ``data/topics.txt``, and patterns, from ``topic_patterns.txt``;
endings of medical words besides. It marks the phrases that tell, so that a person can see why, and
they are not meant to be taken out.
"""

import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from cipherset.pipeline.sanitize.detectors.shipped import cues, lines
from cipherset.pipeline.sanitize.spans import Span

_ENOUGH: Final = 2  # points: one strong phrase, or two different weak ones that are near
_SHORT: Final = 3  # letters; the s of "gas" is its own
_NEAR: Final = 400  # characters, a few sentences
_WORD: Final = re.compile(r"[^\W_]+(?:['\u2019][^\W\d_]+)?")
# Illnesses, operations and drugs are made with these endings.
_MEDICAL: Final = re.compile(
    r"\w{3,40}(?:itis|osis|ectomy|ostomy|plasty|emia|aemia|opathy|algia|plegia|rrhea|rrhage"
    r"|cytoma|glioma|fibroma|lipoma|neuroma|thelioma|angioma|myeloma|glaucoma|sarcoma|carcinoma|adenoma|hematoma|blastoma|megaly|cillin|mycin|statin|prazole|[^lo]olol|sartan"
    r"|azepam|azolam|oxetine|dipine|gliptin|profen|triptan|setron|cycline|floxacin)s?"
)
_NOT_MEDICAL: Final = cues("not_medical")


class TopicDetector:
    """Phrases that tell of a topic; the entities are the topics.

    English only. One strong phrase is enough; of weak ones, two that differ, within 400 characters.
    """

    name: Final = "topic lexicon"
    version: Final = "2"

    @property
    def entities(self) -> frozenset[str]:
        return frozenset(phrase.topic for phrases in _lexicon().values() for phrase in phrases)

    def detect(self, texts: Sequence[str]) -> list[list[Span]]:
        return [list(_in_text(text)) for text in texts]


@dataclass(frozen=True, slots=True)
class _Phrase:
    keys: tuple[str, ...]
    topic: str
    weight: int


@dataclass(frozen=True, slots=True)
class _Hit:
    """A phrase of the lexicon at ``start:end``."""

    start: int
    end: int
    phrase: tuple[str, ...]
    weight: int
    topic: str


def _in_text(text: str) -> Iterator[Span]:
    found: dict[str, list[_Hit]] = {}
    for hit in _hits(text):
        found.setdefault(hit.topic, []).append(hit)
    for topic, hits in found.items():
        meant = _without_others(hits)
        near = supported([hit.start for hit in meant], [hit.phrase for hit in meant])
        for hit, is_supported in zip(meant, near, strict=True):
            if is_supported or hit.weight >= _ENOUGH:
                yield Span(hit.start, hit.end, topic)


def _hits(text: str) -> Iterator[_Hit]:
    matches = list(_WORD.finditer(text))
    keys = [_key(match.group()) for match in matches]
    table = _lexicon()
    for index, key in enumerate(keys):
        start = matches[index].start()
        for phrase in table.get(key, ()):
            size = len(phrase.keys)
            if tuple(keys[index : index + size]) == phrase.keys:
                end = matches[index + size - 1].end()
                yield _Hit(start, end, phrase.keys, phrase.weight, phrase.topic)
        if _MEDICAL.fullmatch(key) and key not in _NOT_MEDICAL:
            yield _Hit(start, matches[index].end(), (key,), _ENOUGH, "HEALTH")
    yield from _formed(text, frozenset(keys))


def _formed(text: str, keys: frozenset[str]) -> Iterator[_Hit]:
    """What tells by its form, such as a field; each is looked for if a word of it is there."""
    for topic, needed, pattern in _patterns():
        if not keys.isdisjoint(needed):
            for match in pattern.finditer(text):
                yield _Hit(match.start(), match.end(), (match.group(),), _ENOUGH, topic)


def _without_others(hits: Sequence[_Hit]) -> list[_Hit]:
    """The hits that do not lie within one that means something else; in order, none within one."""
    meant: list[_Hit] = []
    end = other_end = -1
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end, hit.weight)):
        if not hit.weight:
            other_end = max(other_end, hit.end)
        elif hit.end > max(end, other_end):
            meant.append(hit)
            end = hit.end
    return meant


def supported(starts: Sequence[int], phrases: Sequence[Hashable]) -> list[bool]:
    """For each phrase, whether another one is within 400 characters; ``starts`` ascend."""
    before = _followed(starts, phrases)
    after = _followed(starts[::-1], phrases[::-1])[::-1]
    return [one or other for one, other in zip(before, after, strict=True)]


def _followed(starts: Sequence[int], phrases: Sequence[Hashable]) -> list[bool]:
    """For each phrase, whether another one comes before it and is near."""
    near = []
    other: int | None = None  # where a phrase was last that is not the one before this
    for index, start in enumerate(starts):
        if index and phrases[index - 1] != phrases[index]:
            other = starts[index - 1]
        near.append(other is not None and abs(start - other) <= _NEAR)
    return near


@cache
def _lexicon() -> dict[str, list[_Phrase]]:
    """The phrases of ``topics.txt`` by their first word."""
    table: dict[str, list[_Phrase]] = {}
    for line in lines("topics.txt"):
        head, _, phrases = line.partition(":")
        topic, weight = head.split()
        for phrase in phrases.split(","):
            keys = tuple(_key(match.group()) for match in _WORD.finditer(phrase))
            table.setdefault(keys[0], []).append(_Phrase(keys, topic, int(weight)))
    return table


@cache
def _patterns() -> list[tuple[str, frozenset[str], re.Pattern[str]]]:
    """The patterns of ``topic_patterns.txt``, each with its topic and the words it needs."""
    fields = (line.split(" ", 2) for line in lines("topic_patterns.txt"))
    return [
        (topic, frozenset(needed.split(",")), re.compile(pattern))
        for topic, needed, pattern in fields
    ]


@lru_cache(maxsize=65_536)
def _key(word: str) -> str:
    """``word`` in small letters, without a plural's or a possessive's s."""
    key = word.lower().replace("\u2019", "'").removesuffix("'s")
    if len(key) > _SHORT and key.endswith("s") and key[-2] not in "sui'":
        return key[:-1]
    return key
