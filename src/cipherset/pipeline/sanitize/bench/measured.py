"""What was measured of our own detectors: a label says it beside "none found"."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from cipherset.pipeline.sanitize.bench.scores import Rate
from cipherset.pipeline.sanitize.spans import Detector

FILE: Final = "measured.json"


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
    """The figures of this version of ``detector`` for ``entity``; None if it was not measured.

    Of several sets that with the lowest recall: a label promises no more than was seen.
    """
    found = [
        each
        for each in all_measured()
        if (each.detector, each.version, each.entity) == (detector.name, detector.version, entity)
    ]
    return min(found, key=lambda each: each.recall.value, default=None)


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


def recall_of(detectors: Iterable[Detector]) -> Callable[[str, str], float | None]:
    """A function of a detector's name and an entity: the measured recall, None if there is none.

    It knows the versions of ``detectors``, so that the recall of another is never theirs.
    """
    by_name = {detector.name: detector for detector in detectors}

    def recall(name: str, entity: str) -> float | None:
        found = measured(by_name[name], entity) if name in by_name else None
        return None if found is None else found.recall.value

    return recall
