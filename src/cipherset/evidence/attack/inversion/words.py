"""Which words does this vector say? Two attacks, and what needs no vector at all."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.values import Floats
from cipherset.evidence.attack.inversion.pairs import (
    Codes,
    Pairs,
    capped,
    check_vectors,
    check_width,
    parted,
)
from cipherset.evidence.attack.inversion.ridge import PENALTIES, RidgePath, Singles
from cipherset.evidence.attack.inversion.tokens import document_counts, is_content, words

MOST_PAIRS: Final = 6_000
MOST_WORDS: Final = 1_500
_LEAST_TEXTS: Final = 3  # a word in fewer texts cannot be learned
_TUNING_SHARE: Final = 0.2
_CUTS: Final = tuple(float(cut) for cut in np.linspace(0.04, 0.6, 15))
_BLOCK_ENTRIES: Final = 2**21  # distances held at a time: 8 MiB

N_NAMED: Final = 5  # entities an attack may name for each text
_TEXTS_NAMED_FROM: Final = 8

Words = tuple[str, ...]
Bools = npt.NDArray[np.bool_]


class WordInverter:
    """Each frequent word by a ridge regression on the vector, kept where it scores above a cut.

    Knows: pairs of vector and text in the target's space, and labels. The penalty, and one cut
    each for content and function words, are those with the best F1 on a fifth of the pairs.

    Source: C. Song, A. Raghunathan, Information Leakage in Embedding Models, CCS 2020, section
    3.2 (multi-label inversion; there with a network), https://arxiv.org/abs/2004.00053
    """

    def __init__(self, pairs: Pairs, *, seed: int) -> None:
        rng = np.random.default_rng(seed)
        pairs = pairs.take(capped(len(pairs), MOST_PAIRS, rng))
        self.vocabulary = _vocabulary(pairs.texts)
        self._width = pairs.vectors.shape[1]
        self._content: Bools = np.array([is_content(w) for w in self.vocabulary], dtype=bool)
        held = _occurrences(pairs.texts, self.vocabulary)
        fit_rows, tune_rows = parted(len(pairs), _TUNING_SHARE, rng)
        fit_rows = fit_rows if len(fit_rows) else tune_rows  # one pair is learned and tuned on
        fitted, tuned = pairs.take(fit_rows), pairs.take(tune_rows)
        occurs = held.astype(np.float32)
        path = RidgePath(fitted.learned, occurs[fit_rows], fitted.labels)
        self._penalty, self._cuts = self._tune(path, tuned, held[tune_rows])
        self._path = RidgePath(pairs.learned, occurs, pairs.labels)

    def scores(self, vectors: Floats, labels: Codes | None = None) -> Singles:
        """How likely each word of the vocabulary is in each row's text, shape (n, words).

        Raises:
            DimensionError: code ``dimension``. InputError: ``no_rows`` or ``not_finite``.
        """
        check_vectors(vectors, "vectors")
        check_width(vectors, self._width, "vectors")
        return self._path.predict(vectors, labels, self._penalty)

    def recover(self, vectors: Floats, labels: Codes | None = None) -> list[Words]:
        """The words of each row's text, the surest first; at least one content word.

        Raises:
            DimensionError: code ``dimension``. InputError: ``no_rows`` or ``not_finite``.
        """
        scores = self.scores(vectors, labels)
        kept = self._kept(scores, self._cuts)
        order = np.argsort(-scores, axis=1, kind="stable")
        return [
            tuple(self.vocabulary[j] for j in ranked if row[j])
            for ranked, row in zip(order, kept, strict=True)
        ]

    def name(self, vectors: Floats, labels: Codes | None, among: frozenset[str]) -> list[Words]:
        """Of the words ``among``, the five likeliest in each row's text, the surest first.

        Raises:
            DimensionError: code ``dimension``. InputError: ``no_rows`` or ``not_finite``.
        """
        columns = np.array([j for j, word in enumerate(self.vocabulary) if word in among], int)
        scores = self.scores(vectors, labels)[:, columns]
        order = np.argsort(-scores, axis=1, kind="stable")[:, :N_NAMED]
        return [tuple(self.vocabulary[columns[j]] for j in ranked) for ranked in order]

    def _kept(self, scores: Singles, cuts: tuple[float, float]) -> Bools:
        kept = scores > np.where(self._content, cuts[0], cuts[1]).astype(np.float32)
        if self._content.any():
            columns = np.flatnonzero(self._content)
            kept[np.arange(len(scores)), columns[scores[:, columns].argmax(axis=1)]] = True
        return kept

    def _tune(
        self, path: RidgePath, tuned: Pairs, held: Bools
    ) -> tuple[float, tuple[float, float]]:
        """The penalty, and the cuts for content and function words, with the best F1."""
        sizes = np.array([[is_content(w) for w in set(words(text))] for text in tuned.texts], "O")
        n_content = np.array([sum(flags) for flags in sizes])
        n_function = np.array([len(flags) for flags in sizes]) - n_content
        best = (-1.0, PENALTIES[-1], (1.0, 1.0))
        for penalty in PENALTIES if self._width else PENALTIES[:1]:
            scores = path.predict(tuned.vectors, tuned.labels, penalty)
            content = _best_cut(scores[:, self._content], held[:, self._content], n_content)
            function = _best_cut(scores[:, ~self._content], held[:, ~self._content], n_function)
            if content[0] > best[0]:
                best = (content[0], penalty, (content[1], function[1]))
        return best[1], best[2]


class NearestText:
    """The words of the known text that lies nearest, among those of the row's own label.

    Knows: pairs of vector and text in the target's space, and labels.
    """

    def __init__(self, pairs: Pairs) -> None:
        self._pairs = pairs
        self._vectors: Singles = np.asarray(pairs.learned, dtype=np.float32)

    def nearest(self, vectors: Floats, labels: Codes | None = None, *, n_texts: int = 1) -> Codes:
        """For each row the numbers of the nearest pairs, the nearest first: shape (n, n_texts).

        Only pairs of the row's label are looked at; of a label never seen, all. Where there are
        fewer than ``n_texts``, the last is repeated.

        Raises:
            DimensionError: code ``dimension``. InputError: ``no_rows`` or ``not_finite``.
        """
        check_vectors(vectors, "vectors")
        check_width(vectors, self._vectors.shape[1], "vectors")
        found = np.zeros((len(vectors), n_texts), dtype=np.int64)
        if labels is None or self._pairs.labels is None:
            self._search(vectors, np.arange(len(vectors)), np.arange(len(self._pairs)), found)
            return found
        for label in np.unique(labels):
            among = np.flatnonzero(self._pairs.labels == label)
            among = among if len(among) else np.arange(len(self._pairs))
            self._search(vectors, np.flatnonzero(labels == label), among, found)
        return found

    def recover(self, vectors: Floats, labels: Codes | None = None) -> list[Words]:
        """The words of each row's nearest text, in its order.

        Raises:
            DimensionError: code ``dimension``. InputError: ``no_rows`` or ``not_finite``.
        """
        return _texts_said(self._pairs, self.nearest(vectors, labels))

    def name(self, vectors: Floats, labels: Codes | None, among: frozenset[str]) -> list[Words]:
        """Of the words ``among``, the first five in the nearest texts, the nearest first.

        Raises:
            DimensionError: code ``dimension``. InputError: ``no_rows`` or ``not_finite``.
        """
        nearest = self.nearest(vectors, labels, n_texts=_TEXTS_NAMED_FROM)
        return _first_named(_texts_said(self._pairs, nearest), among)

    def _search(self, vectors: Floats, rows: Codes, among: Codes, found: Codes) -> None:
        known = self._vectors[among]
        squares = np.einsum("ij,ij->i", known, known)
        step = max(_BLOCK_ENTRIES // len(among), 1)
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            asked = np.asarray(vectors[part], dtype=np.float32)
            distances = squares - 2.0 * asked @ known.T
            found[part] = among[_smallest(distances, found.shape[1])]


class AnyText:
    """The words of any known text of the row's label: a guess that does not look at the vector.

    Knows: texts and labels.
    """

    def __init__(self, pairs: Pairs, *, seed: int) -> None:
        self._pairs, self._seed = pairs, seed

    def recover(self, vectors: Floats, labels: Codes | None = None) -> list[Words]:
        """The words of one text for each row."""
        return _texts_said(self._pairs, self._drawn(len(vectors), labels, 1))

    def name(self, vectors: Floats, labels: Codes | None, among: frozenset[str]) -> list[Words]:
        """Of the words ``among``, the first five in some texts."""
        drawn = self._drawn(len(vectors), labels, _TEXTS_NAMED_FROM)
        return _first_named(_texts_said(self._pairs, drawn), among)

    def _drawn(self, n: int, labels: Codes | None, n_texts: int) -> Codes:
        rng = np.random.default_rng(self._seed)
        every = np.arange(len(self._pairs))
        drawn = rng.choice(every, (n, n_texts))
        if labels is not None and self._pairs.labels is not None:
            for label in np.unique(labels):
                among = np.flatnonzero(self._pairs.labels == label)
                rows = np.flatnonzero(labels == label)
                drawn[rows] = rng.choice(among if len(among) else every, (len(rows), n_texts))
        return drawn


def _smallest(distances: Singles, n: int) -> Codes:
    """The columns of the n smallest entries of each row, ascending; the last again if too few."""
    if n == 1:
        return np.asarray(distances.argmin(axis=1)[:, np.newaxis])
    order = np.argsort(distances, axis=1, kind="stable")
    return order[:, np.minimum(np.arange(n), order.shape[1] - 1)]


def _texts_said(pairs: Pairs, chosen: Codes) -> list[Words]:
    """The different words of the texts chosen for each row, in their order."""
    said = {int(i): words(pairs.texts[i]) for i in np.unique(chosen)}
    return [tuple(dict.fromkeys(word for i in row for word in said[int(i)])) for row in chosen]


def _first_named(said: Sequence[Words], among: frozenset[str]) -> list[Words]:
    return [tuple(word for word in row if word in among)[:N_NAMED] for row in said]


def _vocabulary(texts: Sequence[str]) -> Words:
    counts = document_counts(texts)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    learned = [word for word, n in ranked if n >= _LEAST_TEXTS]
    return tuple((learned or [word for word, _ in ranked])[:MOST_WORDS])


def _occurrences(texts: Sequence[str], vocabulary: Words) -> Bools:
    """Which text (row) holds which word (column)."""
    column = {word: j for j, word in enumerate(vocabulary)}
    held = np.zeros((len(texts), len(vocabulary)), dtype=bool)
    for i, text in enumerate(texts):
        held[i, [column[word] for word in words(text) if word in column]] = True
    return held


def _best_cut(scores: Singles, held: Bools, n_true: Codes) -> tuple[float, float]:
    """The best mean F1 over rows and its cut; ``n_true`` counts words outside the vocabulary too.

    F1 of a row is ``2 * hits / (kept + true)``; rows with neither are left out.
    """
    best = (-1.0, _CUTS[-1])
    for cut in _CUTS:
        kept = scores > cut
        total = kept.sum(axis=1) + n_true
        scored = total > 0
        hits = (kept & held).sum(axis=1)
        f1 = float((2.0 * hits[scored] / total[scored]).mean()) if scored.any() else 0.0
        if f1 > best[0]:
            best = (f1, cut)
    return best
