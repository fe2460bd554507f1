"""One batch of rows: its texts sanitized, and the rows that could not be set apart."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from cipherset.core.rows import Rows
from cipherset.pipeline.sanitize import Fault, Look, SanitizeRules, sanitize_texts

DETECTOR_FAILED: Final = "detector_failed"
NOT_TEXT: Final = "not_text"
NOT_UNICODE: Final = "not_unicode"
OVERSIZED: Final = "oversized"


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done with each batch."""

    text: tuple[str, ...]
    rules: SanitizeRules
    largest_row: int


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A row that was not written, counted from 0, and why; nothing of what it holds.

    ``detector`` and ``error`` say which detector threw what kind of error.
    """

    row: int
    reason: str
    detector: str = ""
    error: str = ""

    def as_json(self) -> dict[str, str | int]:
        """One line of the list."""
        told: dict[str, str | int] = {"row": self.row, "reason": self.reason}
        return told | ({"detector": self.detector, "error": self.error} if self.detector else {})


@dataclass(frozen=True, slots=True)
class CleanBatch:
    """Sanitized rows, what was found in them, and the rows set apart as they were.

    ``numbers`` are those of the sanitized rows in the source, counted from 0.
    """

    clean: Rows = field(repr=False)
    numbers: list[int]
    apart: Rows = field(repr=False)
    found: Counter[str]
    quarantined: list[Quarantined]


def clean_batch(work: Work, rows: Rows, looking: Look) -> CleanBatch:
    """``rows`` with their texts sanitized; a row that cannot be is set apart."""
    cells = {column: rows.cells(column) for column in work.text}
    refused = _unfit(work, rows, cells)
    fit = [
        (column, row)
        for column, values in cells.items()
        for row, value in enumerate(values)
        if value is not None and row not in refused
    ]
    texts = [str(cells[column][row]) for column, row in fit]
    done = sanitize_texts(texts, work.rules, looking)
    for position, fault in done.withheld.items():
        row = fit[position][1]
        refused.setdefault(row, _failed(rows.start + row, fault))
    found: Counter[str] = Counter()
    for position, (column, row) in enumerate(fit):
        cells[column][row] = done.texts[position]
        if row not in refused:
            found += done.counts.get(position, Counter())
    kept = [row for row in range(rows.n_rows) if row not in refused]
    apart = sorted(refused)
    return CleanBatch(
        # Rows apart hold values that need not be text: they go before the texts are put in.
        rows.taken(kept).with_texts({c: [cells[c][row] for row in kept] for c in work.text}),
        [rows.start + row for row in kept],
        rows.taken(apart),
        found,
        [refused[row] for row in apart],
    )


def _failed(row: int, fault: Fault) -> Quarantined:
    if not fault.detector:
        return Quarantined(row, fault.error)
    return Quarantined(row, DETECTOR_FAILED, fault.detector, fault.error)


def _unfit(work: Work, rows: Rows, cells: dict[str, list[object]]) -> dict[int, Quarantined]:
    """The rows that no detector is to see, by position."""
    refused: dict[int, Quarantined] = {}
    for row in range(rows.n_rows):
        reason = _why_unfit([cells[column][row] for column in work.text], work.largest_row)
        if reason:
            refused[row] = Quarantined(rows.start + row, reason)
    return refused


def _why_unfit(values: list[object], largest: int) -> str:
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) + values.count(None) < len(values):
        return NOT_TEXT
    if sum(map(len, texts)) > largest:
        return OVERSIZED
    return "" if all(map(_is_unicode, texts)) else NOT_UNICODE


def _is_unicode(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
