"""How much noise an (epsilon, delta) takes, for whole numbers with discrete Gaussian noise.

All that is released here is sums of whole numbers with discrete Gaussian noise, one after the
other, each allowed to depend on those before. Such a sum with noise of width ``sigma`` keeps a
Renyi divergence of ``alpha * rho`` at every order ``alpha``, with
``rho = (sensitivity / sigma)**2 / 2``; those of several add up, and at the end the best order
gives the epsilon. Nothing is sampled, so nothing rests on who was in a batch.

A part of what was asked, ``RESERVE``, is kept back for the sampler, whose probabilities are those
of the law up to rounding (``discrete``).
"""

import math
from typing import Final

import numpy as np

from cipherset.core.errors import InputError
from cipherset.core.values import Guarantee
from cipherset.pipeline.private.discrete import CLOSENESS, CUT

RESERVE: Final = 1e-3
# Any order gives a bound that holds; the best of these is within a thousandth of the best of all.
_ORDERS: Final = 1 + np.logspace(-2, 5, 4000)
LEAST_EPSILON: Final = 0.01
MOST_EPSILON: Final = 32.0  # beyond it the chances compared differ by more than 1e13: no promise
LEAST_DELTA: Final = 1e-12
MOST_DELTA: Final = 1e-3  # the chance, per row, that there is no promise at all
_HALVINGS: Final = 100
_MOST_RHO: Final = 1024.0
_MOST_DRAWS: Final = 2**42  # of these, ``2 * closeness`` alone is more than any ``RESERVE``


def rho_of(sensitivity: float, sigma: float) -> float:
    """``(sensitivity / sigma)**2 / 2``: zero-concentrated differential privacy of one release.

    Source: C. Canonne, G. Kamath, T. Steinke, The Discrete Gaussian for Differential Privacy,
    NeurIPS 2020, arXiv:2004.00010, theorem 14 (many coordinates).
    """
    return (sensitivity / sigma) ** 2 / 2


def sigma_of(sensitivity: float, rho: float, *, releases: int = 1) -> float:
    """The width at which so many releases keep ``rho`` together; the inverse of ``rho_of``."""
    return sensitivity * math.sqrt(releases / (2 * rho))


def delta_of(epsilon: float, rho: float) -> float:
    """The least delta that ``rho`` gives at ``epsilon``, over the orders ``a``.

    ``exp((a - 1) * (a * rho - epsilon)) / (a - 1) * (1 - 1 / a)**a``

    Source: arXiv:2004.00010, proposition 12.
    """
    a = _ORDERS
    logs = (a - 1) * (a * rho - epsilon) - np.log(a - 1) + a * np.log1p(-1 / a)
    return float(np.exp(min(logs.min(), 0.0)))


def largest_rho(guarantee: Guarantee) -> float:
    """The most that releases may add up to for ``guarantee`` to hold, from below."""
    low, high = 0.0, _MOST_RHO
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if delta_of(guarantee.epsilon, middle) <= guarantee.delta:
            low = middle
        else:
            high = middle
    return low


def guarantee_of(epsilon: str | float, delta: str | float) -> Guarantee:
    """The (epsilon, delta) that two numbers ask for.

    Raises:
        InputError: code ``guarantee``: no numbers, or out of range.
    """
    try:
        kept = Guarantee(float(epsilon), float(delta))
    except ValueError:
        kept = Guarantee(math.nan, math.nan)
    if LEAST_EPSILON <= kept.epsilon <= MOST_EPSILON and LEAST_DELTA <= kept.delta <= MOST_DELTA:
        return kept
    raise InputError(
        f"epsilon is a number from {LEAST_EPSILON:g} to {MOST_EPSILON:g}, delta one from "
        f"{LEAST_DELTA:g} to {MOST_DELTA:g}; found {epsilon} and {delta}",
        code="guarantee",
        hint="epsilon 1 to 8 is usual, and delta less than one over the number of rows",
    )


def budget(guarantee: Guarantee, *, draws: int) -> float:
    """The rho to spend on releases of ``draws`` numbers in all, so that ``guarantee`` holds.

    With ``c`` for ``CLOSENESS`` and ``t`` for ``CUT``, both times ``draws``, what is kept is
    ``(e + 2 * c, exp(c) * d + t * (1 + exp(e + c)))`` for the ``(e, d)`` of the exact law; the
    proof is that of docs/adr/0012.

    Raises:
        InputError: code ``private_budget``: finer than the sampler can hold.
    """
    ideal = Guarantee((1 - RESERVE) * guarantee.epsilon, (1 - RESERVE) * guarantee.delta)
    # With more than that, the first is refused below, and the powers of the others overflow.
    n_draws = min(draws, _MOST_DRAWS)
    closeness, cut = n_draws * CLOSENESS, n_draws * CUT
    epsilon = ideal.epsilon + 2 * closeness
    delta = math.exp(closeness) * ideal.delta + cut * (1 + math.exp(ideal.epsilon + closeness))
    if epsilon > guarantee.epsilon or delta > guarantee.delta:
        raise InputError(
            f"at epsilon {guarantee.epsilon:g} and {draws} numbers a delta of "
            f"{guarantee.delta:g} is finer than the sampler's",
            code="private_budget",
            hint="take a smaller epsilon or a larger delta",
        )
    return largest_rho(ideal)
