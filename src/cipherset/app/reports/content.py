"""What a report says, whatever it is written as: sections of figures and tables, with their events.

An entry is linked to the events that it was computed from, by their numbers. All of them are in the
JSON; of many, a page shows the first and the last.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from cipherset.app.audit.verify import CheckpointResult
from cipherset.app.reports.period import Period
from cipherset.custody.ledger import Event

# So many links can be looked through by a person; half of them are the first, half the last.
MOST_LINKED: Final = 12
# A page with more rows of a table is read by nobody; the JSON has them all.
MOST_ROWS: Final = 200


@dataclass(frozen=True, slots=True)
class Figure:
    """A number or a word, what it is of, and the events behind it."""

    name: str
    value: str | int
    events: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a line, one per column, and the events behind it."""

    cells: tuple[str | int, ...]
    events: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Lines under names of columns; ``empty`` is said where there is none."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    empty: str = "None in the period."

    @property
    def shown(self) -> tuple[Row, ...]:
        """Those that a page shows."""
        return self.rows[:MOST_ROWS]

    @property
    def left_off(self) -> int:
        """How many only the JSON has."""
        return len(self.rows) - len(self.shown)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report; ``id`` is its anchor, ``says`` what it is and is not."""

    id: str
    title: str
    says: str
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]

    def entries(self) -> Iterator[Figure | Row]:
        """Everything on a page that is linked to events."""
        yield from self.figures
        yield from chain.from_iterable(table.shown for table in self.tables)

    def as_json(self) -> dict[str, Any]:
        """All of it; each ``events`` is a list of first and last numbers."""
        return {
            "id": self.id,
            "title": self.title,
            "says": self.says,
            "figures": [
                {"name": each.name, "value": each.value, "events": spans(each.events)}
                for each in self.figures
            ],
            "tables": [
                {
                    "title": table.title,
                    "rows": [
                        {
                            **dict(zip(table.columns, row.cells, strict=True)),
                            "events": spans(row.events),
                        }
                        for row in table.rows
                    ],
                }
                for table in self.tables
            ],
        }


@dataclass(frozen=True, slots=True)
class Report:
    """The whole: ``n_events`` fall into the period, ``events`` are those that a page links."""

    created: str
    actor: str
    period: Period
    n_events: int
    sections: tuple[Section, ...]
    events: tuple[Event, ...]
    checkpoint: CheckpointResult


def linked(events: Sequence[int]) -> tuple[int, ...]:
    """Those of ``events`` (sorted) that a page links: all, or the first and the last of many."""
    if len(events) <= MOST_LINKED:
        return tuple(events)
    half = MOST_LINKED // 2
    return (*events[:half], *events[-half:])


def spans(events: Iterable[int]) -> list[list[int]]:
    """First and last of each run of numbers without a gap."""
    found: list[list[int]] = []
    for seq in sorted(set(events)):
        if found and found[-1][1] == seq - 1:
            found[-1][1] = seq
        else:
            found.append([seq, seq])
    return found


def appendix(sections: Iterable[Section], events: Sequence[Event]) -> tuple[Event, ...]:
    """Every event that a page links, in order, as it is stored."""
    wanted = {seq for each in sections for entry in each.entries() for seq in linked(entry.events)}
    return tuple(event for event in events if event.seq in wanted)
