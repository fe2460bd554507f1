"""Detectors of what reaches a person or a machine: e-mail, URL, IP address, phone number.

Each looks at a place a bounded number of times, however hostile the text: an e-mail address is
grown from its at sign, and a pattern begins only where a run of its characters begins.
"""

import ipaddress
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Final

from phonenumbers import PhoneNumberMatcher

from cipherset.pipeline.sanitize.spans import Span

# Scripts written without blanks: the words before an address are not part of it.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_MARKS: Final = "\u0300-\u036f\u0900-\u0dff"  # accents and vowel signs, which \w leaves out
_LOCAL_BACKWARDS: Final = re.compile(rf"(?:[^\W{_UNSPACED}]|[{_MARKS}.#$%&'+~-])+|\w+")
_DOMAIN: Final = re.compile(
    rf"@(?:[\w{_MARKS}][\w{_MARKS}-]{{0,62}}\.){{1,126}}(?:xn--[\w-]{{2,59}}|[^\W\d_]{{2,63}})"
)
_LOCAL_LONGEST: Final = 254  # code points; RFC 5321 allows 64 bytes, and nobody checks


class EmailDetector:
    """``EMAIL``: a name, an at sign and a domain with a dot, in any script."""

    name: Final = "email"
    version: Final = "1"
    entities: Final = frozenset({"EMAIL"})

    def detect(self, texts: Sequence[str]) -> list[list[Span]]:
        return [list(self._spans(text)) if "@" in text else [] for text in texts]

    def _spans(self, text: str) -> Iterator[Span]:
        floor = 0
        for domain in _DOMAIN.finditer(text):
            low = max(floor, domain.start() - _LOCAL_LONGEST)
            floor = domain.end()
            local = _LOCAL_BACKWARDS.match(text[low : domain.start()][::-1])
            length = len(local.group().rstrip("'.&")) if local else 0
            if length:
                yield Span(domain.start() - length, domain.end(), "EMAIL")


_URL: Final = re.compile(
    r"(?<![^\W_])((?:https?|ftps?|sftp|wss?|ssh|git|s3|file)://|www\.)[^\s<>\"\u201c\u201d]+",
    re.IGNORECASE,
)
_URL_TAIL: Final = ".,;:!?'\u2019)]}*_\u3002\uff0c"  # the sentence's own, when they come last


class UrlDetector:
    """``URL``: a web, file or repository address with its scheme, or one that begins ``www.``."""

    name: Final = "url"
    version: Final = "1"
    entities: Final = frozenset({"URL"})

    def detect(self, texts: Sequence[str]) -> list[list[Span]]:
        return [list(self._spans(text)) for text in texts]

    def _spans(self, text: str) -> Iterator[Span]:
        if "://" not in text and "www." not in text.lower():
            return
        for match in _URL.finditer(text):
            address = match.group().rstrip(_URL_TAIL)
            if len(address) > len(match.group(1)):
                yield Span(match.start(), match.start() + len(address), "URL")


# Patterns that begin with a set of characters are searched for fastest, so what must not stand
# before the first character is looked at after it.
_IPV4: Final = re.compile(r"[0-9](?<![\w.].)[0-9]{0,2}(?:\.[0-9]{1,3}){3}(?![\w]|\.[0-9])")
_IPV6: Final = re.compile(
    r"[0-9A-Fa-f:](?<![\w:.].)(?<=(?=[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]).)[0-9A-Fa-f:.]{2,44}(?![\w:])"
)
_VERSION: Final = re.compile(r"(?:version|ver\.?|release|build|firmware)[ :]{1,2}\Z", re.IGNORECASE)
_VERSION_LONGEST: Final = 10


class IpDetector:
    """``IP``: an IPv4 or IPv6 address; not a version number, where the word before says so."""

    name: Final = "ip"
    version: Final = "1"
    entities: Final = frozenset({"IP"})

    def detect(self, texts: Sequence[str]) -> list[list[Span]]:
        return [[*self._v4(text), *self._v6(text)] for text in texts]

    def _v4(self, text: str) -> Iterator[Span]:
        for match in _IPV4.finditer(text):
            before = text[max(0, match.start() - _VERSION_LONGEST) : match.start()]
            if _is_address(match.group()) and not _VERSION.search(before):
                yield Span(match.start(), match.end(), "IP")

    def _v6(self, text: str) -> Iterator[Span]:
        if text.count(":") < 2:
            return
        for match in _IPV6.finditer(text):
            address = match.group().rstrip(".")
            if address.endswith(":") and not address.endswith("::"):
                address = address[:-1]
            groups = [group for group in address.split(":") if group]
            if (len(groups) > 1 or address == "::1") and _is_address(address):
                yield Span(match.start(), match.start() + len(address), "IP")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


# What the matcher below could make a number of: it alone is slow, so it sees nothing else.
_PHONE_RUN: Final = re.compile(
    r"\d(?<!\d\d)[\d\s+()\[\]./~\u2010-\u2015\uff0d\uff08\uff09-]{4,}\d"
    r"(?:\s?(?:;ext=|ext\.?|x|#)\s?\d{1,7})?"
)
_PHONE_DIGITS: Final = 7
_PHONE_LEAD: Final = 3  # a plus, a bracket, and the neighbor that the matcher looks at


class PhoneDetector:
    """``PHONE``: numbers that are valid in their country, or in ``region`` without a prefix."""

    name: Final = "phone"
    version: Final = "1"
    entities: Final = frozenset({"PHONE"})

    def __init__(self, region: str) -> None:
        """``region``: two capital letters, ISO 3166."""
        self._region = region

    def detect(self, texts: Sequence[str]) -> list[list[Span]]:
        return [list(self._spans(text)) for text in texts]

    def _spans(self, text: str) -> Iterator[Span]:
        for run in _PHONE_RUN.finditer(text):
            if sum(map(str.isdecimal, run.group())) < _PHONE_DIGITS:
                continue
            start = max(0, run.start() - _PHONE_LEAD)
            near = text[start : run.end() + 1]
            # By default it gives up after 65,535 tries: what hides behind that many would pass.
            for match in PhoneNumberMatcher(near, self._region, max_tries=sys.maxsize):
                yield Span(start + match.start, start + match.end, "PHONE")
