"""Rows that hold nothing to learn, or far too much."""

from typing import Final

from cipherset.core.errors import UsageError
from cipherset.core.text.invisible import without_invisible
from cipherset.core.values import Records
from cipherset.pipeline.sanitize.training.rows import Reason, Verdicts

MOST_BYTES: Final = 1 << 20


class EmptyRows:
    """Refuses texts without one visible character."""

    reasons = frozenset({Reason.EMPTY})

    def judge(self, records: Records) -> Verdicts:
        """``empty`` where nothing is left without blanks and invisible characters."""
        return [
            Reason.EMPTY if not without_invisible(text)[0].strip() else None
            for text in records.texts
        ]


class OversizedRows:
    """Refuses texts of more than ``most_bytes`` in UTF-8."""

    reasons = frozenset({Reason.OVERSIZED})

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        """Refuse what is longer.

        Raises:
            UsageError: ``row_limit``: ``most_bytes`` is not positive.
        """
        if most_bytes < 1:
            raise UsageError(
                f"a row may have from 1 byte on, not {most_bytes}",
                code="row_limit",
                hint="give the most bytes of one row, for example 1048576",
            )
        self._most_bytes = most_bytes

    def judge(self, records: Records) -> Verdicts:
        """``oversized`` where the limit is passed."""
        return [Reason.OVERSIZED if self._is_over(text) else None for text in records.texts]

    def _is_over(self, text: str) -> bool:
        """By the number of characters where that tells: one has from 1 to 4 bytes."""
        if len(text) > self._most_bytes:
            return True
        if 4 * len(text) <= self._most_bytes:
            return False
        return len(text.encode("utf-8", "surrogatepass")) > self._most_bytes
