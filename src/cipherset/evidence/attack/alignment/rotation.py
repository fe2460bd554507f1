"""A secret rotation, found without a single pair.

The principal components of the ciphertexts are those of public vectors, turned; the third moment
along each and the side on which the mean lies say which way it points. From there on rows that
are each other's nearest are taken for pairs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.linalg import eigh

from cipherset.core.values import Floats
from cipherset.evidence.attack.alignment.linear_map import (
    Doubles,
    LinearMap,
    check_same_width,
    checked,
)
from cipherset.evidence.attack.alignment.moments import read_scale
from cipherset.evidence.attack.alignment.neighbors import (
    CHECKED,
    Yardstick,
    mutual_pairs,
    procrustes,
)

_FEW: Final = 16  # up to this width all is cheap, and the components say little
_TRIES: Final = 24  # starts then
_SHORT: Final = 600  # rows of such a try
_SETTLED: Final = 0.001  # of the objective: less is no progress
_PATIENCE: Final = 3
_LEAST_VARIANCE: Final = 1e-200  # of rows fewer than their width; its power 3 / 2 is above 0
_APART: Final = 5  # one in so many ciphertexts judges and is never fitted to, or it would flatter
FAST_ROWS: Final = 2500


@dataclass(frozen=True, slots=True, eq=False)
class RotationAligner:
    """Knows: ciphertexts (n, k) and public vectors (m, k) of the same domain; no pairs.

    Principal components with signs from skewness, then orthogonal Procrustes on mutual nearest
    neighbors of ``rows`` rows at a time, up to ``rounds`` times. Of a narrow space (k <= 16) it
    starts from random rotations too. Keeps the best by how near its rows come to public vectors.

    Source: PCA as a known-sample attack: K. Liu, C. Giannella, H. Kargupta, An Attacker's View of
    Distance Preserving Maps for Privacy Preserving Data Mining, PKDD 2006, section 4; refinement:
    A. Conneau et al., Word Translation Without Parallel Data, ICLR 2018, section 2.2.
    """

    ciphertexts: Floats = field(repr=False)
    public: Floats = field(repr=False)
    noise_radius: float | None = None
    rows: int = FAST_ROWS
    rounds: int = 12

    def recover(self, seed: int) -> LinearMap:
        """The rotation, the scale and the shift between the means.

        Raises:
            InputError: fewer than two rows (code ``no_rows``), or not finite (``not_finite``).
            DimensionError: the two differ in width (code ``dimension``).
        """
        ciphertexts = checked(self.ciphertexts, "ciphertexts")
        public = checked(self.public, "public vectors")
        check_same_width(ciphertexts, public)
        rng = np.random.default_rng(seed)
        clouds = Clouds.of(ciphertexts, public, self.noise_radius, rng)
        tries = [clouds.refined(turn, _SHORT, 4, rng) for turn in _starts(clouds, rng)]
        turn, _ = max(tries, key=lambda found: found[1])
        return clouds.named("rotation", *clouds.refined(turn, self.rows, self.rounds, rng))


@dataclass(frozen=True, slots=True, eq=False)
class Clouds:
    """Ciphertexts and public vectors, centered, in one scale; some ciphertexts only judge."""

    hidden: Doubles = field(repr=False)
    judges: Doubles = field(repr=False)
    public: Doubles = field(repr=False)
    hidden_mean: Doubles = field(repr=False)
    public_mean: Doubles = field(repr=False)
    scale: float
    yardstick: Yardstick = field(repr=False)

    @staticmethod
    def of(
        ciphertexts: Doubles, public: Doubles, noise_radius: float | None, rng: np.random.Generator
    ) -> "Clouds":
        """Of ciphertexts (n, k) and public vectors (m, k)."""
        scale = read_scale(ciphertexts, public, noise_radius)
        hidden = ciphertexts / scale.scale
        means = hidden.mean(axis=0), public.mean(axis=0)
        centered = public - means[1]
        yardstick = Yardstick.of(centered, scale.noise_variance, rng)
        order = rng.permutation(len(hidden))
        apart = min(len(hidden) // _APART, CHECKED)
        hidden = hidden - means[0]
        return Clouds(
            hidden[order[apart:]], hidden[order[:apart]], centered, *means, scale.scale, yardstick
        )

    def objective(self, turn: Doubles) -> float:
        """How near the ciphertexts set apart come to public vectors, in [0, 1]."""
        return self.yardstick.objective(self.judges @ turn)

    def refined(
        self, turn: Doubles, rows: int, rounds: int, rng: np.random.Generator
    ) -> tuple[Doubles, float]:
        """The best of ``turn`` and what mutual neighbors make of it, and its objective."""
        best, most = turn, self.objective(turn)
        idle = 0
        for _ in range(rounds):
            hidden, public = drawn(self.hidden, rows, rng), drawn(self.public, rows, rng)
            mine, theirs = mutual_pairs(hidden @ turn, public)
            turn = procrustes(hidden[mine], public[theirs])
            found = self.objective(turn)
            idle = 0 if found > most + _SETTLED else idle + 1
            if found > most:
                best, most = turn, found
            if idle >= _PATIENCE:
                break
        return best, most

    def named(self, name: str, turn: Doubles, objective: float) -> LinearMap:
        """``turn`` as a map from raw ciphertexts to where public vectors lie."""
        offset = self.public_mean - self.hidden_mean @ turn
        return LinearMap(name, turn / self.scale, offset, objective)


def drawn(rows: Doubles, n: int, rng: np.random.Generator) -> Doubles:
    """``n`` of the rows, or all where there are fewer."""
    return rows if len(rows) <= n else rows[rng.choice(len(rows), n, replace=False)]


def _starts(clouds: Clouds, rng: np.random.Generator) -> Iterator[Doubles]:
    hidden, public = _axes(clouds.hidden), _axes(clouds.public)
    along, beside = clouds.hidden @ hidden, clouds.public @ public
    skew = _skewness(along) * _skewness(beside) * min(len(along), len(beside)) / 6
    lean = (clouds.hidden_mean @ hidden) * (clouds.public_mean @ public)
    lean /= np.maximum(beside.var(axis=0), _LEAST_VARIANCE)
    # Skewness in units of its variance, 6 / n; the mean as measured: it is exact where it is large.
    for evidence in (skew, skew + len(skew) * lean):
        yield hidden @ (np.where(evidence >= 0, 1.0, -1.0)[:, np.newaxis] * public.T)
    if len(skew) <= _FEW:
        for _ in range(_TRIES):
            yield np.linalg.qr(rng.normal(size=(len(skew), len(skew))))[0]


def _axes(rows: Doubles) -> Doubles:
    _, vectors = eigh(rows.T @ rows / len(rows))
    return np.asarray(vectors[:, ::-1])


def _skewness(rows: Doubles) -> Doubles:
    variance = np.maximum((rows**2).mean(axis=0), _LEAST_VARIANCE)
    return np.asarray((rows**3).mean(axis=0) / variance**1.5)
