"""A uniform random order of any number of rows, in bounded memory, through sealed scratch.

Every row gets a fresh 128-bit id from the operating system, and rows leave in the order of
their ids. Equal ids do not happen (2**-128 * n**2 / 2), and independent uniform keys make
every order of the rows equally likely, so sorting by id *is* the shuffle: nothing about the
order of the source is left, there is no second source of randomness to seed or to leak, and
the id that stands in the file says nothing but its own rank.

What does not fit into memory is sorted by digits: a row goes to the bucket of its id's first
five bits, a bucket that is still too large to those of the next five, and so on, each bucket a
sealed spool.

Source: the same scheme with digits drawn as needed is the Rao-Sandelius shuffle (C. R. Rao,
Sankhya 23, 1961; M. Sandelius, J. Roy. Statist. Soc. B 24, 1962).
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cipherset.core.protocols import Sealer
from cipherset.core.spool import Spool, SpoolWriter

ID: Final = "row"
ID_BYTES: Final = 16
# What is sorted at once; 10,000 rows of 384 float32. A batch of the pipeline is smaller.
HELD_BYTES: Final = 16_000_000
# Five bits, 32 buckets: one pass does for half a gigabyte, and what the writers of so many spools
# hold back (1 MB each) stays small.
_BITS: Final = 5


def fresh_ids(n: int) -> pa.Array:
    """``n`` random 128-bit ids, 32 hex digits each, from the operating system's generator."""
    digits = os.urandom(n * ID_BYTES).hex().encode("ascii")
    offsets = np.arange(n + 1, dtype=np.int32) * (2 * ID_BYTES)
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(digits))


class Shuffle:
    """Takes tables with an ``ID`` column and gives their rows back in the order of the ids.

    Whoever does not take them back calls ``discard``.
    """

    def __init__(self, scratch: Path, sealer: Sealer, *, name: str, depth: int = 0) -> None:
        """Buckets are sealed files ``scratch/<name>-<bucket>``, made when memory is full."""
        self._scratch = scratch
        self._sealer = sealer
        self._name = name
        self._depth = depth
        self._held: list[pa.Table] = []
        self._held_bytes = 0
        self._writers: dict[int, SpoolWriter] = {}
        self.n_rows = 0

    def append(self, table: pa.Table) -> None:
        """Take the rows of ``table``; its schema is that of every other.

        Raises:
            BackendError: disk full, no permission.
        """
        if not table.num_rows:
            return
        self._held.append(table)
        self._held_bytes += table.nbytes
        self.n_rows += table.num_rows
        if self._held_bytes > HELD_BYTES:
            self._spill()

    def tables(self) -> Iterator[pa.Table]:
        """All rows in the order of their ids, about ``HELD_BYTES`` at a time; once."""
        if not self._writers:
            if self._held:
                yield _sorted(self._take_held())
            return
        self._spill()
        for writer in self._writers.values():
            writer.close()
        for bucket in sorted(self._writers):
            yield from self._bucket(bucket)

    def discard(self) -> None:
        """Let go of everything, in memory and in scratch."""
        self._held = []
        for writer in self._writers.values():
            writer.discard()

    def _bucket(self, bucket: int) -> Iterator[pa.Table]:
        path = self._path(bucket)
        spool = Spool(path, self._sealer, path.name)
        inner = Shuffle(self._scratch, self._sealer, name=path.name, depth=self._depth + 1)
        try:
            for chunk in spool.chunks():
                inner.append(chunk)
            path.unlink()
            yield from inner.tables()
        finally:
            inner.discard()

    def _path(self, bucket: int) -> Path:
        return self._scratch / f"{self._name}-{bucket:02x}"

    def _spill(self) -> None:
        """Move what is held to the buckets."""
        if not self._held:
            return
        table = self._take_held()
        digits = _digits(table[ID], self._depth)
        for bucket in np.unique(digits):
            # Rows are taken, not sliced: a slice would keep the whole table in memory until
            # its spool has enough to write.
            self._writer(int(bucket)).append(table.take(np.flatnonzero(digits == bucket)))

    def _take_held(self) -> pa.Table:
        table = pa.concat_tables(self._held).combine_chunks()
        self._held, self._held_bytes = [], 0
        return table

    def _writer(self, bucket: int) -> SpoolWriter:
        if bucket not in self._writers:
            path = self._path(bucket)
            self._writers[bucket] = SpoolWriter(path, self._sealer, path.name)
        return self._writers[bucket]


def _sorted(table: pa.Table) -> pa.Table:
    return table.take(pc.sort_indices(table[ID]))


def _digits(ids: pa.ChunkedArray, depth: int) -> npt.NDArray[np.uint64]:
    """The ``depth``-th five bits of each id, from the left."""
    first = "".join(pc.utf8_slice_codeunits(ids, 0, 16).to_pylist())
    words = np.frombuffer(bytes.fromhex(first), dtype=">u8").astype(np.uint64)
    return words >> np.uint64(64 - _BITS * (depth + 1)) & np.uint64(2**_BITS - 1)
