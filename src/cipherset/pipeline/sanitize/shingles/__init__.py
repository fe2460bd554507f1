"""Which n-grams of words the rows hold, by keyed hashes: finds verbatim copies in other texts."""

from cipherset.pipeline.sanitize.shingles.index import Match, NgramIndex, build, open_index
from cipherset.pipeline.sanitize.shingles.rarity import Counting, Rarity, Threshold, open_rarity

__all__ = [
    "Counting",
    "Match",
    "NgramIndex",
    "Rarity",
    "Threshold",
    "build",
    "open_index",
    "open_rarity",
]
