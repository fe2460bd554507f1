"""A secret order of the coordinates, found without a single pair.

Each coordinate has a mean, a variance and a skew of its own, and covaries with the others as no
other does. Noise that is the same in all directions leaves all of that where it was.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from cipherset.core.values import Floats
from cipherset.evidence.attack.alignment.linear_map import (
    Doubles,
    Ints,
    LinearMap,
    check_same_width,
    checked,
    permutation_matrix,
)
from cipherset.evidence.attack.alignment.moments import (
    Cumulants,
    cumulants,
    off_diagonal,
    read_scale,
)

_ROUNDS: Final = 30  # it settles within ten where it settles at all
_SURE: Final = 0.97  # no wrong order of real coordinates came above 0.6
_LEAST_RELIABLE: Final = 0.25  # below, the correction would turn luck into success
_FEATURES: Final = ((0,), (0, 1), (0, 1, 2), (1, 2))  # mean; variance; skew
_MODEL_ERROR: Final = 0.1  # two samples of one domain differ by about this share of the spread


@dataclass(frozen=True, slots=True, eq=False)
class PermutationMatcher:
    """Knows: ciphertexts (n, k) and public vectors (m, k) of the same domain; no pairs.

    Matches the first three cumulants of the coordinates, then the rows of the two covariance
    matrices under the order found so far, until it stays. Starts from several subsets of the
    cumulants and ``restarts`` times from all of them with errors; keeps the best. Its objective
    is the correlation of the two covariance matrices off the diagonal, corrected for sampling.
    A scheme with no permutation is one with the identity.

    Source: the iteration is Frank-Wolfe with full steps on the quadratic assignment problem, J. T.
    Vogelstein et al., Fast Approximate Quadratic Programming for Graph Matching, PLoS ONE 10(4),
    2015, section 3.
    """

    ciphertexts: Floats = field(repr=False)
    public: Floats = field(repr=False)
    noise_radius: float | None = None
    restarts: int = 3

    def recover(self, seed: int) -> LinearMap:
        """The order and the scale, as a map of shape (k, k).

        Raises:
            InputError: fewer than two rows (code ``no_rows``), or not finite (``not_finite``).
            DimensionError: the two differ in width (code ``dimension``).
        """
        ciphertexts = checked(self.ciphertexts, "ciphertexts")
        public = checked(self.public, "public vectors")
        check_same_width(ciphertexts, public)
        scale = read_scale(ciphertexts, public, self.noise_radius)
        scaled = ciphertexts / scale.scale
        hidden, known = cumulants(scaled, scale.noise_variance), cumulants(public, 0.0)
        starts = _starts(hidden, known, self.restarts, np.random.default_rng(seed))
        order, objective = refine_order(scaled, public, starts)
        matrix = permutation_matrix(order, scale.scale)
        return LinearMap("permutation", matrix, np.zeros(len(order)), objective)


def refine_order(hidden: Doubles, public: Doubles, starts: Iterator[Ints]) -> tuple[Ints, float]:
    """The order under which the covariances of ``hidden`` are most like those of ``public``.

    ``hidden[:, order]`` stands beside ``public``; with it the correlation, as a share of what
    sampling errors leave possible, in [0, 1].

    Source: C. Spearman, The Proof and Measurement of Association between Two Things, American
    Journal of Psychology 15(1), 1904: correlation corrected for attenuation.
    """
    hidden_covariance, covariance = off_diagonal(hidden), off_diagonal(public)
    most_possible = np.sqrt(_reliability(hidden) * _reliability(public))
    means = hidden.mean(axis=0), public.mean(axis=0)
    best, most = np.arange(public.shape[1]), -1.0
    for start in starts:
        order = _settle(start, hidden_covariance, covariance, np.outer(*means) * _pull(means))
        found = _correlation(hidden_covariance[np.ix_(order, order)], covariance) / most_possible
        if found > most:
            best, most = order, found
        if most >= _SURE:
            break
    return best, float(np.clip(most, 0.0, 1.0))


def _pull(means: tuple[Doubles, Doubles]) -> float:
    """How much the outer product of the means adds to ``E[c c'] E[x x']``: their inner product."""
    return float(np.sqrt((means[0] @ means[0]) * (means[1] @ means[1])))


def _settle(start: Ints, hidden: Doubles, public: Doubles, linear: Doubles) -> Ints:
    order = start
    for _ in range(_ROUNDS):
        likeness = hidden[:, order] @ public + linear
        after = assign(-likeness)
        if np.array_equal(after, order):
            break
        order = after
    return order


def assign(cost: Doubles) -> Ints:
    """The row of ``cost`` (k, k) that each column gets, at the least sum.

    Source: D. F. Crouse, On implementing 2D rectangular assignment algorithms, IEEE Transactions
    on Aerospace and Electronic Systems 52(4), 2016.
    """
    _, rows = linear_sum_assignment(cost.T)
    return np.asarray(rows, dtype=np.int64)


def _starts(
    hidden: Cumulants, known: Cumulants, restarts: int, rng: np.random.Generator
) -> Iterator[Ints]:
    spread = _MODEL_ERROR * known.values.std(axis=0)
    errors = np.sqrt(hidden.errors**2 + known.errors**2 + spread**2)
    # One unit for all coordinates of a cumulant: an order is about differences between them.
    unit = np.maximum(errors.mean(axis=0), np.finfo(float).tiny)
    for features in _FEATURES:
        chosen = list(features)
        yield assign(_squared(hidden.values[:, chosen] / unit[chosen], known, unit, chosen))
    everything = [0, 1, 2]
    for _ in range(restarts):
        shaken = hidden.values / unit + rng.normal(size=hidden.values.shape)
        yield assign(_squared(shaken, known, unit, everything))


def _squared(hidden: Doubles, known: Cumulants, unit: Doubles, chosen: list[int]) -> Doubles:
    beside = known.values[:, chosen] / unit[chosen]
    difference = hidden[:, np.newaxis, :] - beside[np.newaxis, :, :]
    return np.asarray((difference**2).sum(axis=2))


def _reliability(rows: Doubles) -> float:
    """The share of the variance of the covariances that is not sampling error.

    The covariance of two coordinates that do not covary has the variance ``v_i * v_j / n``.
    """
    k = rows.shape[1]
    variances = rows.var(axis=0)
    pairs = variances.sum() ** 2 - (variances**2).sum()
    noise = float(pairs) / (len(rows) * max(k * (k - 1), 1))
    off = off_diagonal(rows)[~np.eye(k, dtype=bool)]
    total = float((off**2).mean()) if len(off) else 0.0
    return float(np.clip(1.0 - noise / total, _LEAST_RELIABLE, 1.0)) if total > 0.0 else 1.0


def _correlation(a: Doubles, b: Doubles) -> float:
    off = ~np.eye(len(a), dtype=bool)
    a, b = a[off], b[off]
    if len(a) < 2 or a.std() == 0.0 or b.std() == 0.0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
