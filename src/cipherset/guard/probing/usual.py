"""What queries of the kind that a model learned from look like; learned from such rows.

Half of the rows give the mean of each class and the usual distances. From the other half sessions
are drawn: of all topics, of a few, of one; how strong each sign becomes in them sets its threshold.

Source: V. Vovk, A. Gammerman, G. Shafer, Algorithmic Learning in a Random World, 2005, section 2.2:
a session exchangeable with n others has a sign stronger than all of theirs with probability at most
``1 / (n + 1)``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from scipy.spatial.distance import cdist

from cipherset.core.errors import InputError
from cipherset.core.values import Floats
from cipherset.guard.probing.signs import (
    BLOCK,
    N_BINS,
    Block,
    Codes,
    Doubles,
    Sign,
    joined,
    measured,
)
from cipherset.guard.probing.trail import RECENT, Measures, Points, Trail, sketched

FEWEST_ROWS: Final = 4 * BLOCK
MOST_ROWS: Final = 4096
# A session takes no more than a quarter of the rows: more would be more alike than people are.
MOST_BLOCKS: Final = 8
_DRAWN_SHARE: Final = 4
N_SESSIONS: Final = 199
_COMPARED: Final = 256
_N_FREQUENCIES: Final = 256
_SKETCH_DIM: Final = 64
_NEAR_SHARE: Final = 0.01
_FLIP_SHARE: Final = 0.1
_REPEAT_SHARE: Final = 1e-4
_FEWEST_OF_CLASS: Final = 4
# What people ask differs from the rows in more ways than ours do: sessions of held-out rows reach
# 1.2 times the bare bound (benchmarks/probing.py). Of what is counted, two more are let pass.
_STRETCH: Final = 1.3
_SLACK: Final = 2.0
# The doubt in a rate, and how rarely what is usual may go beyond a bound by chance.
_DOUBT: Final = 0.05
_RARE: Final = 1e-4
_COUNTED: Final = frozenset({Sign.NEAR, Sign.BOUNDARY})
_FEW_TOPICS: Final = (1, 2, 4)
_ELSEWHERE: Final = 0.02
_TINY: Final = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Usual:
    """The yardstick of one model; aggregates and random numbers, no row.

    ``burst`` and ``drip`` are the thresholds of a block and of the last ``n_blocks`` together.
    """

    measures: Measures
    class_means: Doubles = field(repr=False)
    frequencies: Doubles = field(repr=False)
    projection: Doubles | None = field(repr=False)
    burst: dict[Sign, float]
    drip: dict[Sign, float]
    n_blocks: int

    def points(self, queries: Floats, labels: Codes) -> Points:
        """Queries (n, d) and the codes they got (n,), as a trail takes them."""
        return Points(
            sketched(queries, self.projection), _features(queries, self.frequencies), labels
        )

    def signs(self, blocks: Sequence[Block]) -> dict[Sign, float]:
        """What is unusual of the last block, or of the last few together; the latest is last.

        Each sign with how many times its threshold it is.
        """
        found = self._above(blocks[-1], self.burst)
        if len(blocks) >= self.n_blocks > 1:
            drips = self._above(joined(blocks[-self.n_blocks :]), self.drip)
            found |= {sign: max(times, found.get(sign, 0.0)) for sign, times in drips.items()}
        return found

    def _above(self, block: Block, bounds: dict[Sign, float]) -> dict[Sign, float]:
        found = measured(block, self.class_means)
        return {
            sign: value / max(bounds[sign], _TINY)
            for sign, value in found.items()
            if value > bounds[sign]
        }


def learn_usual(rows: Floats, labels: Codes, n_classes: int, *, rng: np.random.Generator) -> Usual:
    """The yardstick from rows (n, d), as queries are encrypted, and the codes the model gives them.

    No more than ``MOST_ROWS`` are looked at. ``rng`` draws what is kept of a query, too: one that
    callers can foresee they can dodge.

    Raises:
        InputError: ``few_rows``: fewer than ``FEWEST_ROWS``.
    """
    if len(rows) < FEWEST_ROWS:
        raise InputError(
            f"{len(rows)} rows do not show what is usual, {FEWEST_ROWS} do",
            code="few_rows",
            hint="count queries instead",
        )
    order = rng.permutation(len(rows))[:MOST_ROWS]
    x, y = np.asarray(rows, dtype=np.float64)[order], labels[order]
    half = len(x) // 2
    width = x.shape[1]
    projection = None
    if width > _SKETCH_DIM:
        projection = rng.standard_normal((width, _SKETCH_DIM)) / np.sqrt(_SKETCH_DIM)
    typical = float(np.median(cdist(x[:_COMPARED], x[half : half + _COMPARED])))
    frequencies = rng.standard_normal((width, _N_FREQUENCIES)) / max(typical, _TINY)
    every = Points(sketched(x, projection), _features(x, frequencies), y)
    return _learned(every[:half], every[half:], n_classes, (frequencies, projection), rng)


def _learned(
    known: Points,
    drawn: Points,
    n_classes: int,
    made: tuple[Doubles, Doubles | None],
    rng: np.random.Generator,
) -> Usual:
    means = _class_means(known, n_classes)
    n_blocks = max(min(MOST_BLOCKS, len(drawn) // (_DRAWN_SHARE * BLOCK)), 1)
    sessions = [drawn[order[: n_blocks * BLOCK]] for order in _sessions(drawn.labels, rng)]
    measures = _measures(known, sessions, n_classes)
    bursts: list[dict[Sign, float]] = []
    drips: list[dict[Sign, float]] = []
    for session in sessions:
        blocks = list(Trail(measures).add(session))
        if not blocks:  # all of it repetitions
            continue
        each = [measured(block, means) for block in blocks]
        bursts.append({sign: max(found[sign] for found in each) for sign in Sign})
        drips.append(measured(joined(blocks), means))
    return Usual(
        measures,
        means,
        *made,
        burst=_bounds(bursts, BLOCK, len(drawn)),
        drip=_bounds(drips, n_blocks * BLOCK, len(drawn)),
        n_blocks=n_blocks,
    )


def _features(x: Floats, frequencies: Doubles) -> Doubles:
    """``concatenate([cos(x @ w), sin(x @ w)]) / sqrt(f)``, rows of norm 1, shape (n, 2 f)."""
    angles = np.asarray(x, dtype=np.float64) @ frequencies
    both = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    return np.asarray(both / np.sqrt(frequencies.shape[1]))


def _class_means(known: Points, n_classes: int) -> Doubles:
    """Mean features, of all rows for a class that has too few."""
    means = np.tile(known.features.mean(axis=0), (n_classes, 1))
    for code in range(n_classes):
        own = known.labels == code
        if own.sum() >= _FEWEST_OF_CLASS:
            means[code] = known.features[own].mean(axis=0)
    return means


def _measures(known: Points, sessions: Sequence[Points], n_classes: int) -> Measures:
    distances = cdist(known.sketches, known.sketches)
    np.fill_diagonal(distances, np.inf)
    typical = max(float(np.median(distances)), _TINY)
    closest = distances[:, :RECENT].min(axis=1)
    scales = np.full(n_classes, typical)
    for code in range(n_classes):
        own = np.flatnonzero(known.labels == code)
        if len(own) >= _FEWEST_OF_CLASS:
            scales[code] = max(float(np.median(distances[np.ix_(own, own)])), _TINY)
    repeat = _REPEAT_SHARE * typical
    bare = Measures(repeat, 0.0, 0.0, scales, np.zeros(N_BINS - 1))
    spreads = np.concatenate([Trail(bare).spreads(session) for session in sessions[::10]])
    edges = np.quantile(spreads, np.arange(1, N_BINS) / N_BINS)
    near, flip = np.quantile(closest, [_NEAR_SHARE, _FLIP_SHARE])
    return Measures(repeat, float(near), float(flip), scales, edges)


def _sessions(labels: Codes, rng: np.random.Generator) -> Iterator[Codes]:
    """Orders of rows without repetition: of all topics, then of a few, then of one, and again.

    Weighted sampling without replacement is the order of ``log(weight) + Gumbel`` noise.
    Source: P. S. Efraimidis, P. G. Spirakis, Weighted random sampling with a reservoir, 2006.
    """
    present = np.unique(labels)
    for at in range(N_SESSIONS):
        weights = np.zeros(len(labels))
        few = (*_FEW_TOPICS, len(present))[at % (len(_FEW_TOPICS) + 1)]
        topics = rng.permutation(present)[:few]
        weights[~np.isin(labels, topics)] = np.log(_ELSEWHERE)
        order = np.argsort(-(weights + rng.gumbel(size=len(labels))))
        yield order


def _bounds(found: Sequence[dict[Sign, float]], n: int, n_rows: int) -> dict[Sign, float]:
    """Thresholds for ``n`` queries, from sessions that were drawn of ``n_rows`` rows."""
    bounds = {}
    for sign in Sign:
        bounds[sign] = _STRETCH * max(each[sign] for each in found)
        if sign in _COUNTED:
            rate = float(np.mean([each[sign] for each in found]))
            bounds[sign] = max(bounds[sign] + _SLACK / n, _most(rate, n, n_rows) / n)
    bounds[Sign.SPREAD] = max(bounds[Sign.SPREAD], _furthest(n, n_rows))
    return bounds


def _furthest(n: int, n_rows: int) -> float:
    """How far apart the distributions of ``n`` and ``n_rows`` values may lie by chance.

    Half of the rows made the bins.

    Source: N. V. Smirnov, Table for estimating the goodness of fit of empirical distributions,
    Annals of Mathematical Statistics 19, 1948: the two-sample distance, at its first term.
    """
    return float(np.sqrt(-np.log(_RARE / 2) / 2 * (1 / n + 2 / n_rows)))


def _most(rate: float, n: int, n_rows: int) -> float:
    """How many of ``n`` may be counted by chance, where ``n_rows`` rows showed ``rate``.

    Few rows have few neighbors, however the sessions are drawn from them: what they do not show
    may still be usual. The count is Poisson at the upper end of the rate's interval.

    Source: C. J. Clopper, E. S. Pearson, The use of confidence or fiducial limits, Biometrika 26,
    1934.
    """
    from scipy.stats import beta, poisson

    shown = round(rate * n_rows)
    upper = beta.ppf(1 - _DOUBT, shown + 1, n_rows - shown) if shown < n_rows else 1.0
    return float(poisson.isf(_RARE, n * upper))
