"""``hcvault:``: the key-encryption key is in the Transit engine of OpenBao or Vault.

A wrapped secret is the ASCII text that Transit returns (``vault:v1:…``), which names the version
of its key. Transit's default type of key, aes256-gcm96, binds the associated data.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, final
from urllib.parse import SplitResult, unquote

import hvac
import requests
from hvac import exceptions as answers

from cipherset.core.errors import CiphersetError, InputError
from cipherset.core.secret import Secret
from cipherset.custody.keys.providers import refusals
from cipherset.custody.keys.providers.address import bad_uri, parameters, service
from cipherset.custody.keys.providers.private import read_credential
from cipherset.custody.keys.providers.retry import retried

_TIMEOUTS_S: Final = (3.0, 10.0)  # to connect, and between two reads
# Transit reads v0 as v1, and line ends anywhere: only what it writes itself is passed on to it.
_WRAPPED: Final = re.compile(rb"vault:v[1-9][0-9]*:([A-Za-z0-9+/]+={0,2})")
_PASSING: Final = (
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    answers.BadGateway,
    answers.InternalServerError,
    answers.RateLimitExceeded,
)


class _SealedError(Exception):
    """It answers that it is sealed; waiting does not help."""


def open_hcvault(uri: str, parts: SplitResult, home: Path) -> "TransitProvider":
    """The provider of ``hcvault:MOUNT/keys/NAME?address=…&token-file=…`` and ``&ca-file=…``.

    Raises:
        InputError: ``provider_uri``; a token in the URI itself is not taken.
    """
    mount, keys, name = unquote(parts.path).rpartition("/keys/")
    if not (mount and keys and name) or "/" in name or ".." in mount:
        raise bad_uri("its path is not MOUNT/keys/NAME", scheme="hcvault")
    found = parameters(
        parts, required=frozenset({"address", "token-file"}), optional=frozenset({"ca-file"})
    )
    ca_file = found.get("ca-file")
    return TransitProvider(
        uri=uri,
        address=service(found["address"], scheme="hcvault"),
        key=(mount, name),
        token_file=home / found["token-file"],
        ca_file=None if ca_file is None else home / ca_file,
    )


@final
class TransitProvider:
    """Transit's ``encrypt`` and ``decrypt`` with associated data.

    Permissions: ``update`` on ``MOUNT/encrypt/NAME`` to wrap and on ``MOUNT/decrypt/NAME`` to
    unwrap; a token with the second alone can open what is there and wrap nothing. With ``create``
    on the first, Transit makes a key that is not there. The token's file must be readable by its
    owner only (0600 or 0400); it is read at each call, so it can be replaced while in use.
    """

    __slots__ = ("_address", "_ca_file", "_mount", "_name", "_token_file", "uri")

    def __init__(
        self,
        *,
        uri: str,
        address: str,
        key: tuple[str, str],
        token_file: Path,
        ca_file: Path | None,
    ) -> None:
        """Remember the places (``key``: mount and name); nothing is asked before it is used."""
        self.uri = uri
        self._address = address
        self._mount, self._name = key
        self._token_file = token_file
        self._ca_file = ca_file

    def wrap(self, plaintext: Secret, associated_data: bytes) -> bytes:
        """The wrapped secret.

        Raises:
            KeyAccessError: ``provider_denied``, ``provider_locked`` (sealed), ``kek_missing``,
                ``kek_unsuitable``, ``credential_file``, ``key_file_missing``,
                ``key_file_permissions``.
            BackendError: ``provider_unreachable``, ``provider_certificate``, ``provider_failed``.
        """
        answer = self._ask(
            lambda client: client.secrets.transit.encrypt_data(
                name=self._name,
                mount_point=self._mount,
                plaintext=_base64(plaintext.reveal()),
                associated_data=_base64(associated_data),
            )
        )
        return self._text_in(answer, "ciphertext").encode("ascii")

    def unwrap(self, wrapped: bytes, associated_data: bytes) -> Secret:
        """The secret.

        Raises:
            KeyAccessError: ``key_unwrap``, ``key_disabled`` (that version of the key); else as
                ``wrap``.
            BackendError: as ``wrap``.
        """
        if not _is_as_written(wrapped):
            raise refusals.not_unwrapped(self._where)
        answer = self._ask(
            lambda client: client.secrets.transit.decrypt_data(
                name=self._name,
                mount_point=self._mount,
                ciphertext=wrapped.decode("ascii"),
                associated_data=_base64(associated_data),
            )
        )
        try:
            return Secret(base64.b64decode(self._text_in(answer, "plaintext"), validate=True))
        except (InputError, binascii.Error):
            raise refusals.not_unwrapped(self._where) from None

    @property
    def _where(self) -> str:
        return f"{self._address}, {self._mount}/keys/{self._name}"

    def _ask(self, call: Callable[[hvac.Client], object]) -> object:
        token = read_credential(self._token_file)

        def once() -> object:
            try:
                return call(client)
            except answers.VaultDown as error:
                if "sealed" in _words(error):
                    raise _SealedError from None
                raise requests.exceptions.ConnectionError from None

        # No redirects: requests would show the token to wherever one leads.
        with requests.Session() as session:
            # On the session, because hvac prefers what stands there to its own argument.
            session.verify = True if self._ca_file is None else str(self._ca_file)
            client = hvac.Client(
                url=self._address,
                token=token,
                timeout=_TIMEOUTS_S,
                allow_redirects=False,
                session=session,
            )
            try:
                return retried(once, passing=_PASSING)
            except (
                _SealedError,
                OSError,  # all that requests raises, and a ca-file that is not there
                answers.VaultError,
            ) as error:
                raise self._refusal(error) from None

    def _refusal(self, error: Exception) -> CiphersetError:
        kind = type(error).__name__
        if isinstance(error, _SealedError):
            return refusals.locked(self._where, "it is sealed")
        if isinstance(error, requests.exceptions.SSLError):
            return refusals.untrusted(self._where)
        if isinstance(error, answers.Forbidden | answers.Unauthorized):
            why = f"the token in {self._token_file} may not do this"
            return refusals.denied(self._where, why)
        if isinstance(error, answers.InvalidPath):
            return refusals.missing(self._where)
        if isinstance(error, answers.InvalidRequest):
            return self._invalid(_words(error))
        if isinstance(error, (OSError, *_PASSING)):
            return refusals.unreachable(self._where, kind)
        return refusals.failed(self._where, kind)

    def _invalid(self, words: str) -> CiphersetError:
        """What Transit tells by its words alone; they hold no data, but are not repeated."""
        if "encryption key not found" in words:
            return refusals.missing(self._where)
        if "disallowed by policy" in words:
            return refusals.disabled(self._where, "its version is below min_decryption_version")
        if "non-aead" in words or "missing 'context'" in words or "not supported" in words:
            return refusals.unsuitable(self._where, "it must be of type aes256-gcm96, not derived")
        if "ciphertext" in words or "authentication failed" in words:
            return refusals.not_unwrapped(self._where)
        return refusals.failed(self._where, "an invalid request")

    def _text_in(self, answer: object, name: str) -> str:
        content = answer.get("data") if isinstance(answer, Mapping) else None
        value = content.get(name) if isinstance(content, Mapping) else None
        if not isinstance(value, str) or not value.isascii():
            raise refusals.failed(self._where, f"no {name} in it")
        return value

    def __repr__(self) -> str:
        return f"TransitProvider({self._mount!r}, {self._name!r})"


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _is_as_written(wrapped: bytes) -> bool:
    match = _WRAPPED.fullmatch(wrapped)
    try:
        return match is not None and base64.b64encode(base64.b64decode(match[1])) == match[1]
    except binascii.Error:
        return False


def _words(error: answers.VaultError) -> str:
    return " ".join(map(str, error.errors or ())).lower()
