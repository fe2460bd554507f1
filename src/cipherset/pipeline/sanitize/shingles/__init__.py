"""Which n-grams of words the rows hold, by keyed hashes: finds verbatim copies in other texts."""

from cipherset.pipeline.sanitize.shingles.index import Match, NgramIndex, build, open_index

__all__ = ["Match", "NgramIndex", "build", "open_index"]
