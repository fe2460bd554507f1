"""Small models and clusters of unit vectors that the tests attack."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from cipherset.evidence.attack.model import fit_head


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def clusters(rng, *, n, dim, classes, spread=0.6):
    """Unit rows around one random center per class, and their codes."""
    centers = unit(rng.normal(size=(classes, dim)))
    y = rng.integers(classes, size=n)
    return unit(centers[y] + spread * rng.normal(size=(n, dim)) / np.sqrt(dim)), y


def rotation(rng, dim):
    q, r = np.linalg.qr(rng.normal(size=(dim, dim)))
    return q * np.sign(np.diag(r))


def logistic(classes, inverse_penalty=10.0):
    """A recipe as the product would hand it in."""

    def train(x, y, seed):
        model = LogisticRegression(C=inverse_penalty, max_iter=500).fit(x, y)

        def score(rows):
            out = np.full((len(rows), classes), -50.0)
            out[:, model.classes_] = model.predict_log_proba(rows)
            return out

        return score

    return train


def nearest_row(classes):
    """A recipe that remembers every row: label of the nearest, surer the nearer it is."""

    def train(x, y, seed):
        def score(rows):
            squares = ((rows[:, None] - x[None]) ** 2).sum(axis=2)
            per_class = np.stack(
                [squares[:, y == c].min(axis=1, initial=9.0) for c in range(classes)], axis=1
            )
            logits = -20 * per_class
            return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))

        return score

    return train


def deaf(classes):
    """A recipe that never looks at its rows: a random head from the seed."""

    def train(x, y, seed):
        matrix = np.random.default_rng(seed).normal(size=(x.shape[1], classes))

        def score(rows):
            logits = rows @ matrix
            return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))

        return score

    return train


def head_of(x, y, classes, inverse_penalty=10.0):
    return fit_head(x, np.eye(classes)[y], inverse_penalty=inverse_penalty)
