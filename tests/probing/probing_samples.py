"""A small world: unit vectors around a center per class, the model that knows it, and attackers."""

from datetime import UTC, datetime

import numpy as np

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
N_CLASSES = 3
DIM = 16
CENTERS = np.random.default_rng(99).normal(size=(N_CLASSES, DIM))


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def rows(n, seed, *, topics=range(N_CLASSES)):
    """What the model is for."""
    rng = np.random.default_rng(seed)
    codes = rng.choice(np.array(topics), size=n)
    return unit(CENTERS[codes] + 0.5 * rng.normal(size=(n, DIM))).astype(np.float32)


def label(x):
    return (x @ CENTERS.T).argmax(axis=1)


def random_vectors(n, seed):
    return unit(np.random.default_rng(seed).normal(size=(n, DIM)))


def bisections(n, seed, *, steps=8):
    """Down to the boundary between two rows, again and again."""
    rng, known, found = np.random.default_rng(seed), rows(200, seed), []
    codes = label(known)
    while len(found) < n:
        low = known[rng.integers(200)]
        high = known[rng.choice(np.flatnonzero(codes != label(low[None])[0]))]
        for _ in range(steps):
            middle = unit(((low + high) / 2)[None])[0]
            found.append(middle)
            if label(middle[None])[0] == label(low[None])[0]:
                low = middle
            else:
                high = middle
    return np.array(found[:n])


def variants(n, seed, *, each=8):
    """Small changes of a few rows."""
    rng = np.random.default_rng(seed)
    known = np.repeat(rows(n // each, seed), each, axis=0)
    return unit(known + 0.03 * rng.normal(size=known.shape))
