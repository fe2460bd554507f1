"""From what was seen of a column, and what it is called, to its label, and because of what."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cipherset.core.labels import Label, Level, Tag, Trust
from cipherset.core.text.look import LONGEST
from cipherset.pipeline.sanitize.bench.scores import Rate
from cipherset.pipeline.sanitize.label.confidence import at_most
from cipherset.pipeline.sanitize.label.kinds import (
    LEAST_LOOSE_ROWS,
    LEAST_LOOSE_SHARE,
    MADE_OF_DIGITS,
    TOLD_BY_A_FLAG,
    kind_of,
)
from cipherset.pipeline.sanitize.label.names import named
from cipherset.pipeline.sanitize.label.seen import Seen
from cipherset.pipeline.sanitize.spans import Detector

MOSTLY: Final = 0.9
# Bare digits pass a card's check one time in ten, and many are somebody's phone number: in a column
# of numbers most have to, or the name has to say so.
LEAST_OF_NUMBERS: Final = 0.5
_FLAG_VALUES: Final = 2
_KEY_ROWS: Final = 50
_KEY_SHARE: Final = 0.98

Recall = Callable[[str, str], Rate | None]


def not_measured(detector: str, entity: str) -> Rate | None:
    """The recall of a detector on an entity where nobody has measured it."""
    return None


@dataclass(frozen=True, slots=True)
class Finding:
    """An entity a column holds: in how many of the rows, and whether its name alone says so."""

    rows: int
    share: float
    by_name: bool

    def as_json(self) -> dict[str, Any]:
        """The same as JSON."""
        by = "name" if self.by_name else "detector"
        return {"count": self.rows, "share": round(self.share, 6), "by": by}


@dataclass(frozen=True, slots=True)
class ColumnLabel:
    """A column's label with its grounds; ``examples`` are masked, ``at_most`` is by entity.

    ``recall`` has each entity its detectors look for, None where nobody has measured it.
    ``at_most``: the share of rows that may hold one though none was found, at 95 % confidence, by
    the lower end of the recall's interval;
    None where the recall is. ``truncated``: cells that were not read to their end.
    """

    label: Label
    entities: Mapping[str, Finding]
    because: tuple[str, ...]
    detectors: tuple[str, ...]
    recall: Mapping[str, Rate | None]
    at_most: Mapping[str, float | None]
    examples: Mapping[str, Sequence[str]]
    truncated: int = 0

    def as_json(self) -> dict[str, Any]:
        """The column's part of the command's JSON; examples stay out."""
        return {
            "label": self.label.level.value,
            "tags": [tag.value for tag in self.label.tags],
            "entities": {name: each.as_json() for name, each in self.entities.items()},
            "because": list(self.because),
            "detector": list(self.detectors),
            "truncated": self.truncated,
            "recall": _told(self.recall, lambda rate: rate.value),
            "recall_low": _told(self.recall, lambda rate: round(rate.interval[0], 4)),
            "recall_n": _told(self.recall, lambda rate: rate.n),
            "at_most": {
                name: None if share is None else round(share, 6)
                for name, share in self.at_most.items()
            },
        }


@dataclass(frozen=True, slots=True)
class Grounds:
    """What is the same for all columns: the detectors, their recall, the rows, and the trust."""

    detectors: Sequence[Detector]
    n_rows: int
    trust: Trust | None = None
    recall: Recall = not_measured


def label_column(name: str, seen: Seen, grounds: Grounds) -> ColumnLabel:
    """The label of the column ``name`` of which ``seen`` was seen."""
    because: list[str] = []
    entities = _believed(name, seen, because)
    if not entities and seen.filled:
        because += _notes(seen)
    kinds = [kind_of(entity) for entity in entities]
    levels = [_floor(seen, grounds.trust), *(kind.level for kind in kinds)]
    tags: tuple[Tag, ...] = tuple(tag for kind in kinds for tag in kind.tags)
    level = max(levels, key=lambda each: each.rank)
    if seen.invisible:
        because.append(f"invisible characters in {seen.invisible:,} rows")
    recall = _recalls(grounds)
    missing = {
        entity: None if rate is None else at_most(seen.rows, grounds.n_rows, rate.interval[0])
        for entity, rate in recall.items()
        if entity not in entities
    }
    full = {each.name: f"{each.name}@{each.version}" for each in grounds.detectors}
    because += [
        f"{n} cells could not be read by {full.get(who, who)}"
        for who, n in sorted(seen.unread.items())
    ]
    if seen.truncated:
        because.append(
            f"of {seen.truncated:,} cells only the first {LONGEST:,} characters were read"
        )
    return ColumnLabel(
        label=Label(
            level=level, tags=tags, trusts=() if grounds.trust is None else (grounds.trust,)
        ),
        entities=entities,
        because=tuple(because),
        detectors=tuple(f"{each.name}@{each.version}" for each in grounds.detectors),
        recall=recall,
        at_most=missing,
        examples={entity: tuple(seen.examples.get(entity, ())) for entity in entities},
        truncated=seen.truncated,
    )


def _floor(seen: Seen, trust: Trust | None) -> Level:
    """The level of a column in which nothing was found: nobody has said that it is public."""
    if seen.share("vector") >= LEAST_OF_NUMBERS or seen.unread or seen.truncated:
        return Level.CONFIDENTIAL
    return Level.PUBLIC if trust in {Trust.PUBLIC, Trust.CRAWLED} else Level.INTERNAL


def _believed(name: str, seen: Seen, because: list[str]) -> dict[str, Finding]:
    hint = _hint(name, seen)
    found = {}
    for entity, rows in sorted(seen.found.items(), key=lambda item: (-item[1], item[0])):
        share = rows / seen.rows
        doubt = _doubt(entity, rows, seen) if entity != hint else None
        told = f"{entity} in {rows:,} of {seen.rows:,} rows"
        because.append(told if doubt is None else f"{told}: {doubt}, not counted")
        if doubt is None:
            found[entity] = Finding(rows, share, by_name=False)
    if hint is not None:
        because.append(f"its name says {hint}")
        if hint not in found:
            found[hint] = Finding(0, 0.0, by_name=True)
    return found


def _hint(name: str, seen: Seen) -> str | None:
    """The entity the name says; a column of two values holds no address, whatever it is called."""
    hint = named(name, flags=TOLD_BY_A_FLAG)
    is_flag = seen.filled > _FLAG_VALUES and len(seen.distinct) <= _FLAG_VALUES
    if seen.filled == 0 or (is_flag and hint not in TOLD_BY_A_FLAG):
        return None
    return hint


def _doubt(entity: str, rows: int, seen: Seen) -> str | None:
    """Why a finding is not counted, None where it is."""
    numbers = seen.share("whole") + seen.share("decimal")
    if entity in MADE_OF_DIGITS:
        numbers += seen.share("code")
    if numbers >= MOSTLY and rows < LEAST_OF_NUMBERS * seen.filled:
        return "as many as numbers and codes have by chance"
    if numbers >= MOSTLY and seen.share("decimal") >= LEAST_OF_NUMBERS:
        return "these are decimal numbers"
    if seen.share("date") >= MOSTLY and entity in MADE_OF_DIGITS:
        return "these are dates"
    if kind_of(entity).is_firm:
        return None
    if rows < LEAST_LOOSE_ROWS or rows < LEAST_LOOSE_SHARE * seen.filled:
        return "as few as ordinary text has"
    return None


def _notes(seen: Seen) -> list[str]:
    """What the shape of a column without findings says."""
    notes = ["nothing found in it"]
    if seen.share("vector") >= LEAST_OF_NUMBERS:
        notes = ["vectors, which can be turned back into what they were made of"]
    elif seen.share("date") >= MOSTLY:
        notes.append("dates")
    is_key = seen.filled >= _KEY_ROWS and len(seen.distinct) >= _KEY_SHARE * seen.compared
    if is_key and sum(map(seen.share, ("whole", "code", "word"))) >= MOSTLY:
        notes.append("a value of its own in each row: it joins them to other tables")
    return notes


def _recalls(grounds: Grounds) -> dict[str, Rate | None]:
    """By entity, the best measured recall among the detectors that look for it."""
    recalls: dict[str, Rate | None] = {}
    for detector in grounds.detectors:
        for entity in detector.entities:
            known = [recalls.get(entity), grounds.recall(detector.name, entity)]
            rates = (each for each in known if each is not None)
            recalls[entity] = max(rates, key=lambda rate: rate.value, default=None)
    return dict(sorted(recalls.items()))


def _told(
    recall: Mapping[str, Rate | None], figure: Callable[[Rate], float]
) -> dict[str, float | None]:
    return {name: None if rate is None else figure(rate) for name, rate in recall.items()}
