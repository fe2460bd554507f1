"""What is to be taken out."""

from dataclasses import dataclass

from phonenumbers import SUPPORTED_REGIONS

from cipherset.core.errors import UsageError
from cipherset.pipeline.sanitize.detectors.structured import StructuredDetector
from cipherset.pipeline.sanitize.spans import Detector


@dataclass(frozen=True, slots=True)
class SanitizeRules:
    """The detectors whose findings are replaced. Invisible characters always go."""

    detectors: tuple[Detector, ...]


def default_rules(*, phone_region: str = "US") -> SanitizeRules:
    """Every built-in detector; a phone number without a country prefix is one of ``phone_region``.

    Raises:
        UsageError: ``phone_region`` is not a known region.
    """
    if phone_region not in SUPPORTED_REGIONS:
        raise UsageError(
            f"no phone region {phone_region!r}",
            code="phone_region",
            hint="expected two capital letters, such as US, DE or IN",
        )
    return SanitizeRules((StructuredDetector(phone_region),))
