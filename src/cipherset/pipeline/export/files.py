"""Reads the files of a directory nobody vouches for: no link is followed, nothing is extra.

Every name is opened relative to a directory that is already open, so that no part of a path can
be exchanged between the look and the read. In an object store there are no links and no parts of a
path.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from cipherset.core import files
from cipherset.core.errors import InputError, IntegrityError
from cipherset.core.files import disk_errors
from cipherset.core.objects import ObjectFolder

_NOT_THERE: Final = frozenset({errno.ENOENT, errno.ENOTDIR})


class Files(Protocol):
    """Files by their names below one place."""

    def names(self) -> frozenset[str]:
        """Relative names of all there are."""
        ...

    def read(self, name: str, *, most_bytes: int) -> bytes:
        """All bytes of one."""
        ...


@contextmanager
def opened(place: Path | ObjectFolder) -> Iterator[Files]:
    """The files of a directory or of an object store, nothing of which vouches for them.

    Raises:
        InputError: there is no such directory.
        BackendError: no permission; ``object_store``.
    """
    if isinstance(place, ObjectFolder):
        yield _Objects(place)
        return
    with open_directory(place) as number:
        yield _Directory(number, place)


@dataclass(frozen=True, slots=True)
class _Directory:
    number: int
    path: Path

    def names(self) -> frozenset[str]:
        return listing(self.number, self.path)

    def read(self, name: str, *, most_bytes: int) -> bytes:
        return read_regular(self.number, name, most_bytes=most_bytes)


@dataclass(frozen=True, slots=True)
class _Objects:
    folder: ObjectFolder

    def names(self) -> frozenset[str]:
        return self.folder.names()

    def read(self, name: str, *, most_bytes: int) -> bytes:
        raw = self.folder.read(name, most_bytes=most_bytes + 1)
        if raw is None:
            raise _missing(name)
        if len(raw) > most_bytes:
            raise _too_large(name, most_bytes)
        return raw


@contextmanager
def open_directory(path: Path) -> Iterator[int]:
    """A descriptor of the directory ``path``.

    Raises:
        InputError: there is no such directory.
        BackendError: no permission.
    """
    with disk_errors(path):
        try:
            number = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError) as error:
            file = ": it is a file" if isinstance(error, NotADirectoryError) else ""
            raise InputError(
                f"there is no directory {path}{file}",
                code="no_directory",
                hint="name the cipherset: the directory that cipherset protect wrote",
            ) from None
    try:
        yield number
    finally:
        os.close(number)


def listing(directory: int, path: Path) -> frozenset[str]:
    """Relative names of all files below ``directory``, one level of directories deep.

    Raises:
        IntegrityError: something there is neither a regular file nor a directory of them.
        BackendError: no permission.
    """
    found: set[str] = set()
    with disk_errors(path):
        for name, mode in _entries(directory):
            if stat.S_ISREG(mode):
                found.add(name)
            elif stat.S_ISDIR(mode):
                found |= {f"{name}/{inner}" for inner in _inner(directory, name)}
            else:
                raise _not_a_file(name)
    return frozenset(found)


def read_regular(directory: int, name: str, *, most_bytes: int) -> bytes:
    """All bytes of the regular file ``name``, through no link, at most ``most_bytes``.

    Raises:
        IntegrityError: missing, a link, not a regular file, or larger.
        BackendError: no permission.
    """
    parent, _, leaf = name.rpartition("/")
    with disk_errors(Path(name)):
        try:
            with _inside(directory, parent) as inner:
                raw = files.read_regular(leaf, most_bytes=most_bytes + 1, directory=inner)
        except OSError as error:
            if error.errno in _NOT_THERE:
                raise _missing(name) from None
            raise
    if raw is None:
        raise _not_a_file(name)
    if len(raw) > most_bytes:
        raise _too_large(name, most_bytes)
    return raw


@contextmanager
def _inside(directory: int, name: str) -> Iterator[int]:
    """A descriptor of the directory ``name`` in ``directory``, or of that itself if no name."""
    if not name:
        yield directory
        return
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC
    number = os.open(name, flags, dir_fd=directory)
    try:
        yield number
    finally:
        os.close(number)


def _entries(directory: int) -> Iterator[tuple[str, int]]:
    with os.scandir(directory) as entries:
        for entry in entries:
            yield entry.name, entry.stat(follow_symlinks=False).st_mode


def _inner(directory: int, name: str) -> list[str]:
    with _inside(directory, name) as number:
        found = list(_entries(number))
    for inner, mode in found:
        if not stat.S_ISREG(mode):
            raise _not_a_file(f"{name}/{inner}")
    # An empty directory is something extra as well; it is listed under its own name.
    return [inner for inner, _ in found] or [""]


def _missing(name: str) -> IntegrityError:
    return IntegrityError(
        f"{name} is missing",
        code="files",
        hint="name a cipherset, or get a fresh copy of it",
    )


def _too_large(name: str, most_bytes: int) -> IntegrityError:
    return IntegrityError(
        f"{name} is larger than {most_bytes} bytes",
        code="file_size",
        hint="get a fresh copy of the directory",
    )


def _not_a_file(name: str) -> IntegrityError:
    return IntegrityError(
        f"{name} is not a regular file",
        code="files",
        hint="links and special files do not belong into this directory; get a fresh copy",
    )
