"""Names that nobody has: a given name, and a surname put together from syllables.

Coined surnames read like names and are known again, so that a text with surrogates in it can be
sanitized once more; a list of real surnames could not be told from the people in the text.
"""

import tomllib
from importlib.resources import files
from typing import Final

_PARTS: Final[dict[str, tuple[str, ...]]] = {
    name: tuple(text.split())
    for name, text in tomllib.loads(
        (files(__package__) / "coined.toml").read_text(encoding="utf-8")
    ).items()
}
GIVEN: Final = _PARTS["given"]
_ONSETS: Final = _PARTS["onsets"]
_MIDDLES: Final = _PARTS["middles"]
_ENDS: Final = _PARTS["ends"]
N_GIVEN: Final = len(GIVEN)
N_SURNAMES: Final = len(_ONSETS) * len(_MIDDLES) * len(_ENDS)
SURNAME: Final = "".join(f"(?:{'|'.join(part)})" for part in (_ONSETS, _MIDDLES, _ENDS))
FULL_NAME: Final = f"(?:{'|'.join(GIVEN)}) {SURNAME}"


def surname(number: int) -> str:
    """The coined surname of a number from 0 to ``N_SURNAMES`` - 1."""
    number, onset = divmod(number, len(_ONSETS))
    end, middle = divmod(number, len(_MIDDLES))
    return _ONSETS[onset] + _MIDDLES[middle] + _ENDS[end]
