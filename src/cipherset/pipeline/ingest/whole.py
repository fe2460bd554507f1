"""Whole rows in the form of their source: records of a text format, tables of a columnar one."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from cipherset.pipeline.ingest import faults

BATCH_ROWS: Final = 4096
BATCH_CHARS: Final = 1 << 22  # rows may be long; a batch of them is bounded all the same
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RecordRows:
    """Rows of CSV (all strings) or JSON Lines (any JSON value)."""

    name: str
    start: int
    held: list[Record] = field(repr=False)

    @property
    def n_rows(self) -> int:
        return len(self.held)

    def cells(self, column: str) -> list[object]:
        return [record.get(column) for record in self.held]

    def with_texts(self, texts: Mapping[str, Sequence[object]]) -> "RecordRows":
        """A column that a row has not got, it does not get."""
        changed = [
            record | {name: values[row] for name, values in texts.items() if name in record}
            for row, record in enumerate(self.held)
        ]
        return replace(self, held=changed)

    def taken(self, positions: Sequence[int]) -> "RecordRows":
        return replace(self, held=[self.held[position] for position in positions])

    def selected(self, wanted: Callable[[str], bool]) -> "RecordRows":
        held = [{name: record[name] for name in record if wanted(name)} for record in self.held]
        return replace(self, held=held)

    def records(self) -> Iterator[Record]:
        return iter(self.held)

    def table(self, schema: pa.Schema) -> pa.Table:
        arrays = []
        for name, kind in zip(schema.names, schema.types, strict=True):
            try:
                arrays.append(pa.array(self.cells(name), kind))
            except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError, OverflowError):
                arrays.append(None)
            if arrays[-1] is None:
                raise faults.column_type(self.name, name, f"values that fit {kind}")
        return pa.table(arrays, schema=schema)


@dataclass(frozen=True, slots=True)
class TableRows:
    """Rows of Parquet, in the types they have there."""

    name: str
    start: int
    held: pa.Table = field(repr=False)

    @property
    def n_rows(self) -> int:
        return int(self.held.num_rows)

    def cells(self, column: str) -> list[object]:
        return list(self.held.column(column).to_pylist())

    def with_texts(self, texts: Mapping[str, Sequence[object]]) -> "TableRows":
        held = self.held
        for name, values in texts.items():
            place = held.schema.get_field_index(name)
            kind = as_plain_text(held.schema.field(name))
            held = held.set_column(place, kind, pa.array(values, kind.type))
        return replace(self, held=held)

    def taken(self, positions: Sequence[int]) -> "TableRows":
        return replace(self, held=self.held.take(pa.array(positions, pa.int64())))

    def selected(self, wanted: Callable[[str], bool]) -> "TableRows":
        return replace(self, held=self.held.select(list(filter(wanted, self.held.column_names))))

    def records(self) -> Iterator[Record]:
        plain = {name: self._plain(name) for name in self.held.column_names}
        for row in range(self.n_rows):
            yield {name: values[row] for name, values in plain.items()}

    def table(self, schema: pa.Schema) -> pa.Table:
        return self.held.select(schema.names).replace_schema_metadata(schema.metadata)

    def _plain(self, name: str) -> list[object]:
        """JSON values; times and decimals as text."""
        column = self.held.column(name)
        kind = column.type
        if pa.types.is_temporal(kind) or pa.types.is_decimal(kind):
            column = pc.cast(column, pa.string())
        elif _is_binary(kind):
            raise faults.column_type(self.name, name, f"what CSV and JSON can hold, found {kind}")
        return [_json_value(value) for value in column.to_pylist()]


def as_plain_text(kind: pa.Field) -> pa.Field:
    """A text column as it is written: a dictionary of texts may hold what was taken out."""
    is_coded = pa.types.is_dictionary(kind.type)
    return kind.with_type(kind.type.value_type) if is_coded else kind


def _is_binary(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind)
    )


def _json_value(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list):
        return [_json_value(each) for each in value]
    if isinstance(value, dict):
        return {str(name): _json_value(each) for name, each in value.items()}
    return value if isinstance(value, str | int | float | None) else str(value)


def in_batches(name: str, records: Iterable[tuple[Record, int]]) -> Iterator[RecordRows]:
    """Batches of records, each given with its size in characters."""
    start = size = 0
    held: list[Record] = []
    for record, n_chars in records:
        held.append(record)
        size += n_chars
        if len(held) == BATCH_ROWS or size >= BATCH_CHARS:
            yield RecordRows(name, start, held)
            start, size, held = start + len(held), 0, []
    if held:
        yield RecordRows(name, start, held)


def schema_of_records(name: str, batches: Iterable[RecordRows], text: Sequence[str]) -> pa.Schema:
    """The type of each key over all rows, null where no row has a value; ``text`` are strings.

    Raises:
        InputError: ``column_type``: values of one key do not have one type.
    """
    schema = pa.schema([])
    for batch in batches:
        keys = list(dict.fromkeys(key for record in batch.held for key in record))
        for key in keys:
            values: list[object] = [""] if key in text else batch.cells(key)
            schema = _with_key(name, schema, key, values)
    return schema


def _with_key(name: str, schema: pa.Schema, key: str, values: Sequence[object]) -> pa.Schema:
    try:
        found = pa.schema([pa.field(key, pa.array(values).type)])
        return pa.unify_schemas([schema, found], promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError, OverflowError):
        pass
    raise faults.column_type(name, key, "values of one type, as a Parquet column needs them")


def n_chars(values: Iterable[object]) -> int:
    """About how many characters there are."""
    return sum(len(value) if isinstance(value, str) else 8 for value in values)
