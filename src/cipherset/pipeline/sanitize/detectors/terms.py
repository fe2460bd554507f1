"""Detector of an owner's own words: projects, recipes, code names, customers."""

import re
from collections.abc import Sequence
from typing import Final

from cipherset.pipeline.sanitize.spans import Span


class TermsDetector:
    """Whole words or phrases of a list, in any case and with any blanks between their words."""

    version: Final = "1"

    def __init__(self, name: str, terms: Sequence[str], entity: str = "TRADE_SECRET") -> None:
        """``terms``: at least one, none of them blank."""
        self.name = name
        self.entities = frozenset({entity})
        self._entity = entity
        longest_first = sorted({term.strip() for term in terms}, key=len, reverse=True)
        words = "|".join(r"\s+".join(map(re.escape, term.split())) for term in longest_first)
        self._pattern = re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)

    def detect(self, texts: Sequence[str]) -> list[list[Span]]:
        return [
            [Span(match.start(), match.end(), self._entity) for match in self._pattern.finditer(t)]
            for t in texts
        ]
