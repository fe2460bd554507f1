"""JSON Lines: one object a line. Blank lines are no rows; a key a row lacks is null there.

A scalar column has one type over the whole file: string, boolean (read as "true" and "false"),
whole numbers, or floats where any number of the column is written with a point or an exponent.
Strings and numbers in one column are refused, whichever comes first.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from cipherset.pipeline.ingest import faults
from cipherset.pipeline.ingest.cells import as_text
from cipherset.pipeline.ingest.lines import Lines, open_bytes, stored_chunks
from cipherset.pipeline.ingest.reader import Batch, Part
from cipherset.pipeline.ingest.whole import RecordRows, in_batches, n_chars, schema_of_records

_HEAD_ROWS: Final = 1000  # a key that none of the first rows has is taken for a wrong name
_INT64: Final = 1 << 63
_VECTOR: Final = pa.list_(pa.float64())

_EXPECTED: Final[Mapping[type, str]] = {
    str: "a string, as in the rows before",
    bool: "true or false, as in the rows before",
    int: "a whole number of at most 64 bits, as in the rows before",
    float: "a number, as in other rows",
}


class JsonLinesReader:
    """A JSON Lines file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        return self._path.name

    def columns(self) -> list[str]:
        names: dict[str, None] = {}
        n_rows = 0
        for record in islice(self._records(), _HEAD_ROWS):
            names.update(dict.fromkeys(record))
            n_rows += 1
        if n_rows == 0:
            raise faults.empty(self.name)
        return list(names)

    def every_column(self) -> list[str]:
        return list(dict.fromkeys(name for record in self._records() for name in record))

    def chunks(self) -> Iterator[bytes]:
        return stored_chunks(self._path)

    def batches(self, parts: Mapping[str, Part], batch_rows: int) -> Iterator[Batch]:
        kinds = self._kinds([column for column, part in parts.items() if part is Part.SCALAR])
        records = self._records()
        start = 0
        while chunk := list(islice(records, batch_rows)):
            arrays = {}
            for column, part in parts.items():
                values = [record.get(column) for record in chunk]
                if part is Part.IMAGE:
                    raise faults.no_images(self.name, column)
                if part is Part.VECTOR:
                    arrays[column] = self._vectors(values, column, start)
                elif part is Part.CELL:
                    texts = [as_text(value) for value in values]
                    arrays[column] = self._scalars(texts, str, column, start)
                else:
                    kind = str if part is Part.TEXT else kinds[column]
                    arrays[column] = self._scalars(values, kind, column, start)
            yield Batch(start, pa.table(arrays))
            start += len(chunk)

    def whole(self) -> Iterator[RecordRows]:
        sized = ((record, n_chars(record.values())) for record in self._records())
        return in_batches(self.name, sized)

    def check_text(self, column: str) -> None:
        """Nothing says so but the rows themselves."""

    def schema(self, text: Sequence[str]) -> pa.Schema:
        """Of all rows: the file is read for it."""
        return schema_of_records(self.name, self.whole(), text)

    def _records(self) -> Iterator[dict[str, Any]]:
        with faults.reading(self._path), open_bytes(self._path) as stream:
            lines = Lines(stream, self.name)
            lines.row = 0
            for line in lines:
                if line.isspace():
                    continue
                yield self._record(line, lines.row + 1)
                lines.row += 1

    def _record(self, line: str, row: int) -> dict[str, Any]:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if isinstance(record, dict):
            return record
        raise faults.corrupt(
            self.name, "not a JSON object", row=row, hint="write one JSON object per line"
        )

    def _kinds(self, columns: Sequence[str]) -> dict[str, type]:
        """The type of each scalar column; only whole numbers need a look at the whole file."""
        kinds: dict[str, type] = {}
        undecided = set(columns)
        records = self._records() if undecided else iter(())
        for record in records:
            for column in tuple(undecided):
                kind = type(record.get(column))
                if kind in _EXPECTED:
                    kind = float if kind is float else kinds.get(column, kind)
                    kinds[column] = kind
                    if kind is not int:
                        undecided.remove(column)
            if not undecided:
                break
        return {column: kinds.get(column, str) for column in columns}

    def _scalars(self, values: Sequence[Any], kind: type, column: str, start: int) -> pa.Array:
        convert, arrow = _CONVERSIONS[kind]
        converted: list[Any] = []
        for row, value in enumerate(values, start=start + 1):
            if value is None:
                converted.append(None)
                continue
            scalar = convert(value)
            if scalar is None:
                expected = _EXPECTED[kind] if row > 1 else f"a {kind.__name__}"
                raise faults.column_type(self.name, column, expected, row=row)
            converted.append(scalar)
        try:
            return pa.array(converted, arrow)
        except UnicodeEncodeError:  # a lone surrogate, which JSON can escape and UTF-8 cannot hold
            pass
        bad = next(
            row
            for row, value in enumerate(converted, start=start + 1)
            if value is not None and not _is_unicode(value)
        )
        raise faults.not_utf8(self.name, f"row {bad}, column {column!r}")

    def _vectors(self, values: Sequence[Any], column: str, start: int) -> pa.Array:
        try:
            return pa.array(values, _VECTOR)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            pass
        bad = next(
            row for row, value in enumerate(values, start=start + 1) if not _is_vector(value)
        )
        raise faults.column_type(self.name, column, "an array of numbers", row=bad)


def _is_vector(value: object) -> bool:
    try:
        pa.array([value], _VECTOR)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return False
    return True


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _boolean(value: object) -> str | None:
    return str(value).lower() if isinstance(value, bool) else None


def _whole(value: object) -> int | None:
    fits = type(value) is int and -_INT64 <= value < _INT64
    return value if fits and isinstance(value, int) else None


def _float(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


_CONVERSIONS: Final[Mapping[type, tuple[Callable[[object], Any], pa.DataType]]] = {
    str: (_string, pa.string()),
    bool: (_boolean, pa.string()),
    int: (_whole, pa.int64()),
    float: (_float, pa.float64()),
}
