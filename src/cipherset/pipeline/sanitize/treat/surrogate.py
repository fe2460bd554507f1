"""Made-up values in place of real ones, chosen by a keyed digest: same value, same surrogate.

Each is of a form that is nobody's, so that no real value is made up by accident, and is known
again by that form:

    PERSON           a given name and a coined surname; one word for one word
    ORGANIZATION     a coined name and ``Group``;  LOCATION: a coined name and ``ville``
    STREET_ADDRESS   a number, a coined name and ``Street``
    EMAIL, URL       of example.org                 RFC 2606, section 3
    PHONE            +1-NXX-555-01XX                kept for fiction by the North American plan
    IP               198.18.0.0/15, 2001:db8::/32   RFC 2544, appendix C.2.2; RFC 3849
    MAC              02:00:5e:…                     locally administered: IEEE 802, section 8.4
    CARD             0000 …, which fails the Luhn check
    IBAN             of the country XX, which there is not
    USERNAME         ``user_`` and eight letters
    others           SX- and eight digits

Where there are fewer surrogates than values two values may share one: 80,000 phone numbers, a
million persons.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from cipherset.pipeline.sanitize.treat.coined import (
    FULL_NAME,
    GIVEN,
    N_GIVEN,
    N_SURNAMES,
    SURNAME,
    surname,
)

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"
_IDENTIFIER: Final = r"SX-\d{4}-\d{4}"
# What the surrogates of a kind look like in a text.
FORMS: Final[Mapping[str, str]] = {
    "CARD": r"0000(?: \d{4}){3}",
    "EMAIL": rf"[a-z]{{2,8}}\.(?i:{SURNAME})\d{{4}}@example\.org",
    "IBAN": r"XX00(?: \d{4}){4}",
    "IP": r"198\.1[89]\.\d{1,3}\.\d{1,3}|2001:db8:[0-9a-f]{1,4}:[0-9a-f]{1,4}::[0-9a-f]{1,4}",
    "LOCATION": rf"{SURNAME}ville",
    "MAC": r"02:00:5e(?::[0-9a-f]{2}){3}",
    "ORGANIZATION": rf"{SURNAME} Group",
    "PERSON": rf"{FULL_NAME}|{SURNAME}",
    "PHONE": r"\+1-[2-9]\d\d-555-01\d\d",
    "STREET_ADDRESS": rf"\d{{1,4}} {SURNAME} Street",
    "URL": r"https://example\.org/[a-z2-7]{12}",
    "USERNAME": r"user_[a-z2-7]{8}",
}


class Digits:
    """Numbers drawn from a digest of 32 bytes, one after the other."""

    def __init__(self, digest: bytes) -> None:
        self._left = int.from_bytes(digest, "big")

    def below(self, bound: int) -> int:
        """From 0 to ``bound`` - 1; for small bounds as good as uniform, of 256 bits."""
        self._left, number = divmod(self._left, bound)
        return number

    def decimal(self, length: int) -> str:
        """That many decimal digits."""
        return f"{self.below(10**length):0{length}}"

    def letters(self, length: int) -> str:
        """That many letters of base32."""
        return "".join(_LETTERS[self.below(32)] for _ in range(length))


def surrogate(entity: str, value: str, digest: bytes) -> str:
    """The made-up value that ``digest`` (32 keyed bytes of it) chooses for ``value``."""
    return _MAKERS.get(entity, _identifier)(value, Digits(digest))


def surrogate_form(entity: str) -> str:
    """The pattern of the surrogates of a kind."""
    return FORMS.get(entity, _IDENTIFIER)


def _person(value: str, digits: Digits) -> str:
    family = surname(digits.below(N_SURNAMES))
    return f"{GIVEN[digits.below(N_GIVEN)]} {family}" if len(value.split()) > 1 else family


def _organization(value: str, digits: Digits) -> str:
    return f"{surname(digits.below(N_SURNAMES))} Group"


def _location(value: str, digits: Digits) -> str:
    return f"{surname(digits.below(N_SURNAMES))}ville"


def _street_address(value: str, digits: Digits) -> str:
    return f"{1 + digits.below(999)} {surname(digits.below(N_SURNAMES))} Street"


def _email(value: str, digits: Digits) -> str:
    name = f"{GIVEN[digits.below(N_GIVEN)]}.{surname(digits.below(N_SURNAMES))}".lower()
    return f"{name}{digits.decimal(4)}@example.org"


def _url(value: str, digits: Digits) -> str:
    return f"https://example.org/{digits.letters(12)}"


def _phone(value: str, digits: Digits) -> str:
    area = f"{2 + digits.below(8)}{digits.decimal(2)}"
    return f"+1-{area}-555-01{digits.decimal(2)}"


def _ip(value: str, digits: Digits) -> str:
    if ":" in value:
        groups = [f"{1 + digits.below(0xFFFF):x}" for _ in range(3)]
        return f"2001:db8:{groups[0]}:{groups[1]}::{groups[2]}"
    return f"198.{18 + digits.below(2)}.{digits.below(256)}.{digits.below(256)}"


def _mac(value: str, digits: Digits) -> str:
    return "02:00:5e:" + ":".join(f"{digits.below(256):02x}" for _ in range(3))


def _card(value: str, digits: Digits) -> str:
    """A last digit that is one to nine off the one which the Luhn check wants."""
    body = "0000" + digits.decimal(11)
    wrong = (_luhn_digit(body) + 1 + digits.below(9)) % 10
    number = f"{body}{wrong}"
    return " ".join(re.findall("....", number))


def _luhn_digit(body: str) -> int:
    """Source: ISO/IEC 7812-1, annex B."""
    total = sum(
        sum(divmod(int(digit) * (2 - place % 2), 10)) for place, digit in enumerate(body[::-1])
    )
    return -total % 10


def _iban(value: str, digits: Digits) -> str:
    return "XX00 " + " ".join(digits.decimal(4) for _ in range(4))


def _username(value: str, digits: Digits) -> str:
    return f"user_{digits.letters(8)}"


def _identifier(value: str, digits: Digits) -> str:
    return f"SX-{digits.decimal(4)}-{digits.decimal(4)}"


_MAKERS: Final[Mapping[str, Callable[[str, Digits], str]]] = {
    "CARD": _card,
    "EMAIL": _email,
    "IBAN": _iban,
    "IP": _ip,
    "LOCATION": _location,
    "MAC": _mac,
    "ORGANIZATION": _organization,
    "PERSON": _person,
    "PHONE": _phone,
    "STREET_ADDRESS": _street_address,
    "URL": _url,
    "USERNAME": _username,
}
