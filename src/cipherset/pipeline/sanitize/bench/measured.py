"""What was measured of our own detectors: a label says it beside "none found"."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Final

from cipherset.pipeline.sanitize.bench.scores import Rate
from cipherset.pipeline.sanitize.spans import Detector

FILE: Final = "measured.json"
FEWEST: Final = 50  # spans of a set that speaks for itself


@dataclass(frozen=True, slots=True)
class Measured:
    """One version's figures for one entity, on texts it was not written by.

    ``on`` names the texts. Precision counts what is reported of ``entity`` and is that.
    """

    detector: str
    version: str
    entity: str
    on: str
    recall: Rate
    precision: Rate

    def sentence(self) -> str:
        """As a label says it: ``recall 0.60 (0.55 to 0.65) on 412 of PERSON in ...``."""
        low, high = self.recall.interval
        return (
            f"recall {self.recall.value:.2f} ({low:.2f} to {high:.2f})"
            f" on {self.recall.n} of {self.entity} in {self.on}"
        )


def measured(detector: Detector, entity: str) -> Measured | None:
    """The figures of this version of ``detector`` for ``entity``; None if it was not measured."""
    return of_sets(
        [
            each
            for each in all_measured()
            if (each.detector, each.version, each.entity)
            == (detector.name, detector.version, entity)
        ]
    )


def of_sets(sets: Sequence[Measured]) -> Measured | None:
    """Of several sets that with the lowest recall: a label promises no more than was seen.

    Sets of fewer than ``FEWEST`` spans say little alone. They count as one, and where that one is
    as small, with the set of the lowest recall.
    """
    small = [each for each in sets if each.recall.n < FEWEST]
    large = [each for each in sets if each.recall.n >= FEWEST]
    large.sort(key=lambda each: each.recall.value)
    if small and sum(each.recall.n for each in small) < FEWEST:
        small += large[:1]
        del large[:1]
    together = [_pooled(small)] if small else []
    return min([*together, *large], key=lambda each: each.recall.value, default=None)


def _pooled(sets: Sequence[Measured]) -> Measured:
    return replace(
        sets[0],
        on=" and ".join(sorted({each.on for each in sets})),
        recall=_sum([each.recall for each in sets]),
        precision=_sum([each.precision for each in sets]),
    )


def _sum(rates: Sequence[Rate]) -> Rate:
    return Rate(sum(each.hits for each in rates), sum(each.n for each in rates))


@cache
def all_measured() -> tuple[Measured, ...]:
    """Every line of the shipped file; ``benchmarks/detect.py --write`` makes it."""
    raw = json.loads(files(__package__).joinpath(FILE).read_text(encoding="utf-8"))
    return tuple(
        Measured(
            each["detector"],
            each["version"],
            each["entity"],
            each["on"],
            Rate(*each["recall"]),
            Rate(*each["precision"]),
        )
        for each in raw
    )


def recall_of(detectors: Iterable[Detector]) -> Callable[[str, str], Rate | None]:
    """A function of a detector's name and an entity: the measured recall, None if there is none.

    It knows the versions of ``detectors``, so that the recall of another is never theirs.
    """
    by_name = {detector.name: detector for detector in detectors}

    def recall(name: str, entity: str) -> Rate | None:
        found = measured(by_name[name], entity) if name in by_name else None
        return None if found is None else found.recall

    return recall
