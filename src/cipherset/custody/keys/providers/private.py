"""Files that hold a secret: read only if nobody but their owner may read them."""

import os
import stat
from pathlib import Path
from typing import Final

from cipherset.core.errors import KeyAccessError
from cipherset.core.files import disk_errors

_LOOSE_BITS: Final = stat.S_IRWXG | stat.S_IRWXO


def read_private(path: Path) -> bytes:
    """The bytes of a file that only its owner may read.

    Raises:
        KeyAccessError: ``key_file_missing``, ``key_file_permissions``.
        BackendError: ``no_permission`` or ``disk``.
    """
    with disk_errors(path):
        try:
            with path.open("rb") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                content = file.read()
        except FileNotFoundError:
            raise KeyAccessError(
                f"{path} is missing, and keys cannot be opened without it",
                code="key_file_missing",
                hint="restore it from a backup; without it what it wrapped is lost",
            ) from None
    if mode & _LOOSE_BITS:
        raise KeyAccessError(
            f"{path} has permissions {mode:04o}: others than its owner may use it",
            code="key_file_permissions",
            hint=f"chmod 600 {path}, and replace its keys if somebody may have read it",
        )
    return content


def read_credential(path: Path) -> str:
    """The one line of text in a private file: a PIN or a token.

    Raises:
        KeyAccessError: ``credential_file``; as ``read_private``.
        BackendError: as ``read_private``.
    """
    line = read_private(path).removesuffix(b"\n").removesuffix(b"\r")
    if not line or not line.isascii() or not line.decode("ascii").isprintable():
        raise KeyAccessError(
            f"{path} is not one line of text",
            code="credential_file",
            hint="put the PIN or the token on its only line",
        )
    return line.decode("ascii")
