"""Rows that belong together become one: messages a thread, items a history, frames a video.

The vector of a pool is the mean of its rows' unit vectors, made unit again; its order does not
count. Rows of a pool stand one after the other in the source, so that one pool is held at a time.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cipherset.app.reading.batch import NOT_IDENTIFIED, Embedded
from cipherset.core.errors import InputError
from cipherset.core.values import POOL, ROW, Float32s
from cipherset.custody.keys.identity import Identities, RowIdentity

MOST_ROWS: Final = 20_000
# Of unit vectors: a mean below this has no direction that float32 could tell from chance.
_LEAST_NORM: Final = 1e-4
Starts = npt.NDArray[np.int64]


def pooled(
    batches: Iterator[Embedded], name: str, identity: RowIdentity | None
) -> Iterator[Embedded]:
    """One row per run of equal values in ``POOL``; ``row`` counts pools, from 0.

    Raises:
        InputError: ``pool_scattered``, ``pool_differs``, ``pool_too_large`` or ``pool_zero``.
    """
    held: Embedded | None = None
    seen: set[int] = set()
    for batch in batches:
        held = batch if held is None else held.followed_by(batch)
        starts = starts_of(held.columns.column(POOL))
        last = int(starts[-1])
        if last:
            yield _finished(held.between(0, last), starts[:-1], (name, seen, identity))
            held = held.between(last, len(held.values))
        if len(held.values) > MOST_ROWS:
            raise InputError(
                f"{name}: {len(held.values)} rows in a row have one value in the column to pool by",
                code="pool_too_large",
                hint=f"a pool has at most {MOST_ROWS} rows",
            )
    if held is not None:
        yield _finished(held, starts_of(held.columns.column(POOL)), (name, seen, identity))


def starts_of(column: pa.ChunkedArray) -> Starts:
    """Where a value differs from the one before; 0 first."""
    values = np.asarray(column.to_pylist(), dtype=object)
    return np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))


def identities_of_pools(identity: RowIdentity, rows: Identities, starts: Starts) -> Identities:
    """Of each pool by the identities of its rows, in their order."""
    return identity.of_pools(np.split(rows, starts[1:]))


def _finished(
    rows: Embedded, starts: Starts, by: tuple[str, set[int], RowIdentity | None]
) -> Embedded:
    name, seen, identity = by
    first = len(seen)
    _check_gathered(rows.columns.column(POOL).take(starts), name, seen)
    columns = _common(rows.columns, starts, name)
    numbers = pa.array(np.arange(first, first + len(starts)), pa.int64())
    return Embedded(
        _means(rows.values, starts, name),
        columns.set_column(0, ROW, numbers),
        _known(identity, rows.identities, starts),
        _known(identity, rows.alike, starts),
        _said(rows.said, starts),
        None if identity is None else _members(rows.identities, starts),
    )


def _members(rows: Identities, starts: Starts) -> pa.ListArray:
    ends = pa.array(np.append(starts, len(rows)), pa.int32())
    return pa.ListArray.from_arrays(ends, pa.array(rows, pa.uint64()))


def _known(identity: RowIdentity | None, rows: Identities, starts: Starts) -> Identities:
    return NOT_IDENTIFIED if identity is None else identities_of_pools(identity, rows, starts)


def _check_gathered(pools: pa.ChunkedArray, name: str, seen: set[int]) -> None:
    for pool in pools.to_pylist():
        before = len(seen)
        seen.add(hash(pool))
        if len(seen) == before:
            raise InputError(
                f"{name}: rows to be pooled do not stand one after the other",
                code="pool_scattered",
                hint="sort the source by the column to pool by",
            )


def _common(columns: pa.Table, starts: Starts, name: str) -> pa.Table:
    """What the rows of each pool agree on: label, group and kept columns."""
    begins = np.zeros(columns.num_rows, dtype=bool)
    begins[starts] = True
    for column in columns.column_names:
        if column in {ROW, POOL}:
            continue
        values = np.asarray(columns.column(column).to_pylist(), dtype=object)
        differs = np.flatnonzero((values[1:] != values[:-1]) & ~begins[1:])
        if len(differs):
            row = columns.column(ROW)[int(differs[0]) + 1].as_py() + 1
            raise InputError(
                f"{name}, row {row}: another {column} than the row before, in one pool",
                code="pool_differs",
                hint="label, group and kept columns are of a whole pool, the same in all its rows",
            )
    return columns.take(pa.array(starts)).drop_columns([POOL])


def _means(values: Float32s, starts: Starts, name: str) -> Float32s:
    sums = np.add.reduceat(values.astype(np.float64), starts, axis=0)
    counts = np.diff(np.append(starts, len(values)))
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    if (norms[:, 0] < _LEAST_NORM * counts).any():
        raise InputError(
            f"{name}: the vectors of a pool cancel each other out",
            code="pool_zero",
            hint="their mean has no direction: take such a pool out",
        )
    return np.asarray(sums / norms, dtype=np.float32)


def _said(rows: Sequence[str] | Sequence[bytes], starts: Starts) -> list[str] | list[bytes]:
    """Texts one below the other; of anything else a digest over the digests."""
    ends = [*starts[1:].tolist(), len(rows)] if rows else []
    spans = [rows[start:end] for start, end in zip(starts.tolist(), ends, strict=False)]
    if rows and isinstance(rows[0], str):
        return ["\n".join(map(str, span)) for span in spans]
    digests = []
    for span in spans:
        digest = hashlib.blake2b(digest_size=16)
        for each in span:
            digest.update(bytes(each))  # type: ignore[arg-type]  # no texts here
        digests.append(digest.digest())
    return digests
