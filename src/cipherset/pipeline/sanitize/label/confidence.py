"""How much a column in which nothing was found may hold all the same."""

import math
from typing import Final

CONFIDENCE: Final = 0.95


def at_most(n_looked: int, n_rows: int, recall: float = 1.0) -> float:
    """The share of rows that may hold one, at 95 % confidence, after none was found.

    Of a sample of n rows: ``(1 - 0.05 ** (1 / n)) / recall``, the exact form of the rule of three
    (about ``3 / n``). A row holds one with probability p and it is seen with probability
    ``recall``, so none is seen with ``(1 - p * recall) ** n``, which is 0.05 at the bound. Of all
    rows: ``k / n`` with ``(1 - recall) ** k = 0.05``; 0 where nothing is overlooked. Never above 1.

    Source: J. A. Hanley, A. Lippman-Hand, If Nothing Goes Wrong, Is Everything All Right?, JAMA
    249(13), 1983; C. J. Clopper, E. S. Pearson, Biometrika 26(4), 1934 (one-sided, no success).

    Args:
        n_looked: Rows that were looked at.
        n_rows: Rows there are.
        recall: Share of what is there that the detector sees, within [0, 1].

    >>> round(at_most(2000, 100_000), 5)
    0.0015
    """
    if n_looked == 0 or recall <= 0:
        return 1.0
    miss = 1 - CONFIDENCE
    if n_looked < n_rows:
        return min((1.0 - math.pow(miss, 1 / n_looked)) / recall, 1.0)
    if recall >= 1:
        return 0.0
    return min(math.log(miss) / math.log1p(-recall) / n_rows, 1.0)
