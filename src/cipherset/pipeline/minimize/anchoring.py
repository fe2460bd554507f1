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

# Of half the distance between the two nearest anchors; each step moves more rows.
# A row within half that distance of one anchor is not so of another: copies of a text under two
# labels never stay both where they are, so that their noise could be averaged.
STEPS: Final = (1.0, 0.25, 0.0625)


def class_anchors(minimizer: FittedMinimizer, x: Floats, y: Labels) -> Float32s:
    """Where the rows of each class are, of norm 1, shape (classes, k); ``x``, ``y`` as fitted.

    Where vectors are shrunk onto anchors it is these, since the crowd is there; else the means.
    """
    if minimizer.is_shrunk:
        return np.asarray(minimizer.arrays()["anchors"], dtype=np.float32)
    codes = np.unique(y, return_inverse=True)[1].astype(np.int64)
    return np.asarray(unit_rows(class_means(minimizer.transform(x), codes)), dtype=np.float32)


def thresholds(minimizer: FittedMinimizer, anchors: Floats) -> tuple[float, ...]:
    """Distances beyond which a row may be moved, the largest first.

    Where vectors are shrunk onto anchors the last is 0, so that every row is moved: nothing but
    class probabilities is left of them anyway. Others would no longer be what was asked for.
    """
    apart = np.linalg.norm(anchors[:, np.newaxis] - anchors[np.newaxis], axis=2)
    np.fill_diagonal(apart, np.inf)
    half = float(apart.min()) / 2
    return tuple(half * step for step in (*STEPS, *([0.0] if minimizer.is_shrunk else [])))
