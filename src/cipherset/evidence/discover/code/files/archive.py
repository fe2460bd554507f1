"""The files of a tar archive, a layer, or an image that holds layers; nothing is unpacked to disk.

Read once, from the front. A member's name is shown, never used as a path. What is decompressed is
counted over all archives within archives, so that a small file cannot keep the scan busy.
"""

import bz2
import gzip
import io
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import IO, Final, cast

from cipherset.evidence.discover.code.files.reach import Bytes, Faults, File
from cipherset.evidence.discover.code.found import ReadFault, shown

SNIFFED: Final = 512
_MOST_AT_ONCE: Final = 16_000_000  # a header that is larger is an attack
_BROKEN: Final = (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError, ValueError)
# zstandard, 7z, rar, packages of Debian and of RPM, SquashFS.
_UNREAD: Final = (
    *(b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07"),
    *(b"!<arch>\ndebian-binary", b"\xed\xab\xee\xdb", b"hsqs"),
)
_ARCHIVE_NAMES: Final = (
    *(".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz", ".zip", ".whl"),
    *(".egg", ".jar", ".war", ".7z", ".rar", ".pyz", ".pex"),
)
_EMPTY_ZIP: Final = b"PK\x05\x06"
_BZ2_NAMES: Final = (".tar.bz2", ".tbz2", ".tbz")
_PACKED: Final = ((b"\x1f\x8b", "gz"), (b"BZh", "bz2"), (b"\xfd7zXZ\0", "xz"))


@dataclass
class Budget:
    """What may still be read of archives."""

    n_bytes: int
    n_members: int


class TooMuchError(Exception):  # never leaves this room
    """The budget is spent."""


class Rejoined:
    """A stream of which the beginning was read already."""

    def __init__(self, head: bytes, rest: Bytes) -> None:
        self._head = head
        self._rest = rest

    def read(self, n_bytes: int = -1, /) -> bytes:
        if n_bytes < 0:
            n_bytes = _MOST_AT_ONCE
        part, self._head = self._head[:n_bytes], self._head[n_bytes:]
        return part + self._rest.read(n_bytes - len(part)) if len(part) < n_bytes else part


class _Forward:
    """A stream as ``tarfile`` wants it, that only goes forward and counts what it gives."""

    def __init__(self, stream: Bytes, budget: Budget) -> None:
        self._stream = stream
        self._budget = budget
        self._at = 0

    def tell(self) -> int:
        return self._at

    def seek(self, position: int, _: int = 0) -> int:
        while self._at < position:
            if not self.read(min(position - self._at, 1 << 20)):
                break
        return self._at

    def read(self, n_bytes: int) -> bytes:
        if n_bytes > _MOST_AT_ONCE:
            raise TooMuchError
        part = self._stream.read(n_bytes)
        self._at += len(part)
        self._budget.n_bytes -= len(part)
        if self._budget.n_bytes < 0:
            raise TooMuchError
        return part


class _Member:
    """The content of a member, which ends where the archive does."""

    def __init__(self, content: Bytes) -> None:
        self._content = content

    def read(self, n_bytes: int, /) -> bytes:
        try:
            return self._content.read(n_bytes)
        except (*_BROKEN, TooMuchError):
            raise EOFError from None


def is_archive(head: bytes, name: str) -> bool:
    """Whether a file that begins so is a tar archive, plain or compressed.

    The first block of bzip2 may be longer than what was read: there its name must say so.
    """
    packing = _packing(head)
    if packing == "tar" or (packing == "bz2" and name.lower().endswith(_BZ2_NAMES)):
        return True
    if not packing:
        return False
    with nullcontext(_unpacked(Rejoined(head, io.BytesIO()), packing)) as stream:
        try:
            begins = stream.read(SNIFFED)
        except _BROKEN:
            return False
    return _packing(begins) == "tar"


def is_unreadable_archive(head: bytes) -> bool:
    """Whether it is compressed in a way that the standard library does not read."""
    return head.startswith(_UNREAD)


def is_no_archive(head: bytes, name: str) -> bool:
    """Whether it is called an archive, and begins like none that is known."""
    return bool(head) and name.lower().endswith(_ARCHIVE_NAMES) and head[:4] != _EMPTY_ZIP


def packed_name(head: bytes, name: str) -> str:
    """What the one file is called that is compressed to this; empty where it is not compressed."""
    return name.rpartition(".")[0] if _packing(head) not in {"", "tar"} else ""


def members(
    stream: Bytes, head: bytes, path: str, budget: Budget, faults: Faults
) -> Iterator[File]:
    """The regular files in the archive that begins with ``head`` and goes on as ``stream``."""
    whole = Rejoined(head, stream)
    packing = _packing(head)
    unpacked: Bytes = whole if packing == "tar" else _unpacked(whole, packing)
    try:
        fileobj = cast("IO[bytes]", _Forward(unpacked, budget))
        with tarfile.open(fileobj=fileobj, mode="r:") as tar:
            while (member := tar.next()) is not None:
                tar.members.clear()  # type: ignore[attr-defined] # or an image's fill the memory
                budget.n_members -= 1
                if budget.n_members < 0:
                    raise TooMuchError
                if member.isreg():
                    yield _member(tar, member, path)
    except TooMuchError:
        faults(path, ReadFault.TOO_MUCH)
    except _BROKEN:
        faults(path, ReadFault.BROKEN)


def _member(tar: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> File:
    parts = tuple(part for part in member.name.split("/") if part not in {"", ".", ".."})
    return File(
        path=shown(f"{path}!/{'/'.join(parts)}"),
        parts=parts or ("?",),
        size_bytes=member.size,
        open=lambda: _content(tar, member),
        beside=lambda _: False,
        may_hold_files=True,
    )


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> AbstractContextManager[Bytes]:
    content = tar.extractfile(member)
    return nullcontext(_Member(cast("Bytes", content or io.BytesIO())))


def _packing(head: bytes) -> str:
    if head[257:262] == b"ustar":
        return "tar"
    return next((name for magic, name in _PACKED if head.startswith(magic)), "")


def _unpacked(stream: Rejoined, packing: str) -> Bytes:
    source = cast("IO[bytes]", stream)
    if packing == "gz":
        return gzip.GzipFile(fileobj=source)
    return bz2.BZ2File(source) if packing == "bz2" else lzma.LZMAFile(source)
