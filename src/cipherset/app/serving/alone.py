"""One gateway for one workspace: which proofs were used is known to one process.

Source: flock(2).
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cipherset.core.errors import UsageError
from cipherset.core.files import disk_errors

LOCK_FILE: Final = ".serving"


@contextmanager
def only_gateway(home: Path) -> Iterator[None]:
    """Inside, no other process of this machine serves the workspace; it ends with the process.

    Raises:
        UsageError: ``gateway_running``.
        BackendError: the folder cannot be written.
    """
    path = home / LOCK_FILE
    with disk_errors(path):
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                "another gateway serves this workspace",
                code="gateway_running",
                hint="end it first (SIGTERM), or serve another --home",
            ) from None
        yield
    finally:
        os.close(number)
