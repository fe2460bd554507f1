"""How good a test of membership is: true positives at few false ones, with honest intervals."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

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


def tpr_at_fpr(
    scores: Floats, members: npt.NDArray[np.bool_], false_rate: float, *, n: tuple[int, int]
) -> Rate:
    """The share of members scored above the threshold that ``false_rate`` of the others may pass.

    The threshold is the lowest that no more than ``floor(false_rate * others)`` others reach: with
    fewer than ``1 / false_rate`` others, none. It is itself uncertain where that number is small,
    and the interval says so: ``low`` supposes that the threshold lets as many others pass as the
    upper end of their own interval says, and that the curve bends down from there to 0; ``high``
    is that of a threshold so low that surely ``false_rate`` of the others pass.

    Source: N. Carlini et al., Membership Inference Attacks From First Principles, 2022,
    arXiv:2112.03570, section IV.

    Args:
        scores: The higher, the more likely a member, shape (m,).
        members: Which are members, shape (m,).
        false_rate: Share of others that may pass, from 0 to below 1.
        n: Number of distinct members, and of distinct others.

    Raises:
        InputError: members or others are missing (code ``no_rows``).
    """
    inside, outside = _parted(scores, members)
    allowed = int(false_rate * len(outside))
    seen = rate(_passing(inside, outside, allowed), n[0])
    _, others_high = clopper_pearson(allowed / len(outside) * n[1], n[1])
    low = seen.low * min(false_rate / others_high, 1.0)
    enough = allowed
    while enough < len(outside):
        enough += 1
        if clopper_pearson(enough / len(outside) * n[1], n[1])[0] >= false_rate:
            break
    _, high = clopper_pearson(_passing(inside, outside, enough) * n[0], n[0])
    return Rate(seen.value, low, high, n[0])


def _passing(inside: Floats, outside: Floats, allowed: int) -> float:
    """Share of members above the first score that is one false positive too many."""
    if allowed == len(outside):
        return 1.0
    at = len(outside) - allowed - 1
    return float(np.mean(inside > np.partition(outside, at)[at]))


def area_under_roc(scores: Floats, members: npt.NDArray[np.bool_], *, n: int) -> Interval:
    """P(a member scores above another row), ties half, with its 95 % interval, within [0, 1].

    ``n`` is the number of distinct members, and of distinct other rows.

    Source: J. A. Hanley, B. J. McNeil, The Meaning and Use of the Area under a ROC Curve,
    Radiology 143(1), 1982, equations 1 and 2.

    Raises:
        InputError: members or others are missing (code ``no_rows``).
    """
    from scipy.stats import norm, rankdata

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
