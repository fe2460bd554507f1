"""A uniform random order of any number of rows, in bounded memory, through sealed scratch.

Every row gets a fresh 128-bit id from the operating system, and rows leave in the order of
their ids. Equal ids do not happen (2**-128 * n**2 / 2), and independent uniform keys make
every order of the rows equally likely, so sorting by id *is* the shuffle: nothing about the
order of the source is left, there is no second source of randomness to seed or to leak, and
the id that stands in the file says nothing but its own rank.

What does not fit into memory is sorted by digits: a row goes to the bucket of its id's first
six bits, a bucket that is still too large to those of the next six, and so on, each bucket a
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
# 16k rows of 384 float32 are 25 MB: what is sorted at once fits beside everything else.
ROWS_IN_MEMORY: Final = 16_384
# Six bits, 64 buckets: one pass is enough for a million rows, and so few files are open at once.
_BITS: Final = 6


def fresh_ids(n: int) -> pa.Array:
    """``n`` random 128-bit ids, 32 hex digits each, from the operating system's generator."""
    digits = os.urandom(n * ID_BYTES).hex().encode("ascii")
    offsets = np.arange(n + 1, dtype=np.int32) * (2 * ID_BYTES)
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(digits))


class Shuffle:
    """Takes tables with an ``ID`` column and gives their rows back in the order of the ids."""

    def __init__(self, scratch: Path, sealer: Sealer, *, name: str, depth: int = 0) -> None:
        """Buckets are sealed files ``scratch/<name>-<bucket>``, made when memory is full."""
        self._scratch = scratch
        self._sealer = sealer
        self._name = name
        self._depth = depth
        self._held: list[pa.Table] = []
        self._held_rows = 0
        self._writers: dict[int, SpoolWriter] = {}
        self.n_rows = 0

    def append(self, table: pa.Table) -> None:
        """Take the rows of ``table``; its schema is that of every other."""
        self._held.append(table)
        self._held_rows += table.num_rows
        self.n_rows += table.num_rows
        if self._held_rows > ROWS_IN_MEMORY:
            self._spill()

    def tables(self) -> Iterator[pa.Table]:
        """All rows in the order of their ids; at most ``ROWS_IN_MEMORY`` at once."""
        if not self._writers:
            if self._held_rows:
                yield _sorted(pa.concat_tables(self._held))
            return
        self._spill()
        for writer in self._writers.values():
            writer.close()
        for bucket in sorted(self._writers):
            yield from self._bucket(bucket)

    def _bucket(self, bucket: int) -> Iterator[pa.Table]:
        spool = Spool(self._path(bucket), self._sealer, self._path(bucket).name)
        inner = Shuffle(
            self._scratch, self._sealer, name=self._path(bucket).name, depth=self._depth + 1
        )
        for chunk in spool.chunks():
            inner.append(chunk)
        self._path(bucket).unlink()
        yield from inner.tables()

    def _path(self, bucket: int) -> Path:
        return self._scratch / f"{self._name}-{bucket:02x}"

    def _spill(self) -> None:
        """Move what is held to the buckets."""
        if not self._held_rows:
            return
        table = _sorted(pa.concat_tables(self._held))
        self._held, self._held_rows = [], 0
        digits = _digits(table[ID], self._depth)
        edges = np.searchsorted(digits, np.arange(2**_BITS + 1))
        for bucket in np.flatnonzero(np.diff(edges)):
            piece = table.slice(edges[bucket], edges[bucket + 1] - edges[bucket])
            self._writer(int(bucket)).append(piece)

    def _writer(self, bucket: int) -> SpoolWriter:
        if bucket not in self._writers:
            path = self._path(bucket)
            self._writers[bucket] = SpoolWriter(path, self._sealer, path.name)
        return self._writers[bucket]


def _sorted(table: pa.Table) -> pa.Table:
    return table.combine_chunks().take(pc.sort_indices(table[ID]))


def _digits(ids: pa.ChunkedArray, depth: int) -> npt.NDArray[np.uint64]:
    """The ``depth``-th six bits of each id, from the left."""
    first = "".join(pc.utf8_slice_codeunits(ids, 0, 16).to_pylist())
    words = np.frombuffer(bytes.fromhex(first), dtype=">u8").astype(np.uint64)
    return words >> np.uint64(64 - _BITS * (depth + 1)) & np.uint64(2**_BITS - 1)
