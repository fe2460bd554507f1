"""Detector of e-mail addresses. Each is grown from its at sign, so a hostile text costs no more."""

import re
from collections.abc import Iterator
from typing import Final

from cipherset.pipeline.sanitize.detectors.structured.reading.text import Reading, TextDetector
from cipherset.pipeline.sanitize.spans import Span

# Scripts written without blanks: the words before an address are not part of it.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_MARKS: Final = (
    "\u0300-\u036f\u0900-\u0dff\u0e31-\u0e4e"  # accents and vowel signs, which \w leaves out
)
_LOCAL_BACKWARDS: Final = re.compile(rf"(?:[^\W{_UNSPACED}]|[{_MARKS}.#$%&'+~-])+|\w+")
_DOMAIN: Final = re.compile(
    rf"(?:@|%40)(?:[\w{_MARKS}][\w{_MARKS}-]{{0,62}}[.\u3002]){{1,126}}"
    rf"(?:xn--[\w-]{{2,59}}|[^\W\d_](?:[^\W\d_]|[{_MARKS}]){{1,62}})"
)
_LOCAL_LONGEST: Final = 254  # code points; RFC 5321 allows 64 bytes, and nobody checks
# "jo dot smith at example dot com", "jo [at] example (dot) com": grown from the at, as above.
_SAID_AT: Final = re.compile(r"\s?[\[({<]\s?(?:at|@)\s?[\])}>]\s?|\sat\s", re.IGNORECASE)
_DOT: Final = r"(?:\s?[\[({<]\s?(?:dot|\.)\s?[\])}>]\s?|\sdot\s|\.)"
_SAID_DOMAIN: Final = re.compile(
    rf"(?:[a-z0-9-]{{1,63}}{_DOT}){{1,4}}"
    r"(?:com|org|net|edu|gov|mil|info|biz|name|app|dev|io|co|me|eu|uk|us|ca|au|nz|ie|in|de|at|ch|fr"
    r"|be|nl|es|pt|it|se|no|dk|fi|pl|cz|ru|jp|cn|br|mx|ar|za|example|test|invalid)(?![\w-])",
    re.IGNORECASE,
)
_SAID_LOCAL: Final = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}(?:\s(?:dot|underscore|dash|plus)\s[\w+-]{1,64}){0,3}\Z",
    re.IGNORECASE,
)
_SAID_LONGEST: Final = 100
_ARTICLES: Final = frozenset({"the", "a", "an", "this", "that", "our", "your", "my"})
_DOT_SAID: Final = re.compile(r"\bdot\b", re.IGNORECASE)


class EmailDetector(TextDetector):
    """``EMAIL``: a name, an at sign and a domain with a dot, in any script; also as it is said."""

    name = "email"
    version = "3"
    entities = frozenset({"EMAIL"})

    def likely(self, reading: Reading) -> bool:
        small = reading.small
        return "@" in small or "dot" in small or "%40" in small or "at]" in small or "at)" in small

    def spans(self, reading: Reading) -> Iterator[Span]:
        text, small = reading.text, reading.small
        if "@" in text or "%40" in text:
            yield from _written(text)
        if "dot" in small or "at]" in small or "at)" in small:
            yield from _said(text)


def _written(text: str) -> Iterator[Span]:
    floor = 0
    for domain in _DOMAIN.finditer(text):
        low = max(floor, domain.start() - _LOCAL_LONGEST)
        floor = domain.end()
        local = _LOCAL_BACKWARDS.match(text[low : domain.start()][::-1])
        length = len(local.group().rstrip("'.&")) if local else 0
        if length:
            yield Span(domain.start() - length, domain.end(), "EMAIL")


def _said(text: str) -> Iterator[Span]:
    for at in _SAID_AT.finditer(text):
        domain = _SAID_DOMAIN.match(text, at.end())
        plain = at.group().strip().isalpha()
        if domain is None or (plain and not _DOT_SAID.search(domain.group())):
            continue
        if plain and domain.group().split()[0].lower() in _ARTICLES:
            continue
        low = max(0, at.start() - _SAID_LONGEST)
        local = _SAID_LOCAL.search(text[low : at.start()])
        if local is not None:
            yield Span(low + local.start(), domain.end(), "EMAIL")
