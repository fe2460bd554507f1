"""The files of a zip archive (wheels, jars, programs too); nothing is unpacked to disk.

What is decompressed counts against the budget of all archives, whatever sizes the archive claims.
Deflate alone is decompressed: of the other ways ``zipfile`` does not bound what it gives at once.

Source: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3 and 4.4.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from typing import IO, Final, cast

from cipherset.evidence.discover.code.files.archive import Budget, Rejoined, TooMuchError
from cipherset.evidence.discover.code.files.reach import Bytes, Faults, File, Opened
from cipherset.evidence.discover.code.found import ReadFault, shown

_MAGIC: Final = b"PK\x03\x04"
_MOST_IN_MEMORY: Final = 64_000_000  # of a zip archive within an archive
_MOST_AT_ONCE: Final = 16_000_000  # of its list of members
_BROKEN: Final = (zipfile.BadZipFile, RuntimeError, EOFError, OSError, zlib.error, ValueError)
_READ: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED: Final = 0x1 | 0x40
# Formats of data that are zip archives: what they are called, and how their first member is.
_DATA_NAMES: Final = (
    *(".docx", ".docm", ".dotx", ".xlsx", ".xlsm", ".xltx", ".xlsb", ".pptx", ".pptm", ".potx"),
    *(".odt", ".ods", ".odp", ".odg", ".epub", ".npz"),
)
_DATA_FIRST: Final = (
    *(b"[Content_Types].xml", b"_rels/", b"docProps/", b"word/", b"xl/", b"ppt/", b"customXml/"),
    b"mimetype",
)


def is_zip(head: bytes) -> bool:
    """Whether a file that begins so is a zip archive, or one behind a first line for the shell."""
    return head.startswith(_MAGIC) or (
        head.startswith(b"#!") and head.partition(b"\n")[2].startswith(_MAGIC)
    )


def is_data(head: bytes, name: str) -> bool:
    """Whether it is a document or an array that is kept as a zip archive: by name and content."""
    length = int.from_bytes(head[26:28], "little")
    first = head[30 : 30 + length]
    return name.lower().endswith(_DATA_NAMES) and (
        first.startswith(_DATA_FIRST) or first.endswith(b".npy")
    )


def zip_members(
    stream: Bytes, head: bytes, path: str, budget: Budget, faults: Faults
) -> Iterator[File]:
    """The files in the zip archive that begins with ``head`` and goes on as ``stream``."""
    try:
        with (
            closing(_source(stream, head, budget)) as source,
            zipfile.ZipFile(cast("IO[bytes]", source)) as archive,
        ):
            for member in archive.infolist():
                budget.n_members -= 1
                if min(budget.n_members, budget.n_bytes) < 0:
                    raise TooMuchError
                if member.is_dir():
                    continue
                place = shown(f"{path}!/{'/'.join(_parts(member))}")
                if (fault := _fault(member)) is not None:
                    faults(place, fault)
                else:
                    yield _file(archive, member, place, budget)
    except TooMuchError:
        faults(path, ReadFault.TOO_MUCH)
    except _BROKEN:
        faults(path, ReadFault.BROKEN)


def _source(stream: Bytes, head: bytes, budget: Budget) -> "_Seekable":
    """The whole archive, in which ``zipfile`` goes back and forth."""
    if isinstance(stream, Opened):
        return _Seekable(stream.again())
    whole = Rejoined(head, stream).read(_MOST_IN_MEMORY + 1)
    budget.n_bytes -= len(whole)
    if len(whole) > _MOST_IN_MEMORY or budget.n_bytes < 0:
        raise TooMuchError
    return _Seekable(io.BytesIO(whole))


class _Seekable:
    """A file as ``zipfile`` wants it, of which no more is read at once than there is room for."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek = file.seek
        self.tell = file.tell
        self.seekable = file.seekable
        self.close = file.close

    def read(self, n_bytes: int = -1, /) -> bytes:
        if n_bytes > _MOST_AT_ONCE:
            raise TooMuchError
        return self._file.read(_MOST_AT_ONCE if n_bytes < 0 else n_bytes)


class _Member:
    """The content of a member, which ends where it or the budget does."""

    def __init__(self, content: IO[bytes], budget: Budget) -> None:
        self._content = content
        self._budget = budget

    def __enter__(self) -> "_Member":
        return self

    def __exit__(self, *_: object) -> None:
        self._content.close()

    def read(self, n_bytes: int, /) -> bytes:
        try:
            part = self._content.read(n_bytes)
        except (*_BROKEN, TooMuchError):
            raise EOFError from None
        self._budget.n_bytes -= len(part)
        if self._budget.n_bytes < 0:
            raise EOFError
        return part


def _parts(member: zipfile.ZipInfo) -> tuple[str, ...]:
    parts = tuple(part for part in member.filename.split("/") if part not in {"", ".", ".."})
    return parts or ("?",)


def _fault(member: zipfile.ZipInfo) -> ReadFault | None:
    if member.flag_bits & _ENCRYPTED:
        return ReadFault.ENCRYPTED
    return None if member.compress_type in _READ else ReadFault.COMPRESSED


def _file(archive: zipfile.ZipFile, member: zipfile.ZipInfo, place: str, budget: Budget) -> File:
    return File(
        path=place,
        parts=_parts(member),
        size_bytes=member.file_size,
        open=lambda: _content(archive, member, budget),
        beside=lambda _: False,
        may_hold_files=True,
    )


def _content(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, budget: Budget
) -> AbstractContextManager[Bytes]:
    try:
        return _Member(archive.open(member), budget)
    except (*_BROKEN, TooMuchError):
        raise EOFError from None
