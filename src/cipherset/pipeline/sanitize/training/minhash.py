"""Texts to MinHash sketches: how much two texts overlap, from 200 bytes of each.

A text is the set of its runs of five characters, once case, width, punctuation and blanks are
evened out (``plain``). The overlap of two texts is the Jaccard similarity of their sets,
``|a & b| / |a | b|``. For a random order of all runs, the chance that the first run of ``a`` is
also the first of ``b`` is exactly that: 120 orders estimate it.

Sources: A. Broder, "On the resemblance and containment of documents", SEQUENCES 1997, section 3
(sketches); P. Indyk and R. Motwani, "Approximate nearest neighbors", STOC 1998 (bands); P. Li and
A. C. König, "b-Bit Minwise Hashing", WWW 2010, theorem 1 (eight bits of each minimum are kept).
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

RUN: Final = 5
BANDS: Final = 20
ROWS: Final = 6  # of a band: with 20 bands, a pair of overlap 0.8 shares one 99.8 times in 100
N_ORDERS: Final = BANDS * ROWS

Words64 = npt.NDArray[np.uint64]

_BLOCK: Final = 1 << 16  # runs hashed at a time, small enough for the cache
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_BLANKS: Final = re.compile(r"[\W_]+")


def plain(text: str) -> str:
    """``text`` folded: NFKC, case-folded, each stretch of non-letters and non-digits one blank.

    A text of nothing else is only normalized: rows of signs are compared as they are.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _BLANKS.sub(" ", folded).strip() or folded.strip()


@dataclass(frozen=True, slots=True)
class Sketches:
    """``bytes_`` (n, 120) uint8, one per order; ``bands`` (n, 20) uint32, equal where bands are."""

    bytes_: npt.NDArray[np.uint8] = field(repr=False)
    bands: npt.NDArray[np.uint32] = field(repr=False)

    def __len__(self) -> int:
        return len(self.bytes_)

    def take(self, rows: npt.NDArray[np.integer]) -> "Sketches":
        """The sketches of ``rows``."""
        return Sketches(self.bytes_[rows], self.bands[rows])


def joined(parts: Sequence[Sketches]) -> Sketches:
    """The sketches of all parts, in order."""
    if not parts:
        return Sketches(np.zeros((0, N_ORDERS), np.uint8), np.zeros((0, BANDS), np.uint32))
    return Sketches(
        np.concatenate([part.bytes_ for part in parts]),
        np.concatenate([part.bands for part in parts]),
    )


def overlap(a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Estimated Jaccard similarity of sketches, row by row, shape (n,), from 0 to 1.

    ``(equal - 1/256) / (1 - 1/256)``, as eight bits are equal by chance once in 256. Its standard
    error is at most 0.046. Source: Li and König 2010, theorem 1, for sets that are small in the
    space of all runs.
    """
    equal = (a == b).mean(axis=1)
    return np.asarray(np.clip((equal - 1 / 256) / (1 - 1 / 256), 0.0, 1.0), dtype=np.float64)


class Sketcher:
    """Sketches texts; two sketchers of one ``seed`` agree.

    The orders are no secret: a sketch tells the text to whoever can guess it, and stays in memory
    or sealed.
    """

    def __init__(self, seed: int = 0) -> None:
        """Draw the 120 orders and the weights of a run's characters."""
        rng = np.random.default_rng([seed, 0x3A5])
        self._factors = _odd_words(rng, N_ORDERS)
        self._offsets = _odd_words(rng, N_ORDERS)
        self._weights = _odd_words(rng, RUN)
        self._band_weights = _odd_words(rng, ROWS)

    def sketch(self, texts: Sequence[str]) -> Sketches:
        """The sketches of ``texts``."""
        runs, starts = self._runs([plain(text) for text in texts])
        minima = self._minima(runs, starts)
        grouped = minima.reshape(-1, BANDS, ROWS)
        bands = _mixed((grouped * self._band_weights).sum(axis=2, dtype=np.uint64))
        return Sketches(
            (minima & np.uint64(0xFF)).astype(np.uint8), (bands >> np.uint64(32)).astype(np.uint32)
        )

    def _runs(self, texts: Sequence[str]) -> tuple[Words64, npt.NDArray[np.int64]]:
        """The hashes of all runs, text after text, and where each text's begin."""
        padded = [text.ljust(RUN, "\0") for text in texts]
        lengths = np.array([len(text) for text in padded], dtype=np.int64)
        points = np.frombuffer(
            "".join(padded).encode("utf-32-le", "surrogatepass"), dtype=np.uint32
        ).astype(np.uint64)
        if len(points) == 0:
            return points, lengths
        n_runs = len(points) - RUN + 1
        hashes = np.zeros(n_runs, dtype=np.uint64)
        for place, weight in enumerate(self._weights):
            hashes += points[place : place + n_runs] * weight
        ends = np.cumsum(lengths)
        across = (ends[:-1, None] - np.arange(1, RUN)).reshape(-1)  # begin in one, end in the next
        kept = np.ones(n_runs, dtype=bool)
        kept[across] = False
        starts = np.concatenate([[0], np.cumsum(lengths - RUN + 1)[:-1]])
        return _mixed(hashes[kept]), starts

    def _minima(self, runs: Words64, starts: npt.NDArray[np.int64]) -> Words64:
        """For each text and order the high half of the first run's place, shape (n, 120)."""
        minima = np.empty((len(starts), N_ORDERS), dtype=np.uint64)
        bounds = np.append(starts, len(runs))
        first = 0
        while first < len(starts):
            last = int(np.searchsorted(bounds, bounds[first] + _BLOCK, side="right")) - 1
            last = min(max(last, first + 1), len(starts))
            block = runs[bounds[first] : bounds[last]]
            places = starts[first:last] - bounds[first]
            for order in range(N_ORDERS):
                values = block * self._factors[order] + self._offsets[order]
                minima[first:last, order] = np.minimum.reduceat(values, places)
            first = last
        return minima >> np.uint64(32)


def _odd_words(rng: np.random.Generator, count: int) -> Words64:
    return rng.integers(0, 2**64, size=count, dtype=np.uint64) | np.uint64(1)


def _mixed(values: Words64) -> Words64:
    """``values`` with every bit depending on all: two rounds of multiply and shift."""
    mixed = values ^ (values >> np.uint64(32))
    mixed *= _GOLDEN
    mixed ^= mixed >> np.uint64(29)
    mixed *= _GOLDEN
    return np.asarray(mixed ^ (mixed >> np.uint64(32)), dtype=np.uint64)
