"""How much of the plain vector itself comes back."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from cipherset.core.values import Floats
from cipherset.evidence.attack.inversion.pairs import (
    Codes,
    Doubles,
    Pairs,
    capped,
    check_length,
    check_vectors,
    check_width,
    parted,
)
from cipherset.evidence.attack.inversion.ridge import PENALTIES, LabelMeans, RidgePath
from cipherset.evidence.attack.statistics import Interval, paired_bootstrap

MOST_PAIRS: Final = 6_000
_TUNING_SHARE: Final = 0.2


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """Mean cosine of the rebuilt and the true plain vector, with its 95 % interval.

    ``chance`` is the cosine to the mean of the label's known vectors, what the label alone gives;
    ``above`` is the difference over the same rows. A cosine equal to chance is no information:
    texts of one domain all resemble their mean. ``of_mean`` is the cosine to the mean of all.
    """

    cosine: Interval
    chance: float
    of_mean: float
    above: Interval
    n: int


class Reconstructor:
    """A plain vector (n, m) from each vector (n, d) of the target's space, by ridge regression.

    Knows: ``pairs`` in the target's space (texts are not used), the plain vectors of the same
    rows, and labels. The penalty is the one with the best cosine on a fifth of them. It is linear:
    where the way to the target's space bends, a network may get more.

    Raises:
        DimensionError: code ``dimension``. InputError: code ``no_rows`` or ``not_finite``.
    """

    def __init__(self, pairs: Pairs, plain: Floats, *, seed: int) -> None:
        check_vectors(plain, "plain")
        check_length(plain, len(pairs), "plain")
        rng = np.random.default_rng(seed)
        rows = capped(len(pairs), MOST_PAIRS, rng)
        pairs, plain = pairs.take(rows), plain[rows]
        self._width = pairs.vectors.shape[1]
        fit_rows, tune_rows = parted(len(pairs), _TUNING_SHARE, rng)
        fit_rows = fit_rows if len(fit_rows) else tune_rows  # one pair is learned and tuned on
        fitted, tuned = pairs.take(fit_rows), pairs.take(tune_rows)
        path = RidgePath(fitted.learned, plain[fit_rows], fitted.labels)
        cosines = [
            _cosines(path.predict(tuned.vectors, tuned.labels, p), plain[tune_rows]).mean()
            for p in PENALTIES
        ]
        self._penalty = PENALTIES[int(np.argmax(cosines))]
        self._path = RidgePath(pairs.learned, plain, pairs.labels)
        self._by_label = LabelMeans(plain, pairs.labels)
        self._overall = LabelMeans(plain, None)

    def rebuild(self, vectors: Floats, labels: Codes | None = None) -> Floats:
        """The plain vectors, shape (n, m), not of unit norm.

        Raises:
            DimensionError: code ``dimension``. InputError: ``no_rows`` or ``not_finite``.
        """
        check_vectors(vectors, "vectors")
        check_width(vectors, self._width, "vectors")
        return self._path.predict(vectors, labels, self._penalty)

    def score(
        self, vectors: Floats, truth: Floats, labels: Codes | None = None, *, seed: int
    ) -> Reconstruction:
        """How close the rebuilt vectors are to ``truth`` (n, m), the plain vectors.

        Raises:
            DimensionError: code ``dimension``. InputError: ``no_rows`` or ``not_finite``.
        """
        check_vectors(truth, "truth")
        check_length(truth, len(vectors), "truth")
        n = len(truth)
        rebuilt = _cosines(self.rebuild(vectors, labels), truth)
        by_label = _cosines(self._by_label.of(labels, n), truth)
        return Reconstruction(
            cosine=paired_bootstrap(rebuilt, np.zeros(n), seed=seed),
            chance=float(by_label.mean()),
            of_mean=float(_cosines(self._overall.of(None, n), truth).mean()),
            above=paired_bootstrap(rebuilt, by_label, seed=seed),
            n=n,
        )


def _cosines(a: Floats, b: Floats) -> Doubles:
    """The cosine of each pair of rows; 0 where one is 0."""
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    norms = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    dots = np.einsum("ij,ij->i", x, y)
    return np.asarray(np.divide(dots, norms, out=np.zeros(len(x)), where=norms > 0.0))
