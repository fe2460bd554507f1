"""Where a text is cut so that the cuts depend on the text alone, never on how it arrived.

A segment ends after the first blank that has ``step`` characters and ``words`` words before it in
the segment, or after ``longest`` characters. A window is ``segments`` segments in a row, and the
next one begins with its last: whatever is no longer than a segment stands whole in one of them.
"""

import re
from dataclasses import dataclass
from typing import Final

# Drawn as nothing, or upon the character before.
_SOFT_CLASS: Final = (
    "\u00ad\u0300-\u036f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
MOST_SOFT: Final = 8
MOST_SIGNS: Final = 200
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_SOFT: Final = re.compile(f"([{_SOFT_CLASS}]{{{MOST_SOFT}}})[{_SOFT_CLASS}]+")
_SOFT_TAIL: Final = re.compile(f"[{_SOFT_CLASS}]{{1,{MOST_SOFT}}}\\Z")
_SIGNS: Final = re.compile(f"([\\W_]{{{MOST_SIGNS}}})[\\W_]+")
_SIGNS_TAIL: Final = re.compile(f"[\\W_]{{1,{MOST_SIGNS}}}\\Z")
_EACH_SOFT: Final = re.compile(f"[{_SOFT_CLASS}]")
_WORD_OR_BLANK: Final = re.compile(f"((?:[^\\W_]|[{_SOFT_CLASS}])+)|\\s")


@dataclass(frozen=True, slots=True)
class Pace:
    """How long segments and windows are.

    More ``segments`` take less time (each last one is looked at twice) and hold more back.
    13 words: a copy of that many in which single words were altered is found, no shorter one.
    4,096 characters: eight words of a hundred letters with all the signs that ``Squeeze`` leaves
    between them. ``carried``: how long one finding may grow beyond its window.
    """

    step: int = 128
    words: int = 13
    segments: int = 4
    longest: int = 4096
    carried: int = 16_384


DEFAULT_PACE: Final = Pace()


def next_cut(text: str, start: int, pace: Pace) -> int | None:
    """Where the segment that begins at ``start`` ends; None while the text does not say."""
    if len(text) - start < pace.step:
        return None
    words = 0
    for match in _WORD_OR_BLANK.finditer(text, start, start + pace.longest):
        if match[1] is not None:
            words += 1
        elif words >= pace.words and match.end() - start >= pace.step:
            return match.end()
    return start + pace.longest if len(text) - start >= pace.longest else None


def drawn(text: str) -> list[int]:
    """The places of the characters of ``text`` that are drawn by themselves, in order."""
    return [place for place, each in enumerate(text) if _EACH_SOFT.match(each) is None]


def last_drawn(text: str) -> int:
    """Where ``text`` ends but for blanks and what is drawn as nothing."""
    end = len(text)
    while end and (text[end - 1].isspace() or _EACH_SOFT.match(text[end - 1])):
        end -= 1
    return end


class Squeeze:
    """A text without controls and without what only stretches it, piece by piece.

    Of more than 8 characters in a row that are drawn as nothing, and of more than 200 without a
    letter or digit, the rest goes: so no copy is drawn out over more than can be held back.
    """

    __slots__ = ("_sign_tail", "_soft_tail")

    def __init__(self) -> None:
        """At the beginning of a text."""
        self._soft_tail = self._sign_tail = ""

    def feed(self, piece: str) -> str:
        """What the next piece of the text comes to."""
        piece = _CONTROLS.sub("", piece)
        piece, self._soft_tail = _cut(piece, self._soft_tail, _SOFT, _SOFT_TAIL)
        piece, self._sign_tail = _cut(piece, self._sign_tail, _SIGNS, _SIGNS_TAIL)
        return piece


def _cut(piece: str, tail: str, run: re.Pattern[str], end: re.Pattern[str]) -> tuple[str, str]:
    """``piece`` after ``tail`` with runs cut short, and the run that it ends with."""
    whole = run.sub(r"\1", tail + piece)
    last = end.search(whole, max(0, len(whole) - MOST_SIGNS))
    return whole[len(tail) :], last[0] if last else ""
