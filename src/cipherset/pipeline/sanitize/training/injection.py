"""Rows that speak to a model: instructions hidden in what should be data.

What speaks to a model is the guard's to say (``guard.prompts.injection``); ``app`` hands it in.
"""

from collections.abc import Callable, Sequence
from typing import Final

from cipherset.core.values import Records
from cipherset.pipeline.sanitize.training.rows import Reason, Verdicts

ENOUGH: Final = 1.0


class InjectedRows:
    """Refuses rows that speak to a model, and rows whose order of characters is turned around."""

    reasons = frozenset({Reason.INJECTION, Reason.HIDDEN_TEXT})

    def __init__(
        self,
        score: Callable[[str], float],
        is_hiding: Callable[[str], bool],
        enough: float = ENOUGH,
    ) -> None:
        """Refuse from a ``score`` of ``enough`` on, and what ``is_hiding`` something."""
        self._score = score
        self._is_hiding = is_hiding
        self._enough = enough

    def judge(self, records: Records) -> Verdicts:
        """``injection``; ``hidden_text`` for tag characters and overrides of direction."""
        return self.judge_texts(records.texts)

    def judge_texts(self, texts: Sequence[str]) -> Verdicts:
        """The same of texts without columns."""
        return [self._verdict(text) for text in texts]

    def _verdict(self, text: str) -> Reason | None:
        if self._score(text) >= self._enough:
            return Reason.INJECTION
        if not text.isascii() and self._is_hiding(text):
            return Reason.HIDDEN_TEXT
        return None
