"""Rows with several labels each: how a set of labels is written, and when one is taken to be in."""

from cipherset.core.sets.texts import (
    MOST_NAMES,
    Indicators,
    indicators,
    labels_of,
    names_in,
    set_of_cell,
    set_text,
)
from cipherset.core.sets.thresholds import balanced_hits, prior_odds, thresholds

__all__ = [
    "MOST_NAMES",
    "Indicators",
    "balanced_hits",
    "indicators",
    "labels_of",
    "names_in",
    "prior_odds",
    "set_of_cell",
    "set_text",
    "thresholds",
]
