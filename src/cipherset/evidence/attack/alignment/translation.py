"""An alignment of two clouds through anchors: whatever the secret linear map, no pairs.

Cluster centers of either cloud stand to each other as their counterparts do; who they are in
relation to all others tells which belongs to which. A vector is then known by its likeness to the
anchors alone, in words that both spaces share.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from scipy.optimize import quadratic_assignment

from cipherset.core.values import Floats
from cipherset.evidence.attack.alignment.linear_map import (
    Doubles,
    Ints,
    LinearMap,
    check_same_width,
    checked,
)
from cipherset.evidence.attack.alignment.neighbors import procrustes
from cipherset.evidence.attack.alignment.rotation import FAST_ROWS, Clouds, drawn

_QAP_TRIES: Final = 8  # of randomized starts; the first is the flat one
_AVERAGED: Final = 20  # neighbors whose mean stands for a counterpart
_CENTERS: Final = 200  # of the last refinement


@dataclass(frozen=True, slots=True, eq=False)
class UnpairedTranslator:
    """Knows: ciphertexts (n, k) and public vectors (m, k) of the same domain; no pairs.

    ``runs`` times: k-means in both clouds, the two matrices of cosines between centers matched as
    a quadratic assignment. Each vector's cosines to all matched centers are its relative
    representation; the mean of its nearest public vectors there is its pseudo-pair. Procrustes on
    these, then refinement by neighbors, then by cluster centers carried over.

    Source: G. Dar, mini-vec2vec: Scaling Universal Geometry Alignment with Linear
    Transformations, arXiv 2510.02348, 2025, algorithms 1 to 4, with mutual nearest neighbors in
    algorithm 3.
    """

    ciphertexts: Floats = field(repr=False)
    public: Floats = field(repr=False)
    noise_radius: float | None = None
    rows: int = FAST_ROWS
    centers: int = 20
    runs: int = 10
    rounds: int = 10

    def recover(self, seed: int) -> LinearMap:
        """The orthogonal map, the scale and the shift between the means.

        Raises:
            InputError: fewer than two rows (code ``no_rows``), or not finite (``not_finite``).
            DimensionError: the two differ in width (code ``dimension``).
        """
        ciphertexts = checked(self.ciphertexts, "ciphertexts")
        public = checked(self.public, "public vectors")
        check_same_width(ciphertexts, public)
        rng = np.random.default_rng(seed)
        clouds = Clouds.of(ciphertexts, public, self.noise_radius, rng)
        mine, theirs = drawn(clouds.hidden, self.rows, rng), drawn(clouds.public, self.rows, rng)
        hidden, other = _unit(mine), _unit(theirs)
        parts = [self._relative(hidden, other, rng) for _ in range(self.runs)]
        here, there = (np.hstack(side) for side in zip(*parts, strict=True))
        start = procrustes(hidden, _mean_of_nearest(here, there, theirs))
        turn, most = clouds.refined(start, self.rows, self.rounds, rng)
        carried = _by_centers(mine @ turn, theirs, rng)
        found, now = turn @ carried, clouds.objective(turn @ carried)
        return clouds.named("translation", *((found, now) if now > most else (turn, most)))

    def _relative(
        self, hidden: Doubles, public: Doubles, rng: np.random.Generator
    ) -> tuple[Doubles, Doubles]:
        k = min(self.centers, len(hidden), len(public))
        mine, theirs = (_unit(_centers(rows, k, rng)) for rows in (hidden, public))
        order = match_graphs(mine @ mine.T, theirs @ theirs.T, rng)
        return _standard(hidden @ mine.T), _standard(public @ theirs[order].T)


def match_graphs(a: Doubles, b: Doubles, rng: np.random.Generator) -> Ints:
    """The order of nodes under which ``b[order][:, order]`` is most like ``a``, both (k, k).

    The best of several starts of FAQ, each finished by exchanges of two.

    Source: J. T. Vogelstein et al., Fast Approximate Quadratic Programming for Graph Matching,
    PLoS ONE 10(4), 2015.
    """
    best, most = np.arange(len(a)), -np.inf
    for attempt in range(_QAP_TRIES):
        start = "barycenter" if attempt == 0 else "randomized"
        options = {"maximize": True, "rng": rng, "P0": start}
        found = quadratic_assignment(a, b, method="faq", options=options)
        pairs = np.column_stack([np.arange(len(a)), found.col_ind])
        options = {"maximize": True, "rng": rng, "partial_guess": pairs}
        found = quadratic_assignment(a, b, method="2opt", options=options)
        if found.fun > most:
            best, most = found.col_ind, found.fun
    return np.asarray(best, dtype=np.int64)


def _centers(rows: Doubles, k: int, rng: np.random.Generator) -> Doubles:
    from sklearn.cluster import KMeans

    model = KMeans(k, n_init=1, max_iter=50, random_state=int(rng.integers(2**31)))
    return np.asarray(model.fit(rows).cluster_centers_)


def _mean_of_nearest(here: Doubles, there: Doubles, values: Doubles) -> Doubles:
    k = min(_AVERAGED, len(there))
    likeness = _unit(here) @ _unit(there).T
    nearest = np.argpartition(likeness, -k, axis=1)[:, -k:]
    return np.asarray(values[nearest].mean(axis=1))


def _by_centers(mapped: Doubles, public: Doubles, rng: np.random.Generator) -> Doubles:
    from sklearn.cluster import KMeans

    k = max(min(_CENTERS, len(mapped) // 5, len(public) // 5), 1)
    start = _centers(mapped, k, rng)
    carried = KMeans(k, init=start, n_init=1, max_iter=50).fit(public).cluster_centers_
    return procrustes(start, carried)


def _standard(rows: Doubles) -> Doubles:
    spread = np.maximum(rows.std(axis=0), np.finfo(float).tiny)
    return np.asarray((rows - rows.mean(axis=0)) / spread)


def _unit(rows: Doubles) -> Doubles:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(norms, np.finfo(float).tiny))
