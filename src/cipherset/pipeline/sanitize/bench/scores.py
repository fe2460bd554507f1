"""How much of what is marked is found, and how much of what is found is marked.

The rules, for each entity:

    found      a true span of which at least half of the characters are covered by predictions of
               its entity; ``taken``: by predictions of any entity, so it does not leave
    predicted  predictions of one entity that overlap or touch count as one
    correct    a prediction that shares a character with a true span of its entity; ``personal``:
               with a true span of any entity, so something had to go. A topic, such as HEALTH,
               is said by many words: there a true span of it anywhere in the text will do
    left out   a prediction that shares a character with no true span, but with an ``ignored`` one
    flagged    a clean text with any prediction but a sum of money

Recall is found / true, precision is correct / predicted, F2 weighs recall four times as much.
The row ``ALL`` is over every entity and asks only what is taken and what had to go.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from cipherset.core.errors import InputError
from cipherset.core.text.invisible import without_invisible
from cipherset.pipeline.sanitize.bench.cases import NOT_PERSONAL, TOPICS, Case
from cipherset.pipeline.sanitize.spans import Detector, Span

ALL: Final = "ALL"
_COVERED: Final = 0.5  # of a span: a name of which only the title is left is still taken out
_Z: Final = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Rate:
    """``hits`` of ``n``, with the ends of the 95 % Wilson interval; value 1 where ``n`` is 0."""

    hits: int
    n: int

    @property
    def value(self) -> float:
        return self.hits / self.n if self.n else 1.0

    @property
    def interval(self) -> tuple[float, float]:
        """``(low, high)``; (0, 1) where ``n`` is 0.

        Source: E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference,
        Journal of the American Statistical Association 22(158), 1927.
        """
        if not self.n:
            return 0.0, 1.0
        p, n = self.hits / self.n, self.n
        middle = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z * math.sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2)) / (1 + _Z**2 / n)
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class EntityScore:
    """One entity's rates; ``taken`` and ``personal`` are by any entity (the module says how)."""

    entity: str
    recall: Rate
    precision: Rate
    taken: Rate
    personal: Rate

    @property
    def f2(self) -> float:
        """``5 * p * r / (4 * p + r)``; 0 where both are 0.

        Source: C. J. van Rijsbergen, Information Retrieval, 2nd ed., 1979, chapter 7: F with beta
        = 2.
        """
        p, r = self.precision.value, self.recall.value
        return 5 * p * r / (4 * p + r) if p + r else 0.0


def score(
    detectors: Sequence[Detector], cases: Sequence[Case], *, entities: Iterable[str] | None = None
) -> tuple[EntityScore, ...]:
    """The scores of all ``detectors`` together, by entity, and last ``ALL``.

    Entities are those that are marked in ``cases`` or that are reported. With ``entities`` only
    these count, marked or reported: for texts in which not everything was marked.

    Raises:
        InputError: no case (code ``cases_empty``).
    """
    return score_spans(detected(detectors, cases), cases, entities=entities)


def detected(detectors: Sequence[Detector], cases: Sequence[Case]) -> list[list[Span]]:
    """What ``detectors`` report, for each case.

    As in ``sanitize``, they see the texts without invisible characters; what they report is where
    it stands in the text as it was given.
    """
    seen = [_visible(case.text) for case in cases]
    texts = [text for text, _ in seen]
    spans: list[list[Span]] = [[] for _ in cases]
    for detector in detectors:
        for each, more in zip(spans, detector.detect(texts), strict=True):
            each += more
    return [_at(each, places) for each, (_, places) in zip(spans, seen, strict=True)]


def _visible(text: str) -> tuple[str, list[int] | None]:
    """``text`` as detectors see it, and where each of its characters was; None if nowhere else."""
    visible, n_invisible = without_invisible(text)
    if not n_invisible:
        return visible, None
    places, place = [], -1
    for character in visible:
        place = text.index(character, place + 1)
        places.append(place)
    return visible, places


def _at(spans: list[Span], places: list[int] | None) -> list[Span]:
    if places is None:
        return spans
    return [Span(places[each.start], places[each.end - 1] + 1, each.entity) for each in spans]


def score_spans(
    predicted: Sequence[Sequence[Span]],
    cases: Sequence[Case],
    *,
    entities: Iterable[str] | None = None,
) -> tuple[EntityScore, ...]:
    """As ``score``, of spans that were found elsewhere: one list for each case.

    Raises:
        InputError: no case (code ``cases_empty``).
    """
    if not cases:
        raise _empty()
    only = None if entities is None else frozenset(entities)
    counts: Counter[tuple[str, str]] = Counter()
    for case, spans in zip(cases, predicted, strict=True):
        _count(
            counts,
            [span for span in case.spans if only is None or span.entity in only],
            [span for span in spans if only is None or span.entity in only],
            case.ignored,
        )
    names = sorted({entity for entity, _ in counts} - {ALL})
    return tuple(_entity_score(counts, name) for name in [*names, ALL])


def flagged(predicted: Sequence[Sequence[Span]], cases: Sequence[Case]) -> Rate:
    """The share of the clean cases in which anything but a sum of money is reported."""
    clean = [
        any(span.entity not in NOT_PERSONAL for span in spans)
        for case, spans in zip(cases, predicted, strict=True)
        if case.clean
    ]
    return Rate(sum(clean), len(clean))


def _count(
    counts: Counter[tuple[str, str]],
    true: Sequence[Span],
    predicted: Sequence[Span],
    ignored: Sequence[tuple[int, int]],
) -> None:
    """Add one text's counts."""
    anything = _union(predicted)
    of_each = {
        entity: _union(span for span in predicted if span.entity == entity)
        for entity in {span.entity for span in (*true, *predicted)}
    }
    for span in true:
        taken = _is_covered(span, anything)
        for entity, hit in ((span.entity, _is_covered(span, of_each[span.entity])), (ALL, taken)):
            counts[entity, "true"] += 1
            counts[entity, "found"] += hit
            counts[entity, "taken"] += taken
    topics = {span.entity for span in true if span.entity in TOPICS}
    right = [*true, *(span for span in predicted if span.entity in topics)]
    places = [(span.start, span.end) for span in right]
    of_each[ALL] = anything
    for entity, pieces in of_each.items():
        own = [(span.start, span.end) for span in right if entity in (span.entity, ALL)]
        for piece in pieces:
            personal = _meets(piece, places)
            if personal or not _meets(piece, ignored):
                counts[entity, "predicted"] += 1
                counts[entity, "correct"] += _meets(piece, own)
                counts[entity, "personal"] += personal


def _entity_score(counts: Counter[tuple[str, str]], entity: str) -> EntityScore:
    true, predicted = counts[entity, "true"], counts[entity, "predicted"]
    return EntityScore(
        entity,
        recall=Rate(counts[entity, "found"], true),
        precision=Rate(counts[entity, "correct"], predicted),
        taken=Rate(counts[entity, "taken"], true),
        personal=Rate(counts[entity, "personal"], predicted),
    )


def _union(spans: Iterable[Span]) -> list[tuple[int, int]]:
    """Disjoint ``(start, end)`` in order over all of ``spans``."""
    pieces: list[tuple[int, int]] = []
    for span in sorted(spans):
        if pieces and span.start <= pieces[-1][1]:
            pieces[-1] = (pieces[-1][0], max(pieces[-1][1], span.end))
        else:
            pieces.append((span.start, span.end))
    return pieces


def _is_covered(span: Span, pieces: Sequence[tuple[int, int]]) -> bool:
    covered = sum(max(0, min(end, span.end) - max(start, span.start)) for start, end in pieces)
    return covered >= _COVERED * (span.end - span.start)


def _meets(piece: tuple[int, int], others: Sequence[tuple[int, int]]) -> bool:
    return any(piece[0] < end and start < piece[1] for start, end in others)


def _empty() -> InputError:
    return InputError("0 cases", code="cases_empty", hint="expected at least one marked text")
