"""A text's words, where they stand and how they are written."""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple

# Letters with their accents, joined by apostrophes and hyphens: O'Neil, Smith-Jones, al-Sayed.
_LETTERS: Final = r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f])*"
_WORD: Final = re.compile(rf"{_LETTERS}(?:['\u2019\u2010-]{_LETTERS})*")
# A capital after a small letter, but for those of McDonald, DeShawn and their like.
_HUMPED: Final = re.compile(
    r"(?<!^Mc)(?<!^Mac)(?<!^[DLV][aeiou])(?<!^Van)(?<!^Fitz)(?<=[a-z])[A-Z]"
)
_PREFIX: Final = 3  # letters, as in al-Sayed
_POSSESSIVE: Final = ("'s", "\u2019s", "'S", "\u2019S")

# Letters of other alphabets that are drawn as Latin ones, put among these to hide a name.
_LOOKALIKE: Final = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0445\u0443\u0456\u0458\u04bb\u0455\u03bf\u03b1\u03bd\u03b9\u0131\u0432\u043d\u043a\u043c\u0442",
    "aeopcxyijhsoaviibhkmt",
)
_UNFOLDED: Final = str.maketrans(
    {"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"}
)


class Case(Enum):
    """How a word is written."""

    LOWER = "anna"
    TITLE = "Anna, McDonald, O'Neil, al-Sayed"
    UPPER = "ANNA"
    INITIAL = "A"
    MIXED = "JetBlue, iPhone"
    UNCASED = "letters that have no case"


class Word(NamedTuple):
    """``text[start:end]``, without an ending ``'s``; ``key`` is what lists are asked for."""

    start: int
    end: int
    key: str
    case: Case
    is_capital: bool
    """Whether it is written as a name would be."""


def words(text: str) -> list[Word]:
    """The words of ``text`` in order."""
    found = []
    for match in _WORD.finditer(text):
        written = match.group()
        if written.endswith(_POSSESSIVE):
            written = written[:-2]
        start = match.start()
        found.append(Word(start, start + len(written), *_read(written)))
    return found


def word_at(found: Sequence[Word], position: int) -> int:
    """The index of the first word that begins at ``position`` or later; their number, if none."""
    return bisect_left(found, position, key=lambda word: word.start)


@lru_cache(maxsize=65_536)
def _read(written: str) -> tuple[str, Case, bool]:
    case = _case(written)
    return folded(written), case, case in {Case.TITLE, Case.UPPER, Case.INITIAL}


def folded(text: str) -> str:
    """``text`` in small letters without accents, with Latin letters for those that look alike."""
    lower = text.lower().replace("\u2019", "'").replace("\u2010", "-")
    if lower.isascii():
        return lower
    plain = "".join(
        char for char in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(char)
    ).translate(_UNFOLDED)
    if any("a" <= char <= "z" for char in plain):
        plain = plain.translate(_LOOKALIKE)
    return plain


def _case(written: str) -> Case:
    if written[0].isupper():
        if len(written) == 1:
            return Case.INITIAL
        if written.isupper():
            return Case.UPPER
        return Case.MIXED if _HUMPED.search(written) else Case.TITLE
    prefix, _, rest = written.partition("-")
    if rest[:1].isupper() and len(prefix) <= _PREFIX:
        return Case.TITLE
    return Case.LOWER if written.lower() != written.upper() else Case.UNCASED
