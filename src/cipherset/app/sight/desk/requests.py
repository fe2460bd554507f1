"""Requests for grants: those that wait first, and one with all that a voter has to know of it."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cipherset.app.access import grants
from cipherset.app.access.casting import VOTES
from cipherset.app.access.grants import Grant, grants_in, one_grant, voted_about
from cipherset.app.gate.about import About, Moment, about_key
from cipherset.app.gate.facts import ACTIVE, ballots_of, gather, today
from cipherset.app.sight.look import looked
from cipherset.app.workspace import Session, Workspace
from cipherset.core.errors import IntegrityError
from cipherset.custody.ledger import Transaction
from cipherset.custody.ledger.access import find_principal, principals, votes_on
from cipherset.custody.ledger.records import find_asset
from cipherset.custody.policy import GrantRequest, Kind, State, VoteKind, read_vote

_OPEN: Final = {
    State.PENDING: (VoteKind.APPROVE, VoteKind.DENY),
    State.SCHEDULED: (VoteKind.REVOKE,),
    State.LIVE: (VoteKind.REVOKE,),
}


@dataclass(frozen=True, slots=True)
class Bound:
    """A name that a request binds: its digest then, and now; None where only its use tells.

    ``asset`` is its id, where the ledger has it.
    """

    name: str
    old: str
    new: str | None
    asset: str | None


@dataclass(frozen=True, slots=True)
class Cast:
    """A vote; ``comment`` is None where it does not verify."""

    principal: str
    kind: VoteKind
    time: str
    comment: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Approvals that are needed of one role: how many are open, and who could give them."""

    role: str
    needed: int
    open: int
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. ``may`` are the votes that are open to the one who looks.

    ``signs_here``: what they say can be signed here, with their own key where they have one, else
    with the workspace's. ``commands`` say the same where their key is.
    """

    grant: Grant
    bound: tuple[Bound, ...]
    places: tuple[Place, ...]
    votes: tuple[Cast, ...]
    may: tuple[VoteKind, ...]
    signs_here: bool
    commands: tuple[tuple[VoteKind, str], ...]


def list_requests(session: Session) -> list[Grant]:
    """Every request, those that wait first, then the newest first.

    Raises:
        PolicyError: ``not_allowed``.
        BackendError: the ledger cannot be read, or written: to look is an act too.
    """
    with looked(session, "grants") as (workspace, _):
        found = workspace.gate.ledger.look(lambda work: grants_in(work, workspace))
    return sorted(found, key=_waiting_first)


def _waiting_first(each: Grant) -> tuple[bool, float]:
    return each.status.state is not State.PENDING, -each.request.created.timestamp()


def show_request(session: Session, grant_id: str) -> Asked:
    """One of them.

    Raises:
        PolicyError: ``not_allowed``.
        UsageError: ``grant_unknown``.
        BackendError: as ``list_requests``.
    """
    with looked(session, "grants") as (workspace, _):
        found = one_grant(workspace, grant_id)
        about, moment = voted_about(workspace, found.request)
        return workspace.gate.ledger.look(
            lambda work: _asked(work, workspace, found, (about, moment))
        )


def say(session: Session, grant_id: str, kind: VoteKind, reason: str) -> Grant:
    """Approve, deny or revoke, and why.

    Raises: as ``app.access.grants.vote``; and ``vote_reason``.
    """
    return grants.vote(session, grant_id, kind, reason.strip(), is_reasoned=True)


def _asked(
    work: Transaction, workspace: Workspace, found: Grant, question: tuple[About, Moment]
) -> Asked:
    asked, gate = found.request, workspace.gate
    votes = _votes(work, workspace, asked)
    said = {(vote.principal, vote.kind) for vote in votes}
    own = find_principal(work.connection, gate.actor)
    may = tuple(
        kind
        for kind in _OPEN.get(found.status.state, ())
        if (gate.actor, kind) not in said and _may(work, workspace, kind, question)
    )
    return Asked(
        grant=found,
        bound=_bound(work, workspace, asked),
        places=_places(work, found),
        votes=votes,
        may=may,
        signs_here=own is None or own.public_key is None or gate.who.signer is not None,
        commands=tuple((kind, _command(asked.id, kind, gate.actor)) for kind in may),
    )


def _may(
    work: Transaction, workspace: Workspace, kind: VoteKind, question: tuple[About, Moment]
) -> bool:
    """Whether policies let the one who asks say so, as of now."""
    asked = gather(work, workspace.gate, VOTES[kind], *question)
    return asked.policies.judge(asked.request).is_allowed


def _bound(work: Transaction, workspace: Workspace, asked: GrantRequest) -> tuple[Bound, ...]:
    keys = {f"{Kind.KEY}:{key.name}": about_key(key).id for key in workspace.ring.list()}
    now = {**keys, **today(workspace.gate.policies(work), workspace.gate, {})}
    return tuple(
        Bound(
            name,
            old,
            now.get(name),
            old if find_asset(work.connection, old) is not None else None,
        )
        for name, old in sorted(asked.bound.items())
    )


def _places(work: Transaction, found: Grant) -> tuple[Place, ...]:
    asked, lacking = found.request, found.status.lacking or {}
    out = set() if asked.self_approval else {asked.requester, asked.beneficiary}
    people = [each for each in principals(work.connection) if each.status == ACTIVE]
    return tuple(
        Place(
            role,
            needed,
            lacking.get(role, 0),
            tuple(each.name for each in people if role in each.roles and each.name not in out),
        )
        for role, needed in sorted(asked.need.roles.items())
    )


def _votes(work: Transaction, workspace: Workspace, asked: GrantRequest) -> tuple[Cast, ...]:
    kept = votes_on(work.connection, asked.id)
    ballots, voters = ballots_of(work, workspace.gate, kept)
    found = []
    for vote, ballot in zip(kept, ballots, strict=True):
        try:
            comment = read_vote(asked, ballot, voters[ballot.principal]).comment
        except IntegrityError:
            comment = None
        found.append(Cast(vote.principal, ballot.kind, vote.time, comment))
    return tuple(found)


def _command(grant_id: str, kind: VoteKind, actor: str) -> str:
    words: Sequence[str] = ("cipherset", "grant", kind.value, grant_id, "--as", actor)
    return f"{shlex.join(words)} --comment 'WHY'"
