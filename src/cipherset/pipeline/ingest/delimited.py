"""CSV and TSV: every cell is a string, so no type is guessed from the first rows.

The standard library's parser, because it says exactly which row is wrong and never quotes it;
quoted line breaks are part of the cell (RFC 4180). Blank lines are no rows.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cipherset.pipeline.ingest import faults
from cipherset.pipeline.ingest.lines import Lines, open_bytes, stored_chunks
from cipherset.pipeline.ingest.reader import LINE_BYTES, Batch, Part
from cipherset.pipeline.ingest.whole import RecordRows, in_batches, n_chars


class DelimitedReader:
    """A CSV or TSV file with a header."""

    def __init__(self, path: Path, *, delimiter: str) -> None:
        self._path = path
        self._delimiter = delimiter

    @property
    def name(self) -> str:
        return self._path.name

    def columns(self) -> list[str]:
        for header in self._rows():
            return header
        raise faults.empty(self.name)

    def every_column(self) -> list[str]:
        return self.columns()

    def chunks(self) -> Iterator[bytes]:
        return stored_chunks(self._path)

    def batches(self, parts: Mapping[str, Part], batch_rows: int) -> Iterator[Batch]:
        rows = self._rows()
        header = next(rows, [])
        start = 0
        pending: list[list[str]] = []
        for row in rows:
            pending.append(row)
            if len(pending) == batch_rows:
                yield self._batch(header, pending, parts, start)
                start += len(pending)
                pending = []
        if pending:
            yield self._batch(header, pending, parts, start)

    def whole(self) -> Iterator[RecordRows]:
        rows = self._rows()
        header = next(rows, [])
        sized = ((dict(zip(header, row, strict=True)), n_chars(row)) for row in rows)
        return in_batches(self.name, sized)

    def check_text(self, column: str) -> None:
        """Every cell is text."""

    def schema(self, text: Sequence[str]) -> pa.Schema:
        return pa.schema([(column, pa.string()) for column in self.columns()])

    def _rows(self) -> Iterator[list[str]]:
        """The header, then each row, all of one width."""
        # Process-wide, so only ever raised; the default refuses vectors of a few thousand numbers.
        csv.field_size_limit(max(csv.field_size_limit(), LINE_BYTES))
        with faults.reading(self._path), open_bytes(self._path) as stream:
            lines = Lines(stream, self.name)
            width = 0
            try:
                for row in csv.reader(lines, delimiter=self._delimiter, strict=True):
                    if not row:
                        continue
                    width = width or self._checked_width(row)
                    if len(row) != width:
                        raise faults.corrupt(
                            self.name,
                            f"{len(row)} cells where the header has {width}",
                            row=lines.row + 1,
                            hint="quote cells that hold the delimiter or a line break",
                        )
                    yield row
                    lines.row += 1
            except csv.Error:
                fault = faults.corrupt(
                    self.name,
                    "a quote that is not closed, or a bare carriage return",
                    row=lines.row + 1,
                    hint="double each quote within a quoted cell; end lines with a line feed",
                )
            else:
                return
            raise fault

    def _checked_width(self, header: Sequence[str]) -> int:
        """The number of columns, no two of one name."""
        twice = [column for column, count in Counter(header).items() if count > 1]
        if twice:
            raise faults.duplicate_column(self.name, twice[0])
        return len(header)

    def _batch(
        self,
        header: Sequence[str],
        rows: Sequence[Sequence[str]],
        parts: Mapping[str, Part],
        start: int,
    ) -> Batch:
        arrays = {}
        for column, part in parts.items():
            position = header.index(column)
            cells = [row[position] for row in rows]
            if part is Part.IMAGE:
                raise faults.no_images(self.name, column)
            if part is Part.VECTOR:
                arrays[column] = self._vectors(cells, column, start)
            else:
                arrays[column] = pa.array(cells, pa.string())
        return Batch(start, pa.table(arrays))

    def _vectors(self, cells: Sequence[str], column: str, start: int) -> pa.Array:
        vectors = []
        for row, cell in enumerate(cells, start=start + 1):
            vector = _numbers(cell)
            if vector is None:
                expected = "numbers between commas or blanks, or a JSON array of numbers"
                raise faults.column_type(self.name, column, expected, row=row)
            vectors.append(vector if len(vector) else None)
        return pa.array(vectors, pa.list_(pa.float64()))


def _numbers(cell: str) -> npt.NDArray[np.float64] | None:
    """The numbers of ``[1, 2]``, ``1, 2`` or ``1 2``, shape (n,); None where they are not that."""
    text = cell.strip()
    try:
        if text.startswith("["):
            numbers = np.array(json.loads(text), dtype=np.float64)
        else:
            numbers = np.array(text.replace(",", " ").split(), dtype=np.float64)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    return numbers if numbers.ndim == 1 else None
