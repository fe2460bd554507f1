"""The detectors that need no package: which there are, and what they are for."""

from cipherset.pipeline.sanitize.detectors.content.code import CodeDetector
from cipherset.pipeline.sanitize.detectors.content.confidential import ConfidentialDetector
from cipherset.pipeline.sanitize.detectors.content.topics import TopicDetector
from cipherset.pipeline.sanitize.detectors.names.organizations import OrganizationDetector
from cipherset.pipeline.sanitize.detectors.names.people import NameDetector
from cipherset.pipeline.sanitize.detectors.names.places import PlaceDetector
from cipherset.pipeline.sanitize.spans import Detector


def names_detectors() -> tuple[Detector, ...]:
    """``PERSON``, ``LOCATION`` and ``ORGANIZATION``, by lists and cues."""
    return NameDetector(), PlaceDetector(), OrganizationDetector()


def topic_detectors() -> tuple[Detector, ...]:
    """What a text is about: the special categories, crime, finances. For labels."""
    return (TopicDetector(),)


def secrecy_detectors() -> tuple[Detector, ...]:
    """``CONFIDENTIAL`` and ``SOURCE_CODE``. An owner's terms come with ``TermsDetector``."""
    return ConfidentialDetector(), CodeDetector()
