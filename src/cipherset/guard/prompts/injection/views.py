"""A text as it may be meant to be read: decoded, unhidden, undisguised.

Each view is what some reader, a person or a model, could make of the text. None of them is ever
written anywhere.
"""

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from cipherset.core.text.invisible import without_invisible

MOST_CHARACTERS: Final = 1 << 16  # of a text are looked at; the rest as a second text, and so on
_OVERLAP: Final = 512
_CODE_POINTS: Final = 0x110000
_MOST_MARKS: Final = 30
_DEPTH: Final = 2  # an encoding within an encoding


@dataclass(frozen=True, slots=True)
class View:
    """``text`` in one reading.

    ``disguise``: all of the text, read otherwise than it stands; what is found there counts only if
    it is not in the text as it stands. ``hidden``: a part that no reader of the page would see.
    """

    name: str
    text: str = field(repr=False)
    disguise: bool = False
    hidden: bool = False


def plain_view(text: str) -> str:
    """``text`` as it is seen: NFKC, no invisible characters, one blank between words, folded."""
    composed = unicodedata.normalize("NFKC", _stream_safe(text))
    return " ".join(without_invisible(composed)[0].casefold().split())


def _stream_safe(text: str) -> str:
    """``text`` with at most 30 combining marks in a row: sorting more takes time by the square.

    Source: Unicode Standard Annex #15, section 13, Stream-Safe Text Format.
    """
    if text.isascii():
        return text
    kept = []
    run = 0
    for letter in text:
        run = run + 1 if unicodedata.combining(letter) else 0
        if run <= _MOST_MARKS:
            kept.append(letter)
    return "".join(kept)


def views(text: str) -> Iterator[View]:
    """``text`` as it is seen, then each other reading that differs from it.

    A long text is read in pieces that overlap by 512 characters.
    """
    for start in range(0, max(1, len(text)), MOST_CHARACTERS - _OVERLAP):
        yield from _views(text[start : start + MOST_CHARACTERS])


def _views(text: str) -> Iterator[View]:
    seen = plain_view(text)
    yield View("plain", seen)
    if joined := _joined(text):
        yield View("joined", plain_view(joined), disguise=True)
    for name, reading in _DISGUISES.items():
        read = reading(seen)
        if read and read != seen and any(word in read for word in _TELLING):
            yield View(name, read, disguise=True)
    hidden: dict[str, list[str]] = {}
    for name, found in _unhidden(text, _DEPTH):
        hidden.setdefault(name, []).append(found)
    for name, parts in hidden.items():
        yield View(name, plain_view(" … ".join(parts)), hidden=True)


def _unhidden(text: str, depth: int) -> Iterator[tuple[str, str]]:
    """What is hidden or encoded in ``text``, and in that again, so many times."""
    for name, finder in _HIDDEN.items():
        for found in finder(text):
            yield name, found
            if depth > 1:
                yield from _unhidden(found, depth - 1)


# A disguise is worth a look if one of these comes out of it.
_TELLING: Final = (
    "ignore",
    "disregard",
    "forget",
    "instruction",
    "prompt",
    "system",
    "reveal ",
    "override",
    "jailbr",
    "anything now",
    "password",
    "secret",
    "unrestricted",
)
_CYRILLIC_GREEK: Final = str.maketrans(
    "аеорсухіјѕԁһԛԝтмкнвзαορεικνυτχηωβ", "aeopcyxijsdhqwtmkhb3aopeiknutxnwb"
)
_LEET: Final = str.maketrans("0134578@$!|€", "oieastbasile")
_LEET_WORD: Final = re.compile(r"(?=\S{0,40}[a-z])(?=\S{0,40}[0134578@$!|€])\S{2,40}")
_LETTERS_APART: Final = re.compile(r"(?:\b\w[\s.\-_*|/]{1,3}){7,400}\w\b")
_SEPARATORS: Final = re.compile(r"[\s.\-_*|/]+")
_LINE_BREAK: Final = re.compile(r"(?<=\w)-?\r?\n(?=\w)")
_STRINGS_ADDED: Final = re.compile(r"([\"'])[ \t]{0,4}[+&.]?[ \t]{0,4}\1(?=\w)")
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz"
_SHIFTS: Final = tuple(
    str.maketrans(_ALPHABET, _ALPHABET[by:] + _ALPHABET[:by]) for by in range(1, 26)
)


def _undressed(seen: str) -> str:
    """Without accents, and with the look-alikes of other alphabets as Latin letters."""
    if seen.isascii():
        return ""
    letters = unicodedata.normalize("NFD", seen)
    kept = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return kept.translate(_CYRILLIC_GREEK)


def _unleet(seen: str) -> str:
    return _LEET_WORD.sub(lambda match: match[0].translate(_LEET), seen)


def _together(seen: str) -> str:
    """Letters that stand apart, joined; where the words begin is lost."""
    return " ".join(_SEPARATORS.sub("", match[0]) for match in _LETTERS_APART.finditer(seen))


def _joined(text: str) -> str:
    """Words that a line break or a sum of strings parts, joined; nothing where none is."""
    joined = _STRINGS_ADDED.sub("", _LINE_BREAK.sub("", text))
    return joined if joined != text else ""


def _turned(seen: str) -> str:
    """Of the 25 Caesar ciphers, rot13 among them, the readings with a telling word in them."""
    return " … ".join(
        read
        for shift in _SHIFTS
        if any(word in (read := seen.translate(shift)) for word in _TELLING)
    )


_DISGUISES: Final[dict[str, Callable[[str], str]]] = {
    "lookalikes": _undressed,
    "leet": _unleet,
    "apart": _together,
    "caesar": _turned,
    "reversed": lambda seen: seen[::-1],
}

_BASE64: Final = re.compile(r"[A-Za-z0-9+/_\-]{24,}={0,2}")
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2}[\s:]?){16,}")
_PERCENT: Final = re.compile(r"(?:%[0-9a-fA-F]{2}|[\w.~+\-]){12,}")
_MARKDOWN_COMMENT: Final = re.compile(
    r"^\[[^\]\n]{1,80}\]:[ \t]{0,4}[#<][^(\n\"']{0,9}[(\"']([^\n]{1,4000})[)\"'][ \t]{0,9}$",
    re.MULTILINE,
)
_INVISIBLE_ELEMENT: Final = re.compile(
    r"<(?:\w{1,12})\b[^>]{0,200}?(?:display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0"
    r"|opacity\s*:\s*0|color\s*:\s*(?:white|#fff)|\bhidden\b)[^>]{0,200}>(.{1,4000}?)</",
    re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE: Final = re.compile(
    r"\b(?:alt|title|aria-label|content)\s{0,4}=\s{0,4}[\"']([^\"']{12,4000})[\"']", re.IGNORECASE
)
# After a black flag they say which country's it is.
_TAGS: Final = re.compile("(?<![\U0001f3f4\U000e0020-\U000e007e])[\U000e0020-\U000e007e]{4,}")
_ESCAPES: Final = re.compile(
    r"(?:(?:\\u\{?[0-9a-fA-F]{2,6}\}?|\\x[0-9a-fA-F]{2}|\\[0-7]{3})\s?){8,}"
)
_ONE_ESCAPE: Final = re.compile(r"\\(?:u\{?|x)([0-9a-fA-F]{2,6})\}?|\\([0-7]{3})")
_ENTITIES: Final = re.compile(r"(?:&#x?[0-9a-fA-F]{2,6};\s?){8,}")


def _readable(raw: bytes) -> str:
    """``raw`` as text, where it looks like words, or like base64 once more; else nothing."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    ordinary = sum(letter.isalnum() or letter in " \n.,;:'\"!?-/()" for letter in text)
    readable = len(text) >= 12 and ordinary >= 0.9 * len(text)
    return text if readable and (" " in text or _BASE64.fullmatch(text)) else ""


def _decoded_base64(text: str) -> Iterator[str]:
    for match in _BASE64.finditer(text):
        coded = match[0].rstrip("=").replace("-", "+").replace("_", "/")
        coded = coded[: len(coded) - (len(coded) % 4 == 1)]
        try:
            raw = base64.b64decode(coded + "=" * (-len(coded) % 4))
        except (binascii.Error, ValueError):
            continue
        if found := _readable(raw):
            yield found


def _decoded_hex(text: str) -> Iterator[str]:
    for match in _HEX.finditer(text):
        digits = re.sub(r"[\s:]", "", match[0])
        if found := _readable(bytes.fromhex(digits)):
            yield found


def _comments(text: str) -> Iterator[str]:
    """What stands in HTML comments, the last of which may have no end."""
    start = text.find("<!--")
    while start >= 0:
        end = text.find("-->", start)
        yield text[start + 4 : end if end >= 0 else len(text)]
        start = text.find("<!--", end) if end >= 0 else -1


def _groups(pattern: re.Pattern[str]) -> Callable[[str], Iterator[str]]:
    def find(text: str) -> Iterator[str]:
        for match in pattern.finditer(text):
            yield next(group for group in match.groups() if group is not None)

    return find


def _decoded_tags(text: str) -> Iterator[str]:
    """Tag characters: ASCII that is drawn nowhere, and that models read."""
    for match in _TAGS.finditer(text):
        yield "".join(chr(ord(letter) - 0xE0000) for letter in match[0])


def _unescaped(text: str) -> str:
    """A code point written as an escape (Unicode, hexadecimal, octal), as that character."""

    def one(match: re.Match[str]) -> str:
        code = int(match[1], 16) if match[1] else int(match[2], 8)
        return chr(code) if code < _CODE_POINTS else ""

    return _ONE_ESCAPE.sub(one, text)


def _matched(
    pattern: re.Pattern[str], decode: Callable[[str], str]
) -> Callable[[str], Iterator[str]]:
    def find(text: str) -> Iterator[str]:
        for match in pattern.finditer(text):
            decoded = decode(match[0])
            if decoded != match[0]:
                yield decoded

    return find


_HIDDEN: Final[dict[str, Callable[[str], Iterator[str]]]] = {
    "base64": _decoded_base64,
    "hex": _decoded_hex,
    "percent": _matched(_PERCENT, lambda coded: unquote(coded.replace("+", " "))),
    "entities": _matched(_ENTITIES, lambda coded: html.unescape(coded)),
    "escapes": _matched(_ESCAPES, _unescaped),
    "comment": _comments,
    "markdown_comment": _groups(_MARKDOWN_COMMENT),
    "invisible_element": _groups(_INVISIBLE_ELEMENT),
    "attribute": _groups(_ATTRIBUTE),
    "tags": _decoded_tags,
}
