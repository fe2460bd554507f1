"""Parquet, read one batch at a time.

Pages are streamed, so memory follows the batch, not the row group; of images a batch has as many
rows as may be held (see ``pictures.cells``). In a ``.gz`` (which cannot be
jumped in) the columns of one row group are read one after the other, each as a whole.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cipherset.core.errors import InputError
from cipherset.core.objects import ObjectPath
from cipherset.pipeline.ingest import faults
from cipherset.pipeline.ingest.cells import MOST_ITEMS, as_text
from cipherset.pipeline.ingest.lines import open_bytes, stored_chunks
from cipherset.pipeline.ingest.pictures.cells import (
    BYTES,
    bounded,
    file_bytes,
    rows_at_once,
    with_dictionaries,
)
from cipherset.pipeline.ingest.reader import Batch, Part
from cipherset.pipeline.ingest.whole import (
    BATCH_CHARS,
    BATCH_ROWS,
    TableRows,
    as_plain_text,
)

_PAGE_BUFFER_BYTES: Final = 1 << 20


class ParquetReader:
    """A Parquet file, or consecutive row groups of it; rows are counted in the whole file."""

    def __init__(self, path: Path | ObjectPath, groups: range | None = None) -> None:
        self._path = path
        self._groups = groups

    @property
    def name(self) -> str:
        return self._path.name

    def columns(self) -> list[str]:
        with self._open() as parquet:
            return list(parquet.schema_arrow.names)

    def every_column(self) -> list[str]:
        return self.columns()

    def chunks(self) -> Iterator[bytes]:
        return stored_chunks(self._path)

    def parts(self, least_rows: int) -> list["ParquetReader"]:
        """The file in parts of whole row groups, of ``least_rows`` or more; the last may be less.

        A ``.gz`` cannot be jumped in: it is one part.
        """
        if self._path.suffix.lower() == ".gz":
            return [self]
        found, first, n_rows = [], 0, 0
        with self._open() as parquet:
            for group in range(parquet.num_row_groups):
                n_rows += parquet.metadata.row_group(group).num_rows
                if n_rows >= least_rows or group + 1 == parquet.num_row_groups:
                    found.append(ParquetReader(self._path, range(first, group + 1)))
                    first, n_rows = group + 1, 0
        return found

    def batches(self, parts: Mapping[str, Part], batch_rows: int) -> Iterator[Batch]:
        images = [column for column, part in parts.items() if part is Part.IMAGE]
        coded = self._coded(images)
        with self._open(coded) as parquet:
            schema = parquet.schema_arrow
            targets = {}
            for column, part in parts.items():
                if len(schema.get_all_field_indices(column)) > 1:
                    raise faults.duplicate_column(self.name, column)
                targets[column] = self._target(schema.field(column).type, column, part)
            cells = {column for column, part in parts.items() if part is Part.CELL}
            limits = partial(rows_at_once, columns=images, batch_rows=batch_rows, coded=coded)
            for start, raw in self._raw(parquet, list(parts), images, limits):
                arrays = {
                    column: self._as_text(raw.column(column), column, start)
                    if column in cells
                    else self._cast(raw.column(column), target, column, start)
                    for column, target in targets.items()
                }
                yield Batch(start, pa.table(arrays))

    def _raw(
        self,
        parquet: pq.ParquetFile,
        columns: list[str],
        images: list[str],
        most_rows: Callable[..., int],
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Batches in the types of the file, each with the number of its first row."""
        for group, first in self._starts(parquet):
            start, told = first, parquet.metadata.row_group(group)
            place = f"{self.name}, rows {first + 1} to {first + told.num_rows}"
            rows = most_rows(told, place=place)
            for raw in parquet.iter_batches(
                rows, row_groups=[group], columns=columns, use_threads=False
            ):
                if images:
                    yield from bounded(raw, images, start, name=self.name)
                else:
                    yield start, raw
                start += raw.num_rows

    def _coded(self, images: list[str]) -> list[str]:
        """The paths of image columns to be read with their dictionaries, not row by row."""
        if not images:
            return []
        with self._open() as parquet:
            return with_dictionaries(parquet.metadata, images)

    def whole(self) -> Iterator[TableRows]:
        with self._open() as parquet:
            for group, start in self._starts(parquet):
                rows = _rows_within(parquet.metadata.row_group(group), BATCH_CHARS)
                for raw in parquet.iter_batches(rows, row_groups=[group], use_threads=False):
                    yield TableRows(self.name, start, pa.Table.from_batches([raw]))
                    start += raw.num_rows

    def check_text(self, column: str) -> None:
        with self._open() as parquet:
            self._target(parquet.schema_arrow.field(column).type, column, Part.TEXT)

    def schema(self, text: Sequence[str]) -> pa.Schema:
        with self._open() as parquet:
            schema = parquet.schema_arrow
        kinds = [as_plain_text(kind) if kind.name in text else kind for kind in schema]
        return pa.schema(kinds, metadata=schema.metadata)

    def _starts(self, parquet: pq.ParquetFile) -> Iterator[tuple[int, int]]:
        """The row groups that are read, each with the number of its first row."""
        start = 0
        for group in range(parquet.num_row_groups):
            if self._groups is None or group in self._groups:
                yield group, start
            start += parquet.metadata.row_group(group).num_rows

    @contextmanager
    def _open(self, coded: Sequence[str] = ()) -> Iterator[pq.ParquetFile]:
        is_gzip = self._path.suffix.lower() == ".gz"
        buffer_bytes = 0 if is_gzip else _PAGE_BUFFER_BYTES
        with (
            faults.reading(self._path),
            open_bytes(self._path) as stream,
            pq.ParquetFile(
                stream,
                buffer_size=buffer_bytes,
                pre_buffer=False,
                read_dictionary=list(coded),
            ) as parquet,
        ):
            yield parquet

    def _target(self, kind: pa.DataType, column: str, part: Part) -> pa.DataType:
        """The type a column is read as."""
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        if part is Part.CELL:
            return pa.string()
        if part is Part.VECTOR:
            if _is_list(kind) and _is_number(kind.value_type):
                return pa.list_(pa.float64())
            raise faults.column_type(self.name, column, f"lists of numbers, found {kind}")
        if part is Part.IMAGE:
            return self._image_target(kind, column)
        if _is_string(kind) or pa.types.is_null(kind):
            return pa.string()
        if part is Part.TEXT:
            raise faults.column_type(self.name, column, f"strings, found {kind}")
        return self._scalar_target(kind, column)

    def _image_target(self, kind: pa.DataType, column: str) -> pa.DataType:
        if _is_binary(_of_file(kind)):
            return pa.large_binary()
        raise faults.column_type(self.name, column, f"the bytes of image files, found {kind}")

    def _scalar_target(self, kind: pa.DataType, column: str) -> pa.DataType:
        if pa.types.is_boolean(kind):
            return pa.string()
        if pa.types.is_integer(kind):
            return pa.int64()
        if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            return pa.float64()
        if pa.types.is_temporal(kind):
            return pa.string()
        raise faults.column_type(self.name, column, f"strings or numbers, found {kind}")

    def _cast(self, raw: pa.Array, target: pa.DataType, column: str, start: int) -> pa.Array:
        if target == pa.large_binary():
            raw = file_bytes(raw)
        if pa.types.is_dictionary(raw.type):
            raw = raw.dictionary_decode()
        if target == pa.string():
            self._check_utf8(raw, column, start)
        try:
            return pc.cast(raw, target)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            fault = faults.column_type(self.name, column, f"values that fit {target}")
        raise fault

    def _as_text(self, raw: pa.Array, column: str, start: int) -> pa.Array:
        """Strings, whatever the type: see ``cells``."""
        kind = raw.type.value_type if pa.types.is_dictionary(raw.type) else raw.type
        if _is_string(kind) or pa.types.is_integer(kind) or pa.types.is_temporal(kind):
            try:
                return self._cast(raw, pa.string(), column, start)
            except InputError as error:
                if error.code != "column_type":
                    raise
        if _is_list(kind):
            raw = pc.list_slice(raw, 0, MOST_ITEMS)
        return pa.array([as_text(value) for value in raw.to_pylist()], pa.string())

    def _check_utf8(self, raw: pa.Array, column: str, start: int) -> None:
        try:
            raw.validate(full=True)
        except pa.ArrowInvalid:
            pass
        else:
            return
        bad = next((row for row, cell in enumerate(raw) if not _is_decodable(cell)), 0)
        raise faults.not_utf8(self.name, f"row {start + bad + 1}, column {column!r}")


def _rows_within(group: pq.RowGroupMetaData, size_bytes: int) -> int:
    """How many rows of a group, on average, are of that size; at least one."""
    average = group.total_byte_size / max(group.num_rows, 1)
    return min(BATCH_ROWS, max(1, int(size_bytes / max(average, 1))))


def _is_decodable(cell: pa.Scalar) -> bool:
    try:
        cell.as_py()
    except UnicodeDecodeError:
        return False
    return True


def _is_string(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _of_file(kind: pa.DataType) -> pa.DataType:
    """The type itself, or of the part that holds the bytes where the path is kept beside them."""
    at = kind.get_field_index(BYTES) if pa.types.is_struct(kind) else -1
    held = kind.field(at).type if at >= 0 else kind
    return held.value_type if pa.types.is_dictionary(held) else held


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_list(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))
