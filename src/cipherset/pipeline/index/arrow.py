"""Rows of an index as an Arrow table, and back, without losing a bit."""

import numpy as np
import pyarrow as pa

from cipherset.pipeline.index.entries import ID_BYTES, SEAL_BYTES, TAG_BYTES, Bytes, Entries, Tag


def table_of(entries: Entries) -> pa.Table:
    """Columns ``id``, ``vector``, ``seal``, one for each tag, and ``version``."""
    n, dim = entries.vectors.shape
    flat = pa.array(np.ascontiguousarray(entries.vectors).reshape(-1))
    tags = {tag.name.lower(): _fixed(entries.tags[:, tag], TAG_BYTES) for tag in Tag}
    columns = {
        "id": _fixed(entries.ids, ID_BYTES),
        "vector": pa.FixedSizeListArray.from_arrays(flat, dim),
        "seal": _fixed(entries.seals, SEAL_BYTES),
        **tags,
        "version": pa.array(entries.versions, pa.int32()),
    }
    return pa.table(columns) if n else pa.table(columns).slice(0, 0)


def _fixed(rows: Bytes, width: int) -> pa.Array:
    data = pa.py_buffer(np.ascontiguousarray(rows).tobytes())
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(rows), [None, data])


def entries_of(table: pa.Table, dim: int) -> Entries:
    """The rows of such a table; as views on it, where it is in one piece."""
    column = table.column("vector").combine_chunks()
    vectors = column.flatten().to_numpy(zero_copy_only=False).reshape(-1, dim)
    tags = [_bytes(table.column(tag.name.lower()), TAG_BYTES) for tag in Tag]
    return Entries(
        _bytes(table.column("id"), ID_BYTES),
        np.asarray(vectors, dtype=np.float32),
        _bytes(table.column("seal"), SEAL_BYTES),
        np.stack(tags, axis=1),
        np.asarray(table.column("version").to_numpy(), dtype=np.int32),
    )


def _bytes(column: pa.ChunkedArray, width: int) -> Bytes:
    found = column.combine_chunks()
    data = np.frombuffer(found.buffers()[1], dtype=np.uint8)
    return data[found.offset * width : (found.offset + len(found)) * width].reshape(-1, width)
