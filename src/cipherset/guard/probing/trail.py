"""The last queries of one caller, sketched, and what each new one is beside them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist

from cipherset.core.values import Floats
from cipherset.guard.probing.signs import BLOCK, Block, Codes, Doubles

REMEMBERED: Final = 256
# Small steps follow each other; of all that is remembered, somebody with one topic has much nearby.
RECENT: Final = 64
# Of a class, the last so many: what somebody asks about most often would otherwise look closest.
NEIGHBORS: Final = 8
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """What a trail is measured with.

    ``repeat``, ``near`` and ``flip`` are distances; ``scales`` (c,) is the usual distance of two
    rows of a class; ``edges`` (N_BINS - 1,) cut spreads into bins that usually fill equally.
    """

    repeat: float
    near: float
    flip: float
    scales: Doubles = field(repr=False)
    edges: Doubles = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Queries as they are kept: sketches (n, s), features (n, 2 f), the codes they got (n,)."""

    sketches: Doubles = field(repr=False)
    features: Doubles = field(repr=False)
    labels: Codes = field(repr=False)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, at: slice | Flags | Codes) -> Self:
        return type(self)(self.sketches[at], self.features[at], self.labels[at])


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Of each query whether it is near a recent one, flips its label, and its spread (or NaN)."""

    near: Flags
    flips: Flags
    spreads: Doubles


class Trail:
    """One caller's; ``REMEMBERED`` sketches and one open block, whatever they ask."""

    def __init__(self, measures: Measures) -> None:
        """Nothing was asked yet."""
        self._measures = measures
        self._sketches: Doubles | None = None
        self._labels: Codes = np.zeros(0, dtype=np.int64)
        self._open: Block | None = None

    def add(self, points: Points) -> Iterator[Block]:
        """Each block that is full with ``points``; how they are batched makes no difference.

        A repetition of a remembered query tells its asker nothing new and is not counted.
        """
        for start in range(0, len(points), BLOCK):
            new = self._new(points[start : start + BLOCK])
            marks = self._marks(new)
            self._remember(new)
            yield from self._fill(new, marks)

    def spreads(self, points: Points) -> Doubles:
        """The spreads of ``points``, where they have one; for learning what is usual."""
        found = []
        for start in range(0, len(points), BLOCK):
            new = self._new(points[start : start + BLOCK])
            spreads = self._marks(new).spreads
            found.append(spreads[~np.isnan(spreads)])
            self._remember(new)
        return np.concatenate(found)

    def _new(self, points: Points) -> Points:
        if self._sketches is None:
            self._sketches = np.zeros((0, points.sketches.shape[1]))
        distances, _ = self._before(points)
        n_past = len(self._sketches)
        is_same = distances <= self._measures.repeat
        if np.count_nonzero(is_same) == len(points):  # each with itself alone
            return points
        kept = list(range(n_past))
        for place in range(len(points)):
            if not is_same[place, kept[-REMEMBERED:]].any():
                kept.append(n_past + place)
        return points[np.array(kept[n_past:], dtype=np.int64) - n_past]

    def _before(self, points: Points) -> tuple[Doubles, Flags]:
        """Distances to what is remembered and to the points; which came earlier, not too long."""
        past = np.zeros((0, 0)) if self._sketches is None else self._sketches
        everything = np.concatenate([past, points.sketches])
        row = np.arange(len(points))[:, None] + len(past)
        column = np.arange(len(everything))[None, :]
        is_earlier = (column < row) & (column >= row - REMEMBERED)
        return cdist(points.sketches, everything), is_earlier

    def _marks(self, points: Points) -> Marks:
        if not len(points):
            none = np.zeros(0, dtype=np.bool_)
            return Marks(none, none, np.zeros(0))
        distances, earlier = self._before(points)
        labels = np.concatenate([self._labels, points.labels])
        place = np.arange(len(points))[:, None] + distances.shape[1] - len(points)
        recent = earlier & (np.arange(distances.shape[1])[None, :] >= place - RECENT)
        ahead = np.where(recent, distances, np.inf)
        closest = ahead.argmin(axis=1)
        gap = ahead[np.arange(len(points)), closest]
        is_other = labels[closest] != points.labels
        same = earlier & (labels[None, :] == points.labels[:, None])
        latest = same & (np.cumsum(same[:, ::-1], axis=1)[:, ::-1] <= NEIGHBORS)
        own = np.where(latest, distances, np.inf).min(axis=1)
        spreads = np.where(np.isinf(own), np.nan, own / self._measures.scales[points.labels])
        return Marks(
            near=gap <= self._measures.near,
            flips=(gap <= self._measures.flip) & is_other,
            spreads=spreads,
        )

    def _remember(self, points: Points) -> None:
        kept = points.sketches if self._sketches is None else self._sketches
        self._sketches = np.concatenate([kept, points.sketches])[-REMEMBERED:]
        self._labels = np.concatenate([self._labels, points.labels])[-REMEMBERED:]

    def _fill(self, points: Points, marks: Marks) -> Iterator[Block]:
        start = 0
        while start < len(points):
            if self._open is None:
                width, n_classes = points.features.shape[1], len(self._measures.scales)
                self._open = Block(np.zeros(width), np.zeros(n_classes))
            stop = min(start + BLOCK - self._open.n, len(points))
            self._count(self._open, points[start:stop], slice(start, stop), marks)
            start = stop
            if self._open.n == BLOCK:
                full, self._open = self._open, None
                yield full

    def _count(self, block: Block, points: Points, at: slice, marks: Marks) -> None:
        block.n += len(points)
        block.features += points.features.sum(axis=0)
        block.labels += np.bincount(points.labels, minlength=len(block.labels))
        block.n_near += int(marks.near[at].sum())
        block.n_flips += int(marks.flips[at].sum())
        spreads = marks.spreads[at]
        bins = np.searchsorted(self._measures.edges, spreads[~np.isnan(spreads)])
        block.spreads += np.bincount(bins, minlength=len(block.spreads))


def sketched(x: Floats, projection: Doubles | None) -> Doubles:
    """``x @ projection``, or ``x`` where it is narrow enough to be kept as it is."""
    rows = np.asarray(x, dtype=np.float64)
    return rows if projection is None else rows @ projection
