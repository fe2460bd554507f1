"""The one list of detectors, and those that need a package beside Cipherset."""

from collections.abc import Callable, Mapping
from typing import Final

from cipherset.pipeline.sanitize.detectors.adapters.presidio import PresidioDetector
from cipherset.pipeline.sanitize.detectors.adapters.spacy import SpacyDetector
from cipherset.pipeline.sanitize.detectors.adapters.together import NamesWithModel
from cipherset.pipeline.sanitize.detectors.prose import (
    names_detectors,
    secrecy_detectors,
    topic_detectors,
)
from cipherset.pipeline.sanitize.detectors.structured import AmountDetector, StructuredDetector
from cipherset.pipeline.sanitize.spans import Detector


def built_in(phone_region: str) -> tuple[Detector, ...]:
    """Every detector that is always there."""
    return (
        StructuredDetector(phone_region),
        AmountDetector(),
        *names_detectors(),
        *topic_detectors(),
        *secrecy_detectors(),
    )


NAMES: Final = tuple(detector.name for detector in built_in("US"))
# Made when they are asked for: each is refused where its package is not there.
EXTRAS: Final[Mapping[str, Callable[[], Detector]]] = {
    "names-model": NamesWithModel,
    "presidio": PresidioDetector,
    "spacy": SpacyDetector,
}
