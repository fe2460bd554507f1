"""Detector of dates of birth: dates that words beside them call so."""

import re
from collections.abc import Iterator
from typing import Final

from cipherset.pipeline.sanitize.detectors.structured.reading.cues import cue_after
from cipherset.pipeline.sanitize.detectors.structured.reading.text import Reading, TextDetector
from cipherset.pipeline.sanitize.spans import Span

_MONTHS: Final = (
    "jan(?:uary|uar|vier|uari|eiro|\\.)?|gennaio|enero|feb(?:ruary|ruar|rero|braio|ruari|\\.)?"
    "|f\u00e9vr?(?:ier|\\.)?|fev(?:ereiro|\\.)?|mar(?:ch|s|zo|\u00e7o|\\.)?|m\u00e4rz|m\u00e4r|maart|mrt|apr(?:il|ile|\\.)?"
    "|avr(?:il|\\.)?|abr(?:il|\\.)?|may|mai|mayo|maggio|maio|mei|jun(?:e|i|io|ho|\\.)?|juin|giugno"
    "|jul(?:y|i|io|ho|\\.)?|juil(?:let|\\.)?|luglio|aug(?:ust|ustus|\\.)?|ao\u00fbt|agosto|ago"
    "|sep(?:tember|tembre|tiembre|t|\\.)?|set(?:tembre|embro|\\.)?|oct(?:ober|obre|ubre|\\.)?"
    "|okt(?:ober|\\.)?|ottobre|out(?:ubro|\\.)?|nov(?:ember|embre|iembre|embro|\\.)?"
    "|de[cz](?:ember|embre|iembre|embro|\\.)?|d\u00e9c(?:embre|\\.)?|dic(?:iembre|embre|\\.)?"
)
_YEAR: Final = "(?:1[89]|20)[0-9]{2}"
_SHORT: Final = f"(?:{_YEAR}|'?[0-9]{{2}})"
DATE: Final = re.compile(
    rf"[0-9](?<![0-9][0-9])(?<![0-9][-/.][0-9])(?:"
    rf"(?<=(?={_YEAR}).)[0-9]{{3}}\s?[-/.\u5e74]\s?[0-9]{{1,2}}\s?[-/.\u6708]\s?[0-9]{{1,2}}"
    rf"(?:\u65e5|T[0-9:.]{{4,12}}Z?)?"
    rf"|(?<=(?={_YEAR}[01][0-9][0-3][0-9](?![0-9])).)[0-9]{{7}}"
    rf"|[0-9]?\s?[-/.]\s?[0-9]{{1,2}}\s?[-/.]\s?{_SHORT}"
    rf"|[0-9]?(?:st|nd|rd|th|er|\u00ba|\u00aa|\.)?\s?-?(?:of\s|de\s|d')?(?:{_MONTHS})[\s,.-]{{0,2}}(?:de[l]?\s|of\s)?{_SHORT}"
    rf")(?![0-9])",
    re.IGNORECASE,
)
_DAY_AND_YEAR: Final = re.compile(
    rf"[0-9](?<![0-9][0-9])[0-9]?(?:st|nd|rd|th)?[,\s]{{1,2}}{_SHORT}(?![0-9])", re.IGNORECASE
)
_MONTH_BEFORE: Final = re.compile(rf"(?<![^\W_])(?:{_MONTHS})[\s-]?\Z", re.IGNORECASE)
_MONTH_LONGEST: Final = 12


_BORN: Final = re.compile(r"\bborn (?:in|at) [^.;!?\n]{1,40} on (?:the )?\Z")  # in a place
# A part of every word that may call a date so; what speaks of nobody's birth is done with.
_HINTS: Final = (
    *("born", "birth", "dob", "d.o.b", "d o b", "bday", "b-day", "geb", "naiss", "n\u00e9", "nac"),
    *("nasc", "nat", "annivers", "anivers", "complean", "verjaardag", "cumple"),
)
_BORN_REACH: Final = 60


class BirthDateDetector(TextDetector):
    """``DATE_OF_BIRTH``: a date after "born", "DOB", "Geburtsdatum" and the like."""

    name = "birth dates"
    version = "1"
    entities = frozenset({"DATE_OF_BIRTH"})
    n_digits = 3

    def spans(self, reading: Reading) -> Iterator[Span]:
        if not any(hint in reading.small for hint in _HINTS):
            return
        for start, end in _dates(reading.text):
            cue = reading.cue_before(start) or cue_after(reading.text, end)
            near = reading.small[max(0, start - _BORN_REACH) : start]
            if (cue is not None and cue.entity == "DATE_OF_BIRTH") or _BORN.search(near):
                yield Span(start, end, "DATE_OF_BIRTH")


def _dates(text: str) -> Iterator[tuple[int, int]]:
    for match in DATE.finditer(text):
        yield match.span()
    for match in _DAY_AND_YEAR.finditer(text):
        low = max(0, match.start() - _MONTH_LONGEST)
        month = _MONTH_BEFORE.search(text[low : match.start()])
        if month is not None:
            yield low + month.start(), match.end()
