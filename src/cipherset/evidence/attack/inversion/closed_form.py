"""How well two records can be told apart by one noisy vector: proved, for the noise we add.

Whoever holds key and minimizer and knows that a ciphertext is of one of two records, at distance t
where it was without noise, guesses right with probability ``(1 + delta(t)) / 2`` at best.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from cipherset.core.errors import InputError
from cipherset.core.values import Floats, NoiseKind, NoiseLaw
from cipherset.evidence.attack.inversion.pairs import (
    Codes,
    Doubles,
    check_length,
    check_vectors,
)

QUANTILES: Final = (0.05, 0.5, 0.95)
_DRAWN: Final = 100_000  # pairs behind the quantiles
_MOST_ROWS: Final = 20_000  # whose distances are all computed to find the largest
_BLOCK_ENTRIES: Final = 2**22  # distances held at a time: 32 MiB


def ball_delta(distance: npt.ArrayLike, *, radius: float, dim: int) -> Doubles:
    """``1 - betainc((dim + 1) / 2, 1 / 2, 1 - (t / (2 * radius)) ** 2)``; 1 from 2 * radius on.

    Two inputs at distance t under noise uniform in the ball of ``radius`` (``s * beta / 4`` of a
    ciphertext divided by its scale s) are exactly (epsilon, delta)-indistinguishable for every
    epsilon from 0 on with this delta and no smaller: the densities are flat, so it is the share
    of one ball that lies outside the other. With no noise, 0 at distance 0 and else 1.

    Source: the volume of a cap of the ball, S. Li, Concise Formulas for the Area and Volume of a
    Hyperspherical Cap, Asian J. Math. Stat. 4(1), 2011,
    https://doi.org/10.3923/ajms.2011.66.70; two such caps are what two balls share.

    Raises:
        InputError: code ``distance`` (below 0 or NaN), ``radius`` (not at least 0) or ``dim``.
    """
    t = _distances(distance)
    if not radius >= 0.0:
        raise InputError(
            f"radius is at least 0; found {radius}", code="radius", hint="pass the noise radius"
        )
    if dim < 1:
        raise InputError(
            f"dim is at least 1; found {dim}", code="dim", hint="pass the width of the vectors"
        )
    if radius == 0.0:
        return np.where(t > 0.0, 1.0, 0.0)
    apart = np.minimum(t / (2.0 * radius), 1.0)
    # The complement keeps its digits where delta is small.
    return np.asarray(special.betainc(0.5, (dim + 1) / 2.0, apart**2), dtype=np.float64)


def gaussian_delta(distance: npt.ArrayLike, *, sigma: float) -> Doubles:
    """``2 * Phi(t / (2 * sigma)) - 1``, the total variation of two Gaussians at distance t.

    It is the delta at epsilon 0; of Gaussian noise a smaller delta holds at a larger epsilon.
    ``sigma`` is the standard deviation per coordinate.

    Source: B. Balle, Y.-X. Wang, Improving the Gaussian Mechanism for Differential Privacy, ICML
    2018, theorem 8 at epsilon 0, https://arxiv.org/abs/1805.06530

    Raises:
        InputError: code ``distance`` (below 0 or NaN) or ``sigma`` (not above 0).
    """
    t = _distances(distance)
    if not sigma > 0.0:
        raise InputError(
            f"sigma is above 0; found {sigma}", code="sigma", hint="pass the noise per coordinate"
        )
    return np.asarray(special.erf(t / (2.0 * sigma) / np.sqrt(2.0)), dtype=np.float64)


def noise_delta(distance: npt.ArrayLike, noise: NoiseLaw, *, dim: int) -> Doubles:
    """``ball_delta`` or ``gaussian_delta``, whichever is that of ``noise``.

    Raises:
        InputError: code ``distance``, ``radius``, ``sigma`` or ``dim``.
    """
    if noise.kind is NoiseKind.BALL:
        return ball_delta(distance, radius=noise.size, dim=dim)
    return gaussian_delta(distance, sigma=noise.size)


@dataclass(frozen=True, slots=True)
class DeltaRow:
    """Pairs of rows ``among`` (``within the class`` or ``all``): a distance and its delta.

    ``quantile`` is that of the distance; 1 stands for the two rows that lie farthest apart.
    """

    among: str
    quantile: float
    distance: float
    delta: float


@dataclass(frozen=True, slots=True)
class DeltaTable:
    """``rows`` for quantiles of the distance and the worst pair; ``worst_exact``, none farther.

    It is false where there were too many rows to look at all pairs: then another pair may lie a
    little farther apart.
    """

    rows: tuple[DeltaRow, ...]
    worst_exact: bool


def delta_table(
    x: Floats,
    labels: Codes,
    *,
    noise: NoiseLaw,
    seed: int,
    quantiles: Sequence[float] = QUANTILES,
) -> DeltaTable:
    """How far apart rows ``x`` (n, d) lie, and how well the noise lets them be told apart.

    Pass the rows as they are minimized, without noise. Quantiles are over 100,000 pairs of
    different rows drawn at random; within a class each row is as likely as any other that has
    company. The farthest pair is that of all rows, or of 20,000 drawn at random if more than that
    may be an end of it.

    Raises:
        DimensionError: code ``dimension``.
        InputError: code ``rows_few`` (under two), ``not_finite`` or ``no_rows``.
    """
    check_vectors(x, "x")
    check_length(labels, len(x), "labels")
    if len(x) < 2:
        raise InputError(
            "one row: expected at least two", code="rows_few", hint="measure at least two rows"
        )
    rng = np.random.default_rng(seed)
    values = np.asarray(x, dtype=np.float64)
    classes = [c for c in _classes(labels) if len(c) > 1]
    rows: list[DeltaRow] = []
    exact = True
    for among, groups in (("within the class", classes), ("all", [np.arange(len(values))])):
        if not groups:
            continue
        ends = [_farthest(values[group], rng) for group in groups]
        exact = exact and all(whole for _, whole in ends)
        drawn = np.quantile(_drawn(values, groups, rng), list(quantiles))
        distances = np.append(drawn, max(distance for distance, _ in ends))
        told = zip(
            (*quantiles, 1.0), distances, noise_delta(distances, noise, dim=x.shape[1]), strict=True
        )
        rows += [DeltaRow(among, float(q), float(t), float(d)) for q, t, d in told]
    return DeltaTable(tuple(rows), exact)


def _distances(distance: npt.ArrayLike) -> Doubles:
    t = np.asarray(distance, dtype=np.float64)
    if not (t >= 0.0).all():
        raise InputError(
            "a distance is below 0 or NaN", code="distance", hint="pass Euclidean distances"
        )
    return t


def _classes(labels: Codes) -> list[Codes]:
    order = np.argsort(labels, kind="stable")
    starts = np.unique(labels[order], return_index=True)[1]
    return [np.asarray(part) for part in np.split(order, starts[1:])]


def _drawn(x: Doubles, groups: Sequence[Codes], rng: np.random.Generator) -> Doubles:
    """Distances of random pairs of two different rows of one group."""
    members, sizes = np.concatenate(groups), np.array([len(group) for group in groups])
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    first = rng.integers(len(members), size=_DRAWN)
    size, start = np.repeat(sizes, sizes)[first], starts[first]
    second = start + (first - start + 1 + rng.integers(size - 1)) % size
    distances = np.empty(_DRAWN)
    step = max(_BLOCK_ENTRIES // x.shape[1], 1)
    for at in range(0, _DRAWN, step):
        part = slice(at, at + step)
        apart = x[members[first[part]]] - x[members[second[part]]]
        distances[part] = np.linalg.norm(apart, axis=1)
    return distances


def _farthest(x: Doubles, rng: np.random.Generator) -> tuple[float, bool]:
    """The largest distance of two rows, and whether all rows that may be an end were looked at.

    Both ends of a pair at distance D lie at least ``D - r`` from the middle, r the largest such
    distance; so a pair found by walking to the farthest row and back leaves out the rows within.
    """
    from_middle = np.linalg.norm(x - x.mean(axis=0), axis=1)
    end = int(from_middle.argmax())
    found = 0.0
    for _ in range(4):
        away = np.linalg.norm(x - x[end], axis=1)
        end = int(away.argmax())
        found = max(found, float(away[end]))
    ends = x[from_middle >= found - from_middle.max() - 1e-9]
    whole = len(ends) <= _MOST_ROWS
    if not whole:
        ends = ends[rng.permutation(len(ends))[:_MOST_ROWS]]
    # Single precision finds the pair (or one as far to six digits); its distance is exact.
    coarse = (ends - ends.mean(axis=0)).astype(np.float32)
    squares = np.einsum("ij,ij->i", coarse, coarse)
    step = max(_BLOCK_ENTRIES // len(ends), 1)
    for start in range(0, len(ends), step):
        some = coarse[start : start + step]
        squared = squares - 2.0 * some @ coarse.T + squares[start : start + step, np.newaxis]
        i, j = np.unravel_index(int(squared.argmax()), squared.shape)
        found = max(found, float(np.linalg.norm(ends[start + i] - ends[j])))
    return found, whole
