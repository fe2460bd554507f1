"""What keeps an (epsilon, delta) for each row it was computed from: sums with noise, and no more.

Room: pipeline/private. Knows core alone, and holds neither key nor rows.
"""

from cipherset.pipeline.private.accounting import (
    budget,
    delta_of,
    guarantee_of,
    largest_rho,
    sigma_of,
)
from cipherset.pipeline.private.discrete import Words, system_words
from cipherset.pipeline.private.regression import (
    MOST_STEPS,
    SENSITIVITY,
    Part,
    Scores,
    Share,
    descended,
    draws_of,
    private_scores,
    scores_within,
    steps_for,
)
from cipherset.pipeline.private.sums import STEP
from cipherset.pipeline.private.synthesis import (
    Counts,
    Moments,
    drawn,
    private_counts,
    private_moments,
)

__all__ = [
    "MOST_STEPS",
    "SENSITIVITY",
    "STEP",
    "Counts",
    "Moments",
    "Part",
    "Scores",
    "Share",
    "Words",
    "budget",
    "delta_of",
    "descended",
    "drawn",
    "draws_of",
    "guarantee_of",
    "largest_rho",
    "private_counts",
    "private_moments",
    "private_scores",
    "scores_within",
    "sigma_of",
    "steps_for",
    "system_words",
]
