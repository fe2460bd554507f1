"""The bottleneck network in numpy: its loss, its gradient by hand, and AdamW.

    hidden = relu(x @ W1 + b1)                              (n, h)
    z      = unit(hidden @ W2 + b2)                         (n, k), rows of norm 1
    logits = scale * ((z + noise) @ W3 + b3)                (n, c)
    loss   = mean cross-entropy(logits, smoothed labels) + scatter * mean |z - class mean of z|**2

A pure function of its arguments: whoever calls it draws the noise. What checks the gradient by
finite differences and the whole step against plain loops is in tests/minimize.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cipherset.core.values import Floats

Codes = npt.NDArray[np.int64]

# Below any norm that a trained layer gives; keeps 0 / 0 out of the gradient.
TINY = 1e-12


class Weights(NamedTuple):
    """Parameters of the three layers, or a gradient of the same shapes."""

    w1: Floats
    b1: Floats
    w2: Floats
    b2: Floats
    w3: Floats
    b3: Floats


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows (n, d), their class codes (n,) in [0, c) and the noise (n, k) added to their ``z``."""

    x: Floats
    codes: Codes
    noise: Floats


@dataclass(frozen=True, slots=True)
class Loss:
    """What is minimized: the scale of the logits, label smoothing, weight of the scatter."""

    scale: float = 8.0
    smoothing: float = 0.0
    scatter: float = 0.0


def unit_rows(a: Floats) -> Floats:
    """``a / norm(a)`` by row; a row of zeros becomes the first axis."""
    norms = np.linalg.norm(a, axis=1, keepdims=True)
    out: Floats = a / np.maximum(norms, TINY)
    out[norms[:, 0] <= TINY, :1] = 1.0
    return out


def encode(weights: Weights, x: Floats) -> Floats:
    """``unit(relu(x @ w1 + b1) @ w2 + b2)``, shape (n, k)."""
    hidden = np.maximum(x @ weights.w1 + weights.b1, 0)
    return unit_rows(hidden @ weights.w2 + weights.b2)


def softmax(logits: Floats) -> Floats:
    """``exp(logits) / sum(exp(logits))`` by row."""
    powers: Floats = np.exp(_log_softmax(logits))
    return powers


def _log_softmax(logits: Floats) -> Floats:
    low = logits - logits.max(axis=1, keepdims=True)
    out: Floats = low - np.log(np.exp(low).sum(axis=1, keepdims=True))
    return out


def deviations(z: Floats, codes: Codes, n_classes: int) -> Floats:
    """``z - mean of z over the rows of the same class``, shape (n, k)."""
    members = np.zeros((n_classes, len(z)), dtype=z.dtype)
    members[codes, np.arange(len(z))] = 1
    counts = np.maximum(members.sum(axis=1, keepdims=True), 1)
    means: Floats = (members @ z) / counts
    return z - means[codes]


def loss_and_gradient(weights: Weights, batch: Batch, loss: Loss) -> tuple[float, Weights]:
    """The loss of the module docstring and its gradient in every parameter.

    The class mean in the scatter term needs no gradient of its own: the deviations of a class
    sum to zero.
    """
    n, n_classes = len(batch.x), weights.w3.shape[1]
    rows = np.arange(n)
    pre = batch.x @ weights.w1 + weights.b1
    hidden = np.maximum(pre, 0)
    a = hidden @ weights.w2 + weights.b2
    norms = np.maximum(np.linalg.norm(a, axis=1, keepdims=True), TINY)
    z = a / norms
    noisy = z + batch.noise
    log_p = _log_softmax(loss.scale * (noisy @ weights.w3 + weights.b3))
    p = np.exp(log_p)
    targets = np.full_like(p, loss.smoothing / n_classes)
    targets[rows, batch.codes] += 1 - loss.smoothing
    apart = deviations(z, batch.codes, n_classes)
    value = -(targets * log_p).sum() + loss.scatter * (apart**2).sum()

    d_logits = (p - targets) * (loss.scale / n)
    d_z = d_logits @ weights.w3.T + apart * (2 * loss.scatter / n)
    d_a = (d_z - z * (d_z * z).sum(axis=1, keepdims=True)) / norms
    d_pre = (d_a @ weights.w2.T) * (pre > 0)
    gradient = Weights(
        w1=batch.x.T @ d_pre,
        b1=d_pre.sum(axis=0),
        w2=hidden.T @ d_a,
        b2=d_a.sum(axis=0),
        w3=noisy.T @ d_logits,
        b3=d_logits.sum(axis=0),
    )
    return float(value) / n, gradient


class AdamW:
    """Adam with decoupled weight decay, on matrices only; changes the weights in place.

    Source: Loshchilov and Hutter 2019, Decoupled Weight Decay Regularization, algorithm 2.
    """

    def __init__(self, weights: Weights, *, decay: float) -> None:
        self._weights = weights
        self._decay = decay
        self._mean = [np.zeros_like(w) for w in weights]
        self._square = [np.zeros_like(w) for w in weights]
        self._steps = 0

    def step(self, gradient: Weights, *, rate: float) -> None:
        """One update at learning rate ``rate``; betas .9 and .999 as in the paper."""
        self._steps += 1
        mean_share, square_share = 1 - 0.9**self._steps, 1 - 0.999**self._steps
        for w, g, m, v in zip(self._weights, gradient, self._mean, self._square, strict=True):
            m *= 0.9
            m += 0.1 * g
            v *= 0.999
            v += 0.001 * g * g
            if w.ndim > 1:
                w *= 1 - rate * self._decay
            w -= (rate / mean_share) * m / (np.sqrt(v / square_share) + 1e-8)
