"""The files under a folder, each once, in one order, and none that is not a regular file.

No link is followed below a root, no pipe waited for, no device opened. What cannot be read is
told, and the walk goes on.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Protocol

from cipherset.evidence.discover.code.found import ReadFault, shown

Faults = Callable[[str, ReadFault], None]
# Their own records and what programs make of sources that are read anyway.
_PASSED: Final = frozenset(
    {".git", ".hg", ".svn", ".jj", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
)
_STARTERS: Final = frozenset({"bin", "Scripts"})
_PSEUDO: Final = frozenset({"/proc", "/sys", "/dev"})
_NO_PERMISSION: Final = frozenset({errno.EACCES, errno.EPERM})
_NOT_REGULAR: Final = frozenset({errno.ELOOP, errno.ENXIO})
_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
)


class Bytes(Protocol):
    """What a file's content is read from, once, from its beginning."""

    def read(self, n_bytes: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class File:
    """One regular file, in a folder or in an archive.

    ``path`` is how it is shown, ``parts`` the way to it below its root. ``open`` may be called
    once; ``beside`` says whether a module of that name is where Python would look first.
    """

    path: str
    parts: tuple[str, ...]
    size_bytes: int
    open: Callable[[], AbstractContextManager[Bytes]]
    beside: Callable[[str], bool]
    may_hold_files: bool = False

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.parts[-1]


def read_fault(error: OSError) -> ReadFault:
    """What an error of the operating system means for a report."""
    if error.errno in _NO_PERMISSION:
        return ReadFault.NO_PERMISSION
    return ReadFault.NOT_A_FILE if error.errno in _NOT_REGULAR else ReadFault.GONE


def one_file(path: Path) -> File:
    """The file ``path`` itself, given by the user: a link is followed."""
    real = path.resolve()
    size_bytes = real.stat().st_size
    name = (path.name or real.name,)
    return File(
        path=shown(str(path)),
        parts=name,
        size_bytes=size_bytes,
        open=lambda: _opened(str(real)),
        beside=lambda module: _is_module(real.parent, module, real.name),
        may_hold_files=True,
    )


def files_under(root: Path, faults: Faults) -> Iterator[File]:
    """Every regular file under the folder ``root``."""
    visited: set[tuple[int, int]] = set()
    # A folder, the way to it, and whether it lies in an OCI layout, whose blobs are archives.
    waiting: list[tuple[str, tuple[str, ...], bool]] = [(str(root), (), False)]
    while waiting:
        folder, way, is_layout = waiting.pop()
        entries = _entries(folder, visited, faults)
        names = {entry.name for entry in entries}
        is_layout = is_layout or "oci-layout" in names
        # What an environment starts, its packages wrote; they are named by their records.
        passed = _PASSED | _STARTERS if "pyvenv.cfg" in names else _PASSED
        folders = []
        for entry in entries:
            parts = (*way, entry.name)
            if entry.is_symlink():
                continue
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in passed and entry.path not in _PSEUDO:
                    folders.append((entry.path, parts, is_layout))
            elif (file := _file(entry, parts, root, faults, is_layout=is_layout)) is not None:
                yield file
        waiting += reversed(folders)


def _entries(folder: str, visited: set[tuple[int, int]], faults: Faults) -> list[os.DirEntry[str]]:
    try:
        facts = os.stat(folder)  # noqa: PTH116 -- paths of a walk are text, for speed
        if (facts.st_dev, facts.st_ino) in visited:
            return []
        visited.add((facts.st_dev, facts.st_ino))
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        faults(shown(folder), read_fault(error))
        return []


def _file(
    entry: os.DirEntry[str], parts: tuple[str, ...], root: Path, faults: Faults, *, is_layout: bool
) -> File | None:
    path = entry.path
    try:
        facts = entry.stat(follow_symlinks=False)
    except OSError as error:
        faults(shown(path), read_fault(error))
        return None
    if not stat.S_ISREG(facts.st_mode):
        faults(shown(path), ReadFault.NOT_A_FILE)
        return None
    return File(
        path=shown(path),
        parts=parts,
        size_bytes=facts.st_size,
        open=lambda: _opened(path),
        beside=lambda module: _shadows(root, parts, module),
        may_hold_files=is_layout,
    )


class Opened:
    """An open regular file that is read without a buffer of its own."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._number)

    def again(self) -> IO[bytes]:
        """The same file from its beginning, in which one may go back; it is closed by itself."""
        file = os.fdopen(os.dup(self._number), "rb")
        file.seek(0)
        return file

    def read(self, n_bytes: int, /) -> bytes:
        parts = []
        while n_bytes > 0 and (part := os.read(self._number, min(n_bytes, 1 << 20))):
            parts.append(part)
            n_bytes -= len(part)
        return b"".join(parts)


def _opened(path: str) -> Opened:
    """The file, whatever stood there when the folder was listed.

    Raises:
        OSError: it is not a regular file any more, or not readable.
    """
    number = os.open(path, _FLAGS)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
    return Opened(number)


def _shadows(root: Path, parts: tuple[str, ...], module: str) -> bool:
    """Whether ``import module`` in that file means a module of the same tree.

    Python looks in the folder of the program and in those on its path: here every folder above
    the file that is not itself a package, and ``src`` and ``lib`` under them.
    """
    for depth in range(len(parts) - 1, -1, -1):
        folder = root.joinpath(*parts[:depth])
        if (folder / "__init__.py").exists():
            continue
        own = parts[-1] if depth == len(parts) - 1 else ""
        if any(
            _is_module(place, module, own) for place in (folder, folder / "src", folder / "lib")
        ):
            return True
    return False


def _is_module(folder: Path, module: str, own: str) -> bool:
    name = f"{module}.py"
    return (name != own and (folder / name).is_file()) or (
        folder / module / "__init__.py"
    ).is_file()
