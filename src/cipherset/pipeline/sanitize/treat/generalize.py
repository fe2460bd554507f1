"""Something coarser in place of a value, in brackets with its kind: ``[AMOUNT: $1,000 to 2,000]``.

    AGE             the ten years it is in
    AMOUNT          between two round numbers, by its first digit
    COORDINATES     one decimal of a degree, about 11 km
    DATE_OF_BIRTH   month and year
    IP              the first 16 bits of an IPv4 address, the first 32 of an IPv6 one
    LOCATION        what comes after the last comma, as in ``Boston, MA``
    PHONE           the country
    STREET_ADDRESS  city and region, without numbers, where commas set them off

What cannot be read is a placeholder. The brackets say that somebody wrote this, and by them it is
known again.
"""

import calendar
import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Final

from phonenumbers import NumberParseException
from phonenumbers import parse as parse_number

from cipherset.pipeline.sanitize.treat.value import parsed_date, plain_digits

_NUMBER: Final = re.compile(r"\d{1,3}(?:[ ,.'\u00a0\u202f]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d+)?")
_LONGEST: Final = 120
_CURRENCY: Final = re.compile(r"[$€£¥₹₽₩]|\b[A-Z]{3}\b")
_DEGREES: Final = re.compile(r"[-+]?\d{1,3}\.\d+")
_DAY: Final = r"\d{1,2}(?:[snrt][tdh])?"
_MONTH: Final = f"(?i:{'|'.join(calendar.month_abbr[1:])})[a-z]{{0,6}}"
_DATE: Final = re.compile(
    r"\d{1,4}[-/. ]\d{1,2}[-/. ]\d{1,4}"
    rf"|(?:{_DAY}[ .-]{{1,2}})?{_MONTH}\.?[ -](?:{_DAY},? )?\d{{4}}"
)
_PLACE: Final = re.compile(r"[^\W\d_][\w .'-]{0,30}")
_MOST_DIGITS: Final = 15
# What each kind of coarser value is made of, so that it is known again and nothing else is.
GRAMMAR: Final[Mapping[str, str]] = {
    "AGE": r"\d{0,2}0 to \d{0,2}9",
    "AMOUNT": r"(?:[$€£¥₹₽₩]|[A-Z]{3} )?[\d,]{1,24} to [\d,]{1,24}",
    "COORDINATES": r"-?\d{1,3}\.\d, -?\d{1,3}\.\d",
    "DATE_OF_BIRTH": r"[A-Z][a-z]{2,8} \d{4}",
    "IP": r"[0-9a-f.:]{3,20}/(?:16|32)",
    "LOCATION": r"[^\W\d_][\w .'-]{0,30}",
    "PHONE": r"\+\d{1,3}",
    "STREET_ADDRESS": r"[^\W\d_][\w .'-]{0,30}(?:, [^\W\d_][\w .'-]{0,30})?",
}


def generalized(entity: str, value: str, region: str) -> str | None:
    """The coarser form of ``value`` in brackets; None where there is none."""
    text = plain_digits(value)[:_LONGEST]
    if entity == "PHONE":
        coarse = _phone(text, region)
    else:
        coarse = _FORMS[entity](text) if entity in _FORMS else None
    return None if coarse is None else f"[{entity}: {coarse}]"


def _age(text: str) -> str | None:
    found = re.search(r"\d{1,3}", text)
    if found is None:
        return None
    decade = int(found.group()) // 10 * 10
    return f"{decade} to {decade + 9}"


def _amount(text: str) -> str | None:
    found = _NUMBER.search(text)
    digits = _whole_part(found.group()) if found else ""
    if not digits or len(digits) > _MOST_DIGITS:
        return None
    step = 10 ** (len(digits) - 1)
    low = int(digits) // step * step
    if low == 0:
        low, step = 0, 1
    sign = _CURRENCY.search(text)
    unit = "" if sign is None else sign.group() + (" " if len(sign.group()) > 1 else "")
    return f"{unit}{low:,} to {low + step:,}"


def _whole_part(number: str) -> str:
    """The digits before the decimals: two or one after the last separator are decimals."""
    parts = re.split(r"[ ,.'\u00a0\u202f]", number)
    if len(parts) > 1 and len(parts[-1]) < 3:
        parts = parts[:-1]
    return "".join(parts).lstrip("0") or "0"


def _coordinates(text: str) -> str | None:
    found = _DEGREES.findall(text)
    if len(found) < 2:
        return None
    first, second = (f"{float(number):.1f}" for number in found[:2])
    return f"{first}, {second}"


def _date(text: str) -> str | None:
    found = _DATE.search(text)
    when = parsed_date(found.group()) if found else None
    return f"{calendar.month_name[when.month]} {when.year:04}" if when else None


def _ip(text: str) -> str | None:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    bits = 16 if address.version == 4 else 32
    return str(ipaddress.ip_network((address, bits), strict=False))


def _location(text: str) -> str | None:
    _, comma, last = text.rpartition(",")
    return last.strip() if comma and _PLACE.fullmatch(last.strip()) else None


def _phone(text: str, region: str) -> str | None:
    try:
        return f"+{parse_number(text, region).country_code}"
    except NumberParseException:
        return None


def _street_address(text: str) -> str | None:
    parts = [re.sub(r"\S*\d\S*", "", part).strip(" .") for part in text.split(",")[1:]]
    places = [part for part in parts if _PLACE.fullmatch(part)]
    return ", ".join(places[-2:]) or None


_FORMS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "AGE": _age,
    "AMOUNT": _amount,
    "COORDINATES": _coordinates,
    "DATE_OF_BIRTH": _date,
    "IP": _ip,
    "LOCATION": _location,
    "STREET_ADDRESS": _street_address,
}
