"""Reads the files of a directory nobody vouches for: no link is followed, nothing is extra.

Every name is opened relative to a directory that is already open, so that no part of a path can
be exchanged between the look and the read.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cipherset.core.errors import InputError, IntegrityError
from cipherset.core.files import disk_errors


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
        except (FileNotFoundError, NotADirectoryError):
            raise InputError(
                f"there is no directory {path}",
                code="no_directory",
                hint="name the directory that was exported",
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
            return _read(directory, parent, leaf, most_bytes=most_bytes)
        except (FileNotFoundError, NotADirectoryError):
            raise IntegrityError(
                f"{name} is missing", code="files", hint="get a fresh copy of the directory"
            ) from None


def _read(directory: int, parent: str, leaf: str, *, most_bytes: int) -> bytes:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    # Without O_NONBLOCK a named pipe in the place of the file would wait for a writer.
    inner = os.open(parent, flags | os.O_DIRECTORY, dir_fd=directory) if parent else directory
    try:
        if not stat.S_ISREG(os.stat(leaf, dir_fd=inner, follow_symlinks=False).st_mode):
            raise _not_a_file(leaf)
        with os.fdopen(os.open(leaf, flags | os.O_NONBLOCK, dir_fd=inner), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise _not_a_file(leaf)
            raw = file.read(most_bytes + 1)
    finally:
        if parent:
            os.close(inner)
    if len(raw) > most_bytes:
        raise IntegrityError(
            f"{leaf} is larger than {most_bytes} bytes",
            code="file_size",
            hint="get a fresh copy of the directory",
        )
    return raw


def _entries(directory: int) -> Iterator[tuple[str, int]]:
    with os.scandir(directory) as entries:
        for entry in entries:
            yield entry.name, entry.stat(follow_symlinks=False).st_mode


def _inner(directory: int, name: str) -> list[str]:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC
    number = os.open(name, flags, dir_fd=directory)
    try:
        found = list(_entries(number))
    finally:
        os.close(number)
    for inner, mode in found:
        if not stat.S_ISREG(mode):
            raise _not_a_file(f"{name}/{inner}")
    # An empty directory is something extra as well; it is listed under its own name.
    return [inner for inner, _ in found] or [""]


def _not_a_file(name: str) -> IntegrityError:
    return IntegrityError(
        f"{name} is not a regular file",
        code="files",
        hint="links and special files do not belong into this directory; get a fresh copy",
    )
