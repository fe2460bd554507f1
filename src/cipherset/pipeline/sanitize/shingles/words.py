"""The words of a text, evened out, and where each stands in it."""

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.text.invisible import without_invisible

# Scripts written without blanks: each character is a word.
_ALONE: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# Inside a word: combining marks, soft hyphens, zero widths, and apostrophes between letters.
_WITHIN: Final = "\u0300-\u036f\u00ad\u200b-\u200d\u2060\ufeff"
_WORD: Final = re.compile(
    f"[{_ALONE}]|(?:(?![{_ALONE}])[^\\W_]|[{_WITHIN}])+"
    f"(?:['’](?:(?![{_ALONE}])[^\\W_]|[{_WITHIN}])+)*"
)
_ASCII_WORD: Final = re.compile(r"[A-Za-z0-9]+(?:'[A-Za-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Words:
    """``words[i]`` stood at ``text[starts[i]:ends[i]]``."""

    words: list[bytes] = field(repr=False)
    starts: npt.NDArray[np.int64] = field(repr=False)
    ends: npt.NDArray[np.int64] = field(repr=False)

    def __len__(self) -> int:
        return len(self.words)


def words_of(text: str) -> Words:
    """The words of ``text``: NFKC, case-folded, no signs, apostrophes or invisible characters."""
    ascii_only = text.isascii()
    pattern = _ASCII_WORD if ascii_only else _WORD
    words, starts, ends = [], [], []
    for match in pattern.finditer(text):
        word = match[0].casefold().replace("'", "") if ascii_only else _even(match[0])
        if word:
            words.append(word.encode("utf-8", "surrogatepass"))
            starts.append(match.start())
            ends.append(match.end())
    return Words(words, np.array(starts, dtype=np.int64), np.array(ends, dtype=np.int64))


def n_pieces(text: str, words: Words, first: int, last: int) -> int:
    """How many pieces between blanks ``words[first:last]`` are, signs around them included.

    ``"pay - now"`` has two words and three pieces: whoever counts pieces calls it a copy of three.
    """
    start, end = int(words.starts[first]), int(words.ends[last - 1])
    before = text[int(words.ends[first - 1]) if first else 0 : start]
    after = text[end : int(words.starts[last]) if last < len(words) else len(text)]
    # What touches a word is part of that word's piece.
    touched = (first > 0 and _touches(before, 0)) + _touches(before, -1)
    touched += _touches(after, 0) + (last < len(words) and _touches(after, -1))
    loose = len(before.split()) + len(after.split()) - touched
    return len(text[start:end].split()) + max(loose, 0)


def _touches(between: str, place: int) -> bool:
    return bool(between) and not between[place].isspace()


def _even(word: str) -> str:
    visible = without_invisible(word)[0].replace("'", "").replace("’", "")
    visible = visible.replace("\u200c", "").replace("\u200d", "")
    folded = unicodedata.normalize("NFKC", visible).casefold()
    return "" if all(unicodedata.combining(letter) for letter in folded) else folded
