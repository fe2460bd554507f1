"""Integers distributed as a normal variable that was rounded, from random words by a table.

No float is drawn, so no low bit of one can tell what it was added to. Since
``round(i + y) == i + round(y)`` for an integer ``i``, adding such noise to an integer is the same
as adding the normal variable itself and rounding: what holds for it holds for the rounded sum.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

Words = npt.NDArray[np.uint64]
Integers = npt.NDArray[np.int32]

WORD_BYTES: Final = 16
# Bounds the relative error of scipy's erfc and of its argument: 1.3e-14 was the largest of
# 27,000 against 200 bits; tests/encrypt compares with a slow erfc.
ERFC_ERROR: Final = 2.0**-42
_LOW_BITS: Final = 63
_STEP: Final = 2.0**-127  # the thresholds are rounded down to it
# Nothing smaller is told apart: there the steps would no longer be small beside a probability.
_LEAST_TAIL: Final = 2.0**-85
_FARTHEST: Final = 11.0  # standard deviations; the tail is below 2**-85 from 10.7 on


class RoundedNormal:
    """The integer nearest to a normal variable of mean 0 and standard deviation ``sigma``.

    Each takes 16 bytes, two little-endian 64-bit words ``high`` and ``low``. With
    ``u = high * 2**63 + (low >> 1)`` and thresholds
    ``t[j] = floor(2**127 * erfc((j - 0.5) / (sigma * sqrt(2))))`` the magnitude is the number of
    ``j >= 1`` with ``u < t[j]``, and negative where ``low`` is odd. Thresholds end before the
    first ``erfc`` below ``2**-85``.

    ``closeness`` bounds ``|log|`` of the ratio of each integer's probability to the exact one, but
    for the last integer on each side, at which or beyond which lies at most ``cut``.
    """

    __slots__ = ("_high", "_low", "closeness", "cut")

    def __init__(self, sigma: float) -> None:
        edges = (np.arange(int(_FARTHEST * sigma)) + 0.5) / (sigma * np.sqrt(2.0))
        tails = special.erfc(edges)
        tails = tails[tails >= _LEAST_TAIL]
        scaled = np.ldexp(tails, 64)
        whole = np.floor(scaled)
        # ascending, as the search wants them
        self._high: Words = whole.astype(np.uint64)[::-1].copy()
        self._low: Words = np.ldexp(scaled - whole, _LOW_BITS).astype(np.uint64)[::-1].copy()
        above = np.concatenate([[1.0], tails])
        error = ERFC_ERROR * (above[:-1] + above[1:]) + 2 * _STEP
        # |log(1 + a)| <= 2 * |a| up to a = 1 / 2
        self.closeness = float(2 * np.max(error / (above[:-1] - above[1:])))
        self.cut = float(tails[-1]) * (1 + ERFC_ERROR)

    def draw(self, raw: npt.NDArray[np.uint8]) -> Integers:
        """One integer for each 16 bytes; ``raw`` of shape (rows, 16 * dim) gives (rows, dim)."""
        words = raw.view("<u8").reshape(len(raw), raw.shape[1] // WORD_BYTES, 2)
        high, low = words[..., 0], words[..., 1]
        under = np.searchsorted(self._high, high)
        count = len(self._high)
        tied = self._high[np.minimum(under, count - 1)] == high
        # One in 2**47 or so: then the low halves decide.
        for place in zip(*np.nonzero(tied), strict=True):
            under[place] = self._under(int(high[place]), int(low[place]) >> 1, int(under[place]))
        magnitude = (count - under).astype(np.int32)
        return np.where(low & np.uint64(1), -magnitude, magnitude)

    def _under(self, high: int, low: int, start: int) -> int:
        """How many thresholds are at most ``high * 2**63 + low``; the first ``start`` are."""
        while start < len(self._high) and (int(self._high[start]), int(self._low[start])) <= (
            high,
            low,
        ):
            start += 1
        return start
