"""Detector of dates of birth: dates that words beside them call so."""

import re
from collections.abc import Iterator
from typing import Final

from cipherset.pipeline.sanitize.detectors.structured.reading.cues import cue_after
from cipherset.pipeline.sanitize.detectors.structured.reading.text import (
    Reading,
    TextDetector,
    has_any,
)
from cipherset.pipeline.sanitize.spans import Span

_MONTHS: Final = (
    "jan(?:uary|uar|vier|uari|eiro|\\.)?|gennaio|enero|feb(?:ruary|ruar|rero|braio|ruari|\\.)?"
    "|f\u00e9vr?(?:ier|\\.)?|fev(?:ereiro|\\.)?|mar(?:ch|s|zo|\u00e7o|\\.)?|m\u00e4rz|m\u00e4r|maart|mrt|apr(?:il|ile|\\.)?"
    "|avr(?:il|\\.)?|abr(?:il|\\.)?|may|mai|mayo|maggio|maio|mei|jun(?:e|i|io|ho|\\.)?|juin|giugno"
    "|jul(?:y|i|io|ho|\\.)?|juil(?:let|\\.)?|luglio|aug(?:ust|ustus|\\.)?|ao\u00fbt|agosto|ago"
    "|sep(?:tember|tembre|tiembre|t|\\.)?|set(?:tembre|embro|\\.)?|oct(?:ober|obre|ubre|\\.)?"
    "|okt(?:ober|\\.)?|ottobre|out(?:ubro|\\.)?|nov(?:ember|embre|iembre|embro|\\.)?"
    "|de[czs](?:ember|embre|iembre|embro|\\.)?|d\u00e9c(?:embre|\\.)?|dic(?:iembre|embre|\\.)?"
    "|januar[iy]?|februar[iy]?|mars|marts|maj|juni|juli|augusti|stycznia|lutego|marca|kwietnia|maja"
    "|czerwca|lipca|sierpnia|wrze\u015bnia|pa\u017adziernika|listopada|grudnia"
    "|\u044f\u043d\u0432\u0430\u0440\u044f|\u0444\u0435\u0432\u0440\u0430\u043b\u044f|\u043c\u0430\u0440\u0442\u0430|\u0430\u043f\u0440\u0435\u043b\u044f|\u043c\u0430\u044f|\u0438\u044e\u043d\u044f|\u0438\u044e\u043b\u044f|\u0430\u0432\u0433\u0443\u0441\u0442\u0430"
    "|\u0441\u0435\u043d\u0442\u044f\u0431\u0440\u044f|\u043e\u043a\u0442\u044f\u0431\u0440\u044f|\u043d\u043e\u044f\u0431\u0440\u044f|\u0434\u0435\u043a\u0430\u0431\u0440\u044f"
    "|ocak|\u015fubat|nisan|may\u0131s|haziran|temmuz|a\u011fustos|eyl\u00fcl|ekim|kas\u0131m|aral\u0131k"
)
_YEAR: Final = "(?:1[89]|20)[0-9]{2}"
_SHORT: Final = f"(?:{_YEAR}|'?[0-9]{{2}})"
DATE: Final = re.compile(
    rf"[0-9](?<![0-9][0-9])(?<![0-9][-/.][0-9])(?:"
    rf"(?<=(?={_YEAR}).)[0-9]{{3}}\s?[-/.\u5e74\ub144]\s?[0-9]{{1,2}}\s?[-/.\u6708\uc6d4]\s?[0-9]{{1,2}}"
    rf"(?:\u65e5|\uc77c|T[0-9:.]{{4,12}}Z?)?"
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
    *("nasc", "nat", "annivers", "anivers", "complean", "verjaardag", "cumple", "urod", "ur."),
    *(
        "f\u00f8d",
        "f\u00f6d",
        "fodsel",
        "syn",
        "narozen",
        "sz\u00fclet",
        "do\u011fum",
        "dogum",
        "n\u0103sc",
        "ro\u0111en",
        "rojen",
    ),
)
_HINTS_BEYOND: Final = (  # scripts that ordinary letters tell of
    *(
        "\u751f",
        "\uc0dd",
        "\u0440\u043e\u0436\u0434",
        "\u0440\u043e\u0434",
        "\u0440\u0430\u0436\u0434",
        "\u043d\u0430\u0440\u043e\u0434",
        "\u03b3\u03b5\u03bd\u03bd",
        "\u05dc\u05d9\u05d3",
        "\u05e0\u05d5\u05dc",
        "\u0645\u064a\u0644\u0627\u062f",
    ),
)
_BORN_AFTER: Final = (
    "\u751f",
    "\u51fa\u751f",
    "\u306b\u751f\u307e\u308c",
    "\uc0dd",
)  # "1975-03-08 \u751f\u307e\u308c"
_BORN_REACH: Final = 60
# Where words have no blanks between them.
_BORN_UNSPACED: Final = re.compile(
    "\u751f\u5e74\u6708\u65e5|\u8a95\u751f\u65e5|\u51fa\u751f\u65e5\u671f|\uc0dd\ub144\uc6d4\uc77c"
)


class BirthDateDetector(TextDetector):
    """``DATE_OF_BIRTH``: a date after "born", "DOB", "Geburtsdatum" and the like."""

    name = "birth dates"
    version = "2"
    entities = frozenset({"DATE_OF_BIRTH"})
    n_digits = 3

    def likely(self, reading: Reading) -> bool:
        small = reading.small
        return has_any(small, _HINTS) or (not small.isascii() and has_any(small, _HINTS_BEYOND))

    def spans(self, reading: Reading) -> Iterator[Span]:
        small = reading.small
        for start, end in _dates(reading.text):
            cue = reading.cue_before(start) or cue_after(reading.text, end)
            near = small[max(0, start - _BORN_REACH) : start]
            said = cue is not None and cue.entity == "DATE_OF_BIRTH"
            said = said or (not near.isascii() and _BORN_UNSPACED.search(near) is not None)
            if said or _BORN.search(near) or small[end : end + 3].lstrip().startswith(_BORN_AFTER):
                yield Span(start, end, "DATE_OF_BIRTH")


def _dates(text: str) -> Iterator[tuple[int, int]]:
    for match in DATE.finditer(text):
        yield match.span()
    for match in _DAY_AND_YEAR.finditer(text):
        low = max(0, match.start() - _MONTH_LONGEST)
        month = _MONTH_BEFORE.search(text[low : match.start()])
        if month is not None:
            yield low + month.start(), match.end()
