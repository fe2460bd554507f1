"""Rows that are likely poisoned or stand alone, of a file or of an export on its way.

A row is suspect where its label disagrees with its neighbors', or where it is far from all others,
by the vectors of the texts. Which rows, is for the owner: an export tells how many.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa

from cipherset.app.exports.codes import Codebook, Codes
from cipherset.app.exports.dataset import VECTOR, Dataset, matrix
from cipherset.core.protocols import Encoder, Progress
from cipherset.pipeline.ingest import Source, joined_text
from cipherset.pipeline.sanitize.label import Reservoir
from cipherset.pipeline.sanitize.training import Neighborhoods, Reason, Reference

COMPARED: Final = 20_000  # rows that each is compared with: all of most sources
REASONS: Final = (Reason.LABEL_DISAGREES, Reason.OUTLIER)
_TOLD: Final = 20
_AT_ONCE: Final = 1024


@dataclass(frozen=True, slots=True)
class Suspects:
    """The reason of each suspect row, by its number from 0, and how many rows were looked at."""

    reasons: Mapping[int, Reason] = field(repr=False)
    n_looked: int

    def __len__(self) -> int:
        return len(self.reasons)

    @property
    def counts(self) -> dict[str, int]:
        """How many there are, by reason."""
        counted = Counter(self.reasons.values())
        return {reason.value: counted[reason] for reason in REASONS}

    @property
    def rows(self) -> dict[str, list[int]]:
        """Their numbers, by reason, for the owner."""
        return {
            reason.value: sorted(row for row, each in self.reasons.items() if each is reason)
            for reason in REASONS
        }

    @property
    def in_words(self) -> list[tuple[str, str]]:
        """The lines of a table: counts, and the first of the numbers."""
        lines = [("rows that stand out", f"{len(self)} of {self.n_looked} looked at")]
        for reason, rows in self.rows.items():
            if rows:
                more = ", …" if len(rows) > _TOLD else ""
                told = ", ".join(map(str, rows[:_TOLD]))
                lines.append((f"  {reason}", f"{len(rows)}: rows {told}{more}"))
        return lines

    def as_json(self) -> dict[str, Any]:
        """The same as JSON, with every number."""
        return {"looked": self.n_looked, "reasons": self.counts, "rows": self.rows}


@dataclass(frozen=True, slots=True)
class Looking:
    """Which columns are looked at, by which encoder; ``sample`` rows of the source, or all."""

    columns: Sequence[str]
    label: str | None
    encoder: Encoder
    seed: int
    sample: int | None = None


@dataclass(frozen=True, slots=True)
class _Texts:
    """Rows that have a text: their numbers in the source, texts and labels."""

    numbers: Codes
    texts: list[str] = field(repr=False)
    labels: list[str | None] = field(repr=False)


def suspects_of(source: Source, looking: Looking, progress: Progress) -> Suspects:
    """The suspect rows of ``source``; of a row without a text nothing is known.

    It is read twice: once to draw the rows that others are compared with. In memory are these and
    60 bytes of each row.

    Raises:
        InputError: ``too_few_neighbors``, ``column_missing``; the source is not fit.
    """
    drawn, n_rows = _drawn(source, looking)
    if _are_amounts(drawn.labels):
        looking = replace(looking, label=None)
    book = Codebook()
    vectors = looking.encoder.encode(drawn.texts, progress=progress)
    labels = _codes(book, drawn.labels, looking)
    among = Neighborhoods(Reference(drawn.numbers, vectors, labels))
    numbers = [drawn.numbers]
    progress.start("look for rows that stand out", n_rows)
    if looking.sample is not None or n_rows == len(drawn.numbers):
        among.add(drawn.numbers, vectors, labels)
        progress.advance(n_rows)
    else:
        numbers.clear()
        for batch in _texts(source, looking):
            values = looking.encoder.encode(batch.texts)
            among.add(batch.numbers, values, _codes(book, batch.labels, looking))
            numbers.append(batch.numbers)
            progress.advance(len(batch.texts))
    progress.finish()
    rows = np.concatenate(numbers)
    return Suspects(_reasons(rows, among), len(rows))


def suspects_among(dataset: Dataset, labels: Codes | None, seed: int) -> Suspects:
    """The suspect rows of an export that was read; the last of a class is none.

    ``labels`` (n,) are classes, None where there are none.

    Raises:
        InputError: ``too_few_neighbors``.
    """
    rows = np.arange(dataset.n_rows)
    if len(rows) > COMPARED:
        drawn = np.random.default_rng([seed, 0x5E]).choice(len(rows), COMPARED, replace=False)
        rows = np.sort(drawn)
    of_drawn = None if labels is None else labels[rows]
    among = Neighborhoods(Reference(rows, dataset.vectors(rows), of_drawn))
    first = 0
    for chunk in dataset.spool.chunks():
        numbers = np.arange(first, first + chunk.num_rows)
        of_chunk = None if labels is None else labels[numbers]
        among.add(numbers, matrix(chunk.column(VECTOR)), of_chunk)
        first += chunk.num_rows
    found = _reasons(np.arange(first), among)
    return Suspects(found if labels is None else _with_classes(found, labels), first)


def _with_classes(found: Mapping[int, Reason], labels: Codes) -> dict[int, Reason]:
    left = np.bincount(labels)
    left -= np.bincount(labels[list(found)], minlength=len(left))
    return {row: reason for row, reason in found.items() if left[labels[row]] > 0}


def _reasons(numbers: Codes, among: Neighborhoods) -> dict[int, Reason]:
    verdicts = zip(numbers.tolist(), among.misfits().verdicts(), strict=True)
    return {number: reason for number, reason in verdicts if reason is not None}


def _drawn(source: Source, looking: Looking) -> tuple[_Texts, int]:
    """Rows spread over the source, and how many have a text."""
    rng = np.random.default_rng([looking.seed, 0x5E])
    reservoir: Reservoir[tuple[int, str, str | None]] = Reservoir(looking.sample or COMPARED, rng)
    for batch in _texts(source, looking):
        reservoir.offer(len(batch.texts), partial(_taken, batch))
    rows = reservoir.rows()
    numbers = np.array([number for number, _, _ in rows], dtype=np.int64)
    texts, labels = [text for _, text, _ in rows], [label for _, _, label in rows]
    return _Texts(numbers, texts, labels), reservoir.seen


def _taken(batch: _Texts, rows: Sequence[int]) -> list[tuple[int, str, str | None]]:
    return [(int(batch.numbers[row]), batch.texts[row], batch.labels[row]) for row in rows]


def _texts(source: Source, looking: Looking) -> Iterator[_Texts]:
    label = () if looking.label is None else (looking.label,)
    first = 0
    for batch in source.cells([*looking.columns, *label], _AT_ONCE):
        table = batch.table
        parts = zip(*(table.column(name).to_pylist() for name in looking.columns), strict=True)
        texts = [joined_text(each) for each in parts]
        filled = [row for row, text in enumerate(texts) if text.strip()]
        labels = [None] * len(texts) if not label else table.column(label[0]).to_pylist()
        yield _Texts(
            first + np.array(filled, dtype=np.int64),
            [texts[row] for row in filled],
            [labels[row] or None for row in filled],
        )
        first += len(texts)


def _are_amounts(labels: list[str | None]) -> bool:
    """Whether they are numbers, some of them broken: there is no class to disagree on."""
    try:
        numbers = np.array([float(label) for label in labels if label is not None])
    except ValueError:
        return False
    return bool(np.isfinite(numbers).all() and (numbers % 1 != 0).any())


def _codes(book: Codebook, labels: list[str | None], looking: Looking) -> Codes | None:
    """A number per label, -1 where there is none; None where none are asked for."""
    if looking.label is None:
        return None
    codes = book.encode(pa.chunked_array([pa.array(labels, pa.string())]))
    given: Codes = np.where([label is None for label in labels], -1, codes)
    return given
