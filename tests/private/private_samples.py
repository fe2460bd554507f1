"""Noise that a test can repeat, and rows with classes."""

import numpy as np


def seeded_words(seed):
    """Words for a test: the same for the same seed."""
    rng = np.random.default_rng(seed)
    return lambda n: rng.integers(0, 2**64, size=n, dtype=np.uint64)


def rows(n_classes, n=600, dim=12, seed=0, spread=1.0):
    """Unit rows (n, dim) around one center per class."""
    rng = np.random.default_rng(seed)
    centers = np.random.default_rng(99).normal(size=(n_classes, dim))
    y = rng.integers(n_classes, size=n)
    x = centers[y] + spread * rng.normal(size=(n, dim))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), y
