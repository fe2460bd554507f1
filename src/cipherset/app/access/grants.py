"""Grants: asked for over exact digests, voted on by those whom the label asks for, used at once.

Where a grant stands is computed at every look: nothing runs in the background, and what expired,
was revoked or no longer binds what it was given for allows nothing from that moment on.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cipherset.app.access.asked import all_named, unusable
from cipherset.app.access.casting import VOTES, cast_elsewhere, cast_here, check_reason
from cipherset.app.assets.measured import measured
from cipherset.app.gate import Action
from cipherset.app.gate.about import WORKSPACE, About, Moment
from cipherset.app.gate.assets import described
from cipherset.app.gate.exposure import check_exposure
from cipherset.app.gate.facts import grants_of, standing_of, today
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core import canonical
from cipherset.core.errors import UsageError
from cipherset.custody.ledger import Transaction
from cipherset.custody.ledger.access import (
    StoredRequest,
    StoredVote,
    add_request,
    add_vote,
    find_principal,
    find_request,
    requests,
)
from cipherset.custody.policy import (
    GrantRequest,
    Kind,
    Level,
    Limits,
    Requirement,
    State,
    Status,
    Use,
    VoteKind,
    check_request,
    decode_request,
    encode_request,
    requirement,
    reusable,
)

_DAY: Final = timedelta(days=1)
# What is looked at in the place of a request that is not there; no principal is called so.
_OF_NOBODY: Final = encode_request(
    GrantRequest(
        id="grant-000000000000",
        action=Action.SCAN,
        purpose="none",
        requester="*",
        beneficiary="*",
        bound={"dataset:none": canonical.digest_bytes(b"")},
        created=datetime(2000, 1, 1, tzinfo=UTC),
        starts=None,
        duration_s=1,
        need=Requirement({}),
    )
)
_STANDING: Final = (State.PENDING, State.SCHEDULED, State.LIVE)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for; ``beneficiary``: None is who asks; ``is_first``: no live one is there."""

    action: Action
    assets: tuple[str, ...]
    purpose: str
    beneficiary: str | None = None
    starts: datetime | None = None
    until: datetime | None = None
    note: str = ""
    accept_risk: str | None = None
    is_first: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """A request and where it stands.

    ``unusable``: as it is asked for, that whom it is for could not use it, and who could.
    """

    request: GrantRequest
    status: Status
    unusable: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        request, found = self.request, self.status
        return {
            "grant": request.id,
            "status": found.state.value,
            "reason": found.because,
            "action": request.action.value,
            "purpose": request.purpose,
            "requester": request.requester,
            "beneficiary": request.beneficiary,
            "assets": dict(request.bound),
            "note": request.note,
            "accepts_risk": request.accepts_risk,
            "created": request.created.isoformat(),
            "since": None if found.since is None else found.since.isoformat(),
            "until": None if found.until is None else found.until.isoformat(),
            "approved_by": list(found.approved_by),
            "self_approved": found.is_self_approved,
            "lacking": {str(role): n for role, n in (found.lacking or {}).items()},
            "diff": [{"name": d.name, "old": d.old, "new": d.new} for d in found.diff],
        }


def request(session: Session, wish: Wish) -> Grant:
    """Ask for a grant; a live one that covers the same is offered instead.

    Raises:
        UsageError: ``asset_named``, ``grant_until``, ``grant_bound``.
        PolicyError: ``grant_duration``, ``exposure_join``, ``not_allowed``.
    """
    with open_workspace(session) as workspace:
        abouts, absent = all_named(workspace, wish.assets)
        facts = {"asked": wish.action.value, "purpose": wish.purpose}
        moment = Moment(asked=wish.action, requester=workspace.gate.actor)
        with workspace.gate.act(
            Action.GRANT_REQUEST, abouts[0].name, facts, about=abouts[0], moment=moment
        ) as act:
            if absent is not None:
                raise absent
            found = workspace.gate.ledger.transact(
                lambda work: _told(work, workspace, _request(work, workspace, wish, abouts), abouts)
            )
            act.facts["grant"] = found.request.id
    return found


def _request(
    transaction: Transaction, workspace: Workspace, wish: Wish, abouts: Sequence[About]
) -> Grant:
    gate = workspace.gate
    policies = gate.policies(transaction)
    _check_wish(transaction, policies.limits, wish)
    bound = {name: digest for about in abouts for name, digest in about.bound().items()}
    beneficiary = wish.beneficiary or gate.actor
    use = Use(beneficiary, wish.action, frozenset(bound), wish.purpose)
    same = None if wish.is_first else _live(transaction, workspace, use, bound)
    if same is not None:
        return same
    label = max((_label(transaction, about) for about in abouts), key=lambda level: level.rank)
    made = GrantRequest(
        id=f"grant-{secrets.token_hex(6)}",
        action=wish.action,
        purpose=wish.purpose,
        requester=gate.actor,
        beneficiary=beneficiary,
        bound=today(policies, gate, bound),
        created=transaction.now,
        starts=wish.starts,
        duration_s=_duration(wish, transaction.now, policies.limits.grants.longest_s),
        need=requirement(policies.limits, wish.action, label),
        note=wish.note if wish.accept_risk is None else f"{wish.note} {wish.accept_risk}".strip(),
        accepts_risk=wish.accept_risk is not None,
        self_approval=policies.limits.grants.self_approval,
    )
    check_request(made, policies.limits)
    check_exposure(transaction, gate, made)
    created = made.created.isoformat(timespec="microseconds")
    add_request(
        transaction.connection,
        StoredRequest(
            made.id, encode_request(made).decode(), created, made.action.value, made.beneficiary
        ),
    )
    return Grant(made, _standing(transaction, workspace, made))


def _told(
    transaction: Transaction, workspace: Workspace, found: Grant, abouts: Sequence[About]
) -> Grant:
    return replace(found, unusable=unusable(transaction, workspace.gate, found.request, abouts))


def _check_wish(transaction: Transaction, limits: Limits, wish: Wish) -> None:
    if not wish.purpose.strip():
        raise UsageError(
            "a grant is for a purpose, and none was given",
            code="grant_purpose",
            hint="say what it is for: --for PURPOSE",
        )
    if wish.beneficiary is None or limits.grants.self_approval:
        return
    if find_principal(transaction.connection, wish.beneficiary) is None:
        raise UsageError(
            f"there is no principal {wish.beneficiary}",
            code="principal_unknown",
            hint="see who there is: cipherset principal list",
        )


def vote(
    session: Session,
    grant_id: str,
    kind: VoteKind,
    comment: str,
    *,
    envelope: bytes | None = None,
    is_reasoned: bool = False,
) -> Grant:
    """Approve, deny or revoke; signed with the voter's key, or the workspace's for who has none.

    ``envelope`` is the vote that the voter signed elsewhere, comment and all. A request that is not
    there is asked about like one that is: who may not vote is not told which there are.
    ``is_reasoned``: the comment must say why.

    Raises:
        UsageError: ``grant_unknown``, for who could vote on one; ``voted_before``, ``grant_over``,
            ``vote_reason``.
        PolicyError: ``not_allowed``: such as one's own request; ``vote_unsigned``.
        IntegrityError: ``vote_signer``, ``vote_request``, ``vote_ballot``, ``vote_time``,
            ``grant_form``: of an envelope.
    """
    with open_workspace(session) as workspace:
        ledger = workspace.gate.ledger
        asked, is_there = ledger.transact(lambda transaction: _found(transaction, grant_id))
        about, moment = voted_about(workspace, asked)
        facts = {"grant": grant_id, "asked": asked.action.value}
        with workspace.gate.act(VOTES[kind], grant_id, facts, about=about, moment=moment) as act:
            if not is_there:
                raise unknown(grant_id)
            if is_reasoned:
                check_reason(comment)
            words = comment if envelope is None else envelope
            found = ledger.transact(
                lambda transaction: _vote(transaction, workspace, asked, kind, words)
            )
            act.facts["status"] = found.status.state.value
    return found


def _vote(
    transaction: Transaction,
    workspace: Workspace,
    asked: GrantRequest,
    kind: VoteKind,
    words: str | bytes,
) -> Grant:
    """``words``: a comment, to be signed here, or the envelope that was signed elsewhere."""
    gate = workspace.gate
    before = _standing(transaction, workspace, asked)
    if before.state not in _STANDING:
        raise UsageError(
            f"grant {asked.id} is {before.state}: {before.because}",
            code="grant_over",
            hint="ask for another: cipherset grant request --help",
        )
    if kind is VoteKind.APPROVE:
        check_exposure(transaction, gate, asked)
    if isinstance(words, str):
        ballot = cast_here(transaction, workspace, asked, kind, words)
    else:
        ballot = cast_elsewhere(transaction, workspace, asked, kind, words)
    time = transaction.now.isoformat(timespec="microseconds")
    kept = StoredVote(asked.id, gate.actor, kind.value, time, ballot.envelope.decode())
    if not add_vote(transaction.connection, kept):
        raise UsageError(
            f"{gate.actor} has said {kind} to {asked.id} before",
            code="voted_before",
            hint="see where it stands: cipherset grant list",
        )
    return Grant(asked, _standing(transaction, workspace, asked))


def list_grants(session: Session) -> list[Grant]:
    """Every grant there ever was, the oldest first, and where it stands."""
    with open_workspace(session) as workspace:
        return workspace.gate.ledger.transact(lambda work: grants_in(work, workspace))


def grants_in(transaction: Transaction, workspace: Workspace) -> list[Grant]:
    """The same, as of a transaction in a workspace that is open."""
    asked = [decode_request(each.request.encode()) for each in requests(transaction.connection)]
    return [Grant(one, _standing(transaction, workspace, one)) for one in asked]


def one_grant(workspace: Workspace, grant_id: str) -> Grant:
    """One of them.

    Raises:
        UsageError: ``grant_unknown``.
    """

    def work(transaction: Transaction) -> Grant:
        asked, is_there = _found(transaction, grant_id)
        if not is_there:
            raise unknown(grant_id)
        return Grant(asked, _standing(transaction, workspace, asked))

    return workspace.gate.ledger.transact(work)


def _standing(transaction: Transaction, workspace: Workspace, asked: GrantRequest) -> Status:
    """By policies and code as they are; whether the assets are still the same shows at their use.

    What was over before the policies changed stays what it was.
    """
    gate = workspace.gate
    then = standing_of(transaction, gate, asked, asked.bound)
    if then.state not in _STANDING:
        return then
    now = today(gate.policies(transaction), gate, asked.bound)
    return standing_of(transaction, gate, asked, now)


def _live(
    transaction: Transaction, workspace: Workspace, use: Use, bound: Mapping[str, str]
) -> Grant | None:
    """A live grant for ``use`` on assets that have these digests today."""
    found = reusable(grants_of(transaction, workspace.gate, use.action, use.principal, bound), use)
    return None if found is None else Grant(*found)


def _found(transaction: Transaction, grant_id: str) -> tuple[GrantRequest, bool]:
    """The request and whether it is there; else one of nobody's in its place."""
    stored = find_request(transaction.connection, grant_id)
    text = _OF_NOBODY if stored is None else stored.request.encode()
    return decode_request(text), stored is not None


def unknown(grant_id: str) -> UsageError:
    """The refusal of a grant that is not there."""
    return UsageError(
        f"there is no grant {grant_id}",
        code="grant_unknown",
        hint="see all of them: cipherset grant list",
    )


def voted_about(workspace: Workspace, asked: GrantRequest) -> tuple[About, Moment]:
    """What a vote on a request is about, as policies decide on it."""
    about = _about(workspace, asked)
    return about, Moment(
        asked=asked.action,
        requester=asked.requester,
        beneficiary=asked.beneficiary,
        accepted_risk=asked.accepts_risk,
        verdict=measured(workspace, about.id).verdict,
    )


def _about(workspace: Workspace, asked: GrantRequest) -> About:
    """The first asset of a request, by what it was called there."""
    for name, digest in sorted(asked.bound.items()):
        kind, _, called = name.partition(":")
        if kind in set(Kind):
            return About(Kind(kind), digest, called)
    return WORKSPACE


def _label(transaction: Transaction, about: About) -> Level:
    if about.kind is Kind.WORKSPACE:
        return Level.INTERNAL
    return described(transaction, about).label


def _duration(wish: Wish, now: datetime, longest_s: int) -> int:
    start = wish.starts or now
    if wish.until is None:
        return min(longest_s, int(_DAY.total_seconds()))
    seconds = int((wish.until - start).total_seconds())
    if seconds < 1:
        raise UsageError(
            "the grant would end before it begins",
            code="grant_until",
            hint="give --until in UTC, as in 2026-12-31T18:00, or a span, as in 8h",
        )
    return seconds
