"""Grants for those who ask from elsewhere: nothing is named by a path here, and all is recorded."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cipherset.app.access import grants
from cipherset.app.access.grants import Grant, Wish, grants_in, one_grant
from cipherset.app.gate import Action
from cipherset.app.gate.facts import principal_of
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.errors import UsageError
from cipherset.custody.ledger import Transaction
from cipherset.custody.ledger.access import find_principal
from cipherset.custody.policy import BuiltIn, GrantRequest, VoteKind, encode_request

# What can be named without a place on our disk: an id, a key, a person, a built-in set, all of it.
_NAMED: Final = re.compile(
    r"(hmac-)?sha256:[0-9a-f]{64}|key:[^/\s]+|principal:[^/\s]+|workspace|"
    rf"policies:({'|'.join(BuiltIn)})"
)


@dataclass(frozen=True, slots=True)
class ToSign:
    """A request in its one byte form, with what a vote on it has to say of the voter."""

    grant: Grant
    request: GrantRequest
    principal: str
    roles: tuple[str, ...]
    time: datetime

    def as_json(self) -> dict[str, Any]:
        """What a voter needs to sign."""
        return {
            **self.grant.as_json(),
            "request": encode_request(self.request).decode(),
            "digest": self.request.digest,
            "voter": {"principal": self.principal, "roles": list(self.roles)},
            "time": self.time.isoformat(),
        }


def list_grants(session: Session) -> list[Grant]:
    """Every grant there ever was, the oldest first, and where it stands.

    Raises:
        PolicyError: ``not_allowed``.
    """
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.VIEW, "grants", {"what": "grants"}),
    ):
        return workspace.gate.ledger.transact(lambda work: grants_in(work, workspace))


def show_grant(session: Session, grant_id: str) -> ToSign:
    """One of them, as whoever asks would have to sign it.

    Raises:
        PolicyError: ``not_allowed``.
        UsageError: ``grant_unknown``.
    """
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.VIEW, "grants", {"what": "grant"}),
    ):
        found = one_grant(workspace, grant_id)
        roles, now = _voter(workspace)
        return ToSign(found, found.request, session.actor, roles, now)


def request_grant(session: Session, wish: Wish) -> Grant:
    """Ask for a grant; a live one that covers the same is offered instead.

    Raises:
        UsageError: ``asset_place``: an asset is named by a place on a disk; and as
            ``app.access.grants.request``.
        PolicyError: as there.
    """
    for asset in wish.assets:
        if not _NAMED.fullmatch(asset):
            raise UsageError(
                "an asset is not named by its id, nor as key:, principal:, policies: or workspace",
                code="asset_place",
                hint="use the id that the ledger has of it: cipherset asset list",
            )
    return grants.request(session, wish)


def vote(
    session: Session, grant_id: str, kind: VoteKind, comment: str, envelope: bytes | None
) -> Grant:
    """Approve, deny or revoke; see ``app.access.grants.vote``."""
    return grants.vote(session, grant_id, kind, comment, envelope=envelope)


def _voter(workspace: Workspace) -> tuple[tuple[str, ...], datetime]:
    """The roles of the one who asks, and the time as the ledger tells it."""
    gate = workspace.gate

    def work(transaction: Transaction) -> tuple[tuple[str, ...], datetime]:
        stored = find_principal(transaction.connection, gate.actor)
        found = principal_of(gate.actor, stored, gate.policies(transaction))
        return tuple(sorted(found.roles)), transaction.now

    return gate.ledger.transact(work)
