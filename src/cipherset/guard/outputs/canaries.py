"""Finds planted secrets in a text by their keyed hashes: the guard itself cannot read them."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from cipherset.core.protocols import KeyedHash

_BETWEEN: Final = 3  # blanks, hyphens or other signs between two characters of a secret


@dataclass(frozen=True, slots=True)
class CanaryHashes:
    """The canaries of one data set: ``length`` characters of ``alphabet``, and a hash of each.

    Two canaries and two texts are the same if they are so but for case, width, and up to three
    signs or blanks between characters.
    """

    dataset: str
    alphabet: str
    length: int
    keys: frozenset[int] = field(repr=False)
    hashes: KeyedHash = field(repr=False)

    @classmethod
    def of(
        cls, dataset: str, alphabet: str, secrets: Sequence[str], hashes: KeyedHash
    ) -> "CanaryHashes":
        """Of ``secrets``, which all have one length."""
        found = hashes.of(_even(secret).encode() for secret in secrets)
        return cls(dataset, alphabet, len(secrets[0]), frozenset(found.tolist()), hashes)

    def find(self, text: str) -> list[tuple[int, int]]:
        """Where in ``text`` one stands, from its first character to its last."""
        letters = frozenset(_even(self.alphabet))
        windows = [
            (run[i][0], run[i + self.length - 1][0] + 1, "".join(letter for _, letter in piece))
            for run in _runs(text, letters)
            for i in range(len(run) - self.length + 1)
            for piece in [run[i : i + self.length]]
        ]
        if not windows:
            return []
        keys = self.hashes.of(word.encode() for _, _, word in windows)
        known = np.fromiter(self.keys, np.uint64, len(self.keys))
        hits = np.flatnonzero(np.isin(keys, known))
        return [windows[hit][:2] for hit in hits.tolist()]


def _runs(text: str, letters: frozenset[str]) -> Iterator[list[tuple[int, str]]]:
    """Characters of ``letters`` with their places, as long as few others are between them."""
    run: list[tuple[int, str]] = []
    between = 0
    for place, character in enumerate(text):
        letter = _even(character)
        if letter in letters:
            if between > _BETWEEN:
                yield run
                run = []
            run.append((place, letter))
            between = 0
        elif character.isalnum():
            between = _BETWEEN + 1
        elif not _is_soft(character):
            between += 1
    yield run


def _even(text: str) -> str:
    return text.casefold() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


_SOFT: Final = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")


def _is_soft(character: str) -> bool:
    return _SOFT.match(character) is not None
