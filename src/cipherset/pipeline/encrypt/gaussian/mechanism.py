"""How wide Gaussian noise must be for an (epsilon, delta), and what several such releases keep.

For rows of norm at most ``LONGEST`` the noise is calibrated by the analytic Gaussian mechanism. A
part of what was asked, ``RESERVE``, is kept back for the sampler, whose probabilities are not
exactly those of the law (``table``); what it needs of that is computed, and refused where it is
more (docs/adr/0012).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from scipy import special

from cipherset.core.errors import InputError
from cipherset.core.values import Guarantee, NoiseKind, NoiseLaw
from cipherset.pipeline.encrypt.gaussian.table import RoundedNormal

# Unit rows are of norm 1 up to the rounding of float32, in them and in their rotation.
LONGEST: Final = 1.0001
RESERVE: Final = 1e-3
LEAST_EPSILON: Final = 0.01
MOST_EPSILON: Final = 32.0  # beyond it the chances compared differ by more than 1e13: no promise
LEAST_DELTA: Final = 1e-12
MOST_DELTA: Final = 1e-3  # the chance, per row, that there is no promise at all
# The standard deviation is 4,096 to 8,192 steps of the grid: what truncation takes off is far
# below the noise, and the table of the sampler stays in the processor's cache.
_STEPS_LOG2: Final = 12
_HALVINGS: Final = 100
_MOST_MU: Final = 64.0


@dataclass(frozen=True, slots=True)
class Mechanism:
    """Gaussian noise for rows of one width, and what it promises of each row.

    ``sigma`` is the standard deviation per coordinate and ``sensitivity`` the largest distance of
    two rows, both in units of the input; ``grid`` is the step that rows and noise are multiples
    of, a power of two; ``reach_squared`` the squared norm that no row exceeds, in squared steps.
    """

    guarantee: Guarantee
    sigma: float
    grid: float
    reach_squared: int
    dim: int
    table: RoundedNormal = field(repr=False, compare=False)

    @property
    def sensitivity(self) -> float:
        """``2 * grid * sqrt(reach_squared)``: certain, since rows are held to it as integers."""
        return 2 * self.grid * math.sqrt(self.reach_squared)

    @property
    def law(self) -> NoiseLaw:
        """The law of the noise."""
        return NoiseLaw.gaussian(self.sigma)


def mechanism(guarantee: Guarantee, *, dim: int) -> Mechanism:
    """The least Gaussian noise that keeps ``guarantee`` for rows of width ``dim``.

    Source: B. Balle, Y.-X. Wang, Improving the Gaussian Mechanism for Differential Privacy, ICML
    2018, theorem 8 and algorithm 1, https://arxiv.org/abs/1805.06530. Noise and row lie on a grid
    since the low bits of floating-point noise tell the row: I. Mironov, On Significance of the
    Least Significant Bits for Differential Privacy, CCS 2012.

    Raises:
        InputError: code ``noise``: out of range, or finer than the sampler can hold.
    """
    checked_guarantee(guarantee)
    ideal = Guarantee((1 - RESERVE) * guarantee.epsilon, (1 - RESERVE) * guarantee.delta)
    sigma = 2 * LONGEST / largest_mu(ideal)
    grid = 2.0 ** (math.floor(math.log2(sigma)) - _STEPS_LOG2)
    table = RoundedNormal(sigma / grid)
    charged = _charged(ideal, dim * table.closeness, dim * table.cut)
    if charged.epsilon > guarantee.epsilon or charged.delta > guarantee.delta:
        raise _refusal(
            f"at epsilon {guarantee.epsilon:g} and dimension {dim} a delta of "
            f"{guarantee.delta:g} is finer than the sampler's",
            "take a smaller epsilon or a larger delta",
        )
    return Mechanism(guarantee, sigma, grid, math.floor((LONGEST / grid) ** 2), dim, table)


def _charged(ideal: Guarantee, closeness: float, cut: float) -> Guarantee:
    """What is left of ``ideal`` when all probabilities are off by at most ``exp(closeness)``.

    But for a part of probability ``cut``, which the sampler folds onto its last value. Proof in
    docs/adr/0012.
    """
    epsilon = ideal.epsilon + 2 * closeness
    delta = math.exp(closeness) * ideal.delta + cut * (1 + math.exp(ideal.epsilon + closeness))
    return Guarantee(epsilon, delta)


def delta_of(epsilon: float, mu: float) -> float:
    """``Phi(mu / 2 - epsilon / mu) - exp(epsilon) * Phi(-mu / 2 - epsilon / mu)``.

    The least delta of Gaussian noise with ``mu = sensitivity / sigma``.
    Source: Balle and Wang 2018, theorem 8.
    """
    far = special.log_ndtr(-mu / 2 - epsilon / mu)
    return float(special.ndtr(mu / 2 - epsilon / mu) - np.exp(epsilon + far))


def largest_mu(guarantee: Guarantee) -> float:
    """The largest sensitivity per standard deviation that keeps ``guarantee``, from below."""
    low, high = 0.0, _MOST_MU
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if delta_of(guarantee.epsilon, middle) <= guarantee.delta:
            low = middle
        else:
            high = middle
    return low


def compose(mechanisms: Sequence[Mechanism]) -> Guarantee:
    """What all the releases of one row keep together, at the sum of their deltas.

    Gaussian releases with ``mu_i`` are together one with ``sqrt(sum(mu_i ** 2))``; never more than
    the sum of the epsilons.

    Source: J. Dong, A. Roth, W. J. Su, Gaussian Differential Privacy, JRSS B 84(1), 2022,
    corollary 3.3 and corollary 2.13, https://arxiv.org/abs/1905.02383; for the sums, C. Dwork,
    A. Roth, The Algorithmic Foundations of Differential Privacy, 2014, theorem 3.16.
    """
    basic = Guarantee(
        math.fsum(m.guarantee.epsilon for m in mechanisms),
        math.fsum(m.guarantee.delta for m in mechanisms),
    )
    if len(mechanisms) == 1:
        return basic
    mu = math.sqrt(math.fsum((m.sensitivity / m.sigma) ** 2 for m in mechanisms))
    delta = (1 - RESERVE) * basic.delta
    ideal = Guarantee(_least_epsilon(mu, delta, most=basic.epsilon), delta)
    closeness = math.fsum(m.dim * m.table.closeness for m in mechanisms)
    charged = _charged(ideal, closeness, math.fsum(m.dim * m.table.cut for m in mechanisms))
    if charged.epsilon > basic.epsilon or charged.delta > basic.delta:
        return basic
    return Guarantee(charged.epsilon, basic.delta)


def _least_epsilon(mu: float, delta: float, *, most: float) -> float:
    """The least epsilon up to ``most`` at which ``delta_of`` is within ``delta``, from above."""
    low, high = 0.0, most
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if delta_of(middle, mu) <= delta:
            high = middle
        else:
            low = middle
    return high


def parse_noise(text: str) -> Guarantee | None:
    """The guarantee that ``gaussian:EPS,DELTA`` asks for; None for ``ball``.

    Raises:
        InputError: neither, or out of range (code ``noise``).
    """
    kind, _, numbers = text.partition(":")
    if text == NoiseKind.BALL:
        return None
    try:
        epsilon, delta = (float(number) for number in numbers.split(","))
    except ValueError:
        epsilon = delta = math.nan
    if kind != NoiseKind.GAUSSIAN or math.isnan(epsilon + delta):
        raise _refusal(
            f"noise is ball or gaussian:EPS,DELTA; found {text!r}", "such as gaussian:4,1e-6"
        )
    return checked_guarantee(Guarantee(epsilon, delta))


def checked_guarantee(guarantee: Guarantee) -> Guarantee:
    """``guarantee`` if it promises something and can be kept.

    Raises:
        InputError: it does not (code ``noise``).
    """
    if not LEAST_EPSILON <= guarantee.epsilon <= MOST_EPSILON:
        raise _refusal(
            f"epsilon is a number from {LEAST_EPSILON:g} to {MOST_EPSILON:g}; "
            f"found {guarantee.epsilon:g}",
            "1 to 8 is usual, and a smaller one promises more",
        )
    if not LEAST_DELTA <= guarantee.delta <= MOST_DELTA:
        raise _refusal(
            f"delta is a number from {LEAST_DELTA:g} to {MOST_DELTA:g}; found {guarantee.delta:g}",
            "take less than one over the number of rows, such as 1e-6",
        )
    return guarantee


def _refusal(message: str, hint: str) -> InputError:
    return InputError(message, code="noise", hint=hint)
