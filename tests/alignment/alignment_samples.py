"""A narrow domain in small: skewed, anisotropic unit vectors, and ciphers to hide them under."""

from dataclasses import dataclass

import numpy as np

DIM = 32
SCALE = 37.0


@dataclass(frozen=True)
class Hidden:
    """Ciphertexts of ``plain`` under ``turn``: ``SCALE * (plain @ turn + noise)``."""

    plain: np.ndarray
    turn: np.ndarray
    ciphertexts: np.ndarray

    def found(self, mapped):
        """The share of rows whose own plain vector is the most similar."""
        own = (mapped @ self.plain.T).argmax(axis=1)
        return float((own == np.arange(len(mapped))).mean())

    def recovered(self, matrix):
        """The share of coordinates whose place a permutation got right."""
        return float((matrix.argmax(axis=0) == self.turn.argmax(axis=1)).mean())


class Domain:
    """One source of vectors; each topic is a direction with skewed words around it."""

    def __init__(self, seed, dim=DIM, topics=60):
        rng = np.random.default_rng(seed)
        self.dim = dim
        self.topics = rng.normal(size=(topics, dim)) + rng.normal(size=dim)
        self.words = rng.normal(size=(2 * dim, dim)) * (0.8 ** np.arange(2 * dim))[:, np.newaxis]

    def sample(self, n, seed):
        """Unit vectors (n, dim) and their topics (n,)."""
        rng = np.random.default_rng([seed, 7])
        weights = 1 / np.arange(2, 2 + len(self.topics))
        labels = rng.choice(len(self.topics), n, p=weights / weights.sum())
        words = rng.gamma(0.5, size=(n, len(self.words)))
        x = self.topics[labels] + 0.4 * words @ self.words
        return x / np.linalg.norm(x, axis=1, keepdims=True), labels


def hide(plain, beta, scheme, seed=0):
    rng = np.random.default_rng([seed, 99])
    n, dim = plain.shape
    turns = {
        "identity": np.eye(dim),
        "permutation": np.eye(dim)[rng.permutation(dim)],
        "rotation": np.linalg.qr(rng.normal(size=(dim, dim)))[0],
    }
    direction = rng.normal(size=(n, dim))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    noise = direction * beta / 4 * rng.random((n, 1)) ** (1 / dim)
    turn = turns[scheme]
    return Hidden(plain, turn, SCALE * (plain @ turn + noise))
