"""Rows that do not fit where they stand: far from all others, or labeled unlike their neighbors.

Label flips and stray rows stand out alone. A crowd of poisoned rows that resemble each other are
each other's neighbors and does not: near duplicates are taken out before this looks.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import binom

from cipherset.core.errors import InputError
from cipherset.core.values import Floats
from cipherset.pipeline.sanitize.training.rows import Reason, Verdicts

NEIGHBORS: Final = 10
_BLOCK_ROWS: Final = 512
_FEWEST_ROWS: Final = 4 * NEIGHBORS
OUTLYING: Final = 3.5  # Iglewicz and Hoaglin's, for robust z-scores
FALSE_SHARE: Final = 1e-5  # strict, as neighbors are not independent draws
_MAD_TO_SIGMA: Final = 1.4826  # 1 / the upper quartile of the standard normal law

Codes = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Misfits:
    """For each row, shape (n,): how far it stands out, and how its label fares.

    ``distance``: robust z-score of the log distance to the tenth neighbor. ``chance``: the
    probability that so many neighbors agree on one other label, given how often that label is met
    around this row's; 1 where most do not agree on another.
    """

    distance: Reals = field(repr=False)
    chance: Reals = field(repr=False)

    def verdicts(self, *, outlying: float = OUTLYING, false_share: float = FALSE_SHARE) -> Verdicts:
        """``label_disagrees`` and ``outlier``.

        Of the rows called disagreeing at most ``false_share`` are expected to be so by chance, if
        neighbors were drawn independently. They are not, so far more are: hence the strict limit.
        Source: Y. Benjamini and Y. Hochberg, "Controlling the False Discovery Rate", J. R.
        Statist. Soc. B 57 (1995), procedure (1).
        """
        limit = false_discovery_limit(self.chance, false_share)
        return [
            Reason.OUTLIER
            if distance > outlying
            else Reason.LABEL_DISAGREES
            if chance <= limit
            else None
            for distance, chance in zip(self.distance.tolist(), self.chance.tolist(), strict=True)
        ]


def misfits(x: Floats, labels: Codes | None) -> Misfits:
    """How the rows ``x``, unit norm, shape (n, dim), with ``labels`` (n,) from 0 on, stand out.

    All pairs are compared, 512 rows at a time: for 20,000 rows of 384 dimensions a minute of one
    core. Rows with the same vector are no neighbors of each other, unless most are the same.

    Raises:
        InputError: ``too_few_neighbors``: fewer than 40 rows.
    """
    if len(x) < _FEWEST_ROWS:
        raise InputError(
            f"{len(x)} rows are too few to tell which of them stand out",
            code="too_few_neighbors",
            hint=f"it takes {_FEWEST_ROWS} rows; leave this filter out for fewer",
        )
    neighbors, similarity = nearest(x)
    distance = np.sqrt(np.maximum(2 - 2 * similarity[:, -1].astype(np.float64), 0))
    chance = np.ones(len(x)) if labels is None else _chance(labels, labels[neighbors])
    return Misfits(robust_z(np.log(distance + 1e-6)), chance)


def nearest(x: Floats) -> tuple[Codes, Floats]:
    """The ten nearest rows of each of ``x`` by cosine, nearest first, and the cosines; (n, 10).

    A row itself and rows of the same vector are left out where there are enough others.
    """
    rows = np.empty((len(x), NEIGHBORS), dtype=np.int64)
    cosines = np.empty((len(x), NEIGHBORS), dtype=x.dtype)
    for start in range(0, len(x), _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        products = x[block] @ x.T
        products[products > 1 - 1e-6] = -2.0
        products[np.arange(len(products)), np.arange(start, start + len(products))] = -3.0
        best = np.argpartition(products, -NEIGHBORS, axis=1)[:, -NEIGHBORS:]
        values = np.take_along_axis(products, best, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        rows[block] = np.take_along_axis(best, order, axis=1)
        cosines[block] = np.take_along_axis(values, order, axis=1)
    return rows, cosines


def robust_z(values: Reals) -> Reals:
    """``(values - median) / (1.4826 * median(|values - median|))``, shape (n,).

    Source: B. Iglewicz and D. Hoaglin, "How to Detect and Handle Outliers" (1993), chapter 3.
    """
    middle = float(np.median(values))
    spread = _MAD_TO_SIGMA * float(np.median(np.abs(values - middle)))
    return np.asarray((values - middle) / max(spread, 1e-9), dtype=np.float64)


def false_discovery_limit(chances: Reals, share: float) -> float:
    """The largest ``p`` of the ordered ``chances`` with ``p <= share * rank / n``; -1 if none."""
    ordered = np.sort(chances)
    good = np.flatnonzero(ordered <= share * np.arange(1, len(ordered) + 1) / len(ordered))
    return float(ordered[good[-1]]) if len(good) else -1.0


def _chance(labels: Codes, around: Codes) -> Reals:
    """``P(Binomial(10, q) >= votes)`` of the most frequent other label around each row; (n,).

    ``q`` is how often that label is met around rows of this row's label, so that classes which
    overlap are not held against their rows. 1 where not most neighbors agree on another label.
    """
    n_classes = int(labels.max()) + 1
    met = np.zeros((n_classes, n_classes))
    np.add.at(met, (np.repeat(labels, NEIGHBORS), around.reshape(-1)), 1.0)
    rates = met / np.maximum(met.sum(axis=1, keepdims=True), 1.0)
    rates = rates.clip(1.0 / (NEIGHBORS * len(labels)), 1.0)
    chance = np.ones(len(labels))
    for row, (own, others) in enumerate(zip(labels, around, strict=True)):
        names, votes = np.unique(others, return_counts=True)
        votes = np.where(names == own, 0, votes)
        best = int(np.argmax(votes))
        if 2 * votes[best] > NEIGHBORS:
            chance[row] = binom.sf(votes[best] - 1, NEIGHBORS, rates[own, names[best]])
    return chance
