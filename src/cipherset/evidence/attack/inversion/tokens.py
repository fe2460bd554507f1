"""Texts as words; which words are content, and which name somebody or something."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

_WORD: Final = re.compile(r"[^\W_]+(?:['.\-][^\W_]+)*")
_SENTENCE_END: Final = re.compile(r"[.!?:;\n]\W*$")
# scikit-learn counts these as function words; here they are what a text is about.
_NOT_FUNCTION: Final = (
    "amount bill call computer cry detail fill fire found interest mill move name serious show "
    "sincere system thick thin"
)
_FUNCTION: Final = ENGLISH_STOP_WORDS - frozenset(_NOT_FUNCTION.split())
RARE_SHARE: Final = 0.005  # a word in fewer of the known texts is rare


def words(text: str) -> list[str]:
    """The words of ``text`` in order, in lower case; apostrophes, dots and hyphens inside stay."""
    return [match.group().casefold() for match in _WORD.finditer(_plain(text))]


def is_content(word: str) -> bool:
    """Whether ``word`` is no English function word; of another language every word is content."""
    if word.endswith("n't") or (len(word) == 1 and word.isalpha() and word.isascii()):
        return False
    return word.split("'")[0] not in _FUNCTION


class RareWords:
    """Content words in at most ``RARE_SHARE`` of the known texts, unknown words among them."""

    def __init__(self, known: Sequence[str]) -> None:
        most = RARE_SHARE * len(known)
        counts = document_counts(known)
        self._frequent = frozenset(word for word, n in counts.items() if n > most)

    def __contains__(self, word: str) -> bool:
        return word not in self._frequent and is_content(word)


def entities(text: str, rare: RareWords) -> frozenset[str]:
    """What may name somebody: words with digits, in capitals inside a sentence, or rare.

    A capital counts only of a content word that does not begin a sentence.
    """
    plain = _plain(text)
    found = set()
    for match in _WORD.finditer(plain):
        word = match.group().casefold()
        before = plain[: match.start()]
        inside = bool(before.strip()) and _SENTENCE_END.search(before) is None
        capital = inside and match.group()[0].isupper() and is_content(word)
        if capital or any(c.isdigit() for c in word) or word in rare:
            found.add(word)
    return frozenset(found)


def entity_words(known: Sequence[str], rare: RareWords) -> frozenset[str]:
    """The words that are entities in at least half of the known texts that hold them."""
    counts = document_counts(known)
    named = Counter(word for text in known for word in entities(text, rare))
    return frozenset(word for word, n in named.items() if 2 * n >= counts[word])


def document_counts(texts: Iterable[str]) -> Counter[str]:
    """In how many texts each word occurs."""
    return Counter(word for text in texts for word in set(words(text)))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("’", "'")
