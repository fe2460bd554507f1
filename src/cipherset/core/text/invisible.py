"""Characters nobody sees: they hide words from detectors, carry messages, or turn text around.

Taken out wherever they stand:

    U+00AD            soft hyphen
    U+034F            combining grapheme joiner
    U+061C            Arabic letter mark
    U+115F U+1160 U+3164 U+FFA0   Hangul fillers
    U+17B4 U+17B5     Khmer inherent vowels
    U+180B..U+180F    Mongolian selectors and vowel separator
    U+200B            zero width space
    U+200E U+200F     left-to-right and right-to-left mark
    U+202A..U+202E    bidirectional embeddings and overrides
    U+2060..U+206F    word joiner, invisible operators, bidirectional isolates, deprecated formats
    U+FE00..U+FE0D    variation selectors 1 to 14
    U+FEFF            byte order mark
    U+FFF9..U+FFFB    interlinear annotation
    U+1D173..U+1D17A  musical formats
    U+E0000..U+E0FFF  tags and variation selectors 17 to 256
    C0 and C1 controls but those that break a line or a page, and the tab

U+200C and U+200D (zero width non-joiner and joiner) stay where one stands alone between two
visible characters beyond ASCII: Persian, Indic scripts and many emoji are written with them.
U+FE0E and U+FE0F (drawn as text, drawn as emoji) stay, the first where several follow each other.
"""

import re
from typing import Final

_CONTROLS: Final = "\x00-\x08\x0e-\x1f\x7f"
_BEYOND_ASCII: Final = (
    "\x80-\x84\x86-\x9f"
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff9-\ufffb"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_JOINERS: Final = "\u200c\u200d"
_NEIGHBOR: Final = f"[^\x00-\x7f{_BEYOND_ASCII}{_JOINERS}]"
_STYLES: Final = "\ufe0e\ufe0f"
_INVISIBLE: Final = re.compile(
    f"[{_CONTROLS}{_BEYOND_ASCII}]"
    f"|[{_JOINERS}](?!{_NEIGHBOR})"
    f"|(?<!{_NEIGHBOR})[{_JOINERS}]"
    f"|(?<=[{_STYLES}])[{_STYLES}]"
)


_SUSPECT: Final = re.compile(f"[{_CONTROLS}{_BEYOND_ASCII}{_JOINERS}{_STYLES}]")
_SUSPECT_ASCII: Final = re.compile(f"[{_CONTROLS}]")


def without_invisible(text: str) -> tuple[str, int]:
    """``text`` without invisible characters, and how many there were."""
    suspect = _SUSPECT_ASCII if text.isascii() else _SUSPECT
    if suspect.search(text) is None:
        return text, 0
    return _INVISIBLE.subn("", text)
