"""Records to CleanRecords: what detectors find is treated, everything else stays as it was.

A replacement can bring together what was apart, so each text is looked at again until nothing is
found: sanitizing twice is sanitizing once. A text that never settles is withheld, and so is one
at which a detector threw.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from cipherset.core.text.invisible import without_invisible
from cipherset.core.text.look import LONGEST, Fault, Look, Looked, look
from cipherset.core.values import CleanRecords, Records
from cipherset.pipeline.sanitize.rules import SanitizeRules
from cipherset.pipeline.sanitize.spans import Span, placeholder

INVISIBLE: Final = "INVISIBLE"
WITHHELD: Final = "WITHHELD"
TRUNCATED: Final = "TRUNCATED"
UNSETTLED: Final = "unsettled"
_ROUNDS: Final = 8  # ordinary texts settle in the second


@dataclass(frozen=True, slots=True)
class CleanTexts:
    """Texts without what must not leave; those in ``withheld`` are placeholders, and why.

    ``counts`` says by text what was treated in it, by kind.
    """

    texts: list[str] = field(repr=False)
    counts: dict[int, Counter[str]]
    withheld: dict[int, Fault]

    @property
    def found(self) -> Counter[str]:
        """What was treated in all of them."""
        return sum(self.counts.values(), Counter[str]())


def sanitize(records: Records, rules: SanitizeRules) -> CleanRecords:
    """``records`` with each finding treated: with the default rules, ``[EMAIL]`` in its place.

    Columns travel along as they are: labels, groups and kept columns are not looked at.
    ``found`` counts findings by kind, and ``INVISIBLE`` characters, which leave no trace. What a
    text has beyond its first ``LONGEST`` characters, where no encoder reads, is cut off: such texts
    are counted as ``TRUNCATED``.
    """
    texts = [text[:LONGEST] for text in records.texts]
    clean = sanitize_texts(texts, rules)
    found = dict(clean.found)
    n_cut = sum(len(text) > LONGEST for text in records.texts)
    return CleanRecords(clean.texts, records.columns, found | ({TRUNCATED: n_cut} if n_cut else {}))


def sanitize_texts(
    texts: Sequence[str], rules: SanitizeRules, looking: Look | None = None
) -> CleanTexts:
    """The same for texts alone; ``looking`` says what is found, if not the detectors here."""
    state = _Texts(list(texts), rules, looking or partial(look, rules.detectors))
    unsettled = list(range(len(texts)))
    for _ in range(_ROUNDS):
        unsettled = state.one_round(unsettled)
        if not unsettled:
            break
    for index in unsettled:
        state.withhold(index, Fault("", UNSETTLED))
    return state.clean()


class _Texts:
    """Texts on their way; findings are counted by text, as a text may still be withheld."""

    def __init__(self, texts: list[str], rules: SanitizeRules, looking: Look) -> None:
        self._texts = texts
        self._rules = rules
        self._looking = looking
        self._ours = _forms(rules)
        self._found: dict[int, Counter[str]] = {}
        self._withheld: dict[int, Fault] = {}

    def one_round(self, indices: Sequence[int]) -> list[int]:
        """Look at the texts at ``indices`` once; those that changed are to be looked at again."""
        visible = [self._visible(index) for index in indices]
        looked = self._looking(visible)
        changed = []
        for position, index in enumerate(indices):
            if position in looked.faults:
                self.withhold(index, looked.faults[position])
            elif self._treat(index, visible[position], looked, position):
                changed.append(index)
        return changed

    def withhold(self, index: int, fault: Fault) -> None:
        """Put a placeholder in the place of a whole text."""
        self._texts[index] = placeholder(WITHHELD)
        self._found[index] = Counter({WITHHELD: 1})
        self._withheld[index] = fault

    def clean(self) -> CleanTexts:
        """What has become of them."""
        return CleanTexts(self._texts, self._found, self._withheld)

    def _visible(self, index: int) -> str:
        text, n_invisible = without_invisible(self._texts[index])
        if n_invisible:
            self._count(index, [INVISIBLE] * n_invisible)
        return text

    def _treat(self, index: int, text: str, looked: Looked, position: int) -> bool:
        spans = looked.spans[position]
        treating = self._rules.treating
        if spans:
            chosen = treating.chosen(_outside(text, spans, self._ours))
            text, changed = treating.replaced(text, chosen)
            self._count(index, [span.entity for span in changed])
        was, self._texts[index] = self._texts[index], text
        return was != text

    def _count(self, index: int, kinds: list[str]) -> None:
        if kinds:
            self._found.setdefault(index, Counter()).update(kinds)


def _outside(text: str, spans: Sequence[Span], ours: re.Pattern[str]) -> list[Span]:
    """The spans that do not lie within what was put there by a treatment."""
    taken = [match.span() for match in ours.finditer(text)]
    starts = [start for start, _ in taken]
    outside = []
    for span in spans:
        last = bisect_right(starts, span.start) - 1
        if last < 0 or span.end > taken[last][1]:
            outside.append(span)
    return outside


def _forms(rules: SanitizeRules) -> re.Pattern[str]:
    """What treatments by ``rules`` leave looks like, in a text that was treated before."""
    entities = {WITHHELD}.union(*(detector.entities for detector in rules.detectors))
    return rules.treating.forms(entities)
