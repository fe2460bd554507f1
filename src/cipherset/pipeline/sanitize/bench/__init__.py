"""A measure of detectors: texts with what is personal marked, scores, and what ours scored."""

from cipherset.pipeline.sanitize.bench.cases import ENTITIES, STRUCTURED, TOPICS, Case, load_cases
from cipherset.pipeline.sanitize.bench.measured import Measured, all_measured, measured, recall_of
from cipherset.pipeline.sanitize.bench.scores import (
    ALL,
    EntityScore,
    Rate,
    detected,
    flagged,
    score,
    score_spans,
)

__all__ = [
    "ALL",
    "ENTITIES",
    "STRUCTURED",
    "TOPICS",
    "Case",
    "EntityScore",
    "Measured",
    "Rate",
    "all_measured",
    "detected",
    "flagged",
    "load_cases",
    "measured",
    "recall_of",
    "score",
    "score_spans",
]
