"""Take out of the text what must not leave."""

from cipherset.pipeline.sanitize.clean import INVISIBLE, WITHHELD, sanitize
from cipherset.pipeline.sanitize.rules import SanitizeRules, default_rules
from cipherset.pipeline.sanitize.spans import Detector, Span, placeholder

__all__ = [
    "INVISIBLE",
    "WITHHELD",
    "Detector",
    "SanitizeRules",
    "Span",
    "default_rules",
    "placeholder",
    "sanitize",
]
