"""Which rows of a whole source are copies of each other, found while its batches go by."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cipherset.pipeline.sanitize.training.minhash import Sketcher, Sketches, joined, plain
from cipherset.pipeline.sanitize.training.splits import Clusters, near_clusters


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
    """Takes in a source's rows; 208 bytes per text, 8 per digest, and no text or vector."""

    def __init__(self) -> None:
        """With no rows."""
        self._sketcher = Sketcher()
        self._sketches: list[Sketches] = []
        self._codes: list[npt.NDArray[np.int64]] = []

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

    def found(self) -> Copies:
        """The copies among all rows so far."""
        codes = np.concatenate([np.zeros(0, dtype=np.int64), *self._codes])
        same = np.unique(codes, return_inverse=True)[1].reshape(-1).astype(np.int64)
        if not self._sketches:
            return Copies(same, same)
        return Copies(near_clusters(joined(self._sketches)), same)

    def _add(self, rows: Sequence[bytes]) -> None:
        # Python's hash of bytes is keyed anew in each process: nobody can make rows collide.
        self._codes.append(np.array([hash(row) for row in rows], dtype=np.int64))
