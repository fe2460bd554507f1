"""A text as the structured detectors see it: digits, full-width forms and blanks made plain.

Each character becomes one character, so a position there is a position here.
"""

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Final

from cipherset.pipeline.sanitize.detectors.structured.reading.cues import Cue, cue_before
from cipherset.pipeline.sanitize.spans import Span

_BLANKS: Final = "\u00a0\u2000-\u200a\u202f\u205f\u3000"
_HYPHENS: Final = "\u2010-\u2013\u2212\ufe58\ufe63"
# [^\D0-9] is every decimal digit of every script but ASCII's own.
_FOREIGN: Final = re.compile(rf"[^\D0-9]|[{_BLANKS}{_HYPHENS}\uff01-\uff5e]")
_BLANK: Final = re.compile(f"[{_BLANKS}]")
_HYPHEN: Final = re.compile(f"[{_HYPHENS}]")
_FULL_WIDTH: Final = 0xFF01 - 0x21


def folded(text: str) -> str:
    """``text`` with other scripts' digits, full-width forms, blanks and hyphens in ASCII.

    As long as ``text``, character for character.
    """
    if text.isascii():
        return text
    return _FOREIGN.sub(_plain, text)


def _plain(match: re.Match[str]) -> str:
    character = match.group()
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    if _BLANK.match(character):
        return " "
    return "-" if _HYPHEN.match(character) else chr(ord(character) - _FULL_WIDTH)


def lowered(text: str) -> str:
    """``text`` in small letters, as long as ``text``."""
    small = text.lower()
    if len(small) == len(text):
        return small
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)


_LONG_LATER: Final = re.compile(r"\s\S{16}")
_LONG_FIRST: Final = re.compile(r"\S{16}")
_DIGITS: Final = "0123456789"


def has_any(text: str, parts: Sequence[str]) -> bool:
    """Whether one of ``parts`` is in ``text``; for a score of them faster than a pattern."""
    for part in parts:  # noqa: SIM110
        if part in text:
            return True
    return False


class Reading:
    """A text, and what all detectors ask about it first."""

    __slots__ = ("_cues", "has_long_word", "n_digits", "small", "text")

    def __init__(self, text: str) -> None:
        self.text = folded(text)
        """The text, character for character, with foreign digits and forms in ASCII."""
        self.small = lowered(self.text)
        """``text`` in small letters."""
        self.n_digits = sum(map(self.text.count, _DIGITS))
        """How many digits it has, a thousand or more."""
        self.has_long_word = bool(_LONG_FIRST.match(self.text) or _LONG_LATER.search(self.text))
        """Whether a word has 16 characters or more: tokens and addresses do, few words."""
        self._cues: dict[int, Cue | None] = {}

    def cue_before(self, start: int) -> Cue | None:
        """What the words before ``text[start]`` say that it is; None if they say nothing."""
        if start not in self._cues:
            self._cues[start] = cue_before(self.text, start)
        return self._cues[start]


class TextDetector(ABC):
    """A detector that looks at each text alone."""

    name: str
    version: str
    entities: frozenset[str]
    n_digits: int = 0
    """It finds nothing in a text with fewer digits."""

    def detect(self, texts: Sequence[str]) -> list[list[Span]]:
        """The spans of each text."""
        return found_by((self,), texts)

    def likely(self, reading: Reading) -> bool:
        """Whether ``spans`` is worth its while: a look at the text that costs little."""
        return True

    @abstractmethod
    def spans(self, reading: Reading) -> Iterator[Span]:
        """What is found in one text."""


_AT_ONCE: Final = 512  # texts that are read together; enough for the loops, little to hold


def found_by(detectors: Sequence[TextDetector], texts: Sequence[str]) -> list[list[Span]]:
    """The spans that ``detectors`` find in each text, which is read once.

    A detector goes through many texts before the next begins: its patterns stay in the processor's
    cache, which makes all of them together half as fast again.
    """
    found: list[list[Span]] = []
    for low in range(0, len(texts), _AT_ONCE):
        readings = [Reading(text) for text in texts[low : low + _AT_ONCE]]
        spans: list[list[Span]] = [[] for _ in readings]
        pairs = list(zip(readings, spans, strict=True))
        with_digits = {
            least: [pair for pair in pairs if pair[0].n_digits >= least]
            for least in {detector.n_digits for detector in detectors}
        }
        for detector in detectors:
            likely, spans_of = detector.likely, detector.spans
            for reading, each in with_digits[detector.n_digits]:
                if likely(reading):
                    each += spans_of(reading)
        found += spans
    return found
