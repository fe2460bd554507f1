"""The life of a version of a key: bytes in no file are read or written here.

    active ──rotate──▶ retiring ──retire──▶ retired ──destroy──▶ destroyed
       └───────────────────┴──────── destroy, by force ─────────────▲

``rotate`` makes the next version active in the same step, so an export never lacks a key to be
made under. No way leads back. What a version may be used for:

                 active   retiring   retired   destroyed
    EXPORT       yes      no         no        no
    QUERY        yes      yes        no        no
    MEASURE      yes      yes        yes       no

A status is a rule of the ring's, which whoever can write the ring's files can break; only
``destroyed`` is more than a rule, because the secret is not there any more.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from cipherset.core.errors import KeyAccessError, PolicyError, UsageError
from cipherset.custody.keys.stored import KeyInfo, KeyStatus, StoredKey, StoredVersion

# Asked before a secret is opened, for what; it raises where it may not be.
Admit = Callable[[KeyInfo, str], None]


class KeyUse(Enum):
    """What a key is opened for."""

    EXPORT = auto()  # to make ciphertext that leaves
    QUERY = auto()  # to read what is sealed, to predict and to evaluate
    MEASURE = auto()  # to attack what has left, as its owner; only figures come of it


ALLOWED: Final = {
    KeyUse.EXPORT: frozenset({KeyStatus.ACTIVE}),
    KeyUse.QUERY: frozenset({KeyStatus.ACTIVE, KeyStatus.RETIRING}),
    KeyUse.MEASURE: frozenset({KeyStatus.ACTIVE, KeyStatus.RETIRING, KeyStatus.RETIRED}),
}


def usable(key: StoredKey, version: int | None, use: KeyUse) -> StoredVersion:
    """The version of ``key`` to use; the active one if none is named.

    Raises:
        KeyAccessError: ``key_version_unknown``; ``key_retiring``, ``key_retired`` or
            ``key_destroyed``: its status does not allow the use.
    """
    found = key.current if version is None else numbered(key, version)
    if found.status not in ALLOWED[use]:
        raise _refusal(key, found)
    return found


def numbered(key: StoredKey, version: int) -> StoredVersion:
    """That version of ``key``; KeyAccessError ``key_version_unknown`` where there is none."""
    for stored in key.versions:
        if stored.version == version:
            return stored
    raise KeyAccessError(
        f"key {key.key_id} has no version {version}",
        code="key_version_unknown",
        hint=f"cipherset key show {key.name}",
    )


def rotated(key: StoredKey, added: StoredVersion, now: str) -> StoredKey:
    """``key`` with one more version, which is the active one; what was active is retiring."""
    before = tuple(
        old.moved(KeyStatus.RETIRING, now) if old.status is KeyStatus.ACTIVE else old
        for old in key.versions
    )
    return key.model_copy(update={"versions": (*before, added)})


def to_retire(key: StoredKey, version: int | None) -> StoredVersion:
    """The version to retire: the one named, or the one that is retiring.

    Raises:
        UsageError: ``key_transition``: it is not retiring; ``key_version_needed``: several are.
        KeyAccessError: ``key_version_unknown``.
    """
    if version is None:
        found = _only(key, KeyStatus.RETIRING)
        if found is None:
            raise _transition(key, key.current, KeyStatus.RETIRING)
        return found
    found = numbered(key, version)
    if found.status is not KeyStatus.RETIRING:
        raise _transition(key, found, KeyStatus.RETIRING)
    return found


def to_destroy(key: StoredKey, version: int | None, *, force: bool) -> StoredVersion:
    """The version to destroy: the one named, or the one that is retired.

    One that is destroyed may be named again: a run that was killed is finished by another.

    Raises:
        UsageError: ``key_transition``: none is retired; ``key_version_needed``: several are, or
            ``force`` where there is more than one version.
        PolicyError: ``key_not_retired``: it is in use still, and ``force`` was not given.
        KeyAccessError: ``key_version_unknown``.
    """
    found = _named_to_destroy(key, version, force=force)
    if force or found.status in {KeyStatus.RETIRED, KeyStatus.DESTROYED}:
        return found
    raise PolicyError(
        f"version {found.version} of key {key.name} is {found.status}: what was exported under it "
        "may still be in use, and could never be read or predicted with again",
        code="key_not_retired",
        hint=f"first rotate and retire it (cipherset key retire {key.name}), or insist: --force",
    )


def _named_to_destroy(key: StoredKey, version: int | None, *, force: bool) -> StoredVersion:
    if version is not None:
        return numbered(key, version)
    if force:
        if len(key.versions) > 1:
            raise _version_needed(key, "several versions")
        return key.versions[0]
    found = _only(key, KeyStatus.RETIRED) or _last(key, KeyStatus.DESTROYED)
    if found is None:
        raise _transition(key, key.current, KeyStatus.RETIRED)
    return found


def _last(key: StoredKey, status: KeyStatus) -> StoredVersion | None:
    return next((v for v in reversed(key.versions) if v.status is status), None)


def _only(key: StoredKey, status: KeyStatus) -> StoredVersion | None:
    found = [version for version in key.versions if version.status is status]
    if len(found) > 1:
        raise _version_needed(key, f"{len(found)} versions that are {status}")
    return found[0] if found else None


def _version_needed(key: StoredKey, why: str) -> UsageError:
    return UsageError(
        f"key {key.name} has {why}: it is not clear which one is meant",
        code="key_version_needed",
        hint=f"name it with --version N; cipherset key show {key.name} lists them",
    )


def _transition(key: StoredKey, found: StoredVersion, needed: KeyStatus) -> UsageError:
    before = {KeyStatus.RETIRING: "rotate", KeyStatus.RETIRED: "retire"}[needed]
    return UsageError(
        f"version {found.version} of key {key.name} is {found.status}, not {needed}",
        code="key_transition",
        hint=f"a version becomes {needed} by: cipherset key {before} {key.name}",
    )


def _refusal(key: StoredKey, found: StoredVersion) -> KeyAccessError:
    what = f"version {found.version} of key {key.key_id} is {found.status}"
    if found.status is KeyStatus.RETIRING:
        return KeyAccessError(
            f"{what}: it reads and predicts, but exports nothing more",
            code="key_retiring",
            hint=f"export under its active version, or make one: cipherset key rotate {key.name}",
        )
    if found.status is KeyStatus.RETIRED:
        return KeyAccessError(
            f"{what}: nothing is exported, read or predicted with it any more",
            code="key_retired",
            hint="protect the records again under the active version, and train again",
        )
    return KeyAccessError(
        f"{what}: what was made under it can never be read or predicted with again",
        code="key_destroyed",
        hint="protect the records again under another key or version, and train again",
    )


def admit_unbound(key: KeyInfo, use: str) -> None:
    """Refuse a key that is bound to places, where nobody said which place this is.

    Raises:
        PolicyError: ``key_environment``.
    """
    if key.only_in:
        raise PolicyError(
            f"key {key.name} is bound to where it may be used, and that is not known here ({use})",
            code="key_environment",
            hint="use it through the commands, which find out where they run",
        )
