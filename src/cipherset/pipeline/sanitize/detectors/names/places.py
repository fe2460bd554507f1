"""Detector of places: a gazetteer, and words that tell of one. No model.

A street address is another detector's; here are countries, regions and towns. Where somebody lives
is personal, a country in a question about delivery is not: a country counts beside words that tell
of somebody's place, or behind a town; a state or a city of the world's largest beside any words
that tell of a place. Others count alone.
"""

import re
from collections.abc import Sequence
from typing import Final

from cipherset.pipeline.sanitize.detectors import shipped
from cipherset.pipeline.sanitize.detectors.names import cues
from cipherset.pipeline.sanitize.detectors.names.lists import (
    countries,
    place_beginnings,
    places,
)
from cipherset.pipeline.sanitize.detectors.names.naming import Reading
from cipherset.pipeline.sanitize.detectors.names.words import Case, word_at
from cipherset.pipeline.sanitize.spans import Span, merged

_LONGEST: Final = 5  # words
_SHORT: Final = 3  # letters: "US", "UK", "UAE" count only as they are written here
_ABBREVIATIONS: Final = re.compile(
    r"(?<![\w.])(?:U\.S\.A?\.?|U\.K\.?|USA|US|UK|UAE|EU)(?![\w.]*\w)"
)

# Before a place; the second ones only before one that is on the list.
_BEFORE: Final = shipped.cues("place_words")
_BEFORE_LISTED: Final = shipped.cues("listed_place_words")
_PHRASES: Final = shipped.cues("place_phrases")
_LABELS: Final = shipped.cues("place_labels")
_KINDS_AFTER: Final = shipped.cues("place_kinds")
_FIRMS: Final = shipped.cues("firms_after")
_KINDS_BEFORE: Final = shipped.cues("place_kinds_first")
_BEHIND: Final = frozenset({", ", " / ", "/", " - ", " ( ", " ("})
_PAIR: Final = 2  # words of a phrase
_SHORT_NAMES: Final = frozenset({"us", "usa", "uk", "uae", "eu"})
_LABEL_GAP: Final = re.compile(r"[ \t]{0,4}[:=|][ \t]{0,4}[\"']?")
_PERSONAL: Final = shipped.cues("personal_place_phrases")
_PERSONAL_LABELS: Final = shipped.cues("personal_place_labels")
_LARGE: Final = frozenset(tuple(city.split()) for city in shipped.cues("large_cities"))
_STATE: Final = re.compile(r", ([A-Z]{2})(?![\w.])")


class PlaceDetector:
    """``LOCATION``: countries, regions and large cities that are listed, and cued ones.

    The gazetteer has the cities of a quarter of a million people and more, and smaller ones of the
    US and western Europe; smaller places are found beside a cue only.
    """

    name: Final = "place lists and cues"
    version: Final = "2"
    entities: Final = frozenset({"LOCATION"})

    def detect(self, texts: Sequence[str]) -> list[list[Span]]:
        return [_in_text(text) for text in texts]


def _in_text(text: str) -> list[Span]:
    reading = Reading(text)
    words = reading.words
    found: list[Span] = []
    index = 0
    while index < len(reading):
        end = _abbreviated(reading, index) or _place(reading, index)
        if end > index:
            stop = _with_state(text, words[end - 1].end)
            behind = found and text[found[-1].end : words[index].start] in _BEHIND
            if behind or stop > words[end - 1].end or _counts(reading, index, end):
                found.append(Span(words[index].start, stop, "LOCATION"))
        index = max(end, index + 1)
    return merged(found)


def _abbreviated(reading: Reading, index: int) -> int:
    """The end of ``US``, ``U.S.A.`` and the like, of which each letter may be a word; 0 if none."""
    case = reading.words[index].case
    if case is not Case.UPPER and case is not Case.INITIAL:
        return 0
    match = _ABBREVIATIONS.match(reading.text, reading.words[index].start)
    return word_at(reading.words, match.end()) if match else 0


def _counts(reading: Reading, index: int, end: int) -> bool:
    """Whether what is known to everybody is said of somebody's place."""
    keys = tuple(word.key for word in reading.words[index:end])
    if keys in countries() or "".join(keys) in _SHORT_NAMES:
        return _is_personal(reading, index)
    if keys in _LARGE:
        return _is_told(reading, index, listed=True)
    return True


def _is_personal(reading: Reading, index: int) -> bool:
    """Whether "lives in", "I'm from" or a label such as ``nationality:`` stands before a word."""
    if index and reading.words[index - 1].key in _PERSONAL_LABELS:
        return _LABEL_GAP.fullmatch(reading.gap(index - 1)) is not None
    if index and reading.words[index - 1].key == "the" and reading.is_joined(index - 1):
        index -= 1
    if index < _PAIR or not reading.is_joined(index - 1):
        return False
    return f"{reading.words[index - 2].key} {reading.words[index - 1].key}" in _PERSONAL


def _with_state(text: str, end: int) -> int:
    match = _STATE.match(text, end)
    return match.end() if match and match[1].lower() in cues.STATES | {"md"} else end


def _place(reading: Reading, index: int) -> int:
    """The end of the place that begins at word ``index``; ``index`` if none does."""
    small = reading.words[index].case is Case.LOWER
    if small and reading.words[index].key not in place_beginnings():
        return index
    if not reading.is_apart(index):
        return index
    if small:
        return _small(reading, index)
    end = _listed(reading, index)
    if end > index and _is_meant(reading, index, end):
        return end
    end = _kind(reading, index)
    if end > index:
        return end
    return _cued(reading, index)


def _listed(reading: Reading, index: int) -> int:
    if reading.words[index].key not in place_beginnings():
        return index
    stop = min(index + _LONGEST, len(reading))
    end = index
    for last in range(index, stop):
        keys = tuple(word.key for word in reading.words[index : last + 1])
        if keys in places() and len("".join(keys)) > _SHORT:
            end = last + 1
        if not reading.is_joined(last):
            break
    return end


def _small(reading: Reading, index: int) -> int:
    """A listed place in small letters, if it is of several words or a word before tells of it."""
    end = _listed(reading, index)
    said = reading.said[index]
    if end == index or said.is_never:
        return index
    if end - index > 1 or _is_told(reading, index, listed=not said.is_word):
        return end
    return index


def _is_meant(reading: Reading, index: int, end: int) -> bool:
    """Whether listed words are the place, not a person, a firm or a word that is spelled so."""
    if end - index == 1 and reading.words[index].case is Case.UPPER:
        return _is_told(reading, index, listed=True)
    if end < len(reading) and reading.is_joined(end - 1):
        after = reading.words[end]
        if after.is_capital and (reading.said[end].is_name or after.key in cues.OTHER_AFTER):
            return _is_told(reading, index, listed=True) and after.key not in _FIRMS
    if index and reading.is_joined(index - 1) and reading.words[index - 1].is_capital:
        before = reading.said[index - 1]
        if before.is_name or reading.words[index - 1].key in cues.TITLES:
            return False
    said = reading.said[index]
    if end - index > 1 or not (said.is_common_given or said.is_common_surname or said.is_word):
        return True
    if _is_told(reading, index, listed=True):
        return True
    return _STATE.match(reading.text, reading.words[end - 1].end) is not None


def _is_told(reading: Reading, index: int, *, listed: bool = False) -> bool:
    """Whether what stands before word ``index`` is followed by places."""
    if not index:
        return False
    label = reading.words[index - 1].key in _LABELS
    if label and _LABEL_GAP.fullmatch(reading.gap(index - 1)):
        return True
    if not reading.is_joined(index - 1):
        return False
    before = reading.words[index - 1].key
    if before in _BEFORE or (listed and before in _BEFORE_LISTED):
        return True
    return index > 1 and f"{reading.words[index - 2].key} {before}" in _PHRASES


def _kind(reading: Reading, index: int) -> int:
    """``Orange County``, ``Lake Tahoe``."""
    run = reading.run(index)
    key = reading.words[index].key
    if run - index < 2 or reading.words[index].case is not Case.TITLE:
        return index
    if key in _KINDS_BEFORE and reading.words[index + 1].case is Case.TITLE:
        plain = reading.said[index + 1].is_word and not reading.said[index + 1].is_name
        return index if plain else index + 2
    said = reading.said[index]
    if reading.words[index + 1].key in _KINDS_AFTER and (said.is_place or not said.is_word):
        return index + 2
    return index


def _cued(reading: Reading, index: int) -> int:
    """A capital word on no list after "lives in" or a label such as ``city:``."""
    if reading.words[index].case is not Case.TITLE or not index:
        return index
    label = reading.words[index - 1].key in _LABELS
    value = label and _LABEL_GAP.fullmatch(reading.gap(index - 1)) is not None
    phrase = f"{reading.words[index - 2].key} {reading.words[index - 1].key}" if index > 1 else ""
    if not value and not (phrase in _PHRASES and reading.is_joined(index - 1)):
        return index
    end = reading.run(index)
    while end > index and (reading.said[end - 1].is_word or not _is_title(reading, end - 1)):
        end -= 1
    if end == index or (end < len(reading) and reading.words[end].key in _FIRMS):
        return index
    return end


def _is_title(reading: Reading, index: int) -> bool:
    return reading.words[index].case is Case.TITLE
