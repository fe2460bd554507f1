"""``file:``: the key-encryption key is in a file, or is made from a file and a passphrase."""

import base64
import binascii
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, final
from urllib.parse import SplitResult, unquote

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from cipherset.core import canonical
from cipherset.core.errors import IntegrityError, KeyAccessError
from cipherset.core.files import create_atomic
from cipherset.core.secret import SECRET_BYTES, Secret
from cipherset.custody.keys.providers.address import parameters
from cipherset.custody.keys.providers.aead import unwrap_under, wrap_under
from cipherset.custody.keys.providers.private import read_private

RANDOM_SCHEMA: Final = "cipherset/kek/1"
SCRYPT_SCHEMA: Final = "cipherset/kek-scrypt/1"

# 128 MiB and about half a second for each guess: twice RFC 7914's advice for files (2**20 of
# memory cost is slower than a command may be, 2**14 is for logins).
_SCRYPT_N: Final = 2**17
_SCRYPT_R: Final = 8
_SCRYPT_P: Final = 1
_SALT_BYTES: Final = 32


def open_file(uri: str, parts: SplitResult, home: Path) -> "FileProvider":
    """The provider of ``file:PATH`` or ``file:PATH?passphrase-file=PATH``.

    Raises:
        InputError: ``provider_uri``.
    """
    if not parts.query:
        passphrase = None
    else:
        found = parameters(parts, required=frozenset({"passphrase-file"}))
        passphrase = home / found["passphrase-file"]
    return FileProvider(uri=uri, path=home / unquote(parts.path), passphrase_file=passphrase)


@final
class FileProvider:
    """AES-256-GCM under a KEK that is in a file, or is made from a file and a passphrase.

    Whoever can read the file (and the passphrase) has the KEK.

    Permissions: both files must be readable by their owner only (0600 or 0400).
    """

    __slots__ = ("_kek", "_passphrase_file", "_path", "uri")

    def __init__(self, *, uri: str, path: Path, passphrase_file: Path | None) -> None:
        """Remember the places; nothing is read or made before it is used."""
        self.uri = uri
        self._path = path
        self._passphrase_file = passphrase_file
        self._kek: Secret | None = None

    def wrap(self, plaintext: Secret, associated_data: bytes) -> bytes:
        """The wrapped secret; makes the KEK file if it is not there.

        Raises:
            KeyAccessError: ``key_file_permissions``, ``key_file``, ``passphrase``.
            BackendError: the files cannot be read or written.
        """
        if not self._path.exists():
            # Of several processes one makes the file; all read what is there then.
            create_atomic(self._path, canonical.encode(self._new_file()))
        return wrap_under(self._opened(), plaintext, associated_data)

    def unwrap(self, wrapped: bytes, associated_data: bytes) -> Secret:
        """The secret.

        Raises:
            KeyAccessError: ``key_unwrap``; ``key_file_missing``, ``key_file_permissions``,
                ``key_file``, ``passphrase``.
            BackendError: the files cannot be read.
        """
        secret = unwrap_under(self._opened(), wrapped, associated_data)
        if secret is None:
            raise KeyAccessError(
                f"a key does not open with {self._path}: another key or passphrase wrapped it, "
                "or it was changed",
                code="key_unwrap",
                hint="use the key file and the passphrase that it was made with",
            )
        return secret

    def _new_file(self) -> dict[str, str]:
        if self._passphrase_file is None:
            return {"key": _base64(os.urandom(SECRET_BYTES)), "schema": RANDOM_SCHEMA}
        return {"salt": _base64(os.urandom(_SALT_BYTES)), "schema": SCRYPT_SCHEMA}

    def _opened(self) -> Secret:
        if self._kek is None:
            self._kek = self._read_kek()  # kept: the passphrase costs half a second
        return self._kek

    def _read_kek(self) -> Secret:
        content = self._content()
        try:
            if self._passphrase_file is None:
                return Secret(_bytes(content["key"]))
            salt = _bytes(content["salt"])
        except (KeyError, TypeError, ValueError):
            raise self._bad_file() from None
        scrypt = Scrypt(salt=salt, length=SECRET_BYTES, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P)
        return Secret(scrypt.derive(_passphrase(self._passphrase_file)))

    def _content(self) -> Mapping[str, object]:
        raw = read_private(self._path)
        expected = RANDOM_SCHEMA if self._passphrase_file is None else SCRYPT_SCHEMA
        try:
            content = canonical.decode(raw, what="the key file")
        except IntegrityError:
            raise self._bad_file() from None
        if not isinstance(content, dict) or content.get("schema") != expected:
            raise self._bad_file()
        return content

    def _bad_file(self) -> KeyAccessError:
        made = "without" if self._passphrase_file is None else "with"
        return KeyAccessError(
            f"{self._path} is not a key file made {made} a passphrase",
            code="key_file",
            hint="give the provider that the file was made with, or restore it from a backup",
        )

    def __repr__(self) -> str:
        return f"FileProvider({self._path.name!r})"


def _passphrase(path: Path) -> bytes:
    passphrase = read_private(path).removesuffix(b"\n").removesuffix(b"\r")
    if not passphrase:
        raise KeyAccessError(
            f"the passphrase file {path} is empty",
            code="passphrase",
            hint="put the passphrase on its first line",
        )
    return passphrase


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: object) -> bytes:
    if not isinstance(text, str):
        raise TypeError("base64 is text")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
