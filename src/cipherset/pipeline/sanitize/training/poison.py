"""Rows that do not fit where they stand: far from all others, or labeled unlike their neighbors.

Label flips and stray rows stand out alone. A crowd of poisoned rows that resemble each other are
each other's neighbors and does not: near duplicates are taken out before this looks.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import InputError
from cipherset.core.values import Floats
from cipherset.pipeline.sanitize.training.rows import Reason, Verdicts

NEIGHBORS: Final = 10
_BLOCK_ROWS: Final = 512
_COUNTED_ROWS: Final = 1 << 14
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


@dataclass(frozen=True, slots=True)
class Reference:
    """Rows that others are compared with: ``numbers`` (m,), ascending, ``x`` unit norm (m, dim).

    ``labels`` (m,) are from 0 on, -1 where a row has none; None where no row has.
    """

    numbers: Codes = field(repr=False)
    x: Floats = field(repr=False)
    labels: Codes | None = field(repr=False)


class Neighborhoods:
    """Which of many rows do not fit, by their neighbors among a sample of them.

    Memory: 60 bytes a row beside the sample. Time: a row takes ``len(reference) * dim`` products.
    """

    def __init__(self, reference: Reference) -> None:
        """Among ``reference``, rows of the source drawn at random, or all.

        Raises:
            InputError: ``too_few_neighbors``: fewer than 40 rows.
        """
        if len(reference.x) < _FEWEST_ROWS:
            raise InputError(
                f"{len(reference.x)} rows are too few to tell which of them stand out",
                code="too_few_neighbors",
                hint=f"it takes {_FEWEST_ROWS} rows; leave this filter out for fewer",
            )
        self._reference = reference
        self._distances: list[Reals] = []
        self._labels: list[Codes] = []
        self._around: list[npt.NDArray[np.int32]] = []

    def add(self, numbers: Codes, x: Floats, labels: Codes | None) -> None:
        """The next rows: their ``numbers`` (n,), unit vectors ``x`` (n, dim) and ``labels``."""
        reference = self._reference
        own = np.searchsorted(reference.numbers, numbers)
        own[own == len(reference.numbers)] = 0
        own[reference.numbers[own] != numbers] = -1
        neighbors, cosines = nearest(x, reference.x, own)
        self._distances.append(np.sqrt(np.maximum(2 - 2 * cosines[:, -1].astype(np.float64), 0)))
        if labels is not None and reference.labels is not None:
            self._labels.append(labels)
            self._around.append(reference.labels[neighbors].astype(np.int32))

    def misfits(self) -> Misfits:
        """How all rows so far stand out."""
        distances = np.concatenate(self._distances)
        chance = np.ones(len(distances))
        if self._labels:
            chance = _chance(np.concatenate(self._labels), np.concatenate(self._around))
        return Misfits(robust_z(np.log(distances + 1e-6)), chance)


def misfits(x: Floats, labels: Codes | None) -> Misfits:
    """How the rows ``x``, unit norm, shape (n, dim), with ``labels`` (n,) from 0 on, stand out.

    All pairs are compared, 512 rows at a time: for 20,000 rows of 384 dimensions a minute of one
    core. Rows with the same vector are no neighbors of each other, unless most are the same.

    Raises:
        InputError: ``too_few_neighbors``: fewer than 40 rows.
    """
    numbers = np.arange(len(x))
    among = Neighborhoods(Reference(numbers, x, labels))
    among.add(numbers, x, labels)
    return among.misfits()


def nearest(x: Floats, among: Floats, own: Codes) -> tuple[Codes, Floats]:
    """The ten rows of ``among`` nearest to each of ``x`` by cosine, nearest first; (n, 10) each.

    ``own`` says which row of ``among`` is the row itself, -1 where none is. It and rows of the
    same vector are left out where there are enough others.
    """
    rows = np.empty((len(x), NEIGHBORS), dtype=np.int64)
    cosines = np.empty((len(x), NEIGHBORS), dtype=x.dtype)
    for start in range(0, len(x), _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        products = x[block] @ among.T
        products[products > 1 - 1e-6] = -2.0
        there = np.flatnonzero(own[block] >= 0)
        products[there, own[block][there]] = -3.0
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


def _chance(labels: Codes, around: npt.NDArray[np.int32]) -> Reals:
    """``P(Binomial(10, q) >= votes)`` of the most frequent other label around each row; (n,).

    ``q`` is how often that label is met around rows of this row's label, so that classes which
    overlap are not held against their rows. 1 where not most neighbors agree on another label, and
    for rows without a label, which do not vote either.
    """
    from scipy.stats import binom

    best, votes = np.empty(len(labels), np.int64), np.empty(len(labels), np.int64)
    for start in range(0, len(labels), _COUNTED_ROWS):
        block = slice(start, start + _COUNTED_ROWS)
        best[block], votes[block] = _most_votes(labels[block], around[block])
    chance = np.ones(len(labels))
    doubted = np.flatnonzero((2 * votes > NEIGHBORS) & (labels >= 0))
    rates = _rates(labels, around, doubted, best[doubted])
    chance[doubted] = binom.sf(votes[doubted] - 1, NEIGHBORS, rates)
    return chance


def _most_votes(labels: Codes, around: npt.NDArray[np.int32]) -> tuple[Codes, Codes]:
    """The most frequent label around each row that is not its own, the least of several; (n,)."""
    names = np.sort(around, axis=1)
    votes = (names[:, :, None] == names[:, None, :]).sum(axis=2)
    votes[(names == labels[:, None]) | (names < 0)] = 0
    best = votes.argmax(axis=1)[:, None]
    return (
        np.take_along_axis(names, best, axis=1)[:, 0].astype(np.int64),
        np.take_along_axis(votes, best, axis=1)[:, 0].astype(np.int64),
    )


def _rates(labels: Codes, around: npt.NDArray[np.int32], rows: Codes, others: Codes) -> Reals:
    """How often ``others[i]`` is met around rows of the label of ``rows[i]``; (len(rows),)."""
    n_names = int(max(labels.max(), around.max())) + 1
    said = (labels[:, None] >= 0) & (around >= 0)
    known, counts = np.unique((labels[:, None] * n_names + around)[said], return_counts=True)
    met = counts[np.searchsorted(known, labels[rows] * n_names + others)]
    sizes = np.bincount(labels[labels >= 0], minlength=n_names)
    rates = met / np.maximum(sizes[labels[rows]] * NEIGHBORS, 1.0)
    return np.asarray(rates.clip(1.0 / (NEIGHBORS * len(labels)), 1.0), dtype=np.float64)
