"""Which detectors look, and what becomes of what they find."""

from dataclasses import dataclass, replace
from pathlib import Path

from phonenumbers import SUPPORTED_REGIONS

from cipherset.core.errors import UsageError
from cipherset.core.protocols import Pseudonymizer
from cipherset.pipeline.sanitize.detectors.adapters.gliner import GlinerDetector
from cipherset.pipeline.sanitize.detectors.built_in import EXTRAS, built_in
from cipherset.pipeline.sanitize.detectors.content.terms import TermsDetector
from cipherset.pipeline.sanitize.policy import Policy, default_policy
from cipherset.pipeline.sanitize.spans import Detector
from cipherset.pipeline.sanitize.treat import Treating, Treatment

_PLACEHOLDERS = Treating()


@dataclass(frozen=True, slots=True)
class SanitizeRules:
    """The detectors, and what becomes of their findings: placeholders, if nothing is said.

    Invisible characters always go.
    """

    detectors: tuple[Detector, ...]
    treating: Treating = _PLACEHOLDERS


def default_rules(*, phone_region: str = "US") -> SanitizeRules:
    """The shipped rules; a phone number without a country prefix is one of ``phone_region``.

    Raises:
        UsageError: ``phone_region`` is not a known region.
    """
    if phone_region not in SUPPORTED_REGIONS:
        raise UsageError(
            f"no phone region {phone_region!r}",
            code="phone_region",
            hint="expected two capital letters, such as US, DE or IN",
        )
    return rules_of(replace(default_policy(), phone_region=phone_region))


def rules_of(policy: Policy, key: Pseudonymizer | None = None) -> SanitizeRules:
    """The rules that ``policy`` describes.

    Raises:
        UsageError: ``rules_need_key``: a treatment takes a key, and there is none.
        BackendError: the package of an extra detector is missing.
    """
    return SanitizeRules(detectors_of(policy), Treating(policy.treatments, key))


def detectors_of(policy: Policy) -> tuple[Detector, ...]:
    """The detectors that ``policy`` names, but those that find only what is kept."""
    treatments = policy.treatments
    return tuple(
        detector
        for detector in every_detector(policy)
        if any(
            treatments.of(entity).treatment is not Treatment.KEEP for entity in detector.entities
        )
    )


def every_detector(policy: Policy) -> tuple[Detector, ...]:
    """The detectors that ``policy`` names, for whoever labels by what is found.

    Raises:
        BackendError: the package of an extra detector is missing.
        InputError: ``gliner_model``: the directory has no model in it.
    """
    chosen = [
        detector
        for detector in built_in(policy.phone_region)
        if (policy.use is None or detector.name in policy.use) and detector.name not in policy.skip
    ]
    chosen += [EXTRAS[name]() for name in policy.extras]
    if policy.gliner is not None:
        chosen.append(GlinerDetector(Path(policy.gliner)))
    chosen += [
        TermsDetector(f"terms-{number}", terms.words, terms.entity)
        for number, terms in enumerate(policy.terms, 1)
    ]
    return tuple(chosen)
