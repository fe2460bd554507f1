"""What a row of training data may be refused for, and filters in a chain.

A row goes with the first reason that a filter has against it, and no later filter sees it: a
quarantined row is nobody's original. Nothing goes silently: every row that is not kept is
reported with its reason. Rows that are kept are not changed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from cipherset.core.values import ROW, Records


class Reason(StrEnum):
    """Why a row is not kept; the values are stable, scripts may rely on them."""

    EMPTY = "empty"
    OVERSIZED = "oversized"
    BROKEN_ENCODING = "broken_encoding"
    HIDDEN_TEXT = "hidden_text"
    INJECTION = "injection"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    LABEL_DISAGREES = "label_disagrees"
    OUTLIER = "outlier"


REPEATS: Final = frozenset({Reason.DUPLICATE, Reason.NEAR_DUPLICATE})

Verdicts = list[Reason | None]


class RowFilter(Protocol):
    """Judges rows batch by batch, in the order of the source; it may remember earlier ones."""

    @property
    def reasons(self) -> frozenset[Reason]:
        """The reasons it can give."""

    def judge(self, records: Records) -> Verdicts:
        """For each row the reason it is not kept, or None."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A row of the source (0-based) that is not kept, and why; never its text."""

    row: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Filtered:
    """What is left of one batch; ``places`` are the kept rows' positions in that batch."""

    kept: Records
    places: tuple[int, ...]
    refused: tuple[Refused, ...]


def filter_batch(records: Records, filters: Sequence[RowFilter]) -> Filtered:
    """``records`` without the rows that one of ``filters``, in this order, has a reason against."""
    places = np.arange(len(records.texts))
    rows = records.columns.column(ROW).to_numpy()
    refused: list[Refused] = []
    left = records
    for each in filters:
        verdicts = each.judge(left)
        refused += [
            Refused(int(rows[place]), reason)
            for place, reason in zip(places, verdicts, strict=True)
            if reason is not None
        ]
        good = np.flatnonzero([reason is None for reason in verdicts])
        if len(good) < len(verdicts):
            places, left = places[good], _taken(left, good)
    return Filtered(left, tuple(places.tolist()), tuple(sorted(refused, key=lambda one: one.row)))


def filter_rows(batches: Iterable[Records], filters: Sequence[RowFilter]) -> Iterator[Filtered]:
    """Each of ``batches`` filtered; filters that remember see the batches in this order."""
    for records in batches:
        yield filter_batch(records, filters)


class MarkedRows:
    """Refuses the rows that were judged before, by their number in the source.

    For filters that must have seen all rows, such as ``poison``: one pass judges, the next filters.
    """

    def __init__(self, marked: Mapping[int, Reason]) -> None:
        """With the reason of each row that is to go."""
        self._marked = dict(marked)

    @property
    def reasons(self) -> frozenset[Reason]:
        """Those of the marked rows."""
        return frozenset(self._marked.values())

    def judge(self, records: Records) -> Verdicts:
        """The reason of each marked row, None for the others."""
        return [self._marked.get(row) for row in records.columns.column(ROW).to_pylist()]


@dataclass(slots=True)
class RefusalCounts:
    """How many rows went for which reason, over all batches."""

    _counts: Counter[Reason] = field(default_factory=Counter)

    def add(self, filtered: Filtered) -> None:
        """Count the rows refused in one batch."""
        self._counts.update(one.reason for one in filtered.refused)

    def by_reason(self) -> Mapping[str, int]:
        """Counts by reason, in the order of the alphabet; reasons without a row are left out."""
        return {str(reason): self._counts[reason] for reason in sorted(self._counts)}

    @property
    def repeats(self) -> int:
        """How many went because they repeat a row that is kept."""
        return sum(self._counts[reason] for reason in REPEATS)

    @property
    def quarantined(self) -> int:
        """How many went for another reason."""
        return sum(self._counts.values()) - self.repeats


def _taken(records: Records, places: npt.NDArray[np.int64]) -> Records:
    return Records([records.texts[place] for place in places], records.columns.take(places))
