"""Bytes of a file as text: its encoding, its lines, and its code without comments."""

import re
from typing import Final

_BOMS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
# A string that is not closed ends with its line: so every quote begins a match, and none is tried
# twice. Possessive, so that nothing is taken back.
_STRINGS: Final = r"\"(?:\\.|[^\"\\\n])*+\"?|'(?:\\.|[^'\\\n])*+'?"
_BLOCKS: Final = r"\"\"\".*?\"\"\"|'''.*?'''"
_C: Final = r"//[^\n]*|/\*.*?(?:\*/|\Z)"
_COMMENTS: Final = {
    "c": re.compile(rf"({_BLOCKS}|{_STRINGS}|`(?:\\.|[^`\\])*+`?)|{_C}", re.DOTALL),
    # There an apostrophe also begins a lifetime.
    "rust": re.compile(rf"(\"(?:\\.|[^\"\\])*+\"?|'(?:\\.|[^'\\\n])')|{_C}", re.DOTALL),
    "php": re.compile(rf"({_STRINGS})|{_C}|\#(?!\[)[^\n]*", re.DOTALL),
    "hash": re.compile(rf"({_STRINGS})|(?<![\w$&])\#[^\n]*"),
    "lisp": re.compile(r"(\"(?:\\.|[^\"\\])*+\"?)|;[^\n]*", re.DOTALL),
    "dashes": re.compile(rf"({_STRINGS})|--[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL),
}


def decoded(raw: bytes) -> str | None:
    """``raw`` as text; None if it is not text in UTF-8, -16, -32 or an 8-bit encoding."""
    for mark, encoding in _BOMS:
        if raw.startswith(mark):
            try:
                return raw.decode(encoding)
            except UnicodeDecodeError:
                return None
    if b"\0" in raw:
        return _without_mark(raw)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        # Names, hosts and keywords are ASCII, so any encoding that holds ASCII will do.
        return raw.decode("latin-1")


def _without_mark(raw: bytes) -> str | None:
    """UTF-16 that does not say so: of ASCII, every other byte is zero."""
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros = raw[first:4096:2]
        if len(zeros) > 1 and zeros.count(0) > 0.9 * len(zeros):
            try:
                return raw.decode(encoding)
            except UnicodeDecodeError:
                return None
    return None


def without_comments(text: str, style: str) -> str:
    """``text`` with blanks for comments; lines stay where they are.

    By pattern, not by grammar: a quote inside a regular expression of JavaScript may hide a line.
    """
    return _COMMENTS[style].sub(_kept, text)


def _kept(match: re.Match[str]) -> str:
    return match[0] if match[1] is not None else "\n" * match[0].count("\n")


def line_of(text: str, position: int) -> int:
    """The number of the line, from 1, in which ``position`` is."""
    return text.count("\n", 0, position) + 1
