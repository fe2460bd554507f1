"""Which rows of a whole source are copies of each other, found while its batches go by."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cipherset.pipeline.sanitize.training.minhash import Sketcher, Sketches, joined, plain
from cipherset.pipeline.sanitize.training.splits import Clusters, near_clusters

_AT_ONCE: Final = 1 << 18  # values that are looked up together, so that little is held for it


@dataclass(frozen=True, slots=True)
class Copies:
    """Numbers from 0 on, shape (n,), equal where two rows are copies of each other.

    ``near``: the same or nearly the same text, or linked by rows that are. ``same``: the same.
    """

    near: Clusters = field(repr=False)
    same: Clusters = field(repr=False)

    def take(self, rows: npt.NDArray[np.int64]) -> "Copies":
        """Those of ``rows``."""
        return Copies(self.near[rows], self.same[rows])


class CopyFinder:
    """Takes in a source's rows, once; 208 bytes per text, 8 per digest, and no text or vector."""

    def __init__(self) -> None:
        """With no rows."""
        self._sketcher = Sketcher()
        self._sketches: list[Sketches] = []
        self._codes = bytearray()  # grows in its place, where a list of arrays would be held twice

    def add(self, rows: Sequence[str] | Sequence[bytes]) -> None:
        """The next rows: texts, or digests of what is none, of which copies are the same only.

        Any two vectors can be near each other, so nearness says nothing of them.
        """
        texts = [row for row in rows if isinstance(row, str)]
        if texts:
            self._sketches.append(self._sketcher.sketch(texts))
            self._add([plain(text).encode("utf-8", "surrogatepass") for text in texts])
        else:
            self._add([row for row in rows if isinstance(row, bytes)])

    def found(self) -> Copies | None:
        """The copies among all rows; None where they were digests and no two are the same."""
        codes = np.frombuffer(self._codes, dtype=np.int64)
        self._codes = bytearray()
        several = _several(codes)
        if not self._sketches and not several.size:
            return None
        same = _firsts(codes, several)
        near = near_clusters(joined(self._sketches)) if self._sketches else same
        return Copies(near, same)

    def _add(self, rows: Sequence[bytes]) -> None:
        # Python's hash of bytes is keyed anew in each process: nobody can make rows collide.
        self._codes += np.array([hash(row) for row in rows], dtype=np.int64).tobytes()


def first_equal(values: npt.NDArray[Any]) -> Clusters:
    """For each of the numbers ``values`` the place of the first that equals it, shape (n,).

    Beside them it takes 9 bytes for each, and more only for those that are there several times.
    """
    return _firsts(values, _several(values))


def is_among(values: npt.NDArray[Any], these: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Which of ``values`` are among ``these``, which are distinct and ascending; shape (n,).

    Beside them it takes a byte for each.
    """
    found = np.zeros(len(values), dtype=bool)
    for start in range(0, len(values) if these.size else 0, _AT_ONCE):
        some = values[start : start + _AT_ONCE]
        places = np.minimum(np.searchsorted(these, some), len(these) - 1)
        found[start : start + _AT_ONCE] = these[places] == some
    return found


def _several(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Those that are there more than once, ascending."""
    ordered = np.sort(values)
    return np.unique(ordered[1:][ordered[1:] == ordered[:-1]])


def _firsts(values: npt.NDArray[Any], several: npt.NDArray[Any]) -> Clusters:
    firsts = np.arange(len(values), dtype=np.int64)
    rows = np.flatnonzero(is_among(values, several))
    _, first, codes = np.unique(values[rows], return_index=True, return_inverse=True)
    firsts[rows] = rows[first][codes.reshape(-1)]
    return firsts
