"""What ciphertexts tell whoever holds nothing else: how many, how long, how grouped."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.values import Floats
from cipherset.evidence.attack.alignment.linear_map import (
    Doubles,
    Ints,
    check_same_length,
    checked,
)

_ROWS: Final = 4_000  # for clusters: seconds become one, the index hardly moves


@dataclass(frozen=True, slots=True)
class Surface:
    """``scale``: the multiplier, if plain vectors have unit norm and the noise radius is as told.

    ``norm_spread``: the norms' standard deviation over their mean. ``equal_rows``: rows that equal
    another to the last bit. ``bounded``: no radius was told, so ``scale`` is only a bound.
    """

    rows: int
    dim: int
    equal_rows: int
    norm_mean: float
    norm_spread: float
    scale: float
    bounded: bool


@dataclass(frozen=True, slots=True)
class Grouping:
    """Clusters of ciphertexts beside a clear column, each figure with that of shuffled values.

    ``adjusted_rand``: 1 where clusters are the column's groups, 0 by luck. ``purity``: the share of
    rows whose value is the most frequent of their cluster.
    """

    adjusted_rand: float
    purity: float
    purity_by_luck: float
    groups: int


@dataclass(frozen=True, slots=True, eq=False)
class CiphertextReader:
    """Knows: ciphertexts (n, k) and, from the manifest, the noise radius in units of the scale."""

    ciphertexts: Floats = field(repr=False)
    noise_radius: float | None = None

    def surface(self) -> Surface:
        """Counts and norms: ``scale**2 = mean|c|**2 / (1 + r**2 * k / (k + 2))``.

        Source: ``E|u|**2 = r**2 * k / (k + 2)`` for u uniform in a ball of radius r.

        Raises:
            InputError: no rows (code ``no_rows``), or not finite (``not_finite``).
            DimensionError: not a table (code ``dimension``).
        """
        rows = checked(self.ciphertexts, "ciphertexts", least=1)
        norms = np.linalg.norm(rows, axis=1)
        k = rows.shape[1]
        noise = 0.0 if self.noise_radius is None else self.noise_radius**2 * k / (k + 2)
        _, counts = np.unique(rows, axis=0, return_counts=True)
        mean = float(norms.mean())
        return Surface(
            rows=len(rows),
            dim=k,
            equal_rows=int(counts[counts > 1].sum()),
            norm_mean=mean,
            norm_spread=float(norms.std()) / mean if mean > 0.0 else 0.0,
            scale=float(np.sqrt((norms**2).mean() / (1.0 + noise))),
            bounded=self.noise_radius is None,
        )

    def grouping(self, column: npt.NDArray[np.generic], seed: int) -> Grouping:
        """How far as many clusters as the column has values agree with it.

        Source: adjusted Rand index: L. Hubert, P. Arabie, Comparing Partitions, Journal of
        Classification 2, 1985.

        Raises:
            InputError: no rows (code ``no_rows``), or not finite (``not_finite``).
            DimensionError: not one value per ciphertext (code ``dimension``).
        """
        from sklearn.metrics import adjusted_rand_score

        rows = checked(self.ciphertexts, "ciphertexts", least=1)
        check_same_length(rows, column)
        rng = np.random.default_rng(seed)
        part = rng.permutation(len(rows))[:_ROWS]
        codes = np.unique(column[part], return_inverse=True)[1].astype(np.int64)
        clusters = _clusters(rows[part], int(codes.max()) + 1, seed)
        return Grouping(
            adjusted_rand=float(adjusted_rand_score(codes, clusters)),
            purity=_purity(codes, clusters),
            purity_by_luck=_purity(rng.permutation(codes), clusters),
            groups=int(codes.max()) + 1,
        )


def _clusters(rows: Doubles, k: int, seed: int) -> Ints:
    from sklearn.cluster import KMeans

    distinct = len(np.unique(rows, axis=0))
    model = KMeans(min(k, distinct), n_init=2, random_state=seed)
    return np.asarray(model.fit_predict(rows), dtype=np.int64)


def _purity(codes: Ints, clusters: Ints) -> float:
    table = np.zeros((int(clusters.max()) + 1, int(codes.max()) + 1))
    np.add.at(table, (clusters, codes), 1)
    return float(table.max(axis=1).sum() / len(codes))
