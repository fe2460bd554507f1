"""Image files in the cells of a Parquet file: in pieces that are bounded before they are whole.

A file of a few kilobytes can hold a gigabyte, once or for every row. What is bounded:

    a row group     whose images are too large on average, by the footer, is not read at all
    a dictionary    is kept as one: a value that many rows share is there once until its rows come;
                    where other groups of the file have none of that kind, by a row at a time
    shared prefixes (DELTA_BYTE_ARRAY) are put together a row at a time
    a cell          is judged by its length before it is copied; cells go on in small batches

What is not: the reader of the library holds a page as a whole, and Parquet lets one have 2 GiB;
a footer that says less than is there is found out only then.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cipherset.pipeline.ingest import faults
from cipherset.pipeline.ingest.pictures.decode import MOST_BYTES, too_large
from cipherset.pipeline.ingest.pictures.folder import BATCH_BYTES, cut

BYTES = "bytes"  # beside "path", in the structs that image data sets are kept as
_PREFIXED = "DELTA_BYTE_ARRAY"
_DIFFERENCES = {_PREFIXED, "DELTA_LENGTH_BYTE_ARRAY"}  # Arrow makes no dictionary of these
_SPARE = 1 << 10  # of a cell, for what a page says of it


def with_dictionaries(metadata: pq.FileMetaData, columns: Sequence[str]) -> list[str]:
    """The paths of image columns that can be read as dictionaries: with one, and no differences."""
    groups = map(metadata.row_group, range(metadata.num_row_groups))
    chunks = [chunk for group in groups for chunk in _chunks(group, columns)]
    coded = {chunk.path_in_schema for chunk in chunks if chunk.has_dictionary_page}
    unlike = {chunk.path_in_schema for chunk in chunks if _DIFFERENCES & {*chunk.encodings}}
    return sorted(coded - unlike)


def rows_at_once(
    group: pq.RowGroupMetaData,
    columns: Sequence[str],
    batch_rows: int,
    *,
    coded: Sequence[str],
    place: str,
) -> int:
    """How many rows of a group to read at a time, by what the footer says of its images.

    ``coded`` are the paths of columns that are read as dictionaries.

    Raises:
        InputError: ``image_too_large``: one of them must be.
    """
    rows = batch_rows
    for chunk in _chunks(group, columns):
        average = chunk.total_uncompressed_size // max(group.num_rows, 1)
        if average > MOST_BYTES + _SPARE:
            raise too_large(place, f"{average} bytes on average", f"{MOST_BYTES} bytes")
        rows = min(rows, max(1, BATCH_BYTES // max(average, 1)))
        is_shared = chunk.has_dictionary_page and chunk.path_in_schema not in coded
        if is_shared or _PREFIXED in chunk.encodings:
            rows = 1
    return rows


def bounded(
    raw: pa.RecordBatch, columns: Sequence[str], start: int, *, name: str
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """``raw`` in parts with ``BATCH_BYTES`` of images or one row, each with its first row.

    Raises:
        InputError: ``image_too_large``.
    """
    total = np.zeros(raw.num_rows, dtype=np.int64)
    for column in columns:
        sizes = _sizes(raw.column(column))
        large = np.flatnonzero(sizes > MOST_BYTES)
        if len(large):
            place = faults.at(name, row=start + int(large[0]) + 1, column=column)
            raise too_large(place, f"{sizes[large[0]]} bytes", f"{MOST_BYTES} bytes")
        total += sizes
    for first, end in cut(total.tolist(), raw.num_rows):
        yield start + first, raw.slice(first, end - first)


def file_bytes(cells: pa.Array) -> pa.Array:
    """The cells, or the part of them that holds the bytes where the path is kept beside."""
    return pc.struct_field(cells, BYTES) if pa.types.is_struct(cells.type) else cells


def _chunks(group: pq.RowGroupMetaData, columns: Sequence[str]) -> Iterator[pq.ColumnChunkMetaData]:
    wanted = {*columns, *(f"{column}.{BYTES}" for column in columns)}
    for at in range(group.num_columns):
        chunk = group.column(at)
        if chunk.path_in_schema in wanted:
            yield chunk


def _sizes(cells: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The length of each cell in bytes, (n,), with nothing copied; 0 where there is none."""
    held = file_bytes(cells)
    if pa.types.is_dictionary(held.type):
        sizes = pc.take(pc.binary_length(held.dictionary), held.indices)
    else:
        sizes = pc.binary_length(held)
    return np.asarray(pc.fill_null(pc.cast(sizes, pa.int64()), 0), dtype=np.int64)
