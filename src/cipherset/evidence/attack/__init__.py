"""Adversaries by what they know, and how well they do; what each knows is what it is handed.

Room: evidence/attack. Knows core alone: no key, no cipher, no source.
"""

from cipherset.evidence.attack.linkage.exposure import Exposure, expose
from cipherset.evidence.attack.linkage.joined import reidentify_joined
from cipherset.evidence.attack.linkage.single import (
    Reidentification,
    excess_over,
    reidentify,
    rows_to_decide,
)
from cipherset.evidence.attack.linkage.trial import Block
from cipherset.evidence.attack.outcome import Knowledge, Metric, Outcome
from cipherset.evidence.attack.statistics import Interval, clopper_pearson, paired_bootstrap

__all__ = [
    "Block",
    "Exposure",
    "Interval",
    "Knowledge",
    "Metric",
    "Outcome",
    "Reidentification",
    "clopper_pearson",
    "excess_over",
    "expose",
    "paired_bootstrap",
    "reidentify",
    "reidentify_joined",
    "rows_to_decide",
]
