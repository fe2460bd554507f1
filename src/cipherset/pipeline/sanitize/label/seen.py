"""What was seen of one column so far: counts, shapes and masked examples; no value of it.

Looks at cells in batches, so that all rows of a source take no more memory than a sample.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cipherset.core.text.invisible import without_invisible
from cipherset.core.text.look import LONGEST, Look, Looked
from cipherset.pipeline.sanitize.label.masks import masked
from cipherset.pipeline.sanitize.spans import Span, merged

MOST_DISTINCT: Final = 10_000
EXAMPLES: Final = 3
_FREE_WORDS: Final = 4  # a cell of more words is a text, not a value

_WHOLE: Final = re.compile(r"[+-]?\d{1,40}(?:\.0)?")
_DECIMAL: Final = re.compile(r"[+-]?\d{0,40}[.,]\d{1,40}(?:[eE][+-]?\d{1,3})?")
_DATE: Final = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ][\d:.,+ -]{1,24}Z?)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}"
)
_VECTOR: Final = re.compile(
    r"\[?\s*(?:[+-]?[\d.]{1,40}(?:[eE][+-]?\d{1,4})?[\s,]{1,8}){7}[\d\s.,eE+-]*\]?"
)
_CODE: Final = re.compile(r"(?=\S{0,127}\d)(?=\S{0,127}[A-Za-z])\S{8,128}")
_POINT_ZERO: Final = re.compile(r"(\d{6,40})\.0")


@dataclass(frozen=True, slots=True)
class ReadCells:
    """Cells of one column: how often each is there, and what was found in which texts.

    ``times`` is by a hash of the cell, ``texts`` says how often each text was read.
    """

    n_rows: int
    times: Mapping[int, int] = field(repr=False)
    shapes: Counter[str]
    texts: Mapping[str, int] = field(repr=False)
    looked: Looked = field(repr=False)
    invisible: int
    truncated: int


def read_cells(
    cells: Sequence[str | None], looking: Look, code: Callable[[str], int] = hash
) -> ReadCells:
    """``cells`` as ``looking`` sees them; what is there several times is read once.

    Of a cell of more than ``LONGEST`` characters the first are read; it counts as truncated.
    ``code`` tells values apart; ``hash`` does so within one process.
    """
    times = Counter(cell for cell in cells if cell is not None and cell.strip())
    shapes: Counter[str] = Counter()
    texts: dict[str, int] = {}
    invisible = truncated = 0
    for cell, n in times.items():
        truncated += n if len(cell) > LONGEST else 0
        visible, n_invisible = without_invisible(cell[:LONGEST])
        invisible += n if n_invisible else 0
        shape = shape_of(visible)
        shapes[shape] += n
        if shape != "vector":
            key = _POINT_ZERO.sub(r"\1", visible) if shape == "whole" else visible
            texts[key] = texts.get(key, 0) + n
    codes = {code(cell): n for cell, n in times.items()}
    looked = looking(list(texts))
    return ReadCells(len(cells), codes, shapes, texts, looked, invisible, truncated)


@dataclass(slots=True)
class Seen:
    """One column; shapes are counted over the filled cells, distinct values over the first."""

    rows: int = 0
    filled: int = 0
    shapes: Counter[str] = field(default_factory=Counter)
    distinct: set[int] = field(default_factory=set, repr=False)
    compared: int = 0
    found: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    unread: Counter[str] = field(default_factory=Counter)
    invisible: int = 0
    truncated: int = 0

    def share(self, shape: str) -> float:
        """The share of filled cells that are of a ``shape_of`` cells."""
        return self.shapes[shape] / self.filled if self.filled else 0.0

    def look(self, cells: Sequence[str | None], looking: Look) -> None:
        """Add ``cells`` as ``looking`` sees them."""
        self.add(read_cells(cells, looking))

    def add(self, read: ReadCells) -> None:
        """Add the next cells."""
        self.rows += read.n_rows
        self.filled += sum(read.times.values())
        self.invisible += read.invisible
        self.truncated += read.truncated
        self.shapes += read.shapes
        for code, n in read.times.items():
            if len(self.distinct) < MOST_DISTINCT:
                self.compared += n
                self.distinct.add(code)
        texts = zip(read.texts.items(), read.looked.spans, strict=True)
        for position, ((text, n), spans) in enumerate(texts):
            self._count(text, n, merged(spans))
            fault = read.looked.faults.get(position)
            if fault is not None:
                self.unread[fault.detector] += n

    def _count(self, text: str, n: int, spans: Sequence[Span]) -> None:
        for entity in {span.entity for span in spans}:
            self.found[entity] += n
        for span in spans:
            shown = self.examples.setdefault(span.entity, [])
            if len(shown) < EXAMPLES:
                example = masked(span.entity, text[span.start : span.end])
                if example not in shown:
                    shown.append(example)


def shape_of(text: str) -> str:
    """``whole``, ``decimal``, ``date``, ``vector``, ``code``, ``text`` or ``word``.

    A code is one word of letters and digits, a text has more words than a value.
    """
    cell = text.strip()
    for shape, pattern in (("whole", _WHOLE), ("decimal", _DECIMAL), ("date", _DATE)):
        if pattern.fullmatch(cell):
            return shape
    if _VECTOR.match(cell):
        return "vector"
    if _CODE.fullmatch(cell):
        return "code"
    return "text" if len(cell.split(None, _FREE_WORDS)) > _FREE_WORDS else "word"
