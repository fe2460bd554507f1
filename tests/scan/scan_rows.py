"""Sources with planted values, and a detector that finds what it is told to."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from cipherset.pipeline.sanitize import Span

CANARY = "canary9e1c"
CARDS = ("4111111111111111", "5500005555555559", "4012888888881881", "378282246310005")


class Finds:
    """A detector of fixed strings, each with its entity."""

    def __init__(self, words: Mapping[str, str], *, name: str = "finds") -> None:
        self._words = words
        self.name = name
        self.version = "7"
        self.entities = frozenset(words.values())

    def detect(self, texts: Sequence[str]) -> list[list[Span]]:
        return [
            [
                Span(start, start + len(word), entity)
                for word, entity in self._words.items()
                if (start := text.find(word)) >= 0
            ]
            for text in texts
        ]


class Throws:
    """A detector that throws on texts that hold a word."""

    name = "throws"
    version = "1"
    entities = frozenset({"SECRET"})

    def __init__(self, word: str) -> None:
        self._word = word

    def detect(self, texts: Sequence[str]) -> list[list[Span]]:
        for text in texts:
            if self._word in text:
                raise ValueError(text)
        return [[Span(0, 3, "SECRET")] if text.startswith("key") else [] for text in texts]


def as_csv(columns: Mapping[str, Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return out.getvalue()


def write_csv(path: Path, columns: Mapping[str, Sequence[object]]) -> Path:
    path.write_text(as_csv(columns), encoding="utf-8")
    return path
