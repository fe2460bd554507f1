"""One writer at a time: the lock of a folder, which dies with the process that holds it.

Changing a key is reading its file, working out the next one, and putting that in place. Of two
processes that did this at once, one would lose its version; so each holds the lock meanwhile. So it
is with exports, which are put in place after a look at all others. The lock file stays, empty.
Source: flock(2).
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cipherset.core.files import disk_errors

LOCK_FILE: Final = ".lock"


@contextmanager
def changing(directory: Path) -> Iterator[None]:
    """Inside, nobody else changes what is in ``directory`` or relies on it not to change.

    Raises:
        BackendError: the lock cannot be had, such as where the file system has none.
    """
    with _locked(directory, fcntl.LOCK_EX):
        yield


@contextmanager
def relying(directory: Path) -> Iterator[None]:
    """Inside, nobody changes what is in ``directory``; any number may rely on that at once.

    Raises:
        BackendError: as ``changing``.
    """
    with _locked(directory, fcntl.LOCK_SH):
        yield


@contextmanager
def _locked(directory: Path, kind: int) -> Iterator[None]:
    path = directory / LOCK_FILE
    with disk_errors(path):
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with disk_errors(path):
            fcntl.flock(number, kind)  # waits
        yield
    finally:
        os.close(number)
