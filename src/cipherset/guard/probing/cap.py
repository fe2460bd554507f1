"""How many answers a model gives before a copy of it is too good; from a measured curve."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

# An attacker who chooses queries better than ours did may need fewer.
SHARE: Final = 4


@dataclass(frozen=True, slots=True)
class Measured:
    """One point of a curve: a copy from ``n_queries`` answers agrees at most so often, in [0, 1].

    ``agreement`` is the upper end of the interval.
    """

    n_queries: int
    agreement: float


@dataclass(frozen=True, slots=True)
class QueryCap:
    """How many queries one caller may ask in all, and how many all callers together may."""

    each: int
    together: int


def query_cap(curve: Iterable[Measured], max_agreement: float) -> QueryCap | None:
    """The caps by the strongest of several curves; None where nothing was measured.

    ``together`` is the largest count up to which no copy reached ``max_agreement``, so that callers
    who share their answers stay under it too; ``each`` a quarter of the first count that did, and
    never more than ``together``. Beyond the largest count nothing is known: it caps both where no
    copy reached the limit.

    Source: F. Tramer et al., Stealing Machine Learning Models via Prediction APIs, USENIX Security
    2016, section 7: what is extracted grows with the queries, and with what each answer tells.
    """
    most: dict[int, float] = {}
    for point in curve:
        most[point.n_queries] = max(point.agreement, most.get(point.n_queries, 0.0))
    if not most:
        return None
    together = 0
    for count in sorted(most):
        if most[count] >= max_agreement:
            return QueryCap(min(count // SHARE, together), together)
        together = count
    return QueryCap(together, together)
