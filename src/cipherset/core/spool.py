"""A sealed file of Arrow batches, so that memory does not grow with the data.

The file is a head (magic and a random file id), sealed chunks, a sealed footer (schema, and for
each chunk its place and number of rows), and the footer's length. Every chunk is sealed for
``<name>/<file id>/<index>``: it opens in no other place, in no other file and under no other
name. The footer must tile the file without a gap, so no byte of it is free to differ.

Not here: durability. A spool that is to last is written inside ``core.files.stage_directory``.
A whole file put back from an earlier run of the same name opens: whoever keeps a spool records
which one belongs.
"""

import base64
import binascii
import os
import secrets
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cipherset.core import canonical
from cipherset.core.errors import BackendError, InputError, IntegrityError
from cipherset.core.files import disk_errors
from cipherset.core.protocols import Sealer

# Small enough that a random row costs one millisecond, large enough that the seal's 48 bytes and
# the Arrow schema in each chunk do not count.
CHUNK_BYTES: Final = 1 << 20

_MAGIC: Final = b"CSSPOOL1"
_ID_BYTES: Final = 16
_HEAD_BYTES: Final = len(_MAGIC) + _ID_BYTES
_LENGTH: Final = struct.Struct("<Q")


class SpoolWriter:
    """Writes a spool, mode 0600; nothing plain ever reaches the disk.

    As a context manager it closes at the end, and removes the file if something was raised.
    """

    def __init__(self, path: Path, sealer: Sealer, name: str) -> None:
        """Begin the file, over whatever a killed run left there.

        Raises:
            BackendError: ``disk_full``, ``no_permission`` or ``disk``.
        """
        file_id = secrets.token_bytes(_ID_BYTES)
        self._path = path
        self._sealer = sealer
        self._context = f"{name}/{file_id.hex()}"
        self._schema: pa.Schema | None = None
        self._pending: list[pa.Table] = []
        self._pending_rows = 0
        self._chunk_rows = 0
        self._chunks: list[list[int]] = []
        self._offset = _HEAD_BYTES
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with disk_errors(path):
            self._file = os.fdopen(os.open(path, flags, 0o600), "wb")
            os.fchmod(self._file.fileno(), 0o600)
        self._write(_MAGIC + file_id)

    def append(self, table: pa.Table) -> None:
        """Add the rows of ``table`` at the end.

        Raises:
            InputError: ``spool_schema``: not the columns of the first batch.
            BackendError: ``disk_full``, ``no_permission`` or ``disk``; the file is removed.
        """
        if self._schema is None:
            self._schema = table.schema
        if not table.schema.equals(self._schema):
            raise InputError(
                "a batch does not have the columns and types of the batches before it",
                code="spool_schema",
                hint="give every batch of one spool the same schema",
            )
        if table.num_rows == 0:
            return
        if self._chunk_rows == 0:
            self._chunk_rows = max(1, CHUNK_BYTES * table.num_rows // max(1, table.nbytes))
        self._pending.append(table)
        self._pending_rows += table.num_rows
        if self._pending_rows >= self._chunk_rows:
            self._flush(self._pending_rows - self._pending_rows % self._chunk_rows)

    def close(self) -> None:
        """Write what is pending and the footer; a second close does nothing.

        Raises:
            BackendError: ``disk_full``, ``no_permission`` or ``disk``; the file is removed.
        """
        if self._file.closed:
            return
        self._flush(self._pending_rows)
        schema = self._schema if self._schema is not None else pa.schema([])
        footer = canonical.encode(
            {
                "chunks": self._chunks,
                "schema": base64.b64encode(schema.serialize().to_pybytes()).decode(),
            }
        )
        sealed = self._sealer.seal(footer, context=f"{self._context}/footer")
        self._write(sealed + _LENGTH.pack(len(sealed)))
        with disk_errors(self._path):
            self._file.close()

    def discard(self) -> None:
        """Remove the file."""
        with suppress(OSError):  # what could not be written is not wanted any more
            self._file.close()
        self._path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def _flush(self, n_rows: int) -> None:
        """Write the first ``n_rows`` pending rows as chunks; keep the rest."""
        if n_rows == 0:
            return
        table = pa.concat_tables(self._pending)
        for start in range(0, n_rows, self._chunk_rows):
            self._write_chunk(table.slice(start, min(self._chunk_rows, n_rows - start)))
        rest = table.slice(n_rows)
        # A copy, lest a few rows keep the whole batch in memory.
        self._pending = [rest.take(np.arange(rest.num_rows))] if rest.num_rows else []
        self._pending_rows = rest.num_rows

    def _write_chunk(self, table: pa.Table) -> None:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        context = f"{self._context}/{len(self._chunks)}"
        sealed = self._sealer.seal(sink.getvalue().to_pybytes(), context=context)
        self._chunks.append([self._offset, len(sealed), table.num_rows])
        self._write(sealed)
        self._offset += len(sealed)

    def _write(self, data: bytes) -> None:
        try:
            with disk_errors(self._path):
                self._file.write(data)
                self._file.flush()
        except BackendError:
            self.discard()
            raise


@dataclass(frozen=True, slots=True)
class _Footer:
    """Places (offset, size) and first rows of the chunks; ``starts`` has one more, the total."""

    context: str
    places: tuple[tuple[int, int], ...]
    starts: npt.NDArray[np.int64]
    schema: pa.Schema


class Spool:
    """Reads a spool: from the first row to the last, or the rows that are asked for."""

    def __init__(self, path: Path, sealer: Sealer, name: str) -> None:
        """Read and check the footer; chunks are checked as they are read.

        Raises:
            IntegrityError: ``sealed_missing``; ``spool_corrupt``.
            BackendError: ``no_permission`` or ``disk``.
        """
        self._path = path
        self._sealer = sealer
        self._footer = self._read_footer(name)

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return int(self._footer.starts[-1])

    @property
    def schema(self) -> pa.Schema:
        """Columns and types; no columns if nothing was ever appended."""
        return self._footer.schema

    def chunks(self) -> Iterator[pa.Table]:
        """The rows in the order they were appended, about ``CHUNK_BYTES`` at a time.

        Raises:
            IntegrityError: ``sealed_missing``; ``spool_corrupt``.
        """
        for index in range(len(self._footer.places)):
            yield self._read_chunk(index)

    def take(self, rows: npt.NDArray[np.integer]) -> pa.Table:
        """The given rows, in the given order, repeated if asked for; each chunk is read once.

        Args:
            rows: 0-based, shape (n,).

        Raises:
            InputError: ``spool_row``: a row that is not there.
            IntegrityError: ``sealed_missing``; ``spool_corrupt``.
        """
        rows = np.asarray(rows, dtype=np.int64)
        if rows.size == 0:
            return self.schema.empty_table()
        if rows.min() < 0 or rows.max() >= self.n_rows:
            raise InputError(
                f"a row outside 0 ... {self.n_rows - 1} was asked for",
                code="spool_row",
                hint="ask for rows that are in the spool",
            )
        starts = self._footer.starts
        order = np.argsort(rows, kind="stable")
        ordered = rows[order]
        found = []
        for index in np.unique(np.searchsorted(starts, ordered, side="right") - 1):
            low, high = np.searchsorted(ordered, starts[index : index + 2])
            found.append(self._read_chunk(int(index)).take(ordered[low:high] - starts[index]))
        back = np.empty_like(order)
        back[order] = np.arange(order.size)
        return pa.concat_tables(found).unify_dictionaries().take(back)

    def _read_footer(self, name: str) -> _Footer:
        head = self._read(0, _HEAD_BYTES)
        size = self._size()
        body_end = size - _LENGTH.size
        if head[: len(_MAGIC)] != _MAGIC or body_end < _HEAD_BYTES:
            raise self._corrupt()
        (length,) = _LENGTH.unpack(self._read(body_end, _LENGTH.size))
        footer_start = body_end - length
        if footer_start < _HEAD_BYTES:
            raise self._corrupt()
        context = f"{name}/{head[len(_MAGIC) :].hex()}"
        raw = self._unseal(self._read(footer_start, length), f"{context}/footer")
        return self._parse(raw, context, footer_start)

    def _parse(self, raw: bytes, context: str, footer_start: int) -> _Footer:
        try:
            value = canonical.decode(raw, what="the footer")
            chunks = np.array(value["chunks"], dtype=np.int64).reshape(-1, 3)
            schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(value["schema"])))
        except (IntegrityError, KeyError, TypeError, ValueError, binascii.Error, OSError):
            raise self._corrupt() from None
        ends = np.append(_HEAD_BYTES, chunks[:, 0] + chunks[:, 1])
        if (chunks <= 0).any() or (ends != np.append(chunks[:, 0], footer_start)).any():
            raise self._corrupt()
        starts = np.append(0, np.cumsum(chunks[:, 2])).astype(np.int64)
        places = tuple((int(offset), int(size)) for offset, size, _ in chunks)
        return _Footer(context, places, starts, schema)

    def _read_chunk(self, index: int) -> pa.Table:
        offset, size = self._footer.places[index]
        raw = self._unseal(self._read(offset, size), f"{self._footer.context}/{index}")
        try:
            table = pa.ipc.open_stream(raw).read_all()
        except (pa.ArrowException, OSError):
            raise self._corrupt() from None
        n_rows = int(self._footer.starts[index + 1] - self._footer.starts[index])
        if table.num_rows != n_rows or not table.schema.equals(self._footer.schema):
            raise self._corrupt()
        return table

    def _unseal(self, sealed: bytes, context: str) -> bytes:
        try:
            return self._sealer.unseal(sealed, context=context)
        except IntegrityError:
            raise self._corrupt() from None

    def _read(self, offset: int, size: int) -> bytes:
        # Opened for each read, so that a spool holds no open file and needs no closing.
        with disk_errors(self._path):
            try:
                with self._path.open("rb") as file:
                    file.seek(offset)
                    data = file.read(size)
            except FileNotFoundError:
                raise self._missing() from None
        if len(data) != size:
            raise self._corrupt()
        return data

    def _size(self) -> int:
        with disk_errors(self._path):
            return self._path.stat().st_size

    def _missing(self) -> IntegrityError:
        return IntegrityError(
            f"the sealed part {self._path} is missing",
            code="sealed_missing",
            hint="use the workspace that made it, or restore the workspace from a backup",
        )

    def _corrupt(self) -> IntegrityError:
        return IntegrityError(
            f"the sealed part {self._path} was changed, cut or sealed under another key",
            code="spool_corrupt",
            hint="restore it from a backup, or run the command that made it again",
        )
