"""How good a test of membership is: true positives at few false ones, with honest intervals."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, rankdata

from cipherset.core.errors import InputError
from cipherset.core.values import Floats
from cipherset.evidence.attack.statistics import CONFIDENCE, Interval, clopper_pearson

_RULE_OF_THREE: Final = 3.0


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of ``n`` rows with its exact 95 % interval.

    ``n`` counts distinct rows: one that was tried several times still counts once, for its tries
    are not independent.
    """

    value: float
    low: float
    high: float
    n: int

    @property
    def text(self) -> str:
        """The rate as it may be printed: none seen of n rows is ``<= 3/n``, never 0."""
        if self.value == 0.0:
            return f"<= {min(_RULE_OF_THREE / self.n, 1.0):.2g}"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def rate(value: float, n: int) -> Rate:
    """The rate ``value`` seen on ``n`` distinct rows.

    Source: for the interval, Clopper and Pearson 1934; for ``<= 3/n``, J. A. Hanley, A.
    Lippman-Hand, If Nothing Goes Wrong, Is Everything All Right?, JAMA 249(13), 1983.
    """
    low, high = clopper_pearson(min(value * n, float(n)), n)
    return Rate(value, low, high, n)


def tpr_at_fpr(scores: Floats, members: npt.NDArray[np.bool_], fpr: float, *, n: int) -> Rate:
    """The share of members scored above the threshold that ``fpr`` of the others may pass.

    The threshold is the lowest that no more than ``floor(fpr * others)`` others reach: with fewer
    than ``1 / fpr`` others, none. Its own uncertainty is not in the interval. ``n`` is the number
    of distinct members.

    Source: N. Carlini et al., Membership Inference Attacks From First Principles, 2022,
    arXiv:2112.03570, section IV.

    Raises:
        InputError: members or others are missing (code ``no_rows``).
    """
    inside, outside = _parted(scores, members)
    allowed = int(fpr * len(outside))
    # The first score that is one false positive too many; to pass, a row must lie above it.
    first_refused = np.partition(outside, len(outside) - allowed - 1)[len(outside) - allowed - 1]
    return rate(float(np.mean(inside > first_refused)), n)


def area_under_roc(scores: Floats, members: npt.NDArray[np.bool_], *, n: int) -> Interval:
    """P(a member scores above another row), ties half, with its 95 % interval, within [0, 1].

    ``n`` is the number of distinct members, and of distinct other rows.

    Source: J. A. Hanley, B. J. McNeil, The Meaning and Use of the Area under a ROC Curve,
    Radiology 143(1), 1982, equations 1 and 2.

    Raises:
        InputError: members or others are missing (code ``no_rows``).
    """
    inside, outside = _parted(scores, members)
    ranks = rankdata(np.concatenate([inside, outside]))[: len(inside)]
    least = len(inside) * (len(inside) + 1) / 2
    area = float((ranks.sum() - least) / (len(inside) * len(outside)))
    above_two, two_below = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (n - 1) * (above_two + two_below - 2 * area**2)
    reach = float(norm.ppf((1 + CONFIDENCE) / 2)) * float(np.sqrt(max(variance, 0.0))) / n
    return Interval(area, max(area - reach, 0.0), min(area + reach, 1.0))


def _parted(scores: Floats, members: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    inside, outside = scores[members], scores[~members]
    if min(len(inside), len(outside)) == 0:
        raise InputError(
            f"{len(inside)} members and {len(outside)} other rows",
            code="no_rows",
            hint="test at least one of each",
        )
    return inside, outside
