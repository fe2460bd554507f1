"""A softmax head as an attacker fits it: to labels, to probabilities, or solved from logits."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from cipherset.core.values import Floats
from cipherset.evidence.attack.model.answers import Doubles

_MOST_STEPS: Final = 300
# Just enough to solve where there are fewer rows than columns.
_RIDGE: Final = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class LinearHead:
    """``log_softmax(x @ matrix + offset)``; ``matrix`` (d, c), ``offset`` (c,)."""

    matrix: Doubles = field(repr=False)
    offset: Doubles = field(repr=False)

    def __call__(self, rows: Floats) -> Floats:
        """Log-probabilities (n, c) of rows (n, d)."""
        out: Floats = log_softmax(rows @ self.matrix + self.offset, axis=1)
        return out


def fit_head(x: Floats, targets: Floats, *, inverse_penalty: float = 10.0) -> LinearHead:
    """The head of least ``sum of cross-entropies + |matrix|^2 / (2 * inverse_penalty)``.

    Args:
        x: Rows, shape (n, d).
        targets: Class probabilities, shape (n, c); labels as rows of 0 and 1.
        inverse_penalty: As scikit-learn's ``C``, which takes no probabilities as targets.
    """
    n, d = x.shape
    c = targets.shape[1]

    weight = targets.sum(axis=1, keepdims=True)

    def loss(flat: Doubles) -> tuple[float, Doubles]:
        w = flat.reshape(d + 1, c)
        told = x @ w[:d] + w[d]
        told -= told.max(axis=1, keepdims=True)
        error = np.exp(told)
        total = error.sum(axis=1, keepdims=True)
        value = (weight * np.log(total)).sum() - (targets * told).sum()
        error *= weight / total
        error -= targets
        gradient = np.vstack([x.T @ error + w[:d] / inverse_penalty, error.sum(axis=0)])
        penalty = (w[:d] ** 2).sum() / (2 * inverse_penalty)
        return float(value + penalty) / n, gradient.ravel() / n

    start = np.zeros((d + 1) * c)
    options = {"maxiter": _MOST_STEPS, "ftol": 1e-9, "gtol": 1e-7}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
    w = np.asarray(found.x).reshape(d + 1, c)
    return LinearHead(w[:d], w[d])


def solve_head(x: Floats, log_probabilities: Floats) -> LinearHead:
    """The head whose logits are nearest to ``log_probabilities`` less their mean, by ridge.

    Exact where the model is a softmax of a linear map and there are more than d rows: the mean
    over classes is all that a softmax forgets.
    """
    targets = log_probabilities - log_probabilities.mean(axis=1, keepdims=True)
    a: Doubles = np.hstack([x, np.ones((len(x), 1))])
    gram = a.T @ a
    gram[np.diag_indices_from(gram)] += _RIDGE * np.trace(gram) / len(gram)
    w = np.linalg.solve(gram, a.T @ targets)
    return LinearHead(w[:-1], w[-1])
