"""A vote on its way into the ledger: signed here, or by the voter on their own machine."""

from datetime import datetime, timedelta
from typing import Final

from cipherset.app.gate import Action
from cipherset.app.gate.facts import principal_of
from cipherset.app.workspace import Workspace
from cipherset.core.errors import IntegrityError, PolicyError, UsageError
from cipherset.custody.ledger import Transaction
from cipherset.custody.ledger.access import find_principal
from cipherset.custody.policy import (
    Ballot,
    GrantRequest,
    Vote,
    VoteKind,
    Voter,
    read_vote,
    sign_vote,
)

FRESH: Final = timedelta(minutes=5)
VOTES: Final = {
    VoteKind.APPROVE: Action.GRANT_APPROVE,
    VoteKind.DENY: Action.GRANT_DENY,
    VoteKind.REVOKE: Action.GRANT_REVOKE,
}
_LONGEST_REASON: Final = 2000


def check_reason(comment: str) -> None:
    """Nothing, where a vote says why.

    Raises:
        UsageError: ``vote_reason``.
    """
    if not 0 < len(comment.strip()) <= _LONGEST_REASON:
        raise UsageError(
            f"the vote does not say why in at most {_LONGEST_REASON} characters",
            code="vote_reason",
            hint="type the reason; it is signed with the vote and stays with it",
        )


def cast_here(
    transaction: Transaction,
    workspace: Workspace,
    asked: GrantRequest,
    kind: VoteKind,
    comment: str,
) -> Ballot:
    """The vote of the one who asks, signed with the key they gave, or else the workspace's.

    Raises:
        PolicyError: ``vote_unsigned``: they have a key of their own, and it is not here.
    """
    gate = workspace.gate
    voter, own = _voter(transaction, workspace)
    if own is not None and gate.who.signer is None:
        raise PolicyError(
            f"{gate.actor} has a key of their own, and the vote is not signed with it",
            code="vote_unsigned",
            hint="sign it where the key is: Client.approve(grant, key=FILE), or POST the envelope",
        )
    cast = Vote(gate.actor, kind, tuple(sorted(voter.roles)), transaction.now, comment)
    return sign_vote(asked, cast, gate.who.signer or workspace.ring.signer())


def cast_elsewhere(
    transaction: Transaction,
    workspace: Workspace,
    asked: GrantRequest,
    kind: VoteKind,
    envelope: bytes,
) -> Ballot:
    """The vote in ``envelope``, if the one who asks has given it just now on this very request.

    Raises:
        IntegrityError: ``vote_signer``, ``vote_request``, ``vote_ballot``, ``grant_form``;
            ``vote_time``: of another time than now, or in roles that they do not have.
    """
    ballot = Ballot(workspace.gate.actor, kind, envelope)
    voter, _ = _voter(transaction, workspace)
    vote = read_vote(asked, ballot, voter)
    if not _is_fresh(vote.time, transaction.now) or frozenset(vote.roles) != voter.roles:
        raise IntegrityError(
            f"the vote was given at {vote.time.isoformat(timespec='seconds')} in other roles or at "
            "another time than now",
            code="vote_time",
            hint="look at the request again, and sign within five minutes; mind the clock",
        )
    return ballot


def _is_fresh(time: datetime, now: datetime) -> bool:
    return now - FRESH <= time <= now


def _voter(transaction: Transaction, workspace: Workspace) -> tuple[Voter, str | None]:
    """The one who asks: roles and key, and their own public key where they have one."""
    gate = workspace.gate
    stored = find_principal(transaction.connection, gate.actor)
    own = None if stored is None else stored.public_key
    roles = principal_of(gate.actor, stored, gate.policies(transaction)).roles
    return Voter(roles, frozenset({own or gate.signer_key})), own
