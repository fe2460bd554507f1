"""Intervals: how much a measured rate can be trusted."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from cipherset.core.errors import DimensionError, InputError

CONFIDENCE: Final = 0.95
_RESAMPLES: Final = 10_000  # the 2.5 % ends then rest on 250 resamples each


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


def paired_bootstrap(
    correct_a: npt.NDArray[np.bool_], correct_b: npt.NDArray[np.bool_], *, seed: int
) -> Interval:
    """``mean(correct_a) - mean(correct_b)`` over the same rows, with its 95 % interval.

    Rows are resampled with replacement, both answers of a row together; the ends are the 2.5 %
    and 97.5 % quantiles. Since a row's difference is -1, 0 or 1, a resample is one multinomial
    draw of how many rows of each kind it holds.

    Source: B. Efron, R. J. Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3.

    Raises:
        DimensionError: not two arrays of one length (code ``dimension``).
        InputError: no rows (code ``no_rows``).
    """
    if correct_a.ndim != 1 or correct_a.shape != correct_b.shape:
        raise DimensionError(
            f"expected two arrays of one length; found {correct_a.shape} and {correct_b.shape}",
            code="dimension",
            hint="pass one answer per row for both",
        )
    n = len(correct_a)
    if n == 0:
        raise InputError("no rows to compare", code="no_rows", hint="measure at least one row")
    difference = correct_a.astype(np.int64) - correct_b.astype(np.int64)
    shares = np.bincount(difference + 1, minlength=3) / n
    draws = np.random.default_rng(seed).multinomial(n, shares, size=_RESAMPLES)
    means = (draws[:, 2] - draws[:, 0]) / n
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(value=float(difference.mean()), low=float(low), high=float(high))
