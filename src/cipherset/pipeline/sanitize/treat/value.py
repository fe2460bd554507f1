"""One spelling for each value, so that one person, number or address has one token.

Unicode NFKC (full-width letters and digits become plain ones), digits of any script to ASCII, then
by kind: case folded, separators left out, phone numbers with their country, dates as ISO dates.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Final
from urllib.parse import urlsplit

from dateutil import parser as dates
from phonenumbers import NumberParseException, PhoneNumberFormat, format_number
from phonenumbers import parse as parse_number

_LONGEST_DATE: Final = 40
# In a text whose blanks are single ones.
_AT: Final = re.compile(r" ?(?:\( ?at ?\)|\[ ?at ?\]|\{ ?at ?\}| at ) ?")
_DOT: Final = re.compile(r" ?(?:\( ?dot ?\)|\[ ?dot ?\]|\{ ?dot ?\}| dot ) ?")
_PREFIXED: Final = re.compile(r"[^:=]{0,40}[:=]\s*")
# A date that lacks a part would be completed with today's; these two show which parts it has.
_FILLS: Final = (datetime(2000, 1, 1), datetime(2004, 2, 2))  # noqa: DTZ001 -- no moment is meant


def normalized(entity: str, value: str, region: str) -> str:
    """``value`` as all its spellings are written; ``region`` is that of phone numbers."""
    text = plain_digits(unicodedata.normalize("NFKC", value)).strip()
    if entity == "PHONE":
        return _phone(text, region)
    return _FORMS.get(entity, _folded)(text)


def plain_digits(text: str) -> str:
    """``text`` with the decimal digits of every script as ASCII digits."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)


def parsed_date(text: str) -> date | None:
    """The date, its day 1 where it has none; None for what is no date with year and month."""
    if len(text) > _LONGEST_DATE or not text.isascii():
        return None
    try:
        first, second = (dates.parse(text, default=fill, ignoretz=True) for fill in _FILLS)
    except (ValueError, OverflowError):
        return None
    if (first.year, first.month) != (second.year, second.month):
        return None
    return date(first.year, first.month, first.day)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _identifier(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold() or _folded(text)


def _exact(text: str) -> str:
    return text


def _email(text: str) -> str:
    folded = _folded(text).removeprefix("mailto:")
    if "@" not in folded:
        folded = _DOT.sub(".", _AT.sub("@", folded))
    return "".join(folded.split())


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        return text
    lowered = parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower())
    return lowered.geturl().rstrip("/")


def _ip(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return _folded(text)


def _date(text: str) -> str:
    found = parsed_date(_PREFIXED.sub("", text, count=1)) or parsed_date(text)
    return found.isoformat() if found else _folded(text)


def _phone(text: str, region: str) -> str:
    try:
        number = parse_number(text, region)
    except NumberParseException:
        return _identifier(text)
    return str(format_number(number, PhoneNumberFormat.E164))


_FORMS: Final[Mapping[str, Callable[[str], str]]] = {
    **dict.fromkeys(
        (
            "BANK_ACCOUNT",
            "CARD",
            "DRIVER_LICENSE",
            "IBAN",
            "MAC",
            "MEDICAL_RECORD",
            "NATIONAL_ID",
            "PASSPORT",
            "REFERENCE_ID",
            "TAX_ID",
            "VEHICLE",
        ),
        _identifier,
    ),
    **dict.fromkeys(("CRYPTO_WALLET", "SECRET", "SOURCE_CODE"), _exact),
    "DATE_OF_BIRTH": _date,
    "EMAIL": _email,
    "IP": _ip,
    "URL": _url,
}
