"""The one list of detectors, and those that need a package beside Cipherset."""

from collections.abc import Callable, Mapping
from typing import Final

from cipherset.pipeline.sanitize.detectors.contacts import (
    EmailDetector,
    IpDetector,
    PhoneDetector,
    UrlDetector,
)
from cipherset.pipeline.sanitize.detectors.credentials import CredentialDetector
from cipherset.pipeline.sanitize.detectors.payments import CardDetector, IbanDetector
from cipherset.pipeline.sanitize.spans import Detector


def built_in(phone_region: str) -> tuple[Detector, ...]:
    """Every detector that is always there."""
    return (
        CredentialDetector(),
        UrlDetector(),
        EmailDetector(),
        IpDetector(),
        CardDetector(),
        IbanDetector(),
        PhoneDetector(phone_region),
    )


NAMES: Final = tuple(detector.name for detector in built_in("US"))
# Made when they are asked for: each imports a package that need not be there.
EXTRAS: Final[Mapping[str, Callable[[], Detector]]] = {}
