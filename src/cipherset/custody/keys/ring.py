"""The key ring: one JSON file per key, and the workspace's signing key.

A file holds what a key is called and, for each version, its secret wrapped by a provider. The
secret is bound to key id, version and purpose: a wrapped secret moved to another file, or a
purpose edited, does not open. Files are made in one step and never half-written, so the ring can
be read whatever killed the process that wrote it.
"""

import base64
import binascii
import hashlib
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from securesystemslib.signer import CryptoSigner, Signer, SSlibKey

from cipherset.core import canonical
from cipherset.core.errors import InputError, IntegrityError, KeyAccessError, UsageError
from cipherset.core.files import create_atomic, disk_errors
from cipherset.core.secret import SECRET_BYTES, KeyHandle, Secret
from cipherset.custody.keys.providers import KeyProvider, open_provider

KEY_SCHEMA: Final = "cipherset/key/1"
SIGNER_SCHEMA: Final = "cipherset/signer/1"
DEFAULT_PROVIDER: Final = "file:kek"
UTC_CLOCK: Final = partial(datetime.now, UTC)

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_ID: Final = re.compile(rf"(?P<name>{_NAME.pattern})-[0-9a-f]{{16}}")
_ID_BYTES: Final = 8
_SIGNER_FILE: Final = "_signer.json"  # no key's name begins with _


class KeyStatus(StrEnum):
    """What a key may be used for."""

    ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What a key is called and where its secret is kept; nothing of the secret.

    ``version``, ``status`` and ``provider`` are those of the newest version; ``created`` is UTC,
    ISO 8601.
    """

    key_id: str
    name: str
    version: int
    status: KeyStatus
    provider: str
    purpose: str
    created: str


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


_Form = TypeVar("_Form", bound=_Stored)


class _Version(_Stored):
    version: int = Field(ge=1)
    status: KeyStatus
    provider: str
    created: str
    wrapped: str


class _KeyFile(_Stored):
    schema_: str = Field(alias="schema", pattern=f"^{KEY_SCHEMA}$")
    key_id: str
    name: str
    purpose: str
    versions: tuple[_Version, ...] = Field(min_length=1)


class _SignerFile(_Stored):
    schema_: str = Field(alias="schema", pattern=f"^{SIGNER_SCHEMA}$")
    fingerprint: str
    provider: str
    created: str
    wrapped: str


class KeyRing:
    """The keys of one workspace, in ``<home>/keys``.

    Relative paths in provider URIs are relative to ``home``, so that a workspace can be moved;
    the default provider is ``<home>/kek``.
    """

    def __init__(
        self,
        home: Path,
        *,
        default_provider: str = DEFAULT_PROVIDER,
        clock: Callable[[], datetime] = UTC_CLOCK,
    ) -> None:
        """The ring of the workspace ``home``; its directory is made when the first key is."""
        self._home = home
        self._directory = home / "keys"
        self._default_provider = default_provider
        self._clock = clock
        self._providers: dict[str, KeyProvider] = {}

    def create(self, name: str, *, purpose: str = "", provider_uri: str | None = None) -> KeyInfo:
        """A new key with a fresh random secret, version 1.

        Raises:
            InputError: ``key_name``; ``provider_uri``.
            UsageError: ``key_exists``; of processes that race for a name one wins.
            KeyAccessError: the provider's key cannot be used.
            BackendError: ``disk_full``, ``no_permission`` or ``disk``.
        """
        path = self._path(name)
        self._make_directory()
        if path.exists() or self._find(name) is not None:
            raise _exists(name)
        uri = self._default_provider if provider_uri is None else provider_uri
        key_id = f"{name}-{secrets.token_hex(_ID_BYTES)}"
        bound = _bound(key_id, version=1, purpose=purpose)
        wrapped = self._wrap(uri, Secret(os.urandom(SECRET_BYTES)), bound)
        version = {
            "version": 1,
            "status": KeyStatus.ACTIVE.value,
            "provider": uri,
            "created": self._now(),
            "wrapped": base64.b64encode(wrapped).decode(),
        }
        content = {
            "schema": KEY_SCHEMA,
            "key_id": key_id,
            "name": name,
            "purpose": purpose,
            "versions": [version],
        }
        if not create_atomic(path, canonical.encode(content)):
            raise _exists(name)
        return _info(self._read(path))

    def get(self, name_or_id: str) -> KeyInfo:
        """The key of that name or id.

        Raises:
            InputError: ``key_name``.
            KeyAccessError: ``key_unknown``; ``key_corrupt``.
        """
        return _info(self._known(name_or_id))

    def open(self, name_or_id: str, version: int | None = None) -> KeyHandle:
        """A handle on one version's secret; the newest version if none is named.

        Raises:
            InputError: ``key_name``.
            KeyAccessError: ``key_unknown``, ``key_version_unknown``, ``key_corrupt``,
                ``key_unwrap``, or the provider's key cannot be used.
        """
        key = self._known(name_or_id)
        wanted = key.versions[-1].version if version is None else version
        for stored in key.versions:
            if stored.version == wanted:
                bound = _bound(key.key_id, version=wanted, purpose=key.purpose)
                secret = self._unwrap(stored, bound)
                return KeyHandle(key.key_id, wanted, secret)
        raise KeyAccessError(
            f"key {key.key_id} has no version {wanted}",
            code="key_version_unknown",
            hint=f"cipherset key show {key.name}",
        )

    def signer(self) -> Signer:
        """The workspace's Ed25519 signer; its key id is the fingerprint.

        The fingerprint is the hex SHA-256 of the raw 32-byte public key. The key is made on first
        use, under the ring's default provider.

        Raises:
            KeyAccessError: ``key_corrupt``, ``key_unwrap``, or the provider's key cannot be used.
            BackendError: ``disk_full``, ``no_permission`` or ``disk``.
        """
        path = self._directory / _SIGNER_FILE
        if not path.exists():
            self._create_signer(path)
        stored = _parse(_SignerFile, path)
        secret = self._unwrap(stored, _signer_bound(stored.fingerprint))
        private = Ed25519PrivateKey.from_private_bytes(secret.reveal())
        fingerprint = _fingerprint(private)
        if fingerprint != stored.fingerprint:
            raise _corrupt(path)
        public = SSlibKey.from_crypto(private.public_key(), fingerprint, "ed25519")
        return CryptoSigner(private, public)

    def list(self) -> tuple[KeyInfo, ...]:
        """All keys, by name.

        Raises:
            KeyAccessError: ``key_corrupt``.
            BackendError: the directory cannot be read.
        """
        return tuple(_info(self._read(path)) for path in self._paths())

    def _paths(self) -> tuple[Path, ...]:
        with disk_errors(self._directory):
            return tuple(sorted(self._directory.glob("[!._]*.json")))

    def _create_signer(self, path: Path) -> None:
        self._make_directory()
        private = Ed25519PrivateKey.generate()
        fingerprint = _fingerprint(private)
        secret = Secret(private.private_bytes_raw())
        wrapped = self._wrap(self._default_provider, secret, _signer_bound(fingerprint))
        content = {
            "schema": SIGNER_SCHEMA,
            "fingerprint": fingerprint,
            "provider": self._default_provider,
            "created": self._now(),
            "wrapped": base64.b64encode(wrapped).decode(),
        }
        # If another process was first, its key is the key.
        create_atomic(path, canonical.encode(content))

    def _make_directory(self) -> None:
        with disk_errors(self._directory):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _known(self, name_or_id: str) -> _KeyFile:
        key = self._find(name_or_id)
        if key is not None:
            return key
        is_id = _ID.fullmatch(name_or_id) is not None
        raise KeyAccessError(
            f"there is no key {name_or_id} in {self._directory}",
            code="key_unknown",
            hint="use the workspace that the key is in (--home)"
            if is_id
            else f"cipherset key create {name_or_id}",
        )

    def _find(self, name_or_id: str) -> _KeyFile | None:
        match = _ID.fullmatch(name_or_id)
        if match:
            path = self._path(match["name"])
            if path.exists() and (key := self._read(path)).key_id == name_or_id:
                return key
        path = self._path(name_or_id)
        return self._read(path) if path.exists() else None

    def _path(self, name: str) -> Path:
        if not (_NAME.fullmatch(name) or _ID.fullmatch(name)):
            raise InputError(
                f"{name!r} is not a key's name",
                code="key_name",
                hint="use 1 to 63 of a-z, 0-9, dot, dash and underscore; a letter or digit first",
            )
        return self._directory / f"{name}.json"

    def _read(self, path: Path) -> _KeyFile:
        key = _parse(_KeyFile, path)
        if key.name != path.name.removesuffix(".json"):
            raise _corrupt(path)
        return key

    def _unwrap(self, stored: _Version | _SignerFile, bound: bytes) -> Secret:
        try:
            wrapped = base64.b64decode(stored.wrapped, validate=True)
        except binascii.Error:
            wrapped = b""  # opens nothing
        return self._provider(stored.provider).unwrap(wrapped, bound)

    def _wrap(self, uri: str, secret: Secret, bound: bytes) -> bytes:
        """``secret`` wrapped, by a provider that still opens what it has wrapped before.

        One that has lost its own key would make a new one here, and hide the loss.
        """
        for key in map(self._read, self._paths()):
            for old in key.versions:
                if old.provider == uri:
                    then = _bound(key.key_id, version=old.version, purpose=key.purpose)
                    self._unwrap(old, then)
                    return self._provider(uri).wrap(secret, bound)
        return self._provider(uri).wrap(secret, bound)

    def _provider(self, uri: str) -> KeyProvider:
        if uri not in self._providers:
            self._providers[uri] = open_provider(uri, home=self._home)
        return self._providers[uri]

    def _now(self) -> str:
        return self._clock().astimezone(UTC).isoformat()

    def __repr__(self) -> str:
        return f"KeyRing({str(self._home)!r})"


def _bound(key_id: str, *, version: int, purpose: str) -> bytes:
    return canonical.encode(
        {
            "key_id": key_id,
            "purpose": purpose,
            "schema": KEY_SCHEMA,
            "version": version,
        }
    )


def _signer_bound(fingerprint: str) -> bytes:
    return canonical.encode({"fingerprint": fingerprint, "schema": SIGNER_SCHEMA})


def _fingerprint(private: Ed25519PrivateKey) -> str:
    return hashlib.sha256(private.public_key().public_bytes_raw()).hexdigest()


def _info(key: _KeyFile) -> KeyInfo:
    newest = key.versions[-1]
    return KeyInfo(
        key_id=key.key_id,
        name=key.name,
        version=newest.version,
        status=newest.status,
        provider=newest.provider,
        purpose=key.purpose,
        created=newest.created,
    )


def _parse(form: type[_Form], path: Path) -> _Form:
    with disk_errors(path):
        raw = path.read_bytes()
    try:
        return form.model_validate(canonical.decode(raw, what=str(path)))
    except (ValidationError, IntegrityError):
        raise _corrupt(path) from None


def _corrupt(path: Path) -> KeyAccessError:
    return KeyAccessError(
        f"{path} is not a file that a key ring wrote, or it was changed",
        code="key_corrupt",
        hint="restore it from a backup; what is sealed under it cannot be opened without it",
    )


def _exists(name: str) -> UsageError:
    return UsageError(
        f"there is a key {name} already",
        code="key_exists",
        hint=f"choose another name, or use it as it is: cipherset key show {name}",
    )
