"""Lines of a file, decompressed and decoded, that know where they are."""

import bz2
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from cipherset.core.objects import ObjectPath
from cipherset.pipeline.ingest import faults
from cipherset.pipeline.ingest.reader import LINE_BYTES

_BOM = b"\xef\xbb\xbf"
_CHUNK_BYTES = 1 << 20


def open_bytes(path: Path | ObjectPath) -> IO[bytes]:
    """The decompressed bytes of ``path``: ``.gz`` and ``.bz2`` by name, else as stored.

    An object is as stored.
    """
    if isinstance(path, ObjectPath):
        return path.open()
    suffix = path.suffix.lower()
    if suffix == ".gz":
        return cast("IO[bytes]", gzip.open(path, "rb"))
    if suffix == ".bz2":
        return cast("IO[bytes]", bz2.open(path, "rb"))
    return path.open("rb")


def stored_chunks(path: Path | ObjectPath) -> Iterator[bytes]:
    """The bytes of ``path`` as stored, in chunks."""
    with faults.reading(path), _stored(path) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk


def _stored(path: Path | ObjectPath) -> IO[bytes]:
    return path.open() if isinstance(path, ObjectPath) else path.open("rb")


class Lines:
    """Iterator over the lines of an open UTF-8 stream, line ends kept, a BOM dropped.

    Whoever reads sets ``row`` to the rows complete so far, so that an error can name the next.
    """

    def __init__(self, stream: IO[bytes], name: str) -> None:
        self.row = -1  # the header of a delimited file; its first row is 0 rows complete
        self._stream = stream
        self._name = name
        self._byte = 0

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        """The next line.

        Raises:
            InputError: ``source_encoding``, or ``source_corrupt`` for a line without an end.
        """
        raw = self._stream.readline(LINE_BYTES + 1)
        if not raw:
            raise StopIteration
        if len(raw) > LINE_BYTES:
            raise faults.corrupt(
                self._name,
                f"a line of more than {LINE_BYTES} bytes",
                row=self.row + 1,
                hint="end each line with a line feed",
            )
        start, self._byte = self._byte, self._byte + len(raw)
        if start == 0 and raw.startswith(_BOM):
            raw, start = raw[len(_BOM) :], len(_BOM)
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            place = f"row {self.row + 1}" if self.row >= 0 else "header"
            fault = faults.not_utf8(self._name, f"{place}, byte {start + error.start}")
        raise fault
