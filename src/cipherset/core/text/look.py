"""One look of every detector at some texts; one that throws spoils its row, not the run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from cipherset.core.errors import Caught
from cipherset.core.protocols import Detector
from cipherset.core.values import Span

LONGEST: Final = 1_000_000  # characters of a text that are looked at


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a text could not be looked at: which detector threw what kind of error; never its text.

    An error's words may hold the row.
    """

    detector: str
    error: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found in a batch: the spans of each text, and the faults by position."""

    spans: list[list[Span]]
    faults: dict[int, Fault] = field(default_factory=dict)


Look = Callable[[Sequence[str]], Looked]


def look(detectors: Sequence[Detector], texts: Sequence[str]) -> Looked:
    """The spans that ``detectors`` find in ``texts``, in any order.

    A detector that throws at the batch is given its texts one by one. Of a text at which one
    threw, the spans are those that others found.
    """
    looked = Looked([[] for _ in texts])
    for detector in detectors:
        caught = Caught()
        with caught:
            for each, more in zip(looked.spans, detector.detect(texts), strict=True):
                each += more
        if caught.kind:
            _one_by_one(detector, texts, looked)
    return looked


def _one_by_one(detector: Detector, texts: Sequence[str], looked: Looked) -> None:
    for position, text in enumerate(texts):
        caught = Caught()
        with caught:
            looked.spans[position] += detector.detect([text])[0]
        if caught.kind:
            looked.faults.setdefault(position, Fault(detector.name, caught.kind))
