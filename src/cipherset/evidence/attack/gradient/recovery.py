"""Rows from the gradient of one batch: one row exactly, more by search.

Knows: the model, the gradient, the clear labels of the batch and how many rows it had. No key.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment, minimize

from cipherset.core.errors import DimensionError, InputError
from cipherset.core.values import Floats
from cipherset.evidence.attack.gradient.network import Codes, Doubles, Layer, Network

_STARTS: Final = 4
_MOST_STEPS: Final = 1500
# The share of a gradient that a found batch may leave unexplained and still end the search.
_EXPLAINED: Final = 1e-9


def recover_row(seen: Sequence[Layer]) -> Doubles:
    """``matrix[:, j] / offset[j]`` of the first layer's gradient: the one row behind it, (d,).

    For a batch of one, each output j of the first layer has the gradient ``error_j * x`` by its
    weights and ``error_j`` by its offset; j is where the error is largest. Of a larger batch it
    is a mean of the rows, weighted by their errors there.

    Source: L. T. Phong et al., Privacy-Preserving Deep Learning via Additively Homomorphic
    Encryption, IEEE TIFS 13(5), 2018, section III.

    Raises:
        InputError: the gradient by the offset is zero: nothing was learned (code ``gradient``).
    """
    first = seen[0]
    j = int(np.argmax(np.abs(first.offset)))
    if first.offset[j] == 0.0:
        raise InputError(
            "the gradient is zero", code="gradient", hint="take that of a step that learned"
        )
    row: Doubles = first.matrix[:, j].astype(np.float64) / float(first.offset[j])
    return row


def recover_batch(network: Network, seen: Sequence[Layer], y: Codes, *, seed: int) -> Doubles:
    """Rows whose gradient is nearest to ``seen``, shape (n, d); their order within a class is free.

    A batch of one is solved by ``recover_row``, a larger one searched by L-BFGS from random rows;
    of several starts the one that explains most is kept.

    Source: L. Zhu, Z. Liu, S. Han, Deep Leakage from Gradients, NeurIPS 2019, algorithm 1.

    Args:
        network: The model as it was before the step.
        seen: The gradient of the mean loss of the batch, a layer each.
        y: Positions of the classes of the batch's rows, shape (n,).
        seed: Of the starts.

    Raises:
        DimensionError: the gradient is not of this network (code ``dimension``).
        InputError: no rows (code ``no_rows``); a gradient that is zero (code ``gradient``).
    """
    _check(network, seen, y)
    mean = recover_row(seen)
    if len(y) == 1:
        return mean[np.newaxis]
    rng = np.random.default_rng(seed)
    shape = (len(y), network.dim)

    def loss(flat: Doubles) -> tuple[float, Doubles]:
        value, by_rows = network.mismatch(flat.reshape(shape), y, seen)
        return value, by_rows.ravel()

    best, least = np.zeros(shape), np.inf
    options = {"maxiter": _MOST_STEPS, "maxfun": 2 * _MOST_STEPS, "ftol": 1e-15, "gtol": 1e-12}
    for _ in range(_STARTS):
        # Rows of this package have norms of order one.
        start = rng.normal(size=shape) / np.sqrt(network.dim)
        found = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options=options)
        if found.fun < least:
            best, least = np.asarray(found.x).reshape(shape), float(found.fun)
        if least < _EXPLAINED:
            break
    return best


def matched(found: Floats, truth: Floats) -> tuple[Codes, Doubles]:
    """Which found row stands for each true one, (n,), and their cosines, (n,); for scoring only.

    Each found row is given to one true row such that the sum of cosines is largest.
    """
    a, b = (x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12) for x in (truth, found))
    cosines = (a @ b.T).astype(np.float64)
    rows, order = linear_sum_assignment(-cosines)
    return order.astype(np.int64), cosines[rows, order]


def _check(network: Network, seen: Sequence[Layer], y: Codes) -> None:
    if len(y) == 0:
        raise InputError("no rows to recover", code="no_rows", hint="give the batch's labels")
    own = [(layer.matrix.shape, layer.offset.shape) for layer in network.layers]
    if [(layer.matrix.shape, layer.offset.shape) for layer in seen] != own:
        raise DimensionError(
            "the gradient has other shapes than the network's layers",
            code="dimension",
            hint="pass the gradient of this network",
        )
