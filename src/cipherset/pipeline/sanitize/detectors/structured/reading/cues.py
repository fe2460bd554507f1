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
    decomposed = unicodedata.normalize("NFKD", window.translate(_UNDIVIDED))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _words(window: str) -> list[str]:
    return _WORDS.findall(_unaccented(window))


# Letters that Unicode does not take for one with an accent.
_UNDIVIDED: Final = str.maketrans("\u0142\u0141\u00f8\u00d8\u0111\u0110\u0131", "lLoOdDi")
_PHRASES: Final = {" ".join(_words(phrase)).lower(): entity for phrase, entity in PHRASES.items()}
_LAST_WORDS: Final = frozenset(phrase.rsplit(" ", 1)[-1] for phrase in _PHRASES)
_FILL_ONLY: Final = FILL - LINKS - _LAST_WORDS
_KNOWN: Final = _LAST_WORDS | LINKS | FILL | _MARKS
# What was cut out before is no cue: "[REFERENCE_ID] 12345" would grow with every look.
_CUT: Final = re.compile(r"\](?:[^\[\]]{0,64}:)?[A-Z_]*[A-Z]\[")  # backwards
# What may hang on a word: "Versichertennummer", and Japanese and Chinese particles.
_SUFFIX: Final = re.compile(
    r"(?:nummern?|nummeret|number|nr|\u756a\u53f7|\u53f7\u7801"
    r"|[\u306f\u304b\u3092\u306e\u662f\u4e3a])\Z"
)


@dataclass(frozen=True, slots=True)
class Cue:
    """``entity`` is what the words say; ``strong`` if they say so: a number, an id, a colon."""

    entity: str
    strong: bool


def cue_before(text: str, start: int) -> Cue | None:
    """What the words before ``text[start]`` say that it is; None if they say nothing."""
    if "\n" in text[max(0, start - _TURN_LONGEST) : start]:
        asked = _asked(text, start)
        if asked is not None:
            return asked
    near = text[max(0, start - _WORD_LONGEST) : start]
    word = near.rstrip(" \t'\"([-.,").rpartition(" ")[2]
    if word.islower() and word.isascii() and word.isalpha() and not _may_say(word):
        return None
    nearest = _words(near)
    if not nearest or (len(nearest) > 1 and not _may_say(nearest[-1].lower())):
        return None
    window = text[max(0, start - _REACH) : start]
    words = _words(window)
    if "]" in window and (cut := _CUT.search(window[::-1])):
        words = _words(window[len(window) - cut.start() :])
    return _said(words)


_TURN_LONGEST: Final = 64
# Who speaks, and what may come before an answer: "[10:42] Rita: It's 9 May 1977".
_TURN: Final = re.compile(
    r"[\s>*|\u2022-]{0,8}(?:[\[(][^\])\n]{1,24}[\])]\s{0,2})?"
    r"(?:[\w.-][\w .'-]{0,23}\s?[:>]\s{0,2})?"
    r"([^\n:]{0,32})"
)
_ANSWER_LONGEST: Final = 48
_QUESTION_REACH: Final = 110
_QUESTION_WORDS: Final = 14


def _asked(text: str, start: int) -> Cue | None:
    """What the line before asks for, if ``text[start]`` begins the answer to it."""
    line = text.rindex("\n", 0, start) + 1
    turn = _TURN.fullmatch(text, line, start)
    before = text[max(0, line - _QUESTION_REACH) : line].rstrip()
    if turn is None or not before:
        return None
    fill = [word.lower() for word in _words(turn.group(1))]
    if not all(word in FILL or word in LINKS for word in fill):
        return None
    question = before.rpartition("\n")[2].rstrip("\"'\u201d )")
    words = _words(question.rstrip(".:?"))
    if not question.endswith("?"):
        return _said(words) if turn.end(1) > turn.start() and question[-1:] in ".:" else None
    rest = text.find("\n", start, start + _ANSWER_LONGEST)
    short = rest >= 0 or len(text) - start <= _ANSWER_LONGEST
    general = None
    for index in range(len(words) - 1, max(-1, len(words) - 1 - _QUESTION_WORDS), -1):
        last = words[index].lower()
        entity, begin = _entity(words, index, last)
        if entity is not None:
            general = general or Cue(entity, strong=short)
            if " ".join(words[begin : index + 1]).lower() not in GENERAL:
                return Cue(entity, strong=short)
    return general


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
        if word in _FILL_ONLY and skipped < _SKIPPED:
            skipped += 1
            continue
        entity, begin = _entity(words, index, word)
        if entity is not None:
            pair = " ".join(words[max(0, index - 1) : index + 1]).lower()
            named = word in LINKS or word not in _LAST_WORDS or word in SURE or pair in SURE
            cue = Cue(entity, strong or named)
            if " ".join(words[begin : index + 1]).lower() not in GENERAL:
                return cue
            general = general or cue
        strong |= word in LINKS
        skipped += 1
        if skipped > _SKIPPED or not (word in LINKS or word in FILL or entity is not None):
            break
    return general


def _may_say(word: str) -> bool:
    return word in _KNOWN or _SUFFIX.search(word) is not None or not word.isascii()


def _entity(words: list[str], index: int, last: str) -> tuple[str | None, int]:
    """That of the phrase which ends at ``index``, or before links, and where it begins.

    Of several the one that begins the furthest back.

    ``last`` is the word there in small letters.
    """
    found, begin = _phrase(words, index, last)
    while words[index].lower() in LINKS and index:
        index -= 1
        other, other_begin = _phrase(words, index, words[index].lower())
        if other is not None and other_begin < begin:
            found, begin = other, other_begin
    return found, begin


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
        entity, _ = _entity(words, index, last)
        if entity is not None or last not in LINKS:
            return entity
    return None
