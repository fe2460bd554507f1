"""Detector of what reaches a machine: URLs, IP and MAC addresses."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from cipherset.pipeline.sanitize.detectors.structured.reading.text import Reading, TextDetector
from cipherset.pipeline.sanitize.spans import Span

# Each is grown from its "://", "www." or ".com/".
_SCHEME_BACKWARDS: Final = re.compile(r"[A-Za-z0-9+.-]{1,20}(?<=[A-Za-z])")
_WWW: Final = re.compile(r"(?<![^\W_])www\.", re.IGNORECASE)
_REST: Final = re.compile(r"[^\s<>\"\u201c\u201d]+")
_TAIL: Final = ".,;:!?'\u2019)]}*_\u3002\uff0c"  # the sentence's own, when they come last
# Without a scheme a host is only a name; with a path it is an address.
_HOST: Final = re.compile(
    r"\.(?:com|org|net|edu|gov|io|ai|co|me|ly|gl|app|dev|info|biz|link|site|online|cloud|eu|uk|us|ca"
    r"|au|nz|ie|in|de|at|ch|fr|be|nl|es|pt|it|se|no|dk|fi|pl|cz|ru|jp|cn|br|mx|ar|za|example)"
    r"(?::[0-9]{2,5})?/(?=\w)"
)
_HOST_BACKWARDS: Final = re.compile(r"[A-Za-z0-9.-]{1,100}(?![@/\w])")
# Patterns that begin with a set of characters are searched for fastest, so what must not stand
# before the first character is looked at after it.
_IPV4: Final = re.compile(r"[0-9](?<![\w.].)[0-9]{0,2}(?:\.[0-9]{1,3}){3}(?![\w]|\.[0-9])")
_IPV6: Final = re.compile(
    r"[0-9A-Fa-f:](?<![\w:.].)(?<=(?=[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]).)[0-9A-Fa-f:.]{2,44}(?![\w:])"
)
_VERSION: Final = re.compile(
    r"\b(?:version|ver\.?|release|build|firmware)[ :]{1,2}\Z", re.IGNORECASE
)
_VERSION_LONGEST: Final = 10


_MAC: Final = re.compile(
    r"[0-9A-Fa-f](?<![\w:.-].)[0-9A-Fa-f](?::[0-9A-Fa-f]{2}){5}(?:(?::[0-9A-Fa-f]{2}){2})?(?![\w:])"
    r"|[0-9A-Fa-f](?<![\w:.-].)[0-9A-Fa-f](?:-[0-9A-Fa-f]{2}){5}(?:(?:-[0-9A-Fa-f]{2}){2})?(?![\w-])"
)
_MAC_DOTTED: Final = re.compile(
    r"[0-9A-Fa-f](?<![\w:.-].)[0-9A-Fa-f]{3}(?:\.[0-9A-Fa-f]{4}){2}(?![\w.]*[\w])"
)


class NetworkDetector(TextDetector):
    """``URL``, ``IP`` and ``MAC``; not a version number, where the word before says so."""

    name = "network"
    version = "2"
    entities = frozenset({"URL", "IP", "MAC"})

    def likely(self, reading: Reading) -> bool:
        text = reading.text
        return "/" in text or reading.n_digits > 1 or ":" in text or "www." in reading.small

    def spans(self, reading: Reading) -> Iterator[Span]:
        text = reading.text
        if "://" in text:
            yield from _schemes(text)
        if "www." in reading.small:
            yield from _www(text)
        if "/" in text:
            yield from _hosts(text)
        if reading.n_digits >= _V4_DIGITS and text.count(".") >= _V4_DOTS:
            yield from _v4(text)
        if text.count(":") > 1:
            yield from _v6(text)
        if reading.n_digits >= _MAC_DIGITS:
            yield from _macs(text)


def _schemes(text: str) -> Iterator[Span]:
    position = 0
    while (colon := text.find("://", position)) >= 0:
        low = max(position, colon - _SCHEME_LONGEST)
        scheme = _SCHEME_BACKWARDS.match(text[low:colon][::-1])
        position = colon + len("://")
        if scheme is not None and (end := _url_end(text, position)) > position:
            yield Span(colon - scheme.end(), end, "URL")
            position = end


def _www(text: str) -> Iterator[Span]:
    position = 0
    while match := _WWW.search(text, position):
        position = match.end()
        end = _url_end(text, position)
        if end > position:
            yield Span(match.start(), end, "URL")
            position = end


def _hosts(text: str) -> Iterator[Span]:
    position = 0
    while match := _HOST.search(text, position):
        low = max(position, match.start() - _HOST_LONGEST)
        host = _HOST_BACKWARDS.match(text[low : match.start()][::-1])
        position = match.end()
        if host is not None:
            position = _url_end(text, position)
            yield Span(match.start() - host.end(), position, "URL")


_V4_DIGITS: Final = 4
_V4_DOTS: Final = 3
_SCHEME_LONGEST: Final = 20
_HOST_LONGEST: Final = 101


def _url_end(text: str, start: int) -> int:
    rest = _REST.match(text, start)
    return start + len(rest.group().rstrip(_TAIL)) if rest is not None else start


def _v4(text: str) -> Iterator[Span]:
    for match in _IPV4.finditer(text):
        before = text[max(0, match.start() - _VERSION_LONGEST) : match.start()]
        if _is_address(match.group()) and not _VERSION.search(before):
            yield Span(match.start(), match.end(), "IP")


def _v6(text: str) -> Iterator[Span]:
    for match in _IPV6.finditer(text):
        address = match.group().rstrip(".")
        if address.endswith(":") and not address.endswith("::"):
            address = address[:-1]
        groups = [group for group in address.split(":") if group]
        if (len(groups) > 1 or address == "::1") and _is_address(address):
            yield Span(match.start(), match.start() + len(address), "IP")


def _macs(text: str) -> Iterator[Span]:
    if text.count(":") > _MAC_MARKS or text.count("-") > _MAC_MARKS:
        for match in _MAC.finditer(text):
            yield Span(match.start(), match.end(), "MAC")
    if text.count(".") > 1:
        for match in _MAC_DOTTED.finditer(text):
            yield Span(match.start(), match.end(), "MAC")


_MAC_MARKS: Final = 4
_MAC_DIGITS: Final = 2  # of twelve; words of the letters a to f are not addresses


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
