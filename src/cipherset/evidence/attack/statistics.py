"""Intervals: how much a measured rate can be trusted."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from cipherset.core.errors import DimensionError, InputError
from cipherset.core.values import Floats

CONFIDENCE: Final = 0.95
Scores = npt.NDArray[np.bool_] | Floats
_BLOCK_ENTRIES: Final = 2**18  # row numbers held at a time: 2 MiB
_RESAMPLES: Final = 4_000  # the 2.5 % ends then rest on 100 resamples each


@dataclass(frozen=True, slots=True)
class Interval:
    """A measured value and the two ends of its confidence interval."""

    value: float
    low: float
    high: float

    @property
    def includes_zero(self) -> bool:
        """Whether 0 lies in the interval, ends included."""
        return self.low <= 0.0 <= self.high


def clopper_pearson(
    successes: float, n: int, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """The exact two-sided interval of a binomial rate, ``(low, high)``, each within [0, 1].

    ``low`` is the ``a / 2`` quantile of Beta(x, n - x + 1), ``high`` the ``1 - a / 2`` quantile of
    Beta(x + 1, n - x), with ``a = 1 - confidence``; 0 where ``x == 0`` and 1 where
    ``x == n``. ``successes`` may be fractional: a tie between t candidates counts 1 / t.

    Source: C. J. Clopper, E. S. Pearson, The Use of Confidence or Fiducial Limits Illustrated in
    the Case of the Binomial, Biometrika 26(4), 1934.

    Raises:
        InputError: not ``0 <= successes <= n`` with ``n >= 1`` (code ``successes``), or not
            ``0 < confidence < 1`` (code ``confidence``).
    """
    if n < 1 or not 0.0 <= successes <= n:
        raise InputError(
            f"{successes} successes of {n}: expected 0 to n, with n from 1 on",
            code="successes",
            hint="measure at least one row",
        )
    if not 0.0 < confidence < 1.0:
        raise InputError(
            f"confidence is between 0 and 1; found {confidence}",
            code="confidence",
            hint="0.95 is usual",
        )
    tail = (1.0 - confidence) / 2.0
    low, high = 0.0, 1.0
    if successes > 0.0:
        low = float(special.betaincinv(successes, n - successes + 1.0, tail))
    if successes < n:
        high = float(special.betaincinv(successes + 1.0, n - successes, 1.0 - tail))
    return low, high


def paired_bootstrap(scores_a: Scores, scores_b: Scores, *, seed: int) -> Interval:
    """``mean(scores_a) - mean(scores_b)`` over the same rows, with its 95 % interval.

    A row's score is whether it was right, or any number such as a negative error. Rows are
    resampled with replacement, both scores of a row together; the ends are the 2.5 % and 97.5 %
    quantiles.

    Source: B. Efron, R. J. Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3.

    Raises:
        DimensionError: not two arrays of one length (code ``dimension``).
        InputError: no rows (code ``no_rows``); NaN or infinity (code ``not_finite``).
    """
    if scores_a.ndim != 1 or scores_a.shape != scores_b.shape:
        raise DimensionError(
            f"expected two arrays of one length; found {scores_a.shape} and {scores_b.shape}",
            code="dimension",
            hint="pass one score per row for both",
        )
    n = len(scores_a)
    if n == 0:
        raise InputError("no rows to compare", code="no_rows", hint="measure at least one row")
    a, b = scores_a.astype(np.float64), scores_b.astype(np.float64)
    finite = np.isfinite(a) & np.isfinite(b)
    if not finite.all():
        raise InputError(
            f"the score of row {int(np.argmin(finite))} is NaN or infinite",
            code="not_finite",
            hint="score each row by a number",
        )
    difference = a - b
    means = _resampled_means(difference, np.random.default_rng(seed))
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(value=float(difference.mean()), low=float(low), high=float(high))


def _resampled_means(
    difference: npt.NDArray[np.float64], rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    n = len(difference)
    step = max(_BLOCK_ENTRIES // n, 1)
    means = np.empty(_RESAMPLES)
    for start in range(0, _RESAMPLES, step):
        block = means[start : start + step]
        block[:] = difference[rng.integers(n, size=(len(block), n))].mean(axis=1)
    return means
