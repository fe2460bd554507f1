"""``file:?keyring=SERVICE``: the key-encryption key is in the keyring of the operating system."""

import base64
import binascii
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, final
from urllib.parse import SplitResult

import keyring
from keyring.errors import KeyringError, KeyringLocked, NoKeyringError

from cipherset.core.secret import SECRET_BYTES, Secret
from cipherset.custody.keys.lock import changing
from cipherset.custody.keys.providers import refusals
from cipherset.custody.keys.providers.address import bad_uri, parameters
from cipherset.custody.keys.providers.aead import unwrap_under, wrap_under

ACCOUNT: Final = "cipherset-kek"


def open_keyring(uri: str, parts: SplitResult, home: Path) -> "KeyringProvider":
    """The provider of ``file:?keyring=SERVICE``.

    Raises:
        InputError: ``provider_uri``.
    """
    service = parameters(parts, required=frozenset({"keyring"}))["keyring"]
    if parts.path:
        raise bad_uri("what is in a keyring has no path", scheme=parts.scheme)
    return KeyringProvider(uri=uri, service=service, home=home)


@final
class KeyringProvider:
    """AES-256-GCM under a random KEK that the operating system's keyring keeps for its user.

    Whoever is logged in as that user has the KEK while the keyring is unlocked, and so has every
    program of theirs. A service is for one workspace: the first wrap makes its KEK.

    Permissions: the user's default keyring, unlocked; run against the Secret Service of Linux.
    """

    __slots__ = ("_home", "_kek", "_service", "uri")

    def __init__(self, *, uri: str, service: str, home: Path) -> None:
        """Remember the place; nothing is asked or made before it is used."""
        self.uri = uri
        self._service = service
        self._home = home
        self._kek: Secret | None = None

    def wrap(self, plaintext: Secret, associated_data: bytes) -> bytes:
        """The wrapped secret; makes the KEK if it is not there.

        Raises:
            KeyAccessError: ``provider_locked``, ``kek_unsuitable``.
            BackendError: ``provider_unreachable``, ``provider_failed``.
        """
        if self._kek is None:
            # Of several processes one makes it; all read what is there then.
            lock = self._home / ".keyring"
            lock.mkdir(mode=0o700, exist_ok=True)
            with changing(lock), self._answering():
                if keyring.get_password(self._service, ACCOUNT) is None:
                    made = base64.b64encode(os.urandom(SECRET_BYTES)).decode()
                    keyring.set_password(self._service, ACCOUNT, made)
        return wrap_under(self._opened(), plaintext, associated_data)

    def unwrap(self, wrapped: bytes, associated_data: bytes) -> Secret:
        """The secret.

        Raises:
            KeyAccessError: ``key_unwrap``, ``kek_missing``, ``provider_locked``,
                ``kek_unsuitable``.
            BackendError: ``provider_unreachable``, ``provider_failed``.
        """
        secret = unwrap_under(self._opened(), wrapped, associated_data)
        if secret is None:
            raise refusals.not_unwrapped(self._where)
        return secret

    def _opened(self) -> Secret:
        if self._kek is None:
            self._kek = self._read()
        return self._kek

    def _read(self) -> Secret:
        with self._answering():
            text = keyring.get_password(self._service, ACCOUNT)
        if text is None:
            raise refusals.missing(self._where)
        try:
            raw = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) != SECRET_BYTES:
            raise refusals.unsuitable(self._where, "it is not 32 bytes in base64")
        return Secret(raw)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except NoKeyringError:
            raise refusals.unreachable(self._where, "there is no keyring here") from None
        except (KeyringLocked, EOFError):  # the latter where it asks at a terminal that is none
            raise refusals.locked(self._where, "nobody has unlocked it") from None
        except KeyringError as error:
            raise refusals.failed(self._where, type(error).__name__) from None

    @property
    def _where(self) -> str:
        return f"the keyring's service {self._service}"

    def __repr__(self) -> str:
        return f"KeyringProvider({self._service!r})"
