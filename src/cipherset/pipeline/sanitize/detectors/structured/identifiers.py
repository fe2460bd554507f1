"""Detector of identifiers: by their form, and by the words beside them that name them.

Words win over forms: "order no. 123-45-6789" is an order. What the words may name is held to a
shape (``_FITS``), so that "account for 12 days" names nothing.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from stdnum import luhn

from cipherset.pipeline.sanitize.detectors.structured import nations
from cipherset.pipeline.sanitize.detectors.structured.reading.cues import Cue, cue_after, cue_in
from cipherset.pipeline.sanitize.detectors.structured.reading.phrases import NOBODY
from cipherset.pipeline.sanitize.detectors.structured.reading.runs import Piece, leads, runs
from cipherset.pipeline.sanitize.detectors.structured.reading.text import (
    Reading,
    TextDetector,
    has_any,
)
from cipherset.pipeline.sanitize.spans import Span


@dataclass(frozen=True, slots=True)
class _Fit:
    """What a value must be that words call so: digits if the words are strong, and if weak."""

    digits: int
    digits_weak: int
    longest: int
    pieces: int
    letters: bool = True


_FITS: Final = {
    "NATIONAL_ID": _Fit(5, 6, 24, 7),
    "TAX_ID": _Fit(6, 7, 24, 5),
    "PASSPORT": _Fit(5, 6, 14, 3),
    "DRIVER_LICENSE": _Fit(3, 5, 24, 5),
    "MEDICAL_RECORD": _Fit(4, 6, 24, 4),
    "BANK_ACCOUNT": _Fit(5, 7, 26, 6),
    "IBAN": _Fit(10, 10, 42, 9),
    "CARD": _Fit(12, 13, 24, 5, letters=False),
    "VEHICLE": _Fit(1, 2, 17, 3),
    "REFERENCE_ID": _Fit(3, 5, 40, 4),
    "POSTAL_CODE": _Fit(4, 4, 10, 2),
}
FITTING: Final = frozenset(_FITS)
_MIXED_DIGITS: Final = 3  # enough after weak words if capitals stand among them
_DATE: Final = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:T[\d.]*Z?)?|(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})"
)
_OF_TIME: Final = re.compile(
    r"(?:19|20)\d\d(?:[-/](?:19|20)?\d\d)?|\d{1,12}(?:st|nd|rd|th|am|pm|k|m|h|hrs?|min|s|px|gb"
    r"|mb|kg|km|x)",
    re.IGNORECASE,
)
_AMOUNT: Final = re.compile(r"\d{1,3}(?:[.,]\d{3}){0,4}[.,]\d{1,2}|\d{1,12}\.\d{1,12}")
_UNIT: Final = re.compile(
    r"\s?(?:%|[$\u20ac\u00a3\u00a5]|(?:percent|days?|weeks?|months?|years?|yrs?|hours?|hrs?"
    r"|minutes?|mins?"
    r"|seconds?|secs?|times|people|persons|users|customers|items|units|pieces|points|miles|km|kg"
    r"|lbs"
    r"|[kKmMgG][bB]|USD|EUR|GBP|CHF|INR|JPY|dollars?|euros?|pounds?|rupees|bucks|tage|wochen"
    r"|jahre)\b)"
)
_MONEY: Final = re.compile(r"[$\u20ac\u00a3\u00a5\u20b9]\s?\Z|\b(?:USD|EUR|GBP|Rs\.?)\s?\Z")
_PHONE: Final = re.compile(r"(?:1[-. ])?\d{3}[-. ]\d{3}[-. ]\d{4}")
_POSTAL: Final = re.compile(
    r"\d{5}(?:-\d{4})?|\d{4}(?: ?[A-Z]{2})?|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z]"
    r" ?\d[A-Z]\d"
    r"|\d{5}-\d{3}|\d{6}|\d{2}-\d{3}|\d{4}-\d{3}|\d{3}[ -]\d{2,4}"
)
_PREFIX: Final = re.compile(r"([A-Za-z][A-Za-z_]{1,20}?)[-_]?(?=[0-9])")
_HKID: Final = re.compile(r"(?<![A-Za-z0-9])[A-Z]{1,2}[0-9]{6}\([0-9A]\)")


class IdentifierDetector(TextDetector):
    """Numbers that stand for a person, an account, a vehicle or a case."""

    name = "identifiers"
    version = "3"
    entities = FITTING

    def spans(self, reading: Reading) -> Iterator[Span]:
        text = reading.text
        if _CAPITALS.search(text):
            yield from _of_letters(text)
        if reading.n_digits < _PLATE_DIGITS:
            return
        short = has_any(reading.small, _SHORT)
        for pieces in runs(text, 1 if short else 3):
            yield from _in_run(reading, pieces)
        if reading.n_digits >= _LONG_DIGITS:
            yield from _of_digits(text)


def _of_digits(text: str) -> Iterator[Span]:
    for match in _DOCKET.finditer(text):
        yield Span(match.start(), match.end(), "REFERENCE_ID")
    if _LICENSE_HEAD.search(text):
        for match in _GB_LICENSE.finditer(text):
            yield Span(match.start(), match.end(), "DRIVER_LICENSE")
    if "(" in text:
        for match in _HKID.finditer(text):
            yield Span(match.start(), match.end(), "NATIONAL_ID")


def _in_run(reading: Reading, pieces: list[Piece]) -> Iterator[Span]:
    at = 0
    while at < len(pieces):
        span, taken = _first(reading, pieces, at)
        if span is not None:
            yield span
        at += taken


_SHORT: Final = (
    *(
        "plate",
        "post",
        "zip",
        "kennz",
        "immatr",
        "matricul",
        "matr\u00edc",
        "targa",
        "placa",
        "kentek",
    ),
    *("vehicle", "reg"),
)


# Great Britain's: five letters of a surname, the date of birth, initials. Source: DVLA INF45.
_LICENSE_HEAD: Final = re.compile("[A-Z][A-Z9]{4} ?[0-9]{6}")
_GB_LICENSE: Final = re.compile(
    r"[A-Z](?<![A-Za-z0-9].)[A-Z9]{4} ?[0-9][0156][0-9][0-3][0-9]{2} ?[A-Z][A-Z9][A-Z0-9] ?[A-Z]{2}"
    r"(?: ?[0-9]{2})?(?![A-Za-z0-9])"
)
_LONG_DIGITS: Final = 4
_PLATE_DIGITS: Final = 2
_CAPITALS: Final = re.compile("[A-Z][A-Z0-9]{5}")
# These may have no digit at all.
_BIC: Final = re.compile(
    r"(?i:\b(?:swift|bic)(?:[ /-]{0,3}(?:bic|code))?(?: is)?)\W{1,4}"
    r"([A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?)(?![A-Za-z0-9])"
)
_LOCATOR: Final = re.compile(
    r"(?i:\b(?:pnr|record locator|(?:booking|confirmation|reservation)"
    r"(?: (?:reference|ref|code|number|no|id)\b| ?#| (?=[A-Z]{0,5}[0-9])))(?: is)?)\W{0,4}"
    r"(?<![A-Za-z0-9])([A-Z0-9]{6})(?![A-Za-z0-9])"
)


def _of_letters(text: str) -> Iterator[Span]:
    for pattern, entity in ((_BIC, "BANK_ACCOUNT"), (_LOCATOR, "REFERENCE_ID")):
        for match in pattern.finditer(text):
            yield Span(match.start(1), match.end(1), entity)


_DOCKET: Final = re.compile(
    r"[0-9](?<![\w:.-].)(?:[0-9]?:[0-9]{2}-[a-z]{2,4}-[0-9]{3,6}(?:-[A-Z]{2,3}){0,2}"
    r"|[0-9]{0,2} [A-Z][A-Za-z]{0,3} [0-9]{1,5}/[0-9]{2})(?!\w)"
)


def _first(reading: Reading, pieces: list[Piece], at: int) -> tuple[Span | None, int]:
    """What begins at piece ``at``, and how many pieces it takes; None takes one."""
    text = reading.text
    start, end = pieces[at]
    capital = text[start - 2 : start - 1].isupper()
    starts = (start, *leads(text, start)) if capital else (start,)
    begin, cue = _named(reading, starts, end)
    if cue is not None and (cue.entity == "PHONE" or (cue.entity == NOBODY and cue.strong)):
        return None, 1
    fit = _FITS.get(cue.entity) if cue is not None else None
    for n_pieces in range(min(len(pieces) - at, _WIDEST), 0, -1):
        end = pieces[at + n_pieces - 1][1]
        if cue is not None and fit is not None:
            if n_pieces <= fit.pieces and fits(text, begin, end, cue):
                return Span(begin, end, _rather(text[begin:end], cue.entity)), n_pieces
            if cue.strong:
                continue
        for first in starts:
            entity = _formed(text, first, end)
            if entity is not None:
                return Span(first, end, entity), n_pieces
    return _named_after(text, *pieces[at]), 1


def _rather(value: str, entity: str) -> str:
    """``entity``, but what India's tax and the card industry both call a PAN by its form."""
    if entity == "CARD" and _PAN.fullmatch(value):
        return "TAX_ID"
    digits = re.sub("[ -]", "", value)
    card = entity == "TAX_ID" and digits.isdecimal() and len(digits) in _CARD_DIGITS
    return "CARD" if card and luhn.is_valid(digits) else entity


_CARD_DIGITS: Final = range(15, 20)


_PAN: Final = re.compile(r"[A-Z]{5}[0-9]{4}[A-Z]")
_WIDEST: Final = 7  # pieces of the widest form: France's


def _formed(text: str, start: int, end: int) -> str | None:
    if not nations.SHORTEST <= end - start <= nations.LONGEST:
        return None
    return nations.entity_of(text[start:end]) if _stands_alone(text, start, end) else None


def _named(reading: Reading, starts: Sequence[int], end: int) -> tuple[int, Cue | None]:
    """Where it begins for the words before that say what it is, and what they say.

    What it says of itself, as in "NID-9001", is nearer than what they say.
    """
    text, start = reading.text, starts[0]
    prefix = _PREFIX.match(text, start, end) if text[start].isalpha() else None
    entity = cue_in(prefix.group(1)) if prefix is not None else None
    if entity in _BY_PREFIX:
        return start, Cue(entity, strong=True)
    for begin in starts:
        cue = reading.cue_before(begin)
        if cue is not None:
            return begin, cue
    return start, Cue(entity, strong=True) if entity is not None else None


_BY_PREFIX: Final = frozenset({"NATIONAL_ID", "MEDICAL_RECORD", "DRIVER_LICENSE"})


def _named_after(text: str, start: int, end: int) -> Span | None:
    cue = cue_after(text, end)
    if cue is not None and cue.entity in _FITS and fits(text, start, end, cue):
        return Span(start, end, cue.entity)
    return None


def fits(text: str, start: int, end: int, cue: Cue) -> bool:
    """Whether ``text[start:end]`` can be what ``cue`` says."""
    fit = _FITS.get(cue.entity)
    value = text[start:end]
    if fit is None or len(value) > fit.longest or text[start - 1 : start] == "@":
        return False
    if cue.entity == "POSTAL_CODE":
        return _POSTAL.fullmatch(value.upper()) is not None
    if _is_quantity(text, start, end) or (" " in value and not _is_grouped(value, cue.entity)):
        return False
    if cue.entity in {"TAX_ID", "CARD"} and _PAN.fullmatch(value):
        return True
    if not fit.letters and any(map(str.isalpha, value)):
        return False
    return _has_digits(value, fit, cue)


def _has_digits(value: str, fit: _Fit, cue: Cue) -> bool:
    """Whether ``value`` has as many as it takes after strong words, or after weak ones."""
    n_digits = sum(map(str.isdigit, value))
    if cue.strong:
        return n_digits >= fit.digits
    if _PHONE.fullmatch(value):
        return False
    mixed = any(map(str.isupper, value))
    if cue.entity == "VEHICLE" and not mixed:
        return False
    return n_digits >= (min(_MIXED_DIGITS, fit.digits_weak) if mixed else fit.digits_weak)


def _is_quantity(text: str, start: int, end: int) -> bool:
    """A date, a year, an amount, or a number of something."""
    value = text[start:end]
    return (
        _is_date(value)
        or _OF_TIME.fullmatch(value) is not None
        or _AMOUNT.fullmatch(value) is not None
        or _UNIT.match(text, end) is not None
        or _MONEY.search(text[max(0, start - 4) : start]) is not None
    )


def _is_date(value: str) -> bool:
    match = _DATE.fullmatch(value)
    if match is None:
        return False
    one, other = sorted(map(int, match.group(2, 3) if match.group(1) else match.group(4, 5)))
    return 1 <= one <= 12 and other <= 31


def _is_grouped(value: str, entity: str) -> bool:
    """Whether the pieces of ``value`` are groups of one number, not numbers side by side."""
    sizes = [len(piece) for piece in value.split(" ")]
    plain = all(piece.replace("-", "").isalnum() for piece in value.split(" "))
    middle = sizes[:-1] if len(sizes) > 2 else sizes
    if entity == "REFERENCE_ID" and min(middle) < _REFERENCE_GROUP:
        return False
    return plain and max(sizes) <= _PIECE_LONGEST and (min(middle) > 1 or len(sizes) > 3)


_PIECE_LONGEST: Final = 12
_REFERENCE_GROUP: Final = 3  # letters: references are written in groups less often than ids


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Not a part of a longer number, a path or a decimal."""
    before = text[start - 1 : start]
    return not before.isalnum() and before not in {*"/.-_+"} and text[end : end + 1] != "%"
