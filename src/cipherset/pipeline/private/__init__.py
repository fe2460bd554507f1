"""What keeps an (epsilon, delta) for each row it was computed from: sums with noise, and no more.

Room: pipeline/private. Knows core alone, and holds neither key nor rows.
"""

from cipherset.pipeline.private.accounting import budget, delta_of, guarantee_of, largest_rho
from cipherset.pipeline.private.regression import (
    Scores,
    Share,
    draws_of,
    private_scores,
    scores_within,
)
from cipherset.pipeline.private.synthesis import (
    Counts,
    Moments,
    drawn,
    private_counts,
    private_moments,
)

__all__ = [
    "Counts",
    "Moments",
    "Scores",
    "Share",
    "budget",
    "delta_of",
    "drawn",
    "draws_of",
    "guarantee_of",
    "largest_rho",
    "private_counts",
    "private_moments",
    "private_scores",
    "scores_within",
]
