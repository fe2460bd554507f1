"""Rows that are no person's: drawn from means and spread of each class, which are known with noise.

In this order, each from a part of one budget and allowed to depend on those before:

    counts    how many rows each class has; a class of too few is left out, so that no one row shows
              that its class is there
    moments   the mean of each class, and the spread of rows around the mean of their class

What is drawn from them, however many rows, is computed from these alone.
"""

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import InputError
from cipherset.core.values import Float32s, Floats
from cipherset.pipeline.private.accounting import sigma_of
from cipherset.pipeline.private.discrete import Words, discrete_gaussians, system_words
from cipherset.pipeline.private.sums import STEP, in_steps, noisy_products

Codes = npt.NDArray[np.int64]
MEANS_SHARE: Final = 0.7  # of what the moments may spend; the spread is one matrix, from all rows


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of each class that is told of, with noise, at least 1; ``kept`` are their codes."""

    kept: Codes = field(repr=False)
    rows: npt.NDArray[np.int64] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Moments:
    """Means (c, k) of the classes, the covariance (k, k) they share, and their numbers of rows."""

    means: Floats = field(repr=False)
    spread: Floats = field(repr=False)
    rows: npt.NDArray[np.int64] = field(repr=False)


def threshold(sigma: float, delta: float) -> int:
    """The least count with noise that a class of one row reaches with probability at most delta.

    ``1 + sigma * sqrt(2 * log(1 / delta))``, since ``P(X >= m) <= exp(-m**2 / (2 * sigma**2))``.

    Source: A. Korolova et al., Releasing Search Queries and Clicks Privately, WWW 2009, theorem 1;
    for the tail, arXiv:2004.00010, fact 19 (a discrete Gaussian is as thin as a normal variable).
    """
    return 1 + math.ceil(sigma * math.sqrt(2 * math.log(1 / delta)))


def private_counts(
    codes: Codes, *, n_classes: int, rho: float, delta: float, words: Words = system_words
) -> Counts:
    """How many rows each class has, where it is told of at all: ``rho``, and delta beside it.

    A row that changes its class moves two counts by 1. A class that only one of two neighboring
    sets of rows has is told of with probability ``delta`` at most.

    Raises:
        InputError: ``private_classes``: fewer than two classes have enough rows.
    """
    exact = np.bincount(codes, minlength=n_classes)
    sigma = max(sigma_of(math.sqrt(2), rho), 1.0)
    told = exact + discrete_gaussians(sigma, n_classes, words)
    kept = np.flatnonzero((told >= threshold(sigma, delta)) & (exact > 0))
    if len(kept) < 2:
        raise InputError(
            f"{len(kept)} classes have enough rows to be told of at this epsilon",
            code="private_classes",
            hint="give more rows, merge rare labels, or take a larger epsilon",
        )
    return Counts(kept, told[kept].astype(np.int64))


def private_moments(
    z: Floats, codes: Codes, *, rows: npt.NDArray[np.int64], rho: float, words: Words = system_words
) -> Moments:
    """Moments of unit rows (n, k) of classes 0 to len(rows) - 1, whose numbers ``rows`` are known.

    Replacing a row moves the sums by classes by 2 at most, and the sum of its outer product with
    itself by sqrt(2).

    Raises:
        InputError: ``norm``; ``private_rows``; ``private_width``.
    """
    steps = in_steps(z)
    members = in_steps(np.eye(len(rows))[codes], longest=1.0)
    sigma = sigma_of(2 * steps.longest * members.longest, rho * MEANS_SHARE)
    sums = noisy_products(members, steps, sigma=sigma, words=words)
    means = sums / rows[:, np.newaxis]
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1.0)
    sigma = sigma_of(math.sqrt(2) * steps.most_squared, rho * (1 - MEANS_SHARE))
    second = noisy_products(steps, steps, sigma=sigma, words=words) / rows.sum()
    shares = rows / rows.sum()
    between = (means * shares[:, np.newaxis]).T @ means
    noise = sigma * STEP**2 * math.sqrt(2 * z.shape[1]) / rows.sum()
    return Moments(means, _positive((second + second.T) / 2 - between, noise), rows)


def _positive(matrix: Floats, noise: float) -> Floats:
    """The matrix without directions whose spread is no more than noise makes of nothing."""
    values, axes = np.linalg.eigh(matrix)
    return np.asarray((axes * np.where(values > noise, values, 0.0)) @ axes.T)


def drawn(moments: Moments, n: int, rng: np.random.Generator) -> tuple[Float32s, Codes]:
    """``n`` unit rows (n, k) and their classes, as many of each as its share; in random order."""
    shares = moments.rows / moments.rows.sum()
    codes = rng.choice(len(shares), size=n, p=shares).astype(np.int64)
    values, axes = np.linalg.eigh(moments.spread)
    root = axes * np.sqrt(np.maximum(values, 0.0))
    rows = moments.means[codes] + rng.standard_normal((n, len(root))) @ root.T
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(norms, 1e-12), dtype=np.float32), codes
