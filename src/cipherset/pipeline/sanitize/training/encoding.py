"""Rows whose characters were lost or mistaken on the way: what they said cannot be learned.

Refused:

    U+FFFD              where a character was lost, from the second on or in a short text
    NUL                 no text has it
    control characters  binary, from one in fifty characters on
    lone surrogates     half a character
    mojibake            UTF-8 that was read as Latin-1 or Windows-1252 ("cafÃ©" for "café")

One lost character in a long text is no reason: there is enough to learn from.
"""

import re
from typing import Final

from cipherset.core.values import Records
from cipherset.pipeline.sanitize.training.rows import Reason, Verdicts

_FEW: Final = 50  # one broken character in so many is enough
_CONTROL: Final = re.compile("[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_LOST: Final = "\ufffd"

# The bytes 0x80..0xbf as Windows-1252 shows them, or as Latin-1 where that has no character.
_CONTINUATION: Final = "".join(
    sorted({bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0xC0)})
    + [chr(byte) for byte in range(0x80, 0xA0)]
)
_TAIL: Final = f"[{re.escape(_CONTINUATION)}]"
_MOJIBAKE: Final = re.compile(
    f"[\u00c2-\u00df]{_TAIL}|[\u00e0-\u00ef]{_TAIL}{{2}}|[\u00f0-\u00f4]{_TAIL}{{3}}"
)
# How Latin and Cyrillic letters and quotation marks begin when they are mistaken.
_FIRST_OF_MOST: Final = "ÂÃâÐÑ"


class BrokenEncoding:
    """Refuses texts that were cut or mistaken for another encoding, and binary ones."""

    reasons = frozenset({Reason.BROKEN_ENCODING})

    def judge(self, records: Records) -> Verdicts:
        """``broken_encoding`` as the module says."""
        return [Reason.BROKEN_ENCODING if is_broken(text) else None for text in records.texts]


def is_broken(text: str) -> bool:
    """Whether characters of ``text`` were lost or mistaken, as the module says."""
    if "\x00" in text:
        return True
    if _many(len(_CONTROL.findall(text)), text):
        return True
    if text.isascii():
        return False
    if _SURROGATE.search(text) is not None:
        return True
    lost = text.count(_LOST)
    return lost > 1 or _many(lost, text) or _is_mojibake(text)


def _many(count: int, text: str) -> bool:
    return count > 0 and count * _FEW >= len(text)


def _is_mojibake(text: str) -> bool:
    """Whether most of what is beyond ASCII reads as UTF-8 taken for a one-byte encoding.

    A pair like ``É»`` may be meant once; a text in which such pairs are the rule is not.
    """
    found = _MOJIBAKE.findall(text)
    if len(found) == 1 and found[0][0] not in _FIRST_OF_MOST:
        return False
    mistaken = sum(map(len, found))
    beyond = sum(character > "\x7f" for character in text)
    return mistaken > 0 and 2 * mistaken > beyond
