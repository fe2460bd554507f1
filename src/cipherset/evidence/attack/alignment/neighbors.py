"""Which vectors of two clouds are each other's nearest, and the rotation they agree on."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.values import Float32s
from cipherset.evidence.attack.alignment.linear_map import Doubles, Ints

_HUB_NEIGHBORS: Final = 10  # the authors' constant
CHECKED: Final = 600  # rows whose nearest neighbor is looked up to judge a map


def procrustes(a: Doubles, b: Doubles) -> Doubles:
    """The orthogonal M for which ``a @ M`` is nearest to ``b``, shape (k, k).

    ``U @ Vt`` where ``U, S, Vt`` is the singular value decomposition of ``a.T @ b``.

    Source: P. H. Schönemann, A generalized solution of the orthogonal Procrustes problem,
    Psychometrika 31(1), 1966.
    """
    u, _, vt = np.linalg.svd(a.T @ b)
    return np.asarray(u @ vt)


def mutual_pairs(a: Doubles, b: Doubles) -> tuple[Ints, Ints]:
    """Row numbers of ``a`` and ``b`` that are each other's nearest, hubs held back.

    Nearness is ``2 * a @ b - r_a - r_b``, where r is a row's mean similarity to its ten nearest
    on the other side.

    Source: A. Conneau et al., Word Translation Without Parallel Data, ICLR 2018, section 2.3.
    """
    similarity: Float32s = a.astype(np.float32) @ b.astype(np.float32).T
    nearness = similarity - _crowd(similarity)[:, np.newaxis] / 2
    nearness -= _crowd(np.ascontiguousarray(similarity.T)) / 2
    forth, back = nearness.argmax(axis=1), nearness.argmax(axis=0)
    rows = np.flatnonzero(back[forth] == np.arange(len(a)))
    return rows.astype(np.int64), forth[rows].astype(np.int64)


def _crowd(similarity: Float32s) -> npt.NDArray[np.float32]:
    k = min(_HUB_NEIGHBORS, similarity.shape[1])
    return np.asarray(np.partition(similarity, -k, axis=1)[:, -k:].mean(axis=1))


@dataclass(frozen=True, slots=True, eq=False)
class Yardstick:
    """How near rows that were mapped right would lie to public vectors, and how near by luck.

    Made from ``public`` alone: half of it with noise against the other half, and the same turned
    at random. ``objective`` of a map is where it lies between the two, in [0, 1].
    """

    reference: Doubles = field(repr=False)
    right: float
    luck: float

    @staticmethod
    def of(public: Doubles, noise_variance: float, rng: np.random.Generator) -> "Yardstick":
        """For centered vectors, shape (m, k), and the noise variance per coordinate."""
        order = rng.permutation(len(public))
        half = max(len(public) // 2, 1)
        reference, own = public[order[:half]], public[order[half:][:CHECKED]]
        own = own + rng.normal(size=own.shape) * np.sqrt(noise_variance)
        # The directions of the cloud stay where they are; which way they point is luck. An
        # attacker gets that much from the principal components.
        _, _, axes = np.linalg.svd(reference, full_matrices=False)
        signs = rng.choice([-1.0, 1.0], size=len(axes))
        turned = (own @ axes.T * signs) @ axes
        return Yardstick(reference, _closeness(own, reference), _closeness(turned, reference))

    def objective(self, mapped: Doubles) -> float:
        """For centered ciphertexts already mapped, shape (n, k)."""
        reach = self.right - self.luck
        if reach <= 0.0:
            return 0.0
        found = _closeness(mapped[:CHECKED], self.reference)
        # A map onto few directions lands near many: it is worth the variance that it keeps.
        spread = float(self.reference.var(axis=0).sum())
        kept = float(mapped.var(axis=0).sum()) / max(spread, np.finfo(float).tiny)
        return float(np.clip((found - self.luck) / reach, 0.0, 1.0) * min(kept, 1.0))


def _closeness(rows: Doubles, reference: Doubles) -> float:
    """Mean cosine of each row to its nearest reference."""
    nearest = (_unit(rows) @ _unit(reference).T).max(axis=1)
    return float(nearest.mean())


def _unit(rows: Doubles) -> Doubles:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(norms, np.finfo(float).tiny))
