"""Files and directories that are either wholly there or not there at all.

Order rules. A file is written beside its place under a partial name, synced, then renamed. A
directory is filled inside ``stage_directory`` and put in place by ``replace_directory``, which
syncs it first. A killed run leaves the old one or the new one, and perhaps a partial one, which
the next run with the same target removes. Partial names are ``.<name>.partial-<pid>-<random>``.
"""

import ctypes
import errno
import fcntl
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO, Final

from cipherset.core.errors import BackendError, UsageError

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_PERMISSION: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NO_RENAMEAT2: Final = frozenset({errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP})
_NOT_REGULAR: Final = frozenset({errno.ELOOP, errno.ENXIO})  # a link; a socket
_AT_FDCWD: Final = -100  # from linux/fcntl.h: a path is relative to the working directory


class _Rename(IntEnum):
    """Flags of renameat2(2), from linux/fs.h."""

    NOREPLACE = 1
    EXCHANGE = 2


def disk_error(error: OSError, path: Path) -> BackendError:
    """The ``BackendError`` that says what the disk did and where, and what to do."""
    if error.errno in _NO_ROOM:
        return BackendError(
            f"no room left to write {path}",
            code="disk_full",
            hint=f"free space on the disk of {path.parent}, then run the same command again",
        )
    if error.errno in _NO_PERMISSION:
        return BackendError(
            f"no permission for {path}",
            code="no_permission",
            hint=f"make {path.parent} writable for this user, or choose another place",
        )
    reason = os.strerror(error.errno) if error.errno else type(error).__name__
    return BackendError(
        f"the disk failed at {path}: {reason}",
        code="disk",
        hint=f"check that {path.parent} exists and that its disk is well",
    )


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Inside, an ``OSError`` becomes a ``BackendError`` that names ``path``.

    Raises:
        BackendError: ``disk_full``, ``no_permission`` or ``disk``.
    """
    try:
        yield
    except OSError as error:
        raise disk_error(error, path) from None


def read_regular(
    path: Path | str, *, most_bytes: int, directory: int | None = None
) -> bytes | None:
    """The first ``most_bytes`` of a regular file; None where something else has its name.

    No link is followed and no named pipe waited for. ``path`` may be relative to a ``directory``
    that is open. What else the operating system says is an ``OSError``.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        number = os.open(path, flags, dir_fd=directory)
    except OSError as error:
        if error.errno in _NOT_REGULAR:
            return None
        raise
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        return None
    with os.fdopen(number, "rb") as file:
        return file.read(most_bytes)


def write_atomic(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """``path`` holds exactly ``data``, or what it held before; it is on the disk on return.

    Raises:
        BackendError: ``disk_full``, ``no_permission`` or ``disk``.
    """
    with disk_errors(path), _partial_file(path, data, mode) as partial:
        partial.replace(path)
        _sync(path.parent)


def create_atomic(path: Path, data: bytes, *, mode: int = 0o600) -> bool:
    """Whether this call made ``path``; False, and nothing changed, if it was there already.

    Of any number of processes that race for one path, exactly one gets True.

    Raises:
        BackendError: ``disk_full``, ``no_permission`` or ``disk``.
    """
    with disk_errors(path), _partial_file(path, data, mode) as partial:
        if not _linked_new(partial, path):
            return False
        _sync(path.parent)
    return True


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A file in the making: written to ``stream``, then put in place."""

    stream: BinaryIO
    partial: Path
    target: Path

    def place(self, *, overwrite: bool) -> None:
        """``target`` is what was written, durably, in one step.

        Raises:
            UsageError: ``target_exists`` without ``overwrite``.
            BackendError: ``disk_full``, ``no_permission`` or ``disk``.
        """
        with disk_errors(self.target):
            self.stream.flush()
            os.fsync(self.stream.fileno())
            if overwrite:
                self.partial.replace(self.target)
            elif not _linked_new(self.partial, self.target):
                raise target_exists(self.target)
            _sync(self.target.parent)


@contextmanager
def stage_file(target: Path, *, mode: int = 0o600) -> Iterator[StagedFile]:
    """A new empty file beside ``target``, gone at the end unless it was put in place.

    Raises:
        BackendError: ``disk_full``, ``no_permission`` or ``disk``.
    """
    with disk_errors(target), _open_partial(target, mode) as (stream, partial):
        yield StagedFile(stream, partial, target)


def target_exists(target: object) -> UsageError:
    """The refusal of a place that is taken."""
    return UsageError(
        f"{target} is there already",
        code="target_exists",
        hint="choose another place, or overwrite it with --force",
    )


@contextmanager
def stage_directory(target: Path, *, mode: int = 0o700) -> Iterator[Path]:
    """A new empty directory beside ``target``, gone at the end unless it was put in place.

    Entering removes what killed runs with the same target left behind. A directory is a leftover
    only if its process is dead and nobody holds its lock: the lock is for processes that another
    container cannot see.

    Raises:
        BackendError: ``disk_full``, ``no_permission`` or ``disk``.
    """
    with disk_errors(target):
        _restore_moved(target)
        _remove_leftovers(target)
        staged = _partial_name(target)
        staged.mkdir(mode=mode)
        lock = os.open(staged, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _try_lock(lock)
        yield staged
    finally:
        os.close(lock)
        shutil.rmtree(staged, ignore_errors=True)


def replace_directory(staged: Path, target: Path, *, overwrite: bool) -> None:
    """``target`` is what ``staged`` was, durably; ``staged`` and the old ``target`` are gone.

    With ``overwrite`` the two change places in one step and the old one is removed afterwards,
    whatever it holds: the caller makes sure that it is something that may be removed. Where the
    file system cannot exchange, the old one stands aside for a moment and the next
    ``stage_directory`` with this target brings it back if the process died in between.

    Raises:
        UsageError: ``target_exists`` without ``overwrite``; ``target_not_directory``.
        BackendError: ``disk_full``, ``no_permission`` or ``disk``.
    """
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise UsageError(
            f"{target} is there and is not a directory",
            code="target_not_directory",
            hint="choose another place",
        )
    with disk_errors(target):
        _sync_tree(staged)
        try:
            _rename_new(staged, target)
        except OSError as error:
            if error.errno not in {errno.EEXIST, errno.ENOTEMPTY}:
                raise
            if not overwrite:
                raise target_exists(target) from None
            _exchange(staged, target)
            shutil.rmtree(staged, ignore_errors=True)
        _sync(target.parent)


def staged_beside(target: Path) -> list[Path]:
    """The directories that runs with this target have staged and not put in place."""
    with disk_errors(target):
        found = _found_beside(target, "partial") if target.parent.is_dir() else ()
        return [path for path, _ in found if path.is_dir() and not path.is_symlink()]


def discard_directory(path: Path, *, staged_as: Path) -> None:
    """``path`` is gone in one step; what is left after a kill is a leftover of ``staged_as``.

    Raises:
        BackendError: ``no_permission`` or ``disk``.
    """
    with disk_errors(path):
        aside = _partial_name(staged_as)
        path.rename(aside)
        shutil.rmtree(aside)


def _linked_new(partial: Path, path: Path) -> bool:
    """Whether ``partial`` has the name ``path`` now; not if something had it."""
    try:
        if not _renameat2(partial, path, _Rename.NOREPLACE):
            path.hardlink_to(partial)
    except FileExistsError:
        return False
    return True


def _rename_new(staged: Path, target: Path) -> None:
    if _renameat2(staged, target, _Rename.NOREPLACE):
        return
    # A rename onto an empty directory would replace it without a word.
    if target.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    staged.rename(target)


def _exchange(staged: Path, target: Path) -> None:
    if _renameat2(staged, target, _Rename.EXCHANGE):
        return
    moved = _beside(target, "moved")
    target.rename(moved)
    staged.rename(target)
    moved.rename(staged)


def _renameat2(source: Path, target: Path, flag: _Rename) -> bool:
    """Whether the kernel, the C library and the file system could do it.

    Source: renameat2(2).
    """
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    ctypes.set_errno(0)
    names = (os.fsencode(source), os.fsencode(target))
    if call(_AT_FDCWD, names[0], _AT_FDCWD, names[1], ctypes.c_uint(flag)) == 0:
        return True
    number = ctypes.get_errno()
    if number in _NO_RENAMEAT2:
        return False
    raise OSError(number, os.strerror(number))


def _beside(target: Path, kind: str) -> Path:
    return target.with_name(f".{target.name}.{kind}-{os.getpid()}-{secrets.token_hex(4)}")


def _partial_name(target: Path) -> Path:
    return _beside(target, "partial")


@contextmanager
def _partial_file(target: Path, data: bytes, mode: int) -> Iterator[Path]:
    with _open_partial(target, mode) as (file, partial):
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        yield partial  # still open, thus still locked, until it has its name


@contextmanager
def _open_partial(target: Path, mode: int) -> Iterator[tuple[BinaryIO, Path]]:
    _remove_leftovers(target)
    partial = _partial_name(target)
    try:
        number = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(number, "wb") as file:
            _try_lock(file.fileno())
            os.fchmod(file.fileno(), mode)  # whatever the umask is
            yield file, partial
    finally:
        partial.unlink(missing_ok=True)


def _found_beside(target: Path, kind: str) -> Iterator[tuple[Path, int]]:
    """Paths of that kind for this very target, and the process that made each."""
    begins = f".{target.name}.{kind}-"
    form = re.compile(r"(\d+)-[0-9a-f]{8}")
    # Names alone: a ring of keys has tens of thousands of files in one folder.
    for name in os.listdir(target.parent):  # noqa: PTH208
        match = form.fullmatch(name, len(begins)) if name.startswith(begins) else None
        if match:
            yield target.with_name(name), int(match[1])


def _remove_leftovers(target: Path) -> None:
    for path, pid in _found_beside(target, "partial"):
        if _is_running(pid) or _is_locked(path):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _restore_moved(target: Path) -> None:
    for path, pid in _found_beside(target, "moved"):
        if _is_running(pid):
            continue
        if target.exists():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.rename(target)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _is_locked(path: Path) -> bool:
    try:
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        return not _try_lock(number)
    finally:
        os.close(number)


def _try_lock(number: int) -> bool:
    """False if another holds the lock; a file system without locks has no holders."""
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _sync_tree(root: Path) -> None:
    for directory, _, names in os.walk(root):
        for name in names:
            _sync(Path(directory, name))
        _sync(Path(directory))
