"""Scores of classes learned with differential privacy: clipped gradients, and noise on their sum.

The model is a logistic regression on unit rows and a constant. A row's part in the gradient is the
product of the row and of what the model is wrong by, so its norm is known without forming it: the
second factor is shortened to ``CLIP``. All rows take part in each step, which is DP-SGD with a
batch of everything: on the tens of thousands of rows that a minimizer is fitted on it costs little,
noise weighs less than with small batches, and no proof leans on how batches were drawn.

Source: M. Abadi et al., Deep Learning with Differential Privacy, CCS 2016, algorithm 1, with a
sampling ratio of 1.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import InputError
from cipherset.core.values import Floats, Guarantee
from cipherset.pipeline.private.accounting import budget, sigma_of
from cipherset.pipeline.private.discrete import Integers, Words, discrete_gaussians, system_words
from cipherset.pipeline.private.sums import (
    LONGEST,
    STEP,
    Steps,
    exact_products,
    in_steps,
    noisy_products,
)

Codes = npt.NDArray[np.int64]

# A recipe that was settled on public data, on 2 to 77 classes at epsilon 1 to 8: what is tried on
# the rows themselves would have to be paid for.
# More steps learn more and take more noise: so many for the fourth root of what may be spent.
STEPS: Final = 150.0
LEAST_STEPS: Final = 40
MOST_STEPS: Final = 200
RATE: Final = 16.0
MOMENTUM: Final = 0.9
CLIP: Final = 0.2
CONSTANT: Final = 0.5
_LONGEST: Final = math.hypot(LONGEST, CONSTANT)
# In squared steps, rows as long as their whole steps can be.
SENSITIVITY: Final = 2 * math.sqrt(math.floor((_LONGEST / STEP) ** 2)) * CLIP / STEP


@dataclass(frozen=True, slots=True)
class Scores:
    """``x @ matrix + offset`` scores the classes; matrix (d, c), offset (c,)."""

    matrix: Floats = field(repr=False)
    offset: Floats = field(repr=False)


def draws_of(dim: int, n_classes: int) -> int:
    """How many noisy numbers a fit releases at most."""
    return MOST_STEPS * (dim + 1) * n_classes


def steps_for(rho: float) -> int:
    """``STEPS * rho**(1 / 4)``, from 40 to 200: it depends on nothing but the budget."""
    return min(max(round(STEPS * math.sqrt(math.sqrt(rho))), LEAST_STEPS), MOST_STEPS)


def private_scores(
    x: Floats, codes: Codes, *, n_classes: int, guarantee: Guarantee, words: Words = system_words
) -> Scores:
    """Scores that keep ``guarantee`` for each row: its vector and its class replaced by any others.

    Args:
        x: Rows of norm at most 1, shape (n, d).
        codes: Their classes, 0 to ``n_classes - 1``, shape (n,).
        n_classes: How many classes there are; it is not kept secret, nor is n.
        guarantee: The (epsilon, delta) of all that is returned.
        words: Where the noise comes from.

    Raises:
        InputError: ``norm``; ``private_rows``; ``private_budget``; ``private_width``;
            ``one_class``.
    """
    if n_classes < 2:
        raise InputError(
            f"{n_classes} classes, expected at least two",
            code="one_class",
            hint="a classifier needs at least two labels",
        )
    rho = budget(guarantee, draws=draws_of(x.shape[1], n_classes))
    return scores_within(x, codes, Share(n_classes, len(x), rho), words=words)


@dataclass(frozen=True, slots=True)
class Share:
    """A part ``rho`` of a budget, and what is known: the classes, and about how many rows."""

    n_classes: int
    n_rows: int
    rho: float


def scores_within(x: Floats, codes: Codes, share: Share, *, words: Words = system_words) -> Scores:
    """The same within a share; it depends on ``len(x)`` only through the sums."""
    part = Part.of(x, codes, share.n_classes)
    steps = steps_for(share.rho)
    sigma = sigma_of(SENSITIVITY, share.rho, releases=steps)

    def gradient(weights: Floats) -> Floats:
        found = noisy_products(part.rows, part.wrong(weights), sigma=sigma, words=words)
        return found / max(share.n_rows, 1)

    return descended(gradient, (x.shape[1], share.n_classes), steps)


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one owner, a constant behind each, in whole steps (n, d + 1), and classes (n, c)."""

    rows: Steps
    truth: Floats = field(repr=False)

    @classmethod
    def of(cls, x: Floats, codes: Codes, n_classes: int) -> "Part":
        """From rows of norm at most 1, shape (n, d), and codes of classes, shape (n,).

        Raises:
            InputError: code ``norm``.
        """
        constant = np.full((len(x), 1), CONSTANT)
        return cls(in_steps(np.hstack([x, constant]), longest=_LONGEST), np.eye(n_classes)[codes])

    def wrong(self, weights: Floats) -> Steps:
        """What the model is wrong by on each row, shortened to ``CLIP``, shape (n, c)."""
        return _clipped(_softmax(self.rows.values * STEP @ weights) - self.truth)

    def noisy_gradient(self, weights: Floats, *, sigma: float, words: Words) -> Integers:
        """The sum of the rows' gradients with noise of width ``sigma``, in squared steps.

        Shape (d + 1, c). Whatever ``weights`` are, a row replaced moves it by ``SENSITIVITY``.
        A ``sigma`` of 0 adds no noise, and keeps nothing.

        Raises:
            InputError: ``private_rows``; ``private_width``; ``norm``: weights that are no numbers.
        """
        total = exact_products(self.rows, self.wrong(weights))
        if sigma == 0:
            return total
        return total + discrete_gaussians(sigma, total.size, words).reshape(total.shape)


def descended(gradient: Callable[[Floats], Floats], shape: tuple[int, int], steps: int) -> Scores:
    """The mean of the later half of ``steps`` steps down ``gradient``, with momentum, from 0.

    Args:
        gradient: From weights (d + 1, c) to the mean gradient of the rows there.
        shape: (d, c).
        steps: At least 2.
    """
    weights = np.zeros((shape[0] + 1, shape[1]))
    speed, mean = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(steps):
        speed = MOMENTUM * speed + gradient(weights)
        weights = weights - RATE * speed
        if 2 * step >= steps:  # the mean of the later ones has less of the noise
            mean += weights / (steps // 2)
    return Scores(mean[:-1], CONSTANT * mean[-1])


def _clipped(wrong: Floats) -> Steps:
    """Rows shortened to ``CLIP``, in steps; a little less, so that rounding leaves none longer."""
    norms = np.linalg.norm(wrong, axis=1, keepdims=True)
    return in_steps(wrong * (CLIP * (1 - 1e-9) / np.maximum(norms, CLIP)), longest=CLIP)


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
