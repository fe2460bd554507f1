"""Many discrete Gaussians at once: whole numbers, whatever their width, by rejection.

Floats decide whether a proposal is kept, and never what it is: a number that comes out has no low
bits that could tell what it was added to. What rounding does to the chances is bounded by
``CLOSENESS`` and ``CUT``.

Source: C. Canonne, G. Kamath, T. Steinke, The Discrete Gaussian for Differential Privacy, NeurIPS
2020, arXiv:2004.00010, algorithms 2 and 3. There ``t = floor(sigma) + 1``; here it is the next
power of two, so that a proposal is made of whole bits: any ``t`` gives the law, some faster.
"""

import math
import secrets
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import InputError

Integers = npt.NDArray[np.int64]
# From n to n independent uniform 64-bit words, shape (n,).
Words = Callable[[int], npt.NDArray[np.uint64]]

# A proposal beyond ten widths is left to CUT: P(|y| >= 10 * sigma) <= 2 * exp(-50). Within, the
# last chance is exp(-g) with g <= 46, and the rounding of g, of exp and of the uniform number
# changes it by a factor of exp(2**-44.8) at most; the two before it by less than half of that.
# Twice their sum, since what is kept is normalized, is below 2**-42.5.
CLOSENESS: Final = 2.0**-42
CUT: Final = 4e-22
MOST_SIGMA: Final = 2.0**44  # ten widths are then exact in a float
_HALF: Final = 2.0**-64


def system_words(n: int) -> npt.NDArray[np.uint64]:
    """From the operating system's generator."""
    return np.frombuffer(secrets.token_bytes(8 * n), dtype="<u8").astype(np.uint64)


def discrete_gaussians(sigma: float, n: int, words: Words = system_words) -> Integers:
    """``n`` whole numbers, each x with probability proportional to ``exp(-x**2 / (2 * sigma**2))``.

    Raises:
        InputError: ``private_width``: sigma is not from 1 to 2**44.
    """
    if not 1 <= sigma <= MOST_SIGMA:
        raise InputError(
            f"discrete noise of width {sigma:g} cannot be drawn: from 1 to 2**44",
            code="private_width",
            hint="ask for an epsilon that is neither so small nor so large for so many rows",
        )
    found, missing = [np.zeros(0, dtype=np.int64)], n
    while missing > 0:
        kept = _proposed(sigma, 2 * missing + 16, words)[:missing]
        found.append(kept)
        missing -= len(kept)
    return np.concatenate(found)


def _proposed(sigma: float, n: int, words: Words) -> Integers:
    """What is kept of ``n`` proposals, in order."""
    t = 1 << max(math.ceil(math.log2(sigma)), 1)
    raw = words(7 * n).reshape(7, n)
    low = (raw[0] & np.uint64(t - 1)).astype(np.int64)
    # P(high >= v) = P(u <= exp(-v)) = exp(-v)
    high = np.floor(-np.log(_uniform(raw[1], raw[2])))
    is_negative = (raw[0] >> np.uint64(63)).astype(bool)
    is_kept = _uniform(raw[3], raw[4]) < np.exp(-low / t)
    magnitude = low + t * high.astype(np.int64)
    is_kept &= ~(is_negative & (magnitude == 0))
    offset = magnitude - sigma * (sigma / t)
    is_kept &= _uniform(raw[5], raw[6]) < np.exp(-((offset / sigma) ** 2) / 2)
    kept: Integers = np.where(is_negative, -magnitude, magnitude)[is_kept]
    return kept


def _uniform(high: npt.NDArray[np.uint64], low: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    """``(high + (low + 0.5) * 2**-64) * 2**-64``: in (0, 1], as fine near 0 as a float can be."""
    return np.asarray((high + (low + 0.5) * _HALF) * _HALF, dtype=np.float64)
