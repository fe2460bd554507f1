"""One writer a format, chosen by the ending of the target; nothing of it is in memory for long.

CSV quotes only where it has to, and ends lines with a line feed; what is null is empty there, and
lists and objects are JSON. JSON Lines keeps each row's own keys in their order.
"""

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final, Protocol, cast

import pyarrow as pa
import pyarrow.parquet as pq

from cipherset.core.errors import InputError, UsageError
from cipherset.core.rows import Rows

_GZIP: Final = ".gz"
# What other programs noted about all columns is wrong of some of them.
_OF_ALL_COLUMNS: Final = (b"pandas", b"huggingface")


class Kind(StrEnum):
    """What can be written, by its ending."""

    CSV = ".csv"
    TSV = ".tsv"
    JSON_LINES = ".jsonl"
    PARQUET = ".parquet"


class RowsWriter(Protocol):
    """Writes batches of rows, one after the other."""

    def write(self, rows: Rows) -> None: ...


def kind_of(target: Path) -> Kind:
    """The format that the target's ending names.

    Raises:
        UsageError: ``target_kind``.
    """
    name = target.name.lower().removesuffix(_GZIP)
    for kind in Kind:
        if name.endswith(kind):
            return kind
    raise UsageError(
        f"{target}: not a kind of file that can be written",
        code="target_kind",
        hint=f"let it end in {', '.join(Kind)}, also with {_GZIP}",
    )


@contextmanager
def open_writer(stream: BinaryIO, target: Path, schema: pa.Schema) -> Iterator[RowsWriter]:
    """A writer to ``stream``, complete at the end; JSON Lines need no ``schema``.

    Raises:
        UsageError: ``target_kind``.
    """
    kind = kind_of(target)
    if target.name.lower().endswith(_GZIP):
        # No name and no time in it: the same rows give the same bytes.
        with (
            gzip.GzipFile("", "wb", fileobj=stream, mtime=0) as packed,
            _writer(cast("BinaryIO", packed), kind, schema) as writer,
        ):
            yield writer
        return
    with _writer(stream, kind, schema) as writer:
        yield writer


@contextmanager
def _writer(stream: BinaryIO, kind: Kind, schema: pa.Schema) -> Iterator[RowsWriter]:
    if kind is Kind.PARQUET:
        with pq.ParquetWriter(stream, schema, compression="zstd") as parquet:
            yield _ParquetRows(parquet, schema)
    elif kind is Kind.JSON_LINES:
        yield _JsonRows(stream)
    else:
        yield _DelimitedRows(stream, schema.names, "," if kind is Kind.CSV else "\t")


def some_columns(schema: pa.Schema, wanted: Callable[[str], bool]) -> pa.Schema:
    """The schema of the columns that are ``wanted``, in its own order."""
    kept = [field for field in schema if wanted(field.name)]
    if len(kept) == len(schema):
        return schema
    metadata = schema.metadata or {}
    told = {key: value for key, value in metadata.items() if key not in _OF_ALL_COLUMNS}
    return pa.schema(kept, metadata=told or None)


class _ParquetRows:
    def __init__(self, parquet: pq.ParquetWriter, schema: pa.Schema) -> None:
        self._parquet = parquet
        self._schema = schema

    def write(self, rows: Rows) -> None:
        self._parquet.write_table(rows.table(self._schema))


class _JsonRows:
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, rows: Rows) -> None:
        for record in rows.records():
            self._stream.write(_line(record))


def _line(record: dict[str, object]) -> bytes:
    try:
        return json.dumps(record, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can escape
        return json.dumps(record).encode() + b"\n"


class _DelimitedRows:
    def __init__(self, stream: BinaryIO, columns: Sequence[str], delimiter: str) -> None:
        self._stream = stream
        self._columns = columns
        self._delimiter = delimiter
        self._write([columns], 0)

    def write(self, rows: Rows) -> None:
        cells = (
            [_cell(record.get(column)) for column in self._columns] for record in rows.records()
        )
        self._write(cells, rows.start)

    def _write(self, cells: "Iterator[list[str]] | list[Sequence[str]]", start: int) -> None:
        page = io.StringIO()
        csv.writer(page, delimiter=self._delimiter, lineterminator="\n").writerows(cells)
        try:
            self._stream.write(page.getvalue().encode())
        except UnicodeEncodeError:
            raise InputError(
                f"a row from {start} on holds half a surrogate pair, which UTF-8 has not",
                code="source_encoding",
                hint="write .jsonl, or mend the source",
            ) from None


def _cell(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)
