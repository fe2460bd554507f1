"""Recovered words put into an order that reads: for showing, not for counting."""

from collections import Counter
from itertools import pairwise
from typing import Final

import numpy as np

from cipherset.core.values import Floats
from cipherset.evidence.attack.inversion.pairs import Codes, Pairs
from cipherset.evidence.attack.inversion.tokens import is_content, words
from cipherset.evidence.attack.inversion.words import NearestText, WordInverter, Words

_EDGE: Final = ""


class SentenceDecoder:
    """The nearest known text, its content words that the vector denies replaced by those it says.

    Knows: pairs of vector and text in the target's space, and labels. A word of the nearest text
    is denied if the ridge attack does not name it. In its place comes the named word that is seen
    most often beside the same neighbors in the known texts, beside each at least once; where
    there is none, the word stays.
    """

    def __init__(self, pairs: Pairs, *, seed: int) -> None:
        self._texts = pairs.texts
        self._inverter = WordInverter(pairs, seed=seed)
        self._nearest = NearestText(pairs)
        self._follows = Counter(
            two for text in pairs.texts for two in pairwise([_EDGE, *words(text), _EDGE])
        )

    def decode(self, vectors: Floats, labels: Codes | None = None) -> list[str]:
        """One sentence per row, in lower case.

        Raises:
            DimensionError: code ``dimension``. InputError: ``no_rows`` or ``not_finite``.
        """
        named = self._inverter.recover(vectors, labels)
        nearest = self._nearest.nearest(vectors, labels)[:, 0]
        return [
            " ".join(self._filled(words(self._texts[i]), said))
            for i, said in zip(nearest, named, strict=True)
        ]

    def _filled(self, template: list[str], said: Words) -> list[str]:
        missing = [word for word in said if word not in template and is_content(word)]
        line = [_EDGE, *template, _EDGE]
        for at in range(1, len(line) - 1):
            if not missing or line[at] in said or not is_content(line[at]):
                continue
            fits = np.array([self._fit(line[at - 1], word, line[at + 1]) for word in missing])
            if fits.max() > 0.0:
                line[at] = missing.pop(int(fits.argmax()))
        return line[1:-1]

    def _fit(self, before: str, word: str, after: str) -> float:
        """``log(1 + n(before, word)) + log(1 + n(word, after))``, or 0 where one is never seen."""
        left, right = self._follows[before, word], self._follows[word, after]
        return float(np.log1p(left) + np.log1p(right)) if left and right else 0.0
