"""Records to CleanRecords: what detectors find is replaced, everything else stays as it was.

A replacement can bring together what was apart, so each text is looked at again until nothing is
found: sanitizing twice is sanitizing once. A text that never settles is withheld.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from typing import Final

from cipherset.core.values import CleanRecords, Records
from cipherset.pipeline.sanitize.invisible import without_invisible
from cipherset.pipeline.sanitize.rules import SanitizeRules
from cipherset.pipeline.sanitize.spans import Span, merged, placeholder, replaced

INVISIBLE: Final = "INVISIBLE"
WITHHELD: Final = "WITHHELD"
_ROUNDS: Final = 8  # ordinary texts settle in the second


def sanitize(records: Records, rules: SanitizeRules) -> CleanRecords:
    """``records`` with each finding replaced by its kind, as in ``[EMAIL]``.

    Columns travel along as they are: labels, groups and kept columns are not looked at.
    ``found`` counts replacements by kind, and ``INVISIBLE`` characters, which leave no trace.
    """
    texts = list(records.texts)
    found: Counter[str] = Counter()
    ours = _placeholders(rules)
    unsettled = list(range(len(texts)))
    for _ in range(_ROUNDS):
        before = [texts[index] for index in unsettled]
        after = _one_round(before, rules, ours, found)
        for index, text in zip(unsettled, after, strict=True):
            texts[index] = text
        pairs = zip(unsettled, before, after, strict=True)
        unsettled = [index for index, was, now in pairs if was != now]
        if not unsettled:
            break
    for index in unsettled:
        texts[index] = placeholder(WITHHELD)
        found[WITHHELD] += 1
    return CleanRecords(texts, records.columns, dict(found))


def _one_round(
    texts: Sequence[str], rules: SanitizeRules, ours: re.Pattern[str], found: Counter[str]
) -> list[str]:
    """Each text after one look by every detector; ``found`` is added to."""
    visible = []
    for text in texts:
        kept, n_invisible = without_invisible(text)
        visible.append(kept)
        if n_invisible:
            found[INVISIBLE] += n_invisible
    spans: list[list[Span]] = [[] for _ in visible]
    for detector in rules.detectors:
        for each, more in zip(spans, detector.detect(visible), strict=True):
            each += more
    cut = []
    for text, each in zip(visible, spans, strict=True):
        chosen = merged(_outside(text, each, ours)) if each else []
        found.update(span.entity for span in chosen)
        cut.append(replaced(text, chosen))
    return cut


def _outside(text: str, spans: Sequence[Span], ours: re.Pattern[str]) -> list[Span]:
    """The spans that do not lie within a placeholder."""
    taken = [match.span() for match in ours.finditer(text)]
    starts = [start for start, _ in taken]
    outside = []
    for span in spans:
        last = bisect_right(starts, span.start) - 1
        if last < 0 or span.end > taken[last][1]:
            outside.append(span)
    return outside


def _placeholders(rules: SanitizeRules) -> re.Pattern[str]:
    """What the placeholders of ``rules`` look like, in a text that was cut before."""
    entities = {WITHHELD}.union(*(detector.entities for detector in rules.detectors))
    return re.compile("|".join(re.escape(placeholder(entity)) for entity in sorted(entities)))
