"""What some identifiers look like wherever they stand: their form, and the check that it holds.

In a form, 9 is a digit, A a letter, X either, and the rest itself. A check is a module of
python-stdnum, or one of ``_OWN``; a form without a check is rare enough by itself. Numbers that are
only so many digits are not here: those need a word beside them (``phrases``).
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import product
from typing import Final

_FORMS: Final = {
    "NATIONAL_ID": {
        "us.ssn": "999-99-9999|999 99 9999",
        "gb.nino": "AA999999A|AA 99 99 99 A|AA-99-99-99-A|AA 999999 A",
        "fr.nir": "999999999999999|9 99 99 9X 999 999 99|9 99 99 99 999999 99",
        "it.codicefiscale": "AAAAAA99A99A999A|AAA AAA 99A99 A999A",
        "es.dni": "99999999A|99999999-A|99.999.999-A|99 999 999 A",
        "es.nie": "A9999999A|A-9999999-A|A-9999999A",
        "sg.nric": "A9999999A",
        "ie.pps": "9999999A|9999999AA",
        "br.cpf": "999.999.999-99",
        "cl.rut": "9.999.999-X|99.999.999-X",
        "mx.curp": "AAAA999999AAAAAAX9",
        "in_.aadhaar": "9999 9999 9999|9999-9999-9999",
        "fi.hetu": "999999-999X|999999A999X",
        "se.personnummer": "999999-9999|99999999-9999",
        "is_.kennitala": "999999-9999",
        "dk.cpr": "999999-9999",
        "lv.pvn": "999999-99999",
        "cz.rc": "999999/9999|999999/999",
        "be.nn": "99.99.99-999.99",
        "no.fodselsnummer": "999999 99999",
        "cn.ric": "99999999999999999X",
        "kr.rrn": "999999-9999999",
        "za.idnr": "9999999999999|999999 9999 999",
        "ro.cnp": "9999999999999",
        "si.emso": "9999999999999",
        "ch.ssn": "9999999999999|999.9999.9999.99",
        "th.pin": "9-9999-99999-99-9",
        "my.nric": "999999-99-9999",
        "at.vnr": "9999 999999",
        "pt.cc": "99999999 9 AA9|999999999AA9",
        "ca.sin": "999-999-999",
        "": "99999-9999999-9|999-999-999 99",  # Pakistan's CNIC, Russia's SNILS
    },
    "TAX_ID": {
        "us.itin": "999-99-9999",
        "br.cnpj": "99.999.999/9999-99",
        "mx.rfc": "AAAA999999XXX|AAA999999XXX|A&A999999XXX",
        "in_.pan": "AAAAA9999A",
        "in_.gstin": "99AAAAA9999AXAX",
        "ar.cuit": "99-99999999-9",
        "de.idnr": "99 999 999 999",
        "au.abn": "99 999 999 999",
        "pl.nip": "999-999-99-99|999-99-99-999",
        "ch.uid": "AAA-999.999.999|AAA999999999",
        "eu.vat": (
            "AA99999999|AA999999999|AA9999999999|AA99999999999|AA999999999999|AAA99999999"
            "|AAX9999999X|AA999999999A99|AA9999999A|AA9999999AA|AAXX999999999"
        ),
        "gb.vat": "AA999999999|AA 999 9999 99",
    },
    "MEDICAL_RECORD": {"": "9AX9-AX9-AA99|9AX9AX9AA99"},  # Medicare beneficiary identifier
    "DRIVER_LICENSE": {"": "AAAAA999999AA9AA|A999-9999-9999|A999-999-99-999-9"},  # GB; US states
}
_SHAPE: Final = str.maketrans("012345678ABCDEFGHIJKLMNOPQRSTUVWXYZ", "9" * 9 + "A" * 26)
_VIN: Final = re.compile(r"(?=[A-Z0-9]{0,16}[A-Z])(?=(?:[A-Z]{0,12}[0-9]){5})[A-HJ-NPR-Z0-9]{17}")


def entity_of(value: str) -> str | None:
    """What ``value`` is by its form and check alone: an entity, or None."""
    value = value.upper()
    for entity, check in _BY_SHAPE.get(value.translate(_SHAPE), ()):
        if not check or _holds(check, value):
            return entity
    return "VEHICLE" if len(value) == len(_VIN_WEIGHTS) and _is_vin(value) else None


def _by_shape() -> Iterator[tuple[str, tuple[str, str]]]:
    for entity, checks in _FORMS.items():
        for check, written in checks.items():
            for form in written.split("|"):
                parts = form.split("X")
                for filled in product("9A", repeat=len(parts) - 1):
                    shape = "".join(a + b for a, b in zip(parts, [*filled, ""], strict=True))
                    yield shape, (entity, check)


def _grouped() -> dict[str, list[tuple[str, str]]]:
    grouped: dict[str, list[tuple[str, str]]] = {}
    for shape, found in _by_shape():
        grouped.setdefault(shape, []).append(found)
    return grouped


_BY_SHAPE: Final = _grouped()
SHORTEST: Final = min(map(len, _BY_SHAPE))
LONGEST: Final = max(map(len, _BY_SHAPE))


def _holds(check: str, value: str) -> bool:
    own = _OWN.get(check)
    return own(value) if own is not None else bool(_module(check).is_valid(value))


@cache
def _module(name: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
    """A module of python-stdnum; each is read when the first number of its form comes."""
    return import_module(f"stdnum.{name}")


_NINO: Final = re.compile(r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]")


def _is_nino(value: str) -> bool:
    """GB: HMRC National Insurance Manual NIM39110."""
    return _NINO.fullmatch(re.sub("[ -]", "", value)) is not None


_NRIC_WEIGHTS: Final = (2, 7, 6, 5, 4, 3, 2)
_NRIC_LETTERS: Final = {"S": "JZIHGFEDCBA", "F": "XWUTRQPNMLK", "M": "XWUTRQPNJLK"}
_NRIC_SERIES: Final = {"S": ("S", 0), "T": ("S", 4), "F": ("F", 0), "G": ("F", 4), "M": ("M", 3)}


def _is_nric(value: str) -> bool:
    """SG: the last letter follows from the weighted digits, mod 11."""
    if value[0] not in _NRIC_SERIES:
        return False
    series, offset = _NRIC_SERIES[value[0]]
    total = offset + sum(w * int(d) for w, d in zip(_NRIC_WEIGHTS, value[1:8], strict=True))
    index = total % 11 if series != "M" else 10 - total % 11
    return _NRIC_LETTERS[series][index] == value[8]


_VIN_VALUES: Final = dict(
    zip(
        "0123456789ABCDEFGHJKLMNPRSTUVWXYZ",
        [*range(10), *range(1, 9), *range(1, 6), 7, 9, *range(2, 10)],
        strict=True,
    )
)
_VIN_WEIGHTS: Final = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def _is_vin(value: str) -> bool:
    """The ninth character is the weighted sum mod 11. Source: 49 CFR 565.15(c)."""
    if not _VIN.fullmatch(value):
        return False
    total = sum(w * _VIN_VALUES[c] for w, c in zip(_VIN_WEIGHTS, value, strict=True))
    return "0123456789X"[total % 11] == value[8]


_OWN: Final = {"gb.nino": _is_nino, "sg.nric": _is_nric}
