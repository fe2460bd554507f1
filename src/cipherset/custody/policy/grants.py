"""Where a grant stands, computed from the request, its votes, the clock and today's digests.

Nothing here is stored and nothing expires by itself: ``status`` is asked at every use. In this
order, the first that applies: a vote that does not verify, or a digest that differs, makes it
*void*; one revocation makes it *revoked*; enough denials make it *denied*; too few approvals leave
it *pending*; then it is *scheduled*, *live* or *expired* by the clock, which starts with the
approval that completes it, or at ``starts`` where that is later.

An approval counts while its giver still has the role in which it was given, and one person fills
one place. Neither requester nor beneficiary counts, but for ``self_approval``. What is not known
to be right is not live.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cipherset.core.errors import IntegrityError, PolicyError, UsageError
from cipherset.custody.policy.ballots import (
    Ballot,
    GrantRequest,
    Requirement,
    Vote,
    VoteKind,
    Voter,
    as_of,
    read_vote,
)
from cipherset.custody.policy.limits import Limits, spoken
from cipherset.custody.policy.quorum import lacking
from cipherset.custody.policy.vocabulary import Action, Level, Role


class State(StrEnum):
    """Where a grant stands; only ``live`` allows anything."""

    PENDING = "pending"
    SCHEDULED = "scheduled"
    LIVE = "live"
    EXPIRED = "expired"
    DENIED = "denied"
    REVOKED = "revoked"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Difference:
    """A bound name whose digest is ``new`` today; ``None`` where it is not there any more."""

    name: str
    old: str
    new: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """Where a grant stands and why, in a sentence.

    ``since`` and ``until`` are its hours, once approved. ``lacking`` are the approvals that are
    open; ``is_self_approved`` that one person both asked and approved.
    """

    state: State
    because: str
    since: datetime | None = None
    until: datetime | None = None
    diff: tuple[Difference, ...] = ()
    lacking: Mapping[Role, int] | None = None
    approved_by: tuple[str, ...] = ()
    is_self_approved: bool = False


@dataclass(frozen=True, slots=True)
class Use:
    """What somebody is about to do: each of ``assets`` by its id."""

    principal: str
    action: Action
    assets: frozenset[str]
    purpose: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known now: the time, who there is, and the digest that each name has today."""

    now: datetime
    voters: Mapping[str, Voter]
    today: Mapping[str, str]


# What a request must bind beside its assets is up to the gate; these names are no asset's.
NOT_ASSETS: Final = ("policy", "code", "finding:")


def status(request: GrantRequest, ballots: Iterable[Ballot], facts: Facts) -> Status:
    """Where the grant stands at ``facts.now``."""
    try:
        votes = [read_vote(request, each, facts.voters.get(each.principal)) for each in ballots]
    except IntegrityError as error:
        return Status(State.VOID, f"a vote does not verify: {error.message}")
    ended = _ended(request, votes, facts)
    if ended is not None:
        return ended
    persons: dict[str, frozenset[Role]] = {}
    completed = request.created
    for vote in sorted(votes, key=lambda each: (each.time, each.principal)):
        roles = _counted_roles(request, vote, votes, facts)
        if roles and lacking(persons, request.need.roles):
            persons[vote.principal] = persons.get(vote.principal, frozenset()) | roles
            completed = vote.time
    rest = lacking(persons, request.need.roles)
    if rest or not persons:
        told = ", ".join(f"{count} {role}" for role, count in sorted(rest.items()))
        because = f"waiting for {told or 'an approval'}"
        return Status(State.PENDING, because, lacking=rest, approved_by=tuple(persons))
    return _by_the_clock(request, completed, tuple(persons), facts.now)


def _ended(request: GrantRequest, votes: list[Vote], facts: Facts) -> Status | None:
    """Void, revoked or denied, if it is."""
    diff = tuple(
        Difference(name, old, facts.today.get(name))
        for name, old in sorted(request.bound.items())
        if facts.today.get(name) != old
    )
    if diff:
        names = ", ".join(each.name for each in diff)
        return Status(State.VOID, f"no longer what was approved: {names}", diff=diff)
    if not request.bound:
        return Status(State.VOID, "it binds nothing")
    revoked = sorted(vote.principal for vote in votes if vote.kind is VoteKind.REVOKE)
    if revoked:
        return Status(State.REVOKED, f"revoked by {', '.join(revoked)}")
    denied = {
        vote.principal
        for vote in votes
        if vote.kind is VoteKind.DENY and not request.need.roles.keys().isdisjoint(vote.roles)
    }
    if len(denied) >= request.need.deny:
        return Status(State.DENIED, f"denied by {', '.join(sorted(denied))}")
    return None


def _counted_roles(
    request: GrantRequest, vote: Vote, votes: list[Vote], facts: Facts
) -> frozenset[Role]:
    """In which of the needed roles an approval counts; none if it does not.

    Not by who asked, nor by who denied, nor of a time to come or before it was asked for.
    """
    out = set() if request.self_approval else {request.requester, request.beneficiary}
    out |= {each.principal for each in votes if each.kind is VoteKind.DENY}
    is_timely = request.created <= vote.time <= facts.now
    if vote.kind is not VoteKind.APPROVE or vote.principal in out or not is_timely:
        return frozenset()
    held = facts.voters[vote.principal].roles
    return held & frozenset(vote.roles) & request.need.roles.keys()


def _by_the_clock(
    request: GrantRequest, completed: datetime, persons: tuple[str, ...], now: datetime
) -> Status:
    since = max(completed, request.starts or completed)
    until = since + timedelta(seconds=request.duration_s)
    if now < since:
        state, because = State.SCHEDULED, f"approved; it starts at {as_of(since)}"
    elif now >= until:
        state, because = State.EXPIRED, f"it ended at {as_of(until)}"
    else:
        state, because = State.LIVE, f"approved by {', '.join(persons)}, until {as_of(until)}"
    own = {request.requester, request.beneficiary}
    return Status(
        state,
        because,
        since,
        until,
        approved_by=persons,
        is_self_approved=not own.isdisjoint(persons),
    )


def covers(found: Status, request: GrantRequest, use: Use) -> bool:
    """Whether a grant that stands at ``found`` is live for exactly this use."""
    return (
        found.state is State.LIVE
        and use.principal == request.beneficiary
        and use.action == request.action
        and use.purpose == request.purpose
        and bool(use.assets)
        and use.assets <= request.bound.keys()
    )


def reusable(
    grants: Iterable[tuple[GrantRequest, Status]], use: Use
) -> tuple[GrantRequest, Status] | None:
    """A grant that covers ``use`` already, the one that lasts longest; so none need be asked."""
    live = [(request, found) for request, found in grants if covers(found, request, use)]
    return max(live, key=lambda each: each[1].until or each[0].created, default=None)


def requirement(limits: Limits, action: Action, label: Level) -> Requirement:
    """What a grant for ``action`` takes; ``label`` is the highest of what it is for."""
    return Requirement(limits.approvals_for(action, label), limits.grants.deny)


def check_request(request: GrantRequest, limits: Limits) -> None:
    """Refuse a request that could never be granted as it stands.

    Raises:
        PolicyError: ``grant_duration``: longer than the limits allow.
        UsageError: ``grant_bound``: it binds nothing; ``grant_need``: it asks nobody.
    """
    longest = limits.grants.longest_s
    if not 0 < request.duration_s <= longest:
        raise PolicyError(
            f"a grant of {spoken(request.duration_s)} was asked for; the limits allow "
            f"{spoken(longest)} at most",
            code="grant_duration",
            hint="ask for a shorter one; it can be asked for again",
        )
    if all(name.startswith(NOT_ASSETS) for name in request.bound):
        raise UsageError(
            "the request names no asset",
            code="grant_bound",
            hint="say what it is for: cipherset grant request ACTION ASSET --for PURPOSE",
        )
    if not request.need.roles or min(request.need.roles.values()) < 1 or request.need.deny < 1:
        raise UsageError(
            "the request asks nobody for an approval",
            code="grant_need",
            hint="take what the limits ask for: requirement(limits, action, label)",
        )


def review_due(at: datetime, limits: Limits) -> datetime:
    """When an act of break-glass at ``at`` must have been reviewed."""
    return at + timedelta(seconds=limits.break_glass.review_within_s)
