"""The key ring: one JSON file per key, and the workspace's signing key.

A file holds what a key is called and, for each version, its status and its secret wrapped by a
provider. The secret is bound to key id, version, purpose and the places where the key may be used:
a wrapped secret moved to another file, or one of these edited, does not open. Files are put in
place in one step and never half-written, so the ring can be read whatever killed the process that
wrote it; and no secret is written before the provider has shown that it opens what it wrapped.
"""

import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner, Signer, SSlibKey

from cipherset.core.errors import InputError, KeyAccessError, UsageError
from cipherset.core.files import create_atomic, disk_errors, write_atomic
from cipherset.core.protocols import KeyVersion
from cipherset.core.secret import SECRET_BYTES, KeyHandle, Secret
from cipherset.custody.keys import lifecycle
from cipherset.custody.keys.lifecycle import Admit, KeyUse, admit_unbound
from cipherset.custody.keys.lock import changing, relying
from cipherset.custody.keys.proven import Proven, key_paths
from cipherset.custody.keys.stored import (
    SIGNER_SCHEMA,
    KeyInfo,
    KeyStatus,
    StoredKey,
    StoredSigner,
    StoredVersion,
    corrupt,
    look_at_any,
    read_key,
    read_signer,
    signer_bound,
)
from cipherset.custody.keys.wrapping import Wrapper

DEFAULT_PROVIDER: Final = "file:kek"
UTC_CLOCK: Final = partial(datetime.now, UTC)

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_ID: Final = re.compile(rf"(?P<name>{_NAME.pattern})-[0-9a-f]{{16}}")
_ID_BYTES: Final = 8
SIGNER_FILE: Final = "_signer.json"  # no key's name begins with _


class KeyRing:
    """The keys of one workspace, in ``<home>/keys``.

    Relative paths in provider URIs are relative to ``home``, so that a workspace can be moved;
    the default provider is ``<home>/kek``. ``admit`` is asked before any secret is opened for a
    use, and raises where it may not be.
    """

    def __init__(
        self,
        home: Path,
        *,
        default_provider: str = DEFAULT_PROVIDER,
        clock: Callable[[], datetime] = UTC_CLOCK,
        admit: Admit = admit_unbound,
    ) -> None:
        """The ring of the workspace ``home``; its directory is made when the first key is."""
        self._home = home
        self._directory = home / "keys"
        self._default_provider = default_provider
        self._clock = clock
        self._admit = admit
        self._wrapper = Wrapper(home)
        self._proven = Proven(self._directory)

    def create(
        self,
        name: str,
        *,
        purpose: str = "",
        provider_uri: str | None = None,
        only_in: Sequence[str] = (),
        tenant: str | None = None,
    ) -> KeyInfo:
        """A new key with a fresh random secret, version 1, active, to be used ``only_in`` places.

        Of a key of a ``tenant`` that name is bound to the secret, as its purpose is.

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
        key = StoredKey.new(key_id, name, purpose=purpose, tenant=tenant).bound_to(only_in)
        first = self._new_version(uri, key, version=1)
        if not create_atomic(path, key.with_versions(first).encode()):
            raise _exists(name)
        return read_key(path).info()

    def rotate(self, name_or_id: str, *, provider_uri: str | None = None) -> KeyInfo:
        """A new version with a fresh random secret, active; what was active is retiring now.

        Of processes that rotate one key at once each makes a version. Without a URI the new
        version is wrapped by the provider of the latest one.

        Raises:
            InputError: ``key_name``; ``provider_uri``.
            KeyAccessError: ``key_unknown``; ``key_corrupt``; the provider's key cannot be used.
            PolicyError: ``key_environment``.
            BackendError: ``disk_full``, ``no_permission`` or ``disk``.
        """
        with self._changing(name_or_id) as key:
            self._admit(key.info(), "rotate")
            latest = key.versions[-1]
            uri = latest.provider if provider_uri is None else provider_uri
            added = self._new_version(uri, key, version=latest.version + 1)
            self._replace(lifecycle.rotated(key, added, self._now()))
        return self.get(key.key_id).about(added.version)

    def retire(self, name_or_id: str, version: int | None = None) -> KeyInfo:
        """That version retired, or the one that is retiring: kept, and used for nothing.

        Raises:
            UsageError: ``key_transition``; ``key_version_needed``.
            KeyAccessError: ``key_unknown``; ``key_version_unknown``; ``key_corrupt``.
            BackendError: ``disk_full``, ``no_permission`` or ``disk``.
        """
        with self._changing(name_or_id) as key:
            found = lifecycle.to_retire(key, version)
            self._replace(key.with_version(found.moved(KeyStatus.RETIRED, self._now())))
        return self.get(key.key_id).about(found.version)

    def destroy(
        self, name_or_id: str, version: int | None = None, *, force: bool = False
    ) -> KeyInfo:
        """That version without its secret, or the one that is retired: a tombstone stays.

        What killed runs left beside the key's file is removed too, as it may hold the wrapped
        secret. Backups, and blocks that the disk has not used again, may hold it still.

        Raises:
            UsageError: ``key_transition``; ``key_version_needed``.
            PolicyError: ``key_not_retired``, without ``force``.
            KeyAccessError: ``key_unknown``; ``key_version_unknown``; ``key_corrupt``.
            BackendError: ``disk_full``, ``no_permission`` or ``disk``.
        """
        with self._changing(name_or_id) as key:
            found = lifecycle.to_destroy(key, version, force=force)
            if found.status is not KeyStatus.DESTROYED:
                self._replace(key.with_version(found.tombstone(self._now())))
            self._remove_partial(key.name)
        return self.get(key.key_id).about(found.version)

    def bind(self, name_or_id: str, only_in: Sequence[str]) -> KeyInfo:
        """The key bound to other places, or to none: every secret is wrapped again, or none is.

        A copy of the file as it was before opens as it did before.

        Raises:
            KeyAccessError: ``key_unknown``; ``key_corrupt``; a version that is not destroyed does
                not open, or its provider's key cannot be used.
            PolicyError: ``key_environment``: this is none of the places so far.
            BackendError: ``disk_full``, ``no_permission`` or ``disk``.
        """
        with self._changing(name_or_id) as key:
            self._admit(key.info(), "bind")
            changed = key.bound_to(only_in)
            versions = [self._wrapped_again(old, key, changed) for old in key.versions]
            self._replace(changed.with_versions(*versions))
            self._remove_partial(key.name)
        return self.get(key.key_id)

    def get(self, name_or_id: str) -> KeyInfo:
        """The key of that name or id.

        Raises:
            InputError: ``key_name``.
            KeyAccessError: ``key_unknown``; ``key_corrupt``.
        """
        return self._known(name_or_id).info()

    def find(self, name_or_id: str) -> KeyInfo | None:
        """The key of that name or id, or None where there is none, or it is no name.

        One file is read, whether it is there and however many others are.

        Raises:
            KeyAccessError: ``key_corrupt``.
            BackendError: the file cannot be read.
        """
        known = self._find(name_or_id) if _is_name(name_or_id) else None
        if known is not None:
            return known.info()
        look_at_any(self._directory)
        return None

    def open(self, name_or_id: str, version: int | None = None, *, purpose: KeyUse) -> KeyHandle:
        """A handle on one version's secret; the active version if none is named.

        Raises:
            InputError: ``key_name``.
            KeyAccessError: ``key_unknown``, ``key_version_unknown``, ``key_corrupt``,
                ``key_retiring``, ``key_retired``, ``key_destroyed``, ``key_unwrap``, or the
                provider's key cannot be used.
            PolicyError: ``key_environment``.
        """
        key = self._known(name_or_id)
        stored = lifecycle.usable(key, version, purpose)
        self._admit(key.info(), purpose.name.lower())
        return KeyHandle(key.key_id, stored.version, self._opened(key, stored))

    @contextmanager
    def relying_on(self, key: KeyVersion, *, purpose: KeyUse) -> Iterator[KeyInfo]:
        """Inside, the opened version may be used for ``purpose``, and nobody can change that.

        The key is handed on as it is.

        For the step that puts in place what was made under it: no export is made under a version
        that was rotated or destroyed while it was being made.

        Raises:
            KeyAccessError: ``key_retiring``, ``key_retired`` or ``key_destroyed`` by now.
            PolicyError: ``key_environment`` by now.
            BackendError: the lock cannot be had.
        """
        with relying(self._directory):
            known = self._known(key.key_id)
            lifecycle.usable(known, key.version, purpose)
            info = known.info()
            self._admit(info, purpose.name.lower())
            yield info

    def signer(self) -> Signer:
        """The workspace's Ed25519 signer; its key id is the fingerprint.

        The fingerprint is the hex SHA-256 of the raw 32-byte public key. The key is made on first
        use, under the ring's default provider.

        Raises:
            KeyAccessError: ``key_corrupt``, ``key_unwrap``, or the provider's key cannot be used.
            BackendError: ``disk_full``, ``no_permission`` or ``disk``.
        """
        path = self._directory / SIGNER_FILE
        if not path.exists():
            self._create_signer(path)
        stored = read_signer(path)
        bound = signer_bound(stored.fingerprint)
        secret = self._wrapper.unwrap(stored.provider, stored.wrapped, bound)
        private = Ed25519PrivateKey.from_private_bytes(secret.reveal())
        fingerprint = _fingerprint(private)
        if fingerprint != stored.fingerprint:
            raise corrupt(path)
        public = SSlibKey.from_crypto(private.public_key(), fingerprint, "ed25519")
        return CryptoSigner(private, public)

    def list(self, most: int | None = None) -> tuple[KeyInfo, ...]:
        """All keys, by name; where there are more than ``most``, so many from anywhere on.

        Raises:
            KeyAccessError: ``key_corrupt``.
            BackendError: the directory cannot be read.
        """
        return tuple(read_key(path).info() for path in key_paths(self._directory, most))

    def _create_signer(self, path: Path) -> None:
        self._make_directory()
        private = Ed25519PrivateKey.generate()
        fingerprint = _fingerprint(private)
        secret = Secret(private.private_bytes_raw())
        wrapped = self._wrap(self._default_provider, secret, signer_bound(fingerprint))
        signer = StoredSigner(
            schema=SIGNER_SCHEMA,
            fingerprint=fingerprint,
            provider=self._default_provider,
            created=self._now(),
            wrapped=wrapped,
        )
        # If another process was first, its key is the key.
        create_atomic(path, signer.encode())

    def _make_directory(self) -> None:
        with disk_errors(self._directory):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def _changing(self, name_or_id: str) -> Iterator[StoredKey]:
        """The key as it is, which nobody else changes meanwhile."""
        self._known(name_or_id)  # no lock is made for a key that is not there
        with changing(self._directory):
            yield self._known(name_or_id)

    def _replace(self, key: StoredKey) -> None:
        write_atomic(self._path(key.name), key.encode())

    def _remove_partial(self, name: str) -> None:
        """Remove unfinished files of the key's; under the lock none can be anybody's work."""
        with disk_errors(self._directory):
            for found in os.listdir(self._directory):  # noqa: PTH208 -- names alone
                if found.startswith(f".{name}.json.partial-"):
                    (self._directory / found).unlink(missing_ok=True)

    def _new_version(self, uri: str, key: StoredKey, *, version: int) -> StoredVersion:
        secret = Secret(os.urandom(SECRET_BYTES))
        wrapped = self._wrap(uri, secret, key.binding(version), name=key.name)
        return StoredVersion(
            version=version,
            status=KeyStatus.ACTIVE,
            provider=uri,
            created=self._now(),
            wrapped=wrapped,
        )

    def _wrapped_again(
        self, old: StoredVersion, before: StoredKey, after: StoredKey
    ) -> StoredVersion:
        """That version, which opens as a part of ``after`` and of ``before`` no more."""
        if old.wrapped is None:
            return old
        secret = self._opened(before, old)
        wrapped = self._wrapper.wrap(old.provider, secret, after.binding(old.version))
        return old.model_copy(update={"wrapped": wrapped})

    def _opened(self, key: StoredKey, stored: StoredVersion) -> Secret:
        return self._wrapper.unwrap(stored.provider, stored.wrapped, key.binding(stored.version))

    def _known(self, name_or_id: str) -> StoredKey:
        key = self._find(name_or_id)
        if key is not None:
            return key
        is_id = _ID.fullmatch(name_or_id) is not None
        raise KeyAccessError(
            f"there is no key {name_or_id} in {self._directory}",
            code="key_unknown",
            hint="use the workspace that the key is in (--home)"
            if is_id
            else f"see those there are: cipherset key list; or: cipherset key create {name_or_id}",
        )

    def _find(self, name_or_id: str) -> StoredKey | None:
        match = _ID.fullmatch(name_or_id)
        if match:
            path = self._path(match["name"])
            if path.exists() and (key := read_key(path)).key_id == name_or_id:
                return key
        path = self._path(name_or_id)
        return read_key(path) if path.exists() else None

    def _path(self, name: str) -> Path:
        if not _is_name(name):
            raise InputError(
                f"{name!r} is not a key's name",
                code="key_name",
                hint="use 1 to 63 of a-z, 0-9, dot, dash and underscore; a letter or digit first",
            )
        return self._directory / f"{name}.json"

    def _wrap(self, uri: str, secret: Secret, bound: bytes, *, name: str | None = None) -> str:
        """``secret``, of the key ``name``, wrapped where what was wrapped before still opens."""
        found = self._proven.of(uri)
        if found is not None:
            self._opened(*found)
        wrapped = self._wrapper.wrap(uri, secret, bound)
        if found is None and name is not None:
            self._proven.note(uri, name)
        return wrapped

    def _now(self) -> str:
        return self._clock().astimezone(UTC).isoformat()

    def __repr__(self) -> str:
        return f"KeyRing({str(self._home)!r})"


def _is_name(text: str) -> bool:
    return bool(_NAME.fullmatch(text) or _ID.fullmatch(text))


def _fingerprint(private: Ed25519PrivateKey) -> str:
    return hashlib.sha256(private.public_key().public_bytes_raw()).hexdigest()


def _exists(name: str) -> UsageError:
    return UsageError(
        f"there is a key {name} already",
        code="key_exists",
        hint=f"choose another name, or use it as it is: cipherset key show {name}",
    )
