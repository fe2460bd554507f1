r"""How a token is written, and how a model may write it when it copies one.

    [PERSON_1]            as it is issued
    [PERSON_1_K3V9QX2M]   with the tag of its vault, where vaults may be mixed up

A copy may be in another case, with blanks or hyphens for the underscores, with brackets and
underscores escaped for Markdown (``\[PERSON\_1\]``) or that in JSON (``\\[PERSON_1\\]``), or
with the brackets as JSON escapes (``\u005bPERSON_1\u005d``). Nothing else is taken for a token.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final

LITERAL: Final = "LITERAL"  # what stood in the text and looked like a token
OTHER: Final = "VALUE"  # an entity of no name that a token can have
ENTITY: Final = re.compile(r"(?=.{1,40}$)[A-Z][A-Z0-9]{0,19}(?:_[A-Z0-9]{1,19}){0,3}")
_MOST_NAME: Final = 72  # an entity, a number of at most 9 digits, a tag of 8, and escapes
_GAP: Final = r"(?:\\{0,2}_|[ -])"
_NAME: Final = rf"[A-Za-z][A-Za-z0-9]{{0,19}}(?:{_GAP}[A-Za-z0-9]{{1,19}}){{1,5}}"
# The longest opening first: where one matches, no other does.
_STYLES: Final = (
    (r"\\\\\[", r"\\\\\]"),
    (r"\\\[", r"\\\]"),
    (r"\\u005[bB]", r"\\u005[dD]"),
    (r"\[", r"\]"),
)
TOKEN: Final = re.compile("|".join(f"{start}({_NAME}){end}" for start, end in _STYLES))
_OPENING: Final = re.compile(r"\\|\[")
# What may yet become a token when more text comes: an opening, some of a name, some of an end.
_BEGUN: Final = re.compile(
    r"(?:\\(?:\\|u(?:0(?:0(?:5)?)?)?)?"
    r"|(?:\\{0,2}\[|\\u005[bB])"
    rf"((?:[A-Za-z0-9 _-]|\\{{1,2}}(?=_)){{0,{_MOST_NAME}}})"
    r"\\{0,2}(?:(?<=\\)u(?:0(?:0(?:5)?)?)?)?)"
)
# Opening, name, a pair of backslashes at each of its gaps, and an end that is not complete.
MOST_HELD: Final = 6 + _MOST_NAME + 2 * 5 + 5


def name_of(match: re.Match[str]) -> str:
    """The name that was copied, as it is issued: ``PERSON_1``."""
    return normalized(next(group for group in match.groups() if group is not None))


def normalized(body: str) -> str:
    """A name as it is issued, from any way of writing it."""
    return body.replace("\\", "").replace(" ", "_").replace("-", "_").upper()


def openings(text: str, start: int) -> Iterator[int]:
    """Where in ``text``, from ``start`` on, a token might begin."""
    return (match.start() for match in _OPENING.finditer(text, start))


class Names:
    """Names that were issued, for a look at how one begins."""

    def __init__(self, names: Iterable[str]) -> None:
        """In any order."""
        self._sorted = sorted(names)

    def may_begin(self, text: str, start: int) -> bool:
        """Whether ``text`` from ``start`` to its end is part of a token that was issued."""
        begun = _BEGUN.fullmatch(text, start)
        if begun is None:
            return False
        head = normalized(begun[1] or "")
        place = bisect_left(self._sorted, head)
        return place < len(self._sorted) and self._sorted[place].startswith(head)
