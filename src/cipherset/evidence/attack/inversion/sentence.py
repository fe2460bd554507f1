"""Recovered words put into an order that reads: for showing, not for counting."""

from collections import Counter, defaultdict
from itertools import pairwise
from typing import Final

from cipherset.core.values import Floats
from cipherset.evidence.attack.inversion.pairs import Codes, Pairs
from cipherset.evidence.attack.inversion.tokens import is_content, words
from cipherset.evidence.attack.inversion.words import NearestText, WordInverter, Words

_EDGE: Final = ""
_ALIKE: Final = 0.7  # two names, or two days, are above; a name and a day far below


class SentenceDecoder:
    """The nearest known text, its content words that the vector denies replaced by those it says.

    Knows: pairs of vector and text in the target's space, and labels. A word of the nearest text
    is denied if the ridge attack does not name it. In its place comes the named word that keeps
    the most similar company in the known texts; where none does, the word stays.
    """

    def __init__(self, pairs: Pairs, *, seed: int) -> None:
        self._texts = pairs.texts
        self._inverter = WordInverter(pairs, seed=seed)
        self._nearest = NearestText(pairs)
        self._company: defaultdict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
        for text in pairs.texts:
            for before, after in pairwise([_EDGE, *words(text), _EDGE]):
                self._company[before]["before", after] += 1
                self._company[after]["after", before] += 1

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
        denied = [at for at, word in enumerate(template) if word not in said and is_content(word)]
        likeness = {
            (at, word): self._likeness(template[at], word) for at in denied for word in missing
        }
        line = list(template)
        used: set[int | str] = set()
        for (at, word), alike in sorted(likeness.items(), key=lambda item: -item[1]):
            if alike > _ALIKE and not used & {at, word}:
                line[at] = word
                used |= {at, word}
        return line

    def _likeness(self, word: str, other: str) -> float:
        """The cosine of how often each neighbor, on each side, stands beside the one and the other.

        Source: H. Schuetze, Distributional Part-of-Speech Tagging, EACL 1995.
        """
        a, b = self._company[word], self._company[other]
        shared = sum(n * b[neighbor] for neighbor, n in a.items() if neighbor in b)
        norms = sum(n * n for n in a.values()) * sum(n * n for n in b.values())
        return float(shared / norms**0.5)
