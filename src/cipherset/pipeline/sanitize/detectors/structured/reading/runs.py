"""The runs of a text that could be identifiers: pieces with digits, joined by single blanks.

Every scan starts at a digit, which ordinary text has few of, and each character is looked at a
bounded number of times.
"""

import re
from collections.abc import Iterator
from typing import Final

_DIGIT: Final = re.compile("[0-9]")
_THREE: Final = re.compile(r"[0-9](?:[A-Za-z]{0,6}[ ./_-]?[A-Za-z]{0,4}[0-9]){2}")
# Read backwards: a dot or a slash belongs to a piece only after a digit; "no.12" is two.
_LEFT: Final = re.compile(r"(?:[A-Za-z0-9]|[_&-](?=[A-Za-z0-9])|[./](?=[0-9]))*")
_LEFT_LONGEST: Final = 40
_RIGHT: Final = re.compile(r"(?:[A-Za-z0-9]|[_&-](?=[A-Za-z0-9])|[./](?=[0-9]))*+")
_NEXT: Final = re.compile(r" (?=[0-9]|[A-Z]{1,4}(?![A-Za-z.']))")
_LEAD: Final = re.compile(r"(?<![A-Za-z0-9])[A-Z]{1,3}[ -]\Z")
_LEAD_LONGEST: Final = 6
_LEADS: Final = 2  # "B-MW 1234"

Piece = tuple[int, int]


def runs(text: str, least: int) -> Iterator[list[Piece]]:
    """Each run from left to right: the starts and ends of its pieces, one blank apart.

    ``least``: 3 passes over what has not three digits near each other, 1 over nothing.
    """
    position = 0
    begins = _THREE if least > 1 else _DIGIT
    while digit := begins.search(text, position):
        start = digit.start()
        if start > position and text[start - 1] not in " #:":
            left = _LEFT.match(text[max(position, start - _LEFT_LONGEST) : start][::-1])
            start -= left.end() if left else 0
        pieces = []
        while True:
            right = _RIGHT.match(text, start)
            position = right.end() if right else start
            pieces.append((start, position))
            if not _NEXT.match(text, position):
                break
            start = position + 1
        yield pieces


def leads(text: str, start: int) -> Iterator[int]:
    """Where capitals begin that may belong to what begins at ``start``: "AB 12 34 56 C"."""
    for _ in range(_LEADS):
        low = max(0, start - _LEAD_LONGEST)
        match = _LEAD.search(text[low:start])
        if match is None:
            return
        start = low + match.start()
        yield start
