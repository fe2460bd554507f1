"""Take out of the text what must not leave."""

from cipherset.core.text.look import LONGEST, Fault, Look, Looked, look
from cipherset.pipeline.sanitize.clean import (
    INVISIBLE,
    TRUNCATED,
    WITHHELD,
    CleanTexts,
    sanitize,
    sanitize_texts,
)
from cipherset.pipeline.sanitize.policy import Policy, default_policy, policy_of, read_policy
from cipherset.pipeline.sanitize.rules import (
    SanitizeRules,
    default_rules,
    detectors_of,
    every_detector,
    rules_of,
)
from cipherset.pipeline.sanitize.spans import Detector, Span, placeholder
from cipherset.pipeline.sanitize.treat import restored

__all__ = [
    "INVISIBLE",
    "LONGEST",
    "TRUNCATED",
    "WITHHELD",
    "CleanTexts",
    "Detector",
    "Fault",
    "Look",
    "Looked",
    "Policy",
    "SanitizeRules",
    "Span",
    "default_policy",
    "default_rules",
    "detectors_of",
    "every_detector",
    "look",
    "placeholder",
    "policy_of",
    "read_policy",
    "restored",
    "rules_of",
    "sanitize",
    "sanitize_texts",
]
