"""Anchors for rows that cannot stay where the minimizer puts them, and how far is too far.

A row that the minimizer takes for another class, or for half of one, lies where few rows of its
label do, and that is what it is found again by. Moved onto the anchor of its label it is one of
many there (ADR 14).
"""

from typing import Final

import numpy as np

from cipherset.core.values import Float32s, Floats
from cipherset.pipeline.minimize.fit import class_means
from cipherset.pipeline.minimize.fitted import FittedMinimizer, Labels
from cipherset.pipeline.minimize.network import unit_rows

# Of half the distance between the two nearest anchors; each step moves more rows, the last all.
# A row within half that distance of one anchor is not so of another: copies of a text under two
# labels never stay both where they are, so that their noise could be averaged.
STEPS: Final = (1.0, 0.25, 0.0625, 0.0)


def class_anchors(minimizer: FittedMinimizer, x: Floats, y: Labels) -> Float32s:
    """Where the rows of each class are, of norm 1, shape (classes, k); ``x``, ``y`` as fitted.

    Where vectors are shrunk onto anchors it is these, since the crowd is there; else the means.
    """
    arrays = minimizer.arrays()
    if "anchors" in arrays and float(arrays["shrink"][0]) == 1:
        return np.asarray(arrays["anchors"], dtype=np.float32)
    codes = np.unique(y, return_inverse=True)[1].astype(np.int64)
    return np.asarray(unit_rows(class_means(minimizer.transform(x), codes)), dtype=np.float32)


def thresholds(anchors: Floats) -> tuple[float, ...]:
    """Distances beyond which a row may be moved, the largest first, the last 0."""
    apart = np.linalg.norm(anchors[:, np.newaxis] - anchors[np.newaxis], axis=2)
    np.fill_diagonal(apart, np.inf)
    half = float(apart.min()) / 2
    return tuple(half * step for step in STEPS)
