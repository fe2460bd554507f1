"""A stream of tables to numbered Parquet files of bounded size."""

import hashlib
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pyarrow as pa
import pyarrow.parquet as pq

from cipherset.core.files import disk_errors
from cipherset.core.manifest import VECTOR, PartFile, SplitFacts
from cipherset.core.values import ROW
from cipherset.pipeline.export.split import Split

# A reader holds one part in memory to hash and parse the same bytes; 32 MB is cheap everywhere.
PART_BYTES: Final = 32_000_000
# A part has a few row groups, so that no more than one has to be held to write it.
GROUPS: Final = 4
# The rest of a row (id, label, clear columns) is taken as so many bytes.
_REST_BYTES: Final = 128


class Parts:
    """Writes ``<split>/part-00000.parquet`` and so on below ``staged``.

    The files hold the tables' columns and types and the name of the library, nothing else.
    """

    def __init__(self, staged: Path, split: Split, dim: int) -> None:
        self._staged = staged
        self._split = split
        row_bytes = 4 * dim + _REST_BYTES
        self._group_rows = max(1, PART_BYTES // GROUPS // row_bytes)
        self._held: list[pa.Table] = []
        self._held_rows = 0
        self._writer: pq.ParquetWriter | None = None
        self._written_groups = 0
        self._written_rows = 0
        self._files: list[PartFile] = []

    def append(self, table: pa.Table) -> None:
        """Add the rows of ``table``.

        Raises:
            BackendError: disk full, no permission.
        """
        self._held.append(table)
        self._held_rows += table.num_rows
        while self._held_rows >= self._group_rows:
            self._write_group(self._group_rows)

    def close(self) -> SplitFacts:
        """Write what is left and say what was written.

        Raises:
            BackendError: disk full, no permission.
        """
        if self._held_rows:
            self._write_group(self._held_rows)
        self._close_part()
        return SplitFacts(rows=sum(file.rows for file in self._files), files=tuple(self._files))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            # Something failed before; the part is not wanted any more.
            with suppress(OSError):
                self._writer.close()

    @property
    def _path(self) -> Path:
        return self._staged / self._name

    @property
    def _name(self) -> str:
        return f"{self._split.value}/part-{len(self._files):05d}.parquet"

    def _write_group(self, rows: int) -> None:
        table = pa.concat_tables(self._held)
        rest = table.slice(rows)
        self._held, self._held_rows = [rest], rest.num_rows
        group = table.slice(0, rows)
        with disk_errors(self._path):
            if self._writer is None:
                self._writer = self._open_part(group.schema)
            self._writer.write_table(group, row_group_size=rows)
        self._written_rows += rows
        self._written_groups += 1
        if self._written_groups == GROUPS:
            self._close_part()

    def _open_part(self, schema: pa.Schema) -> pq.ParquetWriter:
        self._path.parent.mkdir(exist_ok=True)
        # Ciphertexts and ids are noise: a dictionary for them would only cost.
        named = [name for name in schema.names if name not in {ROW, VECTOR}]
        return pq.ParquetWriter(self._path, schema, compression="zstd", use_dictionary=named)

    def _close_part(self) -> None:
        if self._writer is None:
            return
        with disk_errors(self._path):
            writer, self._writer = self._writer, None
            writer.close()
            with self._path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                size_bytes = file.tell()
        part = PartFile(
            path=self._name, sha256=f"sha256:{digest}", bytes=size_bytes, rows=self._written_rows
        )
        self._files.append(part)
        self._written_rows = self._written_groups = 0
