"""Identifiers and secrets: what has a form, a check, or words beside it that say what it is."""

from cipherset.pipeline.sanitize.detectors.structured.payments import AmountDetector
from cipherset.pipeline.sanitize.detectors.structured.together import (
    StructuredDetector,
    structured_parts,
)

__all__ = ["AmountDetector", "StructuredDetector", "structured_parts"]
