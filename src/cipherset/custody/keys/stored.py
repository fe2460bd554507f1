"""What the ring writes: the form of its files, and what may be told of them.

A version that was destroyed has no ``wrapped``: what is left of it is a tombstone.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cipherset.core import canonical
from cipherset.core.errors import IntegrityError, KeyAccessError
from cipherset.core.files import disk_errors

KEY_SCHEMA: Final = "cipherset/key/1"
SIGNER_SCHEMA: Final = "cipherset/signer/1"


class KeyStatus(StrEnum):
    """What a version of a key may be used for."""

    ACTIVE = "active"  # everything
    RETIRING = "retiring"  # predicts and evaluates what was exported; exports nothing more
    RETIRED = "retired"  # measures what left under it, for its owner; nothing else
    DESTROYED = "destroyed"  # nothing, ever; its secret is gone


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """One version of a key; times are UTC, ISO 8601. ``changed`` is when its status last did."""

    version: int
    status: KeyStatus
    provider: str
    created: str
    changed: str


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What a key is called and where its secrets are kept; nothing of the secrets.

    ``version``, ``status``, ``provider`` and ``created`` are those of the active version, or of
    the latest where none is active; from ``rotate``, ``retire`` and ``destroy`` they are those of
    the version that it was about. ``versions`` has all, the oldest first. ``only_in`` are the
    conditions of ``core.environment`` on where it may be used; none is anywhere. ``tenant`` is
    whose rows it is for; None is nobody's in particular.
    """

    key_id: str
    name: str
    version: int
    status: KeyStatus
    provider: str
    purpose: str
    created: str
    versions: tuple[VersionInfo, ...]
    only_in: tuple[str, ...] = ()
    tenant: str | None = None

    def about(self, version: int) -> "KeyInfo":
        """The same key, told from that version, which it has."""
        shown = next(known for known in self.versions if known.version == version)
        return replace(
            self,
            version=shown.version,
            status=shown.status,
            provider=shown.provider,
            created=shown.created,
        )


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def encode(self) -> bytes:
        """The file's bytes."""
        return canonical.encode(self.model_dump(mode="json", by_alias=True, exclude_none=True))


class StoredVersion(_Stored):
    """A version and its wrapped secret, base64."""

    version: int = Field(ge=1)
    status: KeyStatus
    provider: str
    created: str
    changed: str | None = None
    wrapped: str | None = Field(default=None, repr=False)

    @model_validator(mode="after")
    def _gone_or_there(self) -> Self:
        if (self.wrapped is None) != (self.status is KeyStatus.DESTROYED):
            raise ValueError("a secret is there unless it was destroyed")
        return self

    def moved(self, status: KeyStatus, now: str) -> "StoredVersion":
        """The same version with another status."""
        return self.model_copy(update={"status": status, "changed": now})

    def tombstone(self, now: str) -> "StoredVersion":
        """The same version without its secret."""
        gone = {"status": KeyStatus.DESTROYED, "changed": now, "wrapped": None}
        return self.model_copy(update=gone)

    def info(self) -> VersionInfo:
        """What may be told of it."""
        return VersionInfo(
            version=self.version,
            status=self.status,
            provider=self.provider,
            created=self.created,
            changed=self.changed or self.created,
        )


class StoredKey(_Stored):
    """A key and its versions, the oldest first; at most one is active."""

    schema_: str = Field(alias="schema", pattern=f"^{KEY_SCHEMA}$")
    key_id: str
    name: str
    purpose: str
    only_in: tuple[str, ...] | None = Field(default=None, min_length=1)
    tenant: str | None = Field(default=None, min_length=1)
    versions: tuple[StoredVersion, ...] = ()

    @classmethod
    def new(cls, key_id: str, name: str, *, purpose: str, tenant: str | None) -> Self:
        """A key without a version yet, to be used anywhere."""
        return cls(schema=KEY_SCHEMA, key_id=key_id, name=name, purpose=purpose, tenant=tenant)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        numbers = [version.version for version in self.versions]
        if numbers != sorted(set(numbers)):
            raise ValueError("versions are out of order")
        if sum(version.status is KeyStatus.ACTIVE for version in self.versions) > 1:
            raise ValueError("more than one version is active")
        return self

    @property
    def current(self) -> StoredVersion:
        """The active version, or the latest where none is active."""
        active = (v for v in self.versions if v.status is KeyStatus.ACTIVE)
        return next(active, self.versions[-1])

    def binding(self, version: int) -> bytes:
        """What the provider binds that version's secret to."""
        bound = {
            "key_id": self.key_id,
            "purpose": self.purpose,
            "schema": KEY_SCHEMA,
            "version": version,
        }
        places = {} if self.only_in is None else {"only_in": list(self.only_in)}
        owned = {} if self.tenant is None else {"tenant": self.tenant}
        return canonical.encode(bound | places | owned)

    def bound_to(self, only_in: Sequence[str]) -> "StoredKey":
        """The same key, to be used only there; its secrets have to be wrapped for it."""
        return self.model_copy(update={"only_in": tuple(sorted(set(only_in))) or None})

    def with_versions(self, *versions: StoredVersion) -> "StoredKey":
        """The same key with these versions."""
        return self.model_copy(update={"versions": versions})

    def with_version(self, changed: StoredVersion) -> "StoredKey":
        """The same key with one version changed."""
        versions = tuple(changed if v.version == changed.version else v for v in self.versions)
        return self.model_copy(update={"versions": versions})

    def info(self) -> KeyInfo:
        """What may be told of it."""
        shown = self.current
        return KeyInfo(
            key_id=self.key_id,
            name=self.name,
            version=shown.version,
            status=shown.status,
            provider=shown.provider,
            purpose=self.purpose,
            created=shown.created,
            versions=tuple(version.info() for version in self.versions),
            only_in=self.only_in or (),
            tenant=self.tenant,
        )


class StoredSigner(_Stored):
    """The workspace's signing key, wrapped."""

    schema_: str = Field(alias="schema", pattern=f"^{SIGNER_SCHEMA}$")
    fingerprint: str
    provider: str
    created: str
    wrapped: str = Field(repr=False)


_Form = TypeVar("_Form", bound=_Stored)


def read_key(path: Path) -> StoredKey:
    """The key in the file ``path``.

    Raises:
        KeyAccessError: ``key_corrupt``.
        BackendError: the file cannot be read.
    """
    key = _parse(StoredKey, path)
    if key.name != path.name.removesuffix(".json") or not key.versions:
        raise corrupt(path)
    return key


def look_at_any(directory: Path) -> None:
    """As long a look as at a key that is there, so that the time does not tell that one is not."""
    if not directory.is_dir():
        return
    with os.scandir(directory) as entries:
        for each in entries:
            if each.name.endswith(".json") and each.name[0] not in "._":
                with suppress(KeyAccessError):  # it is not what was asked for
                    read_key(Path(each.path)).info()
                return


def read_signer(path: Path) -> StoredSigner:
    """The signing key in the file ``path``; errors as ``read_key``."""
    return _parse(StoredSigner, path)


def signer_bound(fingerprint: str) -> bytes:
    """What the provider binds the signing key to."""
    return canonical.encode({"fingerprint": fingerprint, "schema": SIGNER_SCHEMA})


def corrupt(path: Path) -> KeyAccessError:
    """The file is not as the ring left it."""
    return KeyAccessError(
        f"{path} is not a file that a key ring wrote, or it was changed",
        code="key_corrupt",
        hint="restore it from a backup; what is sealed under it cannot be opened without it",
    )


def _parse(form: type[_Form], path: Path) -> _Form:
    with disk_errors(path):
        raw = path.read_bytes()
    try:
        return form.model_validate(canonical.decode(raw, what=str(path)))
    except (ValidationError, IntegrityError):
        raise corrupt(path) from None
