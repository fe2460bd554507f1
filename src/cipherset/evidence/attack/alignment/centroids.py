"""Labels in the clear are pairs in disguise: the mean of a class carries hardly any noise."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import InputError
from cipherset.core.values import Floats
from cipherset.evidence.attack.alignment.linear_map import (
    Doubles,
    Ints,
    LinearMap,
    check_same_length,
    check_same_width,
    checked,
    permutation_matrix,
)
from cipherset.evidence.attack.alignment.moments import Scale, read_scale
from cipherset.evidence.attack.alignment.neighbors import procrustes
from cipherset.evidence.attack.alignment.permutation import assign, refine_order
from cipherset.evidence.attack.alignment.regression import ridge
from cipherset.evidence.attack.alignment.rotation import FAST_ROWS, Clouds

Labels = npt.NDArray[np.generic]
_LEAST_CLASSES = 2


@dataclass(frozen=True, slots=True, eq=False)
class ClassMeans:
    """Means of the classes both sides have, (c, k) each, and the rows behind each, (c,)."""

    hidden: Doubles = field(repr=False)
    public: Doubles = field(repr=False)
    weights: Doubles = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class CentroidAligner:
    """Knows: ciphertexts (n, k), their clear labels, labeled public vectors (m, k); no pairs.

    The public vectors are in a space of k dimensions: the encoder's, or that of a bottleneck of
    the attacker's own. From the class means come three maps: a rotation, a permutation, and any
    linear map. The means of c classes span c - 1 directions and with the overall mean c. Of the
    others, the rotation takes principal components within classes, by size, with signs from
    skewness, and mutual neighbors afterwards; the permutation takes covariances; the linear map
    leaves them at zero.

    Source: own; Procrustes as in ``procrustes``, the orders as in ``PermutationMatcher``.
    """

    ciphertexts: Floats = field(repr=False)
    labels: Labels = field(repr=False)
    public: Floats = field(repr=False)
    public_labels: Labels = field(repr=False)
    noise_radius: float | None = None
    rows: int = FAST_ROWS
    rounds: int = 8

    def recover(self, seed: int) -> tuple[LinearMap, ...]:
        """Rotation, permutation and linear map.

        Raises:
            InputError: fewer than two rows (code ``no_rows``), not finite (``not_finite``), or
                fewer than two labels on both sides (``labels``).
            DimensionError: widths differ, or labels are not one per row (code ``dimension``).
        """
        hidden, public = checked(self.ciphertexts, "ciphertexts"), checked(self.public, "public")
        check_same_width(hidden, public)
        check_same_length(hidden, self.labels)
        check_same_length(public, self.public_labels)
        rng = np.random.default_rng(seed)
        clouds = Clouds.of(hidden, public, self.noise_radius, rng)
        scale = read_scale(hidden, public, self.noise_radius)
        means = class_means(hidden / scale.scale, self.labels, public, self.public_labels)
        turn, most = clouds.refined(self._turn(means, clouds), self.rows, self.rounds, rng)
        return (
            clouds.named("centroids: rotation", turn, most),
            _permutation(means, hidden, public, scale),
            _linear(means, clouds),
        )

    def _turn(self, means: ClassMeans, clouds: Clouds) -> Doubles:
        weights = np.sqrt(means.weights)[:, np.newaxis]
        hidden = weights * (means.hidden - clouds.hidden_mean)
        public = weights * (means.public - clouds.public_mean)
        mine, theirs = _outside(hidden, clouds.hidden), _outside(public, clouds.public)
        # The means of one side may span a direction more than those of the other.
        width = min(mine.shape[1], theirs.shape[1])
        mine, theirs = mine[:, :width], theirs[:, :width]
        evidence = _third(clouds.hidden @ mine) * _third(clouds.public @ theirs)
        signs = np.where(evidence >= 0, 1.0, -1.0)
        # Beside what the means say, a little of what the components guess: it decides only where
        # the means say nothing.
        guess = mine * signs @ theirs.T
        u, s, vt = np.linalg.svd(hidden.T @ public)
        return procrustes(np.eye(len(s)), (u * s) @ vt + 1e-6 * s[0] * guess)


def class_means(
    hidden: Doubles, labels: Labels, public: Doubles, public_labels: Labels
) -> ClassMeans:
    """Means of the classes that both sides have.

    A class weighs as its rarer side: ``n * m / (n + m)`` rows.

    Raises:
        InputError: fewer than two such classes (code ``labels``).
    """
    classes = np.intersect1d(labels, public_labels)
    if len(classes) < _LEAST_CLASSES:
        raise InputError(
            f"{len(classes)} labels are on both sides; expected at least {_LEAST_CLASSES}",
            code="labels",
            hint="label the public vectors with the labels of the ciphertexts",
        )
    mine, theirs = list(_by_class(labels, classes)), list(_by_class(public_labels, classes))
    sizes = np.array([[len(a), len(b)] for a, b in zip(mine, theirs, strict=True)], dtype=float)
    return ClassMeans(
        np.array([hidden[rows].mean(axis=0) for rows in mine]),
        np.array([public[rows].mean(axis=0) for rows in theirs]),
        sizes.prod(axis=1) / sizes.sum(axis=1),
    )


def _by_class(labels: Labels, classes: Labels) -> Iterator[Ints]:
    for label in classes:
        yield np.flatnonzero(labels == label).astype(np.int64)


def _permutation(means: ClassMeans, hidden: Doubles, public: Doubles, scale: Scale) -> LinearMap:
    weights = means.weights[:, np.newaxis]
    start = assign(-(weights * means.hidden).T @ means.public)
    distance = ((means.hidden**2 * weights).sum(0)[:, np.newaxis]
                + (means.public**2 * weights).sum(0)
                - 2 * (weights * means.hidden).T @ means.public)  # fmt: skip
    starts = iter((assign(distance), start))
    order, objective = refine_order(hidden / scale.scale, public, starts)
    matrix = permutation_matrix(order, scale.scale)
    return LinearMap("centroids: permutation", matrix, np.zeros(len(order)), objective)


def _linear(means: ClassMeans, clouds: Clouds) -> LinearMap:
    matrix, offset = ridge(means.hidden, means.public)
    objective = clouds.objective(matrix)
    return LinearMap("centroids: linear", matrix / clouds.scale, offset, objective)


def _outside(spanned: Doubles, rows: Doubles) -> Doubles:
    """Directions that ``spanned`` leaves open, those along which ``rows`` vary most first."""
    _, s, vt = np.linalg.svd(spanned)
    rank = int((s > s[0] * 1e-6).sum()) if len(s) and s[0] > 0 else 0
    free = vt[rank:].T
    along = rows @ free
    _, axes = np.linalg.eigh(along.T @ along)
    return np.asarray(free @ axes[:, ::-1])


def _third(rows: Doubles) -> Doubles:
    return np.asarray((rows**3).mean(axis=0))
