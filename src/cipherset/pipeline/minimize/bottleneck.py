"""Train the bottleneck: the classifier learns through the very noise that the export will carry."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np

from cipherset.core.errors import InputError
from cipherset.core.protocols import Progress
from cipherset.core.values import Float32s, Floats
from cipherset.pipeline.minimize.network import (
    AdamW,
    Batch,
    Codes,
    Loss,
    Weights,
    loss_and_gradient,
    softmax,
    unit_rows,
)

STAGE: Final = "fit the minimizer"
# The radius of the sphere that the vectors lie on. More noise in training merges the rare classes
# with the frequent ones; where vectors are shrunk, it is no longer needed to merge rows (ADR 3).
MOST_SHRUNK_NOISE: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """How a minimizer is fitted.

    ``noise_radius`` is that of the export's ball, ``approximation_factor / 4``. ``seed`` drives
    the first weights, the order of the rows and the training noise: never noise that leaves.
    ``shrink`` in [0, 1] is the share of each bottleneck vector that is replaced by the anchors of
    the classes the network sees in it. At 1 nothing is left but these class probabilities: the
    least leak at no loss of accuracy where all rows are fitted on, and nothing to teach. Take 0
    where the exported rows are others than the fitted ones, so that they can add something.
    ``hidden`` is the width of the hidden layer; at 0 there is none and the classes are told by a
    logistic regression, which learns less from labels that are themselves noisy.
    """

    noise_radius: float
    seed: int
    epochs: int = 30
    hidden: int = 256
    batch_rows: int = 256
    learning_rate: float = 2e-3
    decay: float = 0.01
    loss: Loss = field(default_factory=Loss)
    shrink: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what no fit can use.

        Raises:
            InputError: ``fit_settings``.
        """
        positive = (self.epochs, self.batch_rows, self.learning_rate)
        if min(positive) <= 0 or min(self.hidden, self.seed) < 0:
            raise _bad_setting("epochs, batch_rows, learning_rate > 0; hidden and seed >= 0")
        if not (0 <= self.noise_radius < np.inf and 0 <= self.shrink <= 1):
            raise _bad_setting("noise_radius >= 0 and shrink in [0, 1]")


def _bad_setting(expected: str) -> InputError:
    return InputError(
        f"a fit needs {expected}", code="fit_settings", hint="correct the settings of the fit"
    )


def ball_noise(rng: np.random.Generator, *, shape: tuple[int, int], radius: float) -> Float32s:
    """``radius * direction * u ** (1 / k)`` by row: uniform in the k-ball; for training only."""
    noise = rng.standard_normal(shape, dtype=np.float32)
    noise /= np.maximum(np.linalg.norm(noise, axis=1, keepdims=True), np.float32(1e-12))
    return noise * (radius * rng.random((shape[0], 1), dtype=np.float32) ** (1 / shape[1]))


def first_weights(rng: np.random.Generator, sizes: tuple[int, int, int, int]) -> Weights:
    """He-normal matrices and zero biases for ``sizes`` = (d, hidden, k, classes)."""
    arrays: list[Floats] = []
    for rows, columns in pairwise(sizes):
        matrix = rng.standard_normal((rows, columns), dtype=np.float32)
        arrays += [matrix * np.float32(np.sqrt(2 / rows)), np.zeros(columns, np.float32)]
    return Weights(*arrays)


def fit_weights(
    x: Float32s, codes: Codes, *, dim: int, settings: FitSettings, progress: Progress | None
) -> Weights:
    """Weights trained on rows (n, d) of mean 0 and unit variance; ``codes`` are 0 to c - 1."""
    rng = np.random.default_rng(settings.seed)
    weights = first_weights(rng, (x.shape[1], settings.hidden, dim, int(codes.max()) + 1))
    optimizer = AdamW(weights, decay=settings.decay)
    per_epoch = -(-len(x) // batch_rows(len(x), most=settings.batch_rows))
    total, done = per_epoch * settings.epochs, 0
    radius = settings.noise_radius
    if settings.shrink > 0:
        radius = min(radius, MOST_SHRUNK_NOISE)
    if progress is not None:
        progress.start(STAGE, settings.epochs)
    for _ in range(settings.epochs):
        for rows in _batches(rng, len(x), per_epoch):
            noise = ball_noise(rng, shape=(len(rows), dim), radius=radius)
            _, gradient = loss_and_gradient(
                weights, Batch(x[rows], codes[rows], noise), settings.loss
            )
            # Cosine decay to 0: the last steps average the noise instead of following it.
            rate = settings.learning_rate * (1 + np.cos(np.pi * done / total)) / 2
            optimizer.step(gradient, rate=rate)
            done += 1
        if progress is not None:
            progress.advance(1)
    if progress is not None:
        progress.finish()
    return weights


def batch_rows(n: int, *, most: int) -> int:
    """Rows a step: at least 20 steps an epoch, as long as each sees 32 rows; ``most`` at most."""
    return min(most, max(32, n // 20))


def _batches(rng: np.random.Generator, n: int, parts: int) -> Iterator[Codes]:
    yield from np.array_split(rng.permutation(n), parts)


def spread_apart(anchors: Floats, *, seed: int, steps: int = 500) -> Floats:
    """``anchors`` (c, k) pushed apart on the unit sphere until the nearest are far apart.

    Each moves away from the others, the nearest most; with ``k >= c - 1`` they end as the corners
    of a regular simplex. Noise then costs a rare class no more than a frequent one.
    Source: Tammes' problem, by gradient descent on its soft maximum of the cosines.
    """
    jitter = np.random.default_rng(seed).standard_normal(anchors.shape)
    points = unit_rows(np.asarray(anchors, dtype=np.float64) + 1e-3 * jitter)
    for step in range(steps):
        cosines = points @ points.T
        np.fill_diagonal(cosines, -np.inf)
        # 8: soft enough that all near neighbors push, hard enough that the far ones do not.
        push = softmax(8 * cosines) @ points
        points = unit_rows(points - 0.1 * (1 - step / steps) * push)
    return points
