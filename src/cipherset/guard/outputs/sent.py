"""What the caller sent himself: repeating it to him gives nothing away."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from cipherset.core.protocols import Detector
from cipherset.guard.outputs.spans import spans_of

_WORD: Final = re.compile(r"[^\W_]+")
_FEWEST: Final = 4  # characters; what is shorter is in many a prompt by chance


class Sent:
    """The words of a prompt, and the values that detectors find in it."""

    __slots__ = ("_values", "_words")

    def __init__(self, texts: Sequence[str], detectors: Iterable[Detector] = ()) -> None:
        """Of the messages of one prompt; nothing is found across two of them."""
        apart = " \n ".join(" ".join(_words(text)) for text in texts)
        self._words = f" {apart} "
        self._values = frozenset(
            "".join(_words(text[span.start : span.end]))
            for detector in detectors
            for text in texts
            for span in spans_of(detector, text)
        )

    def holds(self, piece: str) -> bool:
        """Whether ``piece`` was sent: its words in this order, or the same value written apart."""
        words = _words(piece)
        together = "".join(words)
        if len(together) < _FEWEST:
            return False
        return together in self._values or f" {' '.join(words)} " in self._words

    def __repr__(self) -> str:
        return "Sent(...)"


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
