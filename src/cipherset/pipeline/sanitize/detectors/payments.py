"""Detectors of what money moves with: payment cards (ISO/IEC 7812) and IBANs (ISO 13616)."""

import re
import string
from collections.abc import Iterator, Sequence
from typing import Final

from stdnum import iban, luhn

from cipherset.pipeline.sanitize.spans import Span

_GAP: Final = r"[ .\u00a0\u2010-\u2013\u202f-]"
_DIGIT_RUN: Final = re.compile(rf"\d(?<!\d\d)(?:{_GAP}?\d){{12,}}")
_DIGITS: Final = re.compile(r"\d+")
_CARD_DIGITS: Final = range(13, 20)
_CARD_GROUP: Final = 2
_CARD_FIRST: Final = frozenset("23456")  # the networks' first digits


class CardDetector:
    """``CARD``: 13 to 19 digits that pass the Luhn check, in whole groups of two or more.

    The last group may be one digit. Single digits in a row are versions, dates and tables.
    """

    name: Final = "card"
    version: Final = "1"
    entities: Final = frozenset({"CARD"})

    def detect(self, texts: Sequence[str]) -> list[list[Span]]:
        return [
            [span for run in _DIGIT_RUN.finditer(text) for span in self._in_run(run)]
            for text in texts
        ]

    def _in_run(self, run: re.Match[str]) -> Iterator[Span]:
        """Every card in a run of digit groups; at most 19 groups are tried from each."""
        groups = [
            (match.start(), match.end(), "".join(str(int(digit)) for digit in match.group()))
            for match in _DIGITS.finditer(run.group())
        ]
        for first, (start, _, _) in enumerate(groups):
            number = ""
            for _, end, digits in groups[first : first + _CARD_DIGITS.stop]:
                number += digits
                if len(number) >= _CARD_DIGITS.stop:
                    break
                if _is_card(number):
                    yield Span(run.start() + start, run.start() + end, "CARD")
                if len(digits) < _CARD_GROUP:
                    break


def _is_card(number: str) -> bool:
    return (
        len(number) in _CARD_DIGITS
        and number[0] in _CARD_FIRST
        and len(set(number)) > 1
        and bool(luhn.is_valid(number))
    )


_IBAN_HEAD: Final = re.compile(r"(?<![^\W_])[A-Za-z]{2}[0-9]{2}(?=[ -]?[A-Za-z0-9])")
_IBAN_GROUP: Final = re.compile(r"[ -]?[A-Za-z0-9]+")
_IBAN_LETTERS: Final = range(15, 35)
_LETTER_VALUES: Final = {
    ord(letter): str(ord(letter) - ord("A") + 10) for letter in string.ascii_uppercase
}


class IbanDetector:
    """``IBAN``: a country's account number, in one piece or in groups, whose check digits fit."""

    name: Final = "iban"
    version: Final = "1"
    entities: Final = frozenset({"IBAN"})

    def detect(self, texts: Sequence[str]) -> list[list[Span]]:
        return [list(self._spans(text)) for text in texts]

    def _spans(self, text: str) -> Iterator[Span]:
        for head in _IBAN_HEAD.finditer(text):
            end = None
            number = head.group()
            position = head.end()
            while group := _IBAN_GROUP.match(text, position, position + _IBAN_LETTERS.stop):
                number += group.group().lstrip(" -")
                position = group.end()
                if len(number) >= _IBAN_LETTERS.stop:
                    break
                if len(number) in _IBAN_LETTERS and _is_iban(number):
                    end = position
            if end is not None:
                yield Span(head.start(), end, "IBAN")


def _is_iban(number: str) -> bool:
    """Check digits first (mod 97 is 1): the country's format takes ten times as long."""
    rotated = (number[4:] + number[:4]).upper().translate(_LETTER_VALUES)
    return int(rotated) % 97 == 1 and bool(iban.is_valid(number, check_country=False))
