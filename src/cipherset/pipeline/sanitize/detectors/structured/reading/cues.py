"""Words that say what a value beside them is: "passport no. X", ``ssn="X"``, "X is my order id".

English, and the usual words of German, French, Spanish, Italian, Portuguese and Dutch. A cue is
looked for backwards from the value, over at most ``_SKIPPED`` words that may stand between.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from cipherset.pipeline.sanitize.detectors.structured.reading.phrases import (
    FILL,
    GENERAL,
    LINKS,
    PHRASES,
    SURE,
)

_REACH: Final = 72  # characters: a phrase of four long words, and what stands between
_WORD_LONGEST: Final = 24
_SKIPPED: Final = 6
_LONGEST: Final = 4  # words in a phrase
_MARK_LINKS: Final = frozenset(":=#")
_MARKS: Final = _MARK_LINKS | {"\n"}
_WORDS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\d_A-Za-z]+|[:=#?!;\n]|[0-9]+")


def _unaccented(window: str) -> str:
    if window.isascii():
        return window
    return "".join(c for c in unicodedata.normalize("NFKD", window) if not unicodedata.combining(c))


_PHRASES: Final = {_unaccented(phrase): entity for phrase, entity in PHRASES.items()}
_LAST_WORDS: Final = frozenset(phrase.rsplit(" ", 1)[-1] for phrase in _PHRASES)
_KNOWN: Final = _LAST_WORDS | LINKS | FILL | _MARKS
# What was cut out before is no cue: "[REFERENCE_ID] 12345" would grow with every look.
_CUT: Final = re.compile(r"\](?:[^\[\]]{0,64}:)?[A-Z_]*[A-Z]\[")  # backwards
_SUFFIX: Final = re.compile(r"(?:nummern?|number|nr)\Z")


@dataclass(frozen=True, slots=True)
class Cue:
    """``entity`` is what the words say; ``strong`` if they say so: a number, an id, a colon."""

    entity: str
    strong: bool


def cue_before(text: str, start: int) -> Cue | None:
    """What the words before ``text[start]`` say that it is; None if they say nothing."""
    nearest = _words(text[max(0, start - _WORD_LONGEST) : start])
    if not nearest or (len(nearest) > 1 and not _may_say(nearest[-1].lower())):
        return None
    window = text[max(0, start - _REACH) : start]
    words = _words(window)
    if "]" in window and (cut := _CUT.search(window[::-1])):
        words = _words(window[len(window) - cut.start() :])
    return _said(words)


def _said(words: list[str]) -> Cue | None:
    """What ``words`` say of what follows them."""
    skipped = 0
    strong = False
    general: Cue | None = None
    for index in range(len(words) - 1, -1, -1):
        word = words[index].lower()
        if word in _MARKS:
            strong |= word in _MARK_LINKS
            continue
        entity = _entity(words, index, word)
        pair = " ".join(words[max(0, index - 1) : index + 1]).lower()
        if entity is not None:
            named = word in LINKS or word not in _LAST_WORDS or word in SURE or pair in SURE
            cue = Cue(entity, strong or named)
            if word not in GENERAL and pair not in GENERAL:
                return cue
            general = general or cue
        strong |= word in LINKS
        skipped += 1
        if skipped > _SKIPPED or not (word in LINKS or word in FILL or entity is not None):
            break
    return general


def _may_say(word: str) -> bool:
    return word in _KNOWN or _SUFFIX.search(word) is not None or not word.isascii()


def _entity(words: list[str], index: int, last: str) -> str | None:
    """That of the phrase which ends at ``index``, or before links, and begins the furthest back.

    ``last`` is the word there in small letters.
    """
    found, begin = _phrase(words, index, last)
    while words[index].lower() in LINKS and index:
        index -= 1
        other, other_begin = _phrase(words, index, words[index].lower())
        if other is not None and other_begin < begin:
            found, begin = other, other_begin
    return found


def _phrase(words: list[str], index: int, last: str) -> tuple[str | None, int]:
    """The entity of the longest phrase that ends at ``index``, and where the phrase begins."""
    if last not in _LAST_WORDS:
        return _PHRASES.get(_SUFFIX.sub("", last)), index
    phrase, found, begin = last, _PHRASES.get(last), index
    for before in range(index - 1, max(index - _LONGEST, -1), -1):
        phrase = f"{words[before].lower()} {phrase}"
        if phrase in _PHRASES:
            found, begin = _PHRASES[phrase], before
    return found, begin


_AFTER: Final = re.compile(
    r"[\"'\])]{0,2}\s{0,2}(?:\(\s?|,?\s?(?:is|was|as|ist|est|es)\s"
    r"(?:my|the|our|his|her|their|your|mein|meine|mon|ma|mi)\s)"
)


def cue_after(text: str, end: int) -> Cue | None:
    """What "X is my …" or "X (…)" says that ``text[:end]`` ended with; None if nothing."""
    link = _AFTER.match(text, end)
    if link is None:
        return None
    words = [word.lower() for word in _words(text[link.end() : link.end() + _REACH])[:_LONGEST]]
    for length in range(len(words), 0, -1):
        entity = _PHRASES.get(" ".join(words[:length]))
        if entity is not None:
            return Cue(entity, strong=True)
    return None


def cue_in(word: str) -> str | None:
    """What a prefix such as ``EMP`` of ``EMP-40187`` says; None if nothing."""
    words = _words(word)
    for index in range(len(words) - 1, -1, -1):
        last = words[index].lower()
        entity = _entity(words, index, last)
        if entity is not None or last not in LINKS:
            return entity
    return None


def _words(window: str) -> list[str]:
    return _WORDS.findall(_unaccented(window))
