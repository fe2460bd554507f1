"""Whole numbers with discrete Gaussian noise: exact, from the system's randomness.

A sampler in floating point leaves gaps between what it can return, and they tell the number under
it; here all is done in whole numbers.

Source: C. Canonne, G. Kamath, T. Steinke, The Discrete Gaussian for Differential Privacy, NeurIPS
2020, arXiv:2004.00010; the algorithms are those of section 5.
"""

import math
import secrets
from collections.abc import Callable
from typing import Final

# From n to a whole number from 0 to below n, all equally likely.
Below = Callable[[int], int]
SYSTEM: Final[Below] = secrets.randbelow


def discrete_gaussian(sigma: int, below: Below = SYSTEM) -> int:
    """A whole number x with probability proportional to ``exp(-x**2 / (2 * sigma**2))``.

    Source: arXiv:2004.00010, algorithm 3.
    """
    t = sigma + 1
    while True:
        y = _discrete_laplace(t, below)
        if _is_below_exp((abs(y) * t - sigma**2) ** 2, 2 * (sigma * t) ** 2, below):
            return y


def zcdp(sensitivity: float, deviation: float) -> float:
    """Rho of zero-concentrated differential privacy: ``(sensitivity / deviation) ** 2 / 2``.

    Source: arXiv:2004.00010, theorem 4.
    """
    return (sensitivity / deviation) ** 2 / 2


def epsilon_of(rho: float, delta: float) -> float:
    """Epsilon at ``delta``: ``rho + 2 * sqrt(rho * log(1 / delta))``.

    Source: M. Bun, T. Steinke, Concentrated Differential Privacy, TCC 2016, arXiv:1605.02065,
    proposition 1.3.
    """
    return rho + 2 * math.sqrt(rho * math.log(1 / delta))


def _discrete_laplace(t: int, below: Below) -> int:
    """A whole number x with probability proportional to ``exp(-abs(x) / t)``.

    Source: arXiv:2004.00010, algorithm 2 with s = 1.
    """
    while True:
        u = below(t)
        if not _is_below_exp(u, t, below):
            continue
        v = 0
        while _is_below_exp(1, 1, below):
            v += 1
        x = u + t * v
        is_negative = below(2) == 1
        if not (is_negative and x == 0):
            return -x if is_negative else x


def _is_below_exp(numerator: int, denominator: int, below: Below) -> bool:
    """True with probability ``exp(-numerator / denominator)``.

    Source: arXiv:2004.00010, algorithm 1.
    """
    while numerator > denominator:
        if not _is_below_small_exp(1, 1, below):
            return False
        numerator -= denominator
    return _is_below_small_exp(numerator, denominator, below)


def _is_below_small_exp(numerator: int, denominator: int, below: Below) -> bool:
    """The same for a fraction from 0 to 1."""
    k = 1
    while below(denominator * k) < numerator:
        k += 1
    return k % 2 == 1
