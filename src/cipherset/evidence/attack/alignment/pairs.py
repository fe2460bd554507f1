"""A secret linear map from known pairs of plain vector and ciphertext."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from cipherset.core.values import Floats
from cipherset.evidence.attack.alignment.linear_map import (
    LEAST_ROWS,
    Doubles,
    Ints,
    LinearMap,
    check_same_length,
    check_same_width,
    checked,
    permutation_matrix,
)
from cipherset.evidence.attack.alignment.neighbors import procrustes
from cipherset.evidence.attack.alignment.permutation import assign
from cipherset.evidence.attack.alignment.regression import ridge
from cipherset.evidence.attack.alignment.rotation import FAST_ROWS, Clouds

_FOLDS: Final = 4
_SHRINKAGES: Final = (0.0, 0.01, 0.1, 1.0)  # in units of the mean singular value


@dataclass(frozen=True, slots=True, eq=False)
class Unpaired:
    """Ciphertexts (n, k) and public vectors (m, k) of which no pair is known."""

    ciphertexts: Floats = field(repr=False)
    public: Floats = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class PairAligner:
    """Knows: n >= 2 pairs, ciphertexts (n, k) and plain (n, q); perhaps unpaired ones as well.

    Ridge with its penalty by rows left out; where k == q also a rotation, with what the pairs
    hardly determine shrunk by as much as cross-validation likes, and a permutation from
    centered cross-covariances; and with unpaired vectors the rotation refined on them. Each
    map's objective is the mean reciprocal rank of the pairs' own plain vectors among all of them,
    on pairs left out of its fit. The caller reports the best.

    Source: C. Giannella, K. Liu, H. Kargupta, Breaching Euclidean Distance-Preserving Data
    Perturbation Using Few Known Inputs, arXiv 0911.2942, 2009.
    """

    ciphertexts: Floats = field(repr=False)
    plain: Floats = field(repr=False)
    unpaired: Unpaired | None = None
    rows: int = FAST_ROWS
    rounds: int = 6

    def recover(self, seed: int) -> tuple[LinearMap, ...]:
        """One map per way to fit, in the order above.

        Raises:
            InputError: fewer than two pairs (code ``no_rows``), or not finite (``not_finite``).
            DimensionError: not one plain vector per ciphertext, or unpaired ones of another
                width (code ``dimension``).
        """
        hidden, plain = checked(self.ciphertexts, "ciphertexts"), checked(self.plain, "plain")
        check_same_length(hidden, plain)
        rng = np.random.default_rng(seed)
        fold = rng.permutation(len(hidden)) % min(_FOLDS, len(hidden))
        maps = [_judged("pairs: ridge", ridge, hidden, plain, fold)]
        if hidden.shape[1] == plain.shape[1]:
            rotations = [
                _judged("pairs: rotation", Rotation(share), hidden, plain, fold)
                for share in _SHRINKAGES
            ]
            maps.append(max(rotations, key=lambda found: found.objective))
            maps.append(_judged("pairs: permutation", permutation, hidden, plain, fold))
            maps += self._refined(maps, rng)
        return tuple(maps)

    def _refined(self, maps: list[LinearMap], rng: np.random.Generator) -> Iterator[LinearMap]:
        if self.unpaired is None:
            return
        hidden = checked(self.unpaired.ciphertexts, "unpaired ciphertexts")
        public = checked(self.unpaired.public, "public vectors")
        check_same_width(hidden, self.ciphertexts)
        check_same_width(self.plain, public)
        clouds = Clouds.of(hidden, public, None, rng)
        best = max(maps[1:], key=lambda found: found.objective)
        turn, most = clouds.refined(
            procrustes(np.eye(len(best.matrix)), best.matrix), self.rows, self.rounds, rng
        )
        yield clouds.named("pairs: refined on unpaired", turn, most)


@dataclass(frozen=True, slots=True)
class Rotation:
    """Scaled Procrustes, directions weighted ``s / (s + share * mean(s))``; 0: all alike."""

    share: float

    def __call__(self, hidden: Doubles, plain: Doubles) -> tuple[Doubles, Doubles]:
        """Matrix (k, k) and offset (k,) of zeros: the cipher has none.

        Source: Schönemann 1966 as in ``procrustes``; the weighting is own.
        """
        u, s, vt = np.linalg.svd(hidden.T @ plain)
        floor = self.share * float(s.mean())
        weights = np.ones_like(s) if floor == 0.0 else s / (s + floor)
        return (u * weights) @ vt / _scale(hidden, plain), np.zeros(len(s))


def permutation(hidden: Doubles, plain: Doubles) -> tuple[Doubles, Doubles]:
    """The order with the largest sum of centered cross-covariances, and no offset."""
    covariance = (hidden - hidden.mean(axis=0)).T @ (plain - plain.mean(axis=0))
    matrix = permutation_matrix(assign(-covariance), _scale(hidden, plain))
    return matrix, np.zeros(len(matrix))


def _scale(hidden: Doubles, plain: Doubles) -> float:
    """By norms; the noise in it changes no rank."""
    return float(np.linalg.norm(hidden) / max(float(np.linalg.norm(plain)), 1e-12)) or 1.0


Fit = Callable[[Doubles, Doubles], tuple[Doubles, Doubles]]


def _judged(name: str, fit: Fit, hidden: Doubles, plain: Doubles, fold: Ints) -> LinearMap:
    ranks = np.empty(len(hidden))
    for part in np.unique(fold):
        out = fold == part
        kept = ~out if int((~out).sum()) >= LEAST_ROWS else np.ones_like(out)
        matrix, offset = fit(hidden[kept], plain[kept])
        ranks[out] = _reciprocal_ranks(hidden[out] @ matrix + offset, plain, np.flatnonzero(out))
    return LinearMap(name, *fit(hidden, plain), float(ranks.mean()))


def _reciprocal_ranks(mapped: Doubles, plain: Doubles, own: Ints) -> Doubles:
    likeness = mapped @ plain.T - (plain**2).sum(axis=1) / 2
    mine = likeness[np.arange(len(own)), own][:, np.newaxis]
    return np.asarray(1.0 / (likeness >= mine).sum(axis=1))
