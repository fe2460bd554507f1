"""One batch of rows: its texts sanitized, and the rows that are not to be written set apart."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from cipherset.app.training.filters import refused
from cipherset.core.rows import Rows
from cipherset.pipeline.ingest import joined_text
from cipherset.pipeline.sanitize import Fault, Look, SanitizeRules, sanitize_texts
from cipherset.pipeline.sanitize.training import Reason, RowFilter

DETECTOR_FAILED: Final = "detector_failed"
NOT_TEXT: Final = "not_text"
NOT_UNICODE: Final = "not_unicode"
OVERSIZED: Final = "oversized"


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done with each batch; ``filters`` remember nothing of earlier ones.

    ``marked``: rows that are set apart for what was seen of all rows before, by number.
    """

    text: tuple[str, ...]
    rules: SanitizeRules
    largest_row: int
    filters: tuple[RowFilter, ...] = ()
    marked: Mapping[int, Reason] = field(default_factory=dict, repr=False)


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
    """``rows`` as they were, their sanitized ``cells`` by column, and which go for what reason.

    ``counts`` and ``refused`` are by position from 0 on: what was found in a row, and why it is
    not written.
    """

    rows: Rows = field(repr=False)
    cells: Mapping[str, list[object]] = field(repr=False)
    counts: Mapping[int, Counter[str]]
    refused: Mapping[int, Quarantined]

    @property
    def kept(self) -> list[int]:
        """The positions of the rows that are written."""
        return [row for row in range(self.rows.n_rows) if row not in self.refused]

    @property
    def numbers(self) -> list[int]:
        """The numbers in the source of the rows that are written, from 0 on."""
        return [self.rows.start + row for row in self.kept]

    @property
    def clean(self) -> Rows:
        """The rows that are written."""
        kept = self.kept
        texts = {column: [cells[row] for row in kept] for column, cells in self.cells.items()}
        # Rows apart hold values that need not be text: they go before the texts are put in.
        return self.rows.taken(kept).with_texts(texts)

    @property
    def apart(self) -> Rows:
        """The others, as they were."""
        return self.rows.taken(sorted(self.refused))

    @property
    def found(self) -> Counter[str]:
        """What was treated in the rows that are written."""
        counts = [count for row, count in self.counts.items() if row not in self.refused]
        return sum(counts, Counter[str]())

    @property
    def quarantined(self) -> list[Quarantined]:
        """Why the others are not, in their order."""
        return [self.refused[row] for row in sorted(self.refused)]

    @property
    def texts_before(self) -> list[str]:
        """The texts of the rows that are written, as they were."""
        before = texts_of(self.rows, tuple(self.cells))
        return [before[row] for row in self.kept]

    @property
    def texts(self) -> list[str]:
        """The texts of the rows that are written, sanitized."""
        return _joined(self.cells, self.kept)

    def without(self, reasons: Mapping[int, Reason]) -> "CleanBatch":
        """The same batch, of which the rows at those positions are not written either."""
        start = self.rows.start
        more = {row: Quarantined(start + row, reason) for row, reason in reasons.items()}
        return replace(self, refused={**self.refused, **more})


def clean_batch(work: Work, rows: Rows, looking: Look) -> CleanBatch:
    """``rows`` with their texts sanitized; a row that cannot be, or should not, is set apart."""
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
    counts: dict[int, Counter[str]] = {}
    for position, (column, row) in enumerate(fit):
        cells[column][row] = done.texts[position]
        if position in done.counts:
            counts.setdefault(row, Counter()).update(done.counts[position])
    return CleanBatch(rows, cells, counts, refused)


def texts_of(rows: Rows, columns: tuple[str, ...]) -> list[str]:
    """The text columns of each row as one text; what is no text is not in it."""
    return _joined({column: rows.cells(column) for column in columns}, range(rows.n_rows))


def _joined(cells: Mapping[str, list[object]], rows: Iterable[int]) -> list[str]:
    """The text columns of ``rows`` as one text each, which is what filters judge."""
    return [
        joined_text(text for values in cells.values() if isinstance(text := values[row], str))
        for row in rows
    ]


def _failed(row: int, fault: Fault) -> Quarantined:
    if not fault.detector:
        return Quarantined(row, fault.error)
    return Quarantined(row, DETECTOR_FAILED, fault.detector, fault.error)


def _unfit(work: Work, rows: Rows, cells: dict[str, list[object]]) -> dict[int, Quarantined]:
    """The rows that no detector is to see, by position."""
    unfit: dict[int, Quarantined] = {}
    for row in range(rows.n_rows):
        reason = _why_unfit([cells[column][row] for column in work.text], work.largest_row)
        if reason:
            unfit[row] = Quarantined(rows.start + row, reason)
    fit = [row for row in range(rows.n_rows) if row not in unfit]
    for one in refused(_joined(cells, fit), work.filters):
        unfit[fit[one.row]] = Quarantined(rows.start + fit[one.row], one.reason)
    for row in set(fit) - set(unfit):
        if suspect := work.marked.get(rows.start + row):
            unfit[row] = Quarantined(rows.start + row, suspect)
    return unfit


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
