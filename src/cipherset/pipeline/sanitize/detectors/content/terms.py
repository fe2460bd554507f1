"""Detector of an owner's own terms: project names, formulas, customers, whatever a list holds."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from cipherset.core.errors import InputError
from cipherset.pipeline.sanitize.spans import Span

_TOKEN: Final = re.compile(r"[^\W_]+|[^\w\s]|_")
_COMMENT: Final = "#"


class _Node:
    """What may follow, by token, and whether a term ends here."""

    __slots__ = ("below", "is_end")

    def __init__(self) -> None:
        self.below: dict[str, _Node] = {}
        self.is_end = False


class TermsDetector:
    """``TRADE_SECRET``, or another ``entity``: whole words that are on a list, longest first.

    Letter case, the width of characters and the blanks between words do not matter. Each word of a
    text is looked at as often as the longest term has words, however long the list.
    """

    version: Final = "1"

    def __init__(self, name: str, terms: Iterable[str], entity: str = "TRADE_SECRET") -> None:
        """``name``: what reports call the list.

        Raises:
            InputError: There is no term, or one has neither letter nor digit.
        """
        self.name = name
        self.entities = frozenset({entity})
        self._entity = entity
        self._root = _Node()
        for number, term in enumerate(terms, 1):
            self._add(number, term)
        if not self._root.below:
            raise _bad_terms(name, "holds no term", "write one term a line")

    def __repr__(self) -> str:
        return f"TermsDetector({self.name!r})"

    def detect(self, texts: Sequence[str]) -> list[list[Span]]:
        return [list(self._spans(text)) for text in texts]

    def _add(self, number: int, term: str) -> None:
        keys = [_key(match.group()) for match in _TOKEN.finditer(term)]
        if not any(map(str.isalnum, keys)):
            what = f"has no letter or digit in term {number}"
            raise _bad_terms(self.name, what, "a term needs one")
        node = self._root
        for key in keys:
            node = node.below.setdefault(key, _Node())
        node.is_end = True

    def _spans(self, text: str) -> Iterator[Span]:
        tokens = list(_TOKEN.finditer(text))
        keys = [_key(token.group()) for token in tokens]
        index = 0
        while index < len(keys):
            last = self._longest(keys, index)
            if last < index:
                index += 1
            else:
                yield Span(tokens[index].start(), tokens[last].end(), self._entity)
                index = last + 1

    def _longest(self, keys: Sequence[str], index: int) -> int:
        """The last token of the longest term that begins at ``index``; less than it, if none."""
        node = self._root
        last = -1
        for at in range(index, len(keys)):
            below = node.below.get(keys[at])
            if below is None:
                break
            node = below
            if node.is_end:
                last = at
        return last


def read_terms(path: Path) -> list[str]:
    """The terms of a file: one a line, UTF-8; a line that begins with ``#`` is a comment.

    Raises:
        InputError: The file cannot be read, is not UTF-8, or holds no term.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError:
        raise _bad_terms(path.name, "cannot be read", "check the path") from None
    except UnicodeDecodeError:
        raise _bad_terms(path.name, "is not UTF-8", "save it as UTF-8") from None
    lines = [line.strip() for line in text.splitlines()]
    terms = [line for line in lines if line and not line.startswith(_COMMENT)]
    if not terms:
        raise _bad_terms(path.name, "holds no term", "write one term a line")
    return terms


@lru_cache(maxsize=65_536)
def _key(token: str) -> str:
    return unicodedata.normalize("NFKC", token).casefold()


def _bad_terms(name: str, what: str, hint: str) -> InputError:
    return InputError(f"the list of terms {name} {what}", code="terms_file", hint=hint)
