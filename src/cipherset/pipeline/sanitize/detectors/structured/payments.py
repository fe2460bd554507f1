"""Detectors of what money moves with: cards (ISO/IEC 7812), IBANs (ISO 13616), wallets, amounts."""

import hashlib
import re
import string
from collections.abc import Iterator
from typing import Final

from stdnum import bitcoin, ean, iban, luhn

from cipherset.pipeline.sanitize.detectors.structured.reading.text import Reading, TextDetector
from cipherset.pipeline.sanitize.spans import Span

_GAP: Final = "(?: ?[-.] ?| )"
_DIGIT_RUN: Final = re.compile(rf"[0-9](?<![0-9][0-9])(?:{_GAP}?[0-9]){{12,}}")
_DIGITS: Final = re.compile("[0-9]+")
_CARD_DIGITS: Final = range(13, 20)
_CARD_GROUP: Final = 2
_ARTICLE_DIGITS: Final = 13
_CARD_FIRST: Final = frozenset("23456")  # the networks' first digits


class PaymentDetector(TextDetector):
    """``CARD`` and ``IBAN``.

    A card is 13 to 19 digits that pass the Luhn check, in whole groups of two or more; the last
    group may be one digit. Single digits in a row are versions, dates and tables. An IBAN is a
    country's account number, in one piece or in groups, whose check digits fit.
    """

    name = "payments"
    version = "2"
    entities = frozenset({"CARD", "IBAN"})
    n_digits = 8  # of the shortest IBAN and of Malta's, and fewer

    def spans(self, reading: Reading) -> Iterator[Span]:
        if reading.n_digits >= _CARD_DIGITS.start:
            for run in _DIGIT_RUN.finditer(reading.text):
                cue = reading.cue_before(run.start())
                called = cue is not None and cue.entity in {"CARD", "TAX_ID"}  # both say PAN
                bare = run.group().isdecimal()
                if cue is not None and cue.strong and bare and not called:
                    continue
                if (
                    bare
                    and not called
                    and len(run.group()) == _ARTICLE_DIGITS
                    and ean.is_valid(run.group())
                ):
                    continue
                yield from _cards(run)
        yield from _ibans(reading.text)


def _cards(run: re.Match[str]) -> Iterator[Span]:
    """Every card in a run of digit groups; at most 19 groups are tried from each."""
    groups = [
        (match.start(), match.end(), match.group()) for match in _DIGITS.finditer(run.group())
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


def _ibans(text: str) -> Iterator[Span]:
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


_WALLET: Final = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{26,128}(?![A-Za-z0-9])")
_ETHEREUM: Final = re.compile(r"0[xX][0-9A-Fa-f]{40}")
_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_TEXT: Final = re.compile(f"[{_BASE58}]+")
_BASE58_VALUES: Final = {letter: value for value, letter in enumerate(_BASE58)}
_CHECKED: Final = range(26, 36)  # letters of an address whose last four bytes are a checksum
_MONERO: Final = re.compile(r"[48][0-9AB][1-9A-HJ-NP-Za-km-z]{93}")
_BECH32: Final = re.compile(
    r"(?:bc|tb|ltc|addr|addr_test|cosmos|osmo|bnb|terra|stake)1[02-9ac-hj-np-z]{11,110}",
    re.IGNORECASE,
)
_SAID: Final = re.compile(f"[{_BASE58}]{{25,64}}|(?:0x)?[0-9a-fA-F]{{40,64}}")
_XRP: Final = str.maketrans("rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz", _BASE58)


class WalletDetector(TextDetector):
    """``CRYPTO_WALLET``: an address whose checksum or form holds, or that words call one."""

    name = "wallets"
    version = "1"
    entities = frozenset({"CRYPTO_WALLET"})

    def likely(self, reading: Reading) -> bool:
        return reading.has_long_word

    def spans(self, reading: Reading) -> Iterator[Span]:
        text = reading.text
        for match in _WALLET.finditer(text):
            word = match.group()
            if _is_wallet(word) or (_SAID.fullmatch(word) and _is_called(reading, match.start())):
                yield Span(match.start(), match.end(), "CRYPTO_WALLET")


def _is_wallet(word: str) -> bool:
    if _ETHEREUM.fullmatch(word) or _MONERO.fullmatch(word):
        return True
    if _BECH32.fullmatch(word):
        return word[:2].lower() != "bc" or _is_bech32(word)
    if len(word) not in _CHECKED or not _BASE58_TEXT.fullmatch(word):
        return False
    return _is_checked(word) or (word[0] == "r" and _is_checked(word.translate(_XRP)))


def _is_bech32(word: str) -> bool:
    """Version 0 by its checksum; later versions (bech32m) by their form alone."""
    return word[3:4].lower() != "q" or bool(bitcoin.is_valid(word))


def _is_checked(word: str) -> bool:
    """Whether the last four of 25 bytes are a digest of the others. Source: Bitcoin, base58.h."""
    number = 0
    for letter in word:
        number = number * 58 + _BASE58_VALUES[letter]
    if number >= 1 << 200:
        return False
    raw = number.to_bytes(25, "big")
    digest = hashlib.sha256(hashlib.sha256(raw[:21]).digest()).digest()
    return digest[:4] == raw[21:]


def _is_called(reading: Reading, start: int) -> bool:
    cue = reading.cue_before(start)
    return cue is not None and cue.entity == "CRYPTO_WALLET"


_NUMBER: Final = r"[0-9]+(?:[.,' \u2019][0-9]{3})*(?:[.,][0-9]{1,2})?(?![0-9])"
_SCALE: Final = r"(?:\s?(?:k|m|bn|million|billion|thousand|mio|mrd|lakh|crore)\b)?"
_SYMBOLS: Final = "$\u20ac\u00a3\u00a5\u20b9\u20a9\u20bd\u20ba"
_CODES: Final = "USD|EUR|GBP|CHF|JPY|CNY|INR|AUD|CAD|NZD|SEK|NOK|DKK|PLN|BRL|MXN|ZAR|SGD|HKD|AED"
_WORDS: Final = (
    "US dollars|dollars?|euros?|pounds?|pence|cents?|bucks|quid|rupees|yen|yuan|francs?"
    "|pesos?|reais"
)
_AMOUNT: Final = re.compile(
    rf"(?:[{_SYMBOLS}]\s?|\b(?:{_CODES})\s?){_NUMBER}{_SCALE}"
    rf"|(?<![0-9.,]){_NUMBER}{_SCALE}\s?(?:[{_SYMBOLS}]|(?:{_CODES}|{_WORDS})\b)",
    re.IGNORECASE,
)


class AmountDetector(TextDetector):
    """``AMOUNT``: a sum of money with its currency. Nobody's own: to be made coarse, or kept."""

    name = "amounts"
    version = "1"
    entities = frozenset({"AMOUNT"})
    n_digits = 1

    def spans(self, reading: Reading) -> Iterator[Span]:
        for match in _AMOUNT.finditer(reading.text):
            yield Span(match.start(), match.end(), "AMOUNT")
