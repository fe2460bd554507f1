"""A text as people see it, for models and detectors: nothing hidden, and no flag or script lost."""

import re
from typing import Final

from cipherset.core.text.invisible import without_invisible

# A black flag and the tags of a region (ISO 3166-2): England, Scotland, Wales, Texas.
_FLAG: Final = re.compile(
    "(\U0001f3f4[\U000e0061-\U000e007a]{2}[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,3}\U000e007f)"
)


def visible(text: str) -> str:
    """``text`` without invisible characters, but for those that an emoji or a script needs.

    Letters of right-to-left scripts stay, marks and overrides of direction go.
    """
    if text.isascii() or "\U0001f3f4" not in text:
        return without_invisible(text)[0]
    pieces = _FLAG.split(text)
    pieces[::2] = [without_invisible(piece)[0] for piece in pieces[::2]]
    return "".join(pieces)
