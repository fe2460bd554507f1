"""Detector of phone numbers."""

import re
import sys
from collections.abc import Iterable, Iterator
from typing import Final

import phonenumbers
from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    NumberParseException,
    PhoneMetadata,
    PhoneNumberMatcher,
)

from cipherset.pipeline.sanitize.detectors.structured.reading.cues import cue_after
from cipherset.pipeline.sanitize.detectors.structured.reading.text import (
    Reading,
    TextDetector,
    has_any,
)
from cipherset.pipeline.sanitize.spans import Span

_EXTENSION: Final = r"(?:\s?(?:;ext=|,?\s?ext(?:ension)?\.?|x|#)\s?[0-9]{1,7}(?![0-9]))?"
# What could be a number: the library's matcher is slow, so it sees nothing else.
_RUN: Final = re.compile(
    r"[0-9](?<![0-9][0-9])[0-9 \t+()\[\]./~\u2014\u2015-]{4,}[0-9]" + _EXTENSION
)
_DIGITS: Final = range(7, 16)  # ITU-T E.164: fifteen at most
_BEFORE: Final = re.compile(r"(?:\+\s?\(?|\(\+?)\Z")
_LEAD: Final = 3  # a plus, a bracket, and the neighbor that the matcher looks at
# As North America writes them, given out or not: 555 numbers are not.
_NORTH_AMERICAN: Final = re.compile(
    r"(?:\+?1[-. ]?|(?<![0-9])(?<![0-9][-./]))(?:\([0-9]{3}\)[-. ]?|(?<![0-9])[0-9]{3}[-. ])"
    r"[0-9]{3}[-. ][0-9]{4}(?![0-9]|[-./][0-9])" + _EXTENSION
)
_INTERNATIONAL: Final = re.compile(
    r"(?:\+\s?|(?<![0-9])00)\(?([1-9][0-9]{0,2})(?:[-. /]{0,2}\(?[0-9]++\)?){1,7}" + _EXTENSION
)
_ANY: Final = re.compile(r"(?:\+|\(\+?)?[0-9](?:[-. /()]{0,3}[0-9]){6,14}(?![0-9])" + _EXTENSION)
_NOT_PHONE: Final = re.compile(
    r"(?:[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{4})(?![0-9])"
    r"|[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}\Z"
    r"|[012][0-9][0-5][0-9] ?- ?[012][0-9][0-5][0-9]\Z"  # hours
    r"|[0-9]{4}-[0-9]{4}\Z"  # ISSN, years
    r"|[0-9]{3}-[0-9]{2}-[0-9]{4}(?![0-9])|[0-9]{5}-[0-9]{4}\Z"
    r"|[0-9]{1,3}(?:\.[0-9]{1,3}){3}\Z|[0-9]{1,15}\.[0-9]{1,15}\Z"
)
# Where a number at home begins with a nought. Without one, or with no gap, it takes a word.
_GLUED: Final = re.compile(r"[A-Za-z0-9_][-_]?\Z")  # a part of something longer
_TRUNK: Final = re.compile(r"\(?0[1-9][0-9]{0,4}\)?[-. /]")
_TRUNK_REGIONS: Final = ("GB", "DE", "FR", "IT", "AU", "NL", "BE", "CH", "AT", "IN", "JP", "ZA")


class PhoneDetector(TextDetector):
    """``PHONE``: what is a number in its country, or in ``region`` without a prefix.

    Also what is written as one, and what words call one, given out or not. Not what words call
    something else.
    """

    name = "phone"
    version = "3"
    entities = frozenset({"PHONE"})
    n_digits = 7

    def __init__(self, region: str) -> None:
        """``region``: two capital letters, ISO 3166."""
        self._region = region
        metadata = PhoneMetadata.metadata_for_region(region)
        described = metadata.general_desc if metadata is not None else None
        lengths = described.possible_length if described is not None else ()
        self._least = min(lengths, default=_DIGITS.start)

    def spans(self, reading: Reading) -> Iterator[Span]:
        for run in _RUN.finditer(reading.text):
            if _n_digits(run.group()) >= _DIGITS.start:
                for start, end in self._in_run(reading, run.start(), run.end()):
                    yield Span(start, end, "PHONE")

    def _in_run(self, reading: Reading, start: int, end: int) -> Iterable[tuple[int, int]]:
        text = reading.text
        before = _BEFORE.search(text[max(0, start - _LEAD) : start])
        begin = start - (len(before.group()) if before else 0)
        cue = reading.cue_before(begin) or cue_after(text, end)
        if cue is not None and cue.entity != "PHONE" and cue.strong:
            return ()
        called = cue is not None and cue.entity == "PHONE"
        bare = before is None and text[start:end].isdecimal()
        plain = before is None
        if not called and (
            _GLUED.search(text[max(0, begin - 2) : begin])
            or (bare and cue)
            or (plain and _NOT_PHONE.match(text, start, end))
            or (bare and _is_count(text, start, end))
        ):
            return ()
        found = [*_as_written(text, begin, end)]
        enough = before is not None or _n_digits(text[start:end]) >= self._least
        if enough and sum(b - a for a, b in found) < end - begin:
            found += self._valid(text, start, end)
        if not found and called:
            found = [match.span() for match in _ANY.finditer(text, begin, end)]
        if not found and _TRUNK.match(text, begin, end):
            found = [*_domestic(text, begin, end, _TRUNK_REGIONS)]
        if not found and before is None:
            found = [*_domestic(text, begin, end, _spoken_near(reading, start, end))]
        return found

    def _valid(self, text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
        low = max(0, start - _LEAD)
        # By default it gives up after 65,535 tries: what hides behind that many would pass.
        near = text[low : end + 1]
        for match in PhoneNumberMatcher(near, self._region, max_tries=sys.maxsize):
            yield low + match.start, low + match.end


def _as_written(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for match in _NORTH_AMERICAN.finditer(text, start, end):
        yield match.span()
    for match in _INTERNATIONAL.finditer(text, start, end):
        code = match.group(1)
        known = any(int(code[:n]) in COUNTRY_CODE_TO_REGION_CODE for n in range(1, len(code) + 1))
        if known and _n_digits(match.group()) in _DIGITS:
            yield match.span()


# A number that is so long, and no phone by its looks, counts what stands after it or before it.
_COUNTED: Final = re.compile(r"\s(?!(?:is|was|has|thanks|hours|always|this|us)\b)[a-z]{3,20}s\b")
_COUNT: Final = re.compile(
    r"\b(?:count|counts|counted|total|totals|sum|lot|batch|of|over|about|exactly|than"
    r"|offset|bytes|size"
    r"|seq|sequence|epoch|timestamp|version|rev|build|value|returned|processed|imported|exported"
    r"|row|rows|line"
    r"|part|item|model|sku|stock|hash|seed|index|score)\W{1,3}\Z",
    re.IGNORECASE,
)
_COUNT_REACH: Final = 14


def _is_count(text: str, start: int, end: int) -> bool:
    near = text[max(0, start - _COUNT_REACH) : start]
    return _COUNTED.match(text, end) is not None or _COUNT.search(near) is not None


# Numbers at home without a nought: how they are grouped, and two words of their language nearby.
_GROUPED: Final = {
    "ES": r"[679][0-9]{2}[ .-][0-9]{3}[ .-][0-9]{3}|[679][0-9]{2}(?:[ .-][0-9]{2}){3}",
    "DK": r"[2-9][0-9](?:[ .-][0-9]{2}){3}|[2-9][0-9]{3}[ .-][0-9]{4}",
    "NO": r"[49][0-9]{2}[ .-][0-9]{2}[ .-][0-9]{3}|[2-9][0-9](?:[ .-][0-9]{2}){3}",
    "PT": r"9[0-9]{2}[ .-][0-9]{3}[ .-][0-9]{3}",
    "PL": r"[5-8][0-9]{2}[ .-][0-9]{3}[ .-][0-9]{3}",
    "IT": r"3[0-9]{2}[ .-][0-9]{3}[ .-]?[0-9]{4}|3[0-9]{2}[ .-][0-9]{7}",
    "CZ": r"[67][0-9]{2}[ .-][0-9]{3}[ .-][0-9]{3}",
}
_FORMS: Final = {region: re.compile(form) for region, form in _GROUPED.items()}
_BARE: Final = {
    "ES": re.compile("[67][0-9]{8}"),
    "DK": re.compile("[2-9][0-9]{7}"),
    "NO": re.compile("[49][0-9]{7}"),
    "PT": re.compile("9[0-9]{8}"),
    "PL": re.compile("[5-8][0-9]{8}"),
    "IT": re.compile("3[0-9]{9}"),
}
# A part of a word that speaks of calls.
_CALLS: Final = (
    *(
        "telef",
        "tel\u00e9f",
        "ll\u00e1m",
        "llam",
        "m\u00f3vil",
        "movil",
        "whats",
        "wasap",
        "tlf",
        "mobil",
        "ring ",
    ),
    *(
        "nummer",
        "n\u00famero",
        "numero",
        "numer ",
        "sms",
        "zadzwo",
        "ligar",
        "ligue",
        "cell",
        "chiam",
        "contact",
    ),
)
_SPOKEN: Final = {
    "ES": "el la los las mi mis es soy por para con que una lo su al del en y o me llamo",
    "DK": "jeg er og det mig til p\u00e5 min mit ikke kan har du vi eller med en et af for efter",
    "NO": "jeg er og det meg til p\u00e5 min mitt ikke kan har du vi eller med en et av for etter",
    "PT": "o os as um uma meu minha para com n\u00e3o \u00e9 do da no na em e ou que por sou",
    "PL": "m\u00f3j moja na jest nie mnie pod do w z i lub prosz\u0119 si\u0119 o po za",
    "IT": "il lo la mio mia per con non \u00e8 di al sono che un una e o mi ho questo",
    "CZ": "m\u016fj moje na je a nebo se pro mi do v z pros\u00edm \u010d\u00edslo",
}
_SPOKEN_WORDS: Final = {region: frozenset(said.split()) for region, said in _SPOKEN.items()}
_SPOKEN_REACH: Final = 80
_SPOKEN_LEAST: Final = 3


def _spoken_near(reading: Reading, start: int, end: int) -> tuple[str, ...]:
    """The regions whose language is spoken around ``start``, if a number is written so there."""
    text = reading.text
    low = max(0, start - _SPOKEN_REACH)
    bare = text[start:end].isdecimal()
    if bare and not has_any(reading.small[low : end + _SPOKEN_REACH], _CALLS):
        return ()
    forms = _BARE if bare else _FORMS
    regions = [region for region, form in forms.items() if form.fullmatch(text, start, end)]
    if not regions or _COUNTED_ABROAD.match(text, end):
        return ()
    words = reading.small[low : end + _SPOKEN_REACH].split()
    return tuple(
        region
        for region in regions
        if sum(word in _SPOKEN_WORDS[region] for word in words) >= _SPOKEN_LEAST
    )


_COUNTED_ABROAD: Final = re.compile(
    r"\s?(?:[$\u20ac%]|(?:de )?[^\W\d_]{3,20}(?:s|er|i|ow|\u00f3w)\b)"
)


def _domestic(text: str, start: int, end: int, regions: Iterable[str]) -> Iterator[tuple[int, int]]:
    """A number that is valid at home in one of ``regions``."""
    match = _ANY.match(text, start, end)
    if match is None:
        return
    for region in regions:
        try:
            number = phonenumbers.parse(match.group(), region)
        except NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            yield match.span()
            return


def _n_digits(text: str) -> int:
    return sum(map(str.isdecimal, text))
