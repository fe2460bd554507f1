"""Principals: added, changed and listed, through the gate; conflicting roles are refused."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypedDict

from cipherset.app.access.credentials import check_identity, identities_of, register
from cipherset.app.gate import WORKSPACE, About, Action, Fact
from cipherset.app.gate.exposure import check_roles
from cipherset.app.gate.facts import ACTIVE
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core import canonical
from cipherset.core.errors import InputError, PolicyError, UsageError
from cipherset.custody.keys.identity import CredentialMac
from cipherset.custody.ledger import Transaction
from cipherset.custody.ledger.access import (
    PastKey,
    StoredPrincipal,
    find_principal,
    principals,
    put_principal,
)
from cipherset.custody.policy import Limits, Role, conflicts

LEFT: Final = "left"
PRINCIPAL: Final = "principal:"
_KEY: Final = "key:"
_STOLEN: Final = "stolen:"
_IDENTITY: Final = "identity:"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}")
_PUBLIC_KEY: Final = re.compile(r"[0-9a-f]{64}")


class PrincipalResult(TypedDict):
    """A principal as it is today; ``identities`` are the URIs that connections prove it by."""

    principal: str
    roles: list[str]
    attributes: dict[str, str]
    public_key: str | None
    identities: list[str]
    status: str
    created: str


@dataclass(frozen=True, slots=True)
class Change:
    """What a principal is to be; ``None`` leaves it as it is.

    ``is_compromised``: the key that ``public_key`` replaces was stolen, or may have been, so what
    it signed does not count any more.
    """

    name: str
    roles: tuple[str, ...] | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    public_key: str | None = None
    has_left: bool = False
    is_compromised: bool = False
    identities: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse what no principal can be.

        Raises:
            UsageError: ``principal_name``, ``role``, ``compromised_key``.
            InputError: ``public_key``, ``identity``.
        """
        for identity in self.identities or ():
            check_identity(identity)
        if not _NAME.fullmatch(self.name):
            raise UsageError(
                "a principal's name is 1 to 128 letters, digits and . _ @ + -",
                code="principal_name",
                hint="for example: cipherset principal add ada --role data-owner",
            )
        known = {role.value for role in Role}
        for role in self.roles or ():
            if role not in known:
                raise UsageError(
                    f"there is no role {role!r}",
                    code="role",
                    hint=f"one of {', '.join(sorted(known))}",
                )
        if self.is_compromised and self.public_key is None:
            raise UsageError(
                "a stolen key is replaced: without one their name alone would be enough",
                code="compromised_key",
                hint="make another one, cipherset principal key FILE, and give it: --public-key "
                "FILE.pub",
            )
        if self.public_key is not None and not _PUBLIC_KEY.fullmatch(self.public_key):
            raise InputError(
                "that is no Ed25519 public key",
                code="public_key",
                hint="make one: cipherset principal key FILE",
            )


def add(session: Session, change: Change) -> PrincipalResult:
    """Add a principal.

    Raises:
        UsageError: ``principal_exists``, ``identity_taken``.
        PolicyError: ``role_conflict``, ``exposure_join``, ``not_allowed``.
    """
    return _put(session, Action.PRINCIPAL_ADD, change)


def alter(session: Session, change: Change) -> PrincipalResult:
    """Change a principal; its earlier acts stay its own.

    Raises:
        UsageError: ``principal_unknown``, ``identity_taken``.
        PolicyError: ``role_conflict``, ``exposure_join``, ``not_allowed``.
    """
    return _put(session, Action.PRINCIPAL_CHANGE, change)


def list_principals(session: Session) -> list[PrincipalResult]:
    """Every principal, by name."""
    with open_workspace(session) as workspace:
        return workspace.gate.ledger.transact(
            lambda transaction: [
                _result(transaction, each) for each in principals(transaction.connection)
            ]
        )


def _put(session: Session, action: Action, change: Change) -> PrincipalResult:
    facts: dict[str, Fact] = {
        "roles": " ".join(change.roles or ()),
        "has_left": change.has_left,
        "is_compromised": change.is_compromised,
    }
    if change.identities is not None:
        facts["identities"] = " ".join(change.identities)
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(action, change.name, facts, about=about_change(change)),
    ):
        return workspace.gate.ledger.transact(
            lambda transaction: _put_now(transaction, workspace, action, change)
        )


def _put_now(
    transaction: Transaction, workspace: Workspace, action: Action, change: Change
) -> PrincipalResult:
    stored = _stored(transaction, workspace, action, change)
    if change.identities is not None:
        mac = CredentialMac(workspace.ring.signer())
        register(transaction, mac, change.name, change.identities)
    return _result(transaction, stored)


def about_change(change: Change) -> About:
    """Exactly this change, so that a grant for it is for no other."""
    told: dict[str, object] = {
        "attributes": dict(change.attributes),
        "has_left": change.has_left,
        "is_compromised": change.is_compromised,
        "public_key": change.public_key,
        "roles": None if change.roles is None else sorted(change.roles),
    }
    if change.identities is not None:
        told["identities"] = sorted(change.identities)
    return replace(WORKSPACE, also={f"{PRINCIPAL}{change.name}": canonical.digest(told)})


def asked_change(text: str) -> Change:
    """What ``NAME=`` and roles, ``left``, ``key:HEX``, ``stolen:HEX`` or ``identity:URI`` ask for.

    ``HEX`` is the new public key; ``stolen`` says that the one before was.

    Raises:
        UsageError: ``principal_name``, ``role``.
        InputError: ``public_key``, ``identity``.
    """
    name, _, wanted = text.partition("=")
    if wanted == LEFT:
        return Change(name, has_left=True)
    if wanted.startswith(_KEY):
        return Change(name, public_key=wanted.removeprefix(_KEY))
    if wanted.startswith(_STOLEN):
        return Change(name, public_key=wanted.removeprefix(_STOLEN), is_compromised=True)
    if wanted.startswith(_IDENTITY):
        return Change(name, identities=(wanted.removeprefix(_IDENTITY),))
    return Change(name, tuple(wanted.split(",")))


def _stored(
    transaction: Transaction, workspace: Workspace, action: Action, change: Change
) -> StoredPrincipal:
    before = find_principal(transaction.connection, change.name)
    if before is not None and action is Action.PRINCIPAL_ADD:
        raise UsageError(
            f"there is a principal {change.name} already",
            code="principal_exists",
            hint="see who there is: cipherset principal list",
        )
    if before is None and action is Action.PRINCIPAL_CHANGE:
        raise UsageError(
            f"there is no principal {change.name}",
            code="principal_unknown",
            hint="see who there is: cipherset principal list",
        )
    now = transaction.now.isoformat(timespec="microseconds")
    old = before or StoredPrincipal(change.name, (), {}, None, ACTIVE, now)
    after = StoredPrincipal(
        name=change.name,
        roles=old.roles if change.roles is None else tuple(sorted(set(change.roles))),
        attributes={**old.attributes, **change.attributes},
        public_key=change.public_key or old.public_key,
        status=_status(old, change),
        created=old.created,
        past_keys=_past_keys(before, change, now),
    )
    _check_conflicts(workspace.gate.policies(transaction).limits, after)
    if after.status == ACTIVE:
        check_roles(transaction, workspace.gate, after.name, map(Role, after.roles))
    put_principal(transaction, after, actor=workspace.gate.actor)
    return after


def _past_keys(before: StoredPrincipal | None, change: Change, now: str) -> tuple[PastKey, ...]:
    """The keys that they had, with the one that is replaced now; what was stolen is marked so."""
    if before is None or change.public_key in {None, before.public_key}:
        return () if before is None else before.past_keys
    last = PastKey(before.public_key, now, change.is_compromised)
    stolen = {last.public_key} if change.is_compromised else set()
    return tuple(
        replace(key, is_compromised=key.is_compromised or key.public_key in stolen)
        for key in (*before.past_keys, last)
    )


def _status(old: StoredPrincipal, change: Change) -> str:
    """Who left stays away until roles are given anew."""
    if change.has_left:
        return LEFT
    return ACTIVE if change.roles else old.status


def _check_conflicts(limits: Limits, principal: StoredPrincipal) -> None:
    clashes = conflicts(map(Role, principal.roles), limits)
    if clashes:
        told = "; ".join(f"{' and '.join(clash.roles)}: {clash.why}" for clash in clashes)
        raise PolicyError(
            f"{principal.name} cannot hold these roles together: {told}",
            code="role_conflict",
            hint="give them to different persons",
        )


def _result(transaction: Transaction, stored: StoredPrincipal) -> PrincipalResult:
    return PrincipalResult(
        principal=stored.name,
        roles=list(stored.roles),
        attributes=dict(stored.attributes),
        public_key=stored.public_key,
        identities=identities_of(transaction, stored.name),
        status=stored.status,
        created=stored.created,
    )
