"""Examples that show what shape a finding had, and nothing of what it said."""

import re
from typing import Final

DOT: Final = "\u2022"
_HIDDEN: Final = DOT * 3
_RUN: Final = re.compile(r"[^\W_]+")
_KEPT: Final = frozenset(" -.,:/@+()#_")  # what shapes are made of; any other sign may be the value
_LONGEST: Final = 40
_WORDS: Final = 6
_EMAIL: Final = re.compile(
    r"([a-z])[^@]{2,64}@[^@]{1,255}\.(com|org|net|edu|gov|de|fr|es|it|nl|uk)"
)


def masked(entity: str, text: str) -> str:
    """``text`` with each run of letters and digits as three dots, whatever its length.

    Of an e-mail address the first letter and a common ending stay.

    >>> masked("EMAIL", "jane.doe@example.com"), masked("CARD", "4111 1111 1111 1111")
    ('j•••@•••.com', '••• ••• ••• •••')
    """
    address = _EMAIL.fullmatch(text.lower()) if entity == "EMAIL" else None
    if address is not None:
        return f"{address[1]}{_HIDDEN}@{_HIDDEN}.{address[2]}"
    words = _RUN.sub(_HIDDEN, text).split()[:_WORDS]
    shape = "".join(sign if sign in _KEPT or sign == DOT else DOT for sign in " ".join(words))
    return shape[:_LONGEST] or _HIDDEN
