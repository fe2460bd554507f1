"""What the gate knows at the moment of asking, read in the transaction that decides."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from cipherset.app.gate.about import NOTHING, About, Moment
from cipherset.app.gate.assets import described
from cipherset.core.errors import IntegrityError
from cipherset.custody.ledger import Outcome, Transaction
from cipherset.custody.ledger.access import (
    StoredPrincipal,
    StoredRequest,
    StoredVote,
    active_digest,
    active_policies,
    find_principal,
    has_votes,
    requests_for,
    votes_on,
)
from cipherset.custody.ledger.records import acts_on, events_of
from cipherset.custody.policy import (
    Action,
    Ballot,
    BuiltIn,
    Context,
    Facts,
    GrantRequest,
    Kind,
    Level,
    Policies,
    Principal,
    Request,
    Resource,
    Role,
    State,
    Status,
    Use,
    VoteKind,
    Voter,
    builtin,
    covers,
    decode_request,
    status,
)

if TYPE_CHECKING:
    from cipherset.app.gate.gate import Gate

POLICY: Final = "policy"
CODE: Final = "code"
ACTIVE: Final = "active"
_AGAINST: Final = {
    Action.GRANT_DENY.value: VoteKind.DENY.value,
    Action.GRANT_REVOKE.value: VoteKind.REVOKE.value,
}
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Asked:
    """The question to the policies, and what a refusal and an event need beside it.

    ``public_key`` is what the principal must prove to hold, if one is registered. ``void`` is the
    latest grant for this act that would hold, had nothing that it binds changed. ``asked_as`` is
    the action that a grant for this act is asked for. ``opens`` are the keys that may be opened in
    it, of those that it said it would.
    """

    request: Request
    policies: Policies
    about: About
    grant_id: str | None
    public_key: str | None
    void: tuple[GrantRequest, Status] | None
    asked_as: Action
    opens: tuple[About, ...] = ()


def gather(
    transaction: Transaction, gate: "Gate", action: Action, about: About, moment: Moment
) -> Asked:
    """Everything that the decision depends on, as of ``transaction``."""
    policies = gate.policies(transaction)
    stored = principal_now(transaction, gate.who.name)
    asked_as = moment.granted_as or action
    grants = grants_of(transaction, gate, asked_as, gate.who.name, about.bound())
    grant = _live(grants, gate, asked_as, about, moment)
    request = Request(
        principal=principal_of(gate.who.name, stored, policies),
        action=action,
        resource=resource_of(transaction, about, moment),
        context=_context(transaction, gate, action, moment, grant),
    )
    return Asked(
        request=request,
        policies=policies,
        about=about,
        grant_id=None if grant is None else grant.id,
        public_key=None if stored is None else stored.public_key,
        void=next((each for each in reversed(grants) if each[1].diff), None),
        asked_as=asked_as,
    )


def principal_now(transaction: Transaction, name: str) -> StoredPrincipal | None:
    """The principal, or None where there is none of that name.

    Raises:
        IntegrityError: ``principal_changed``.
    """
    return transaction.recall((find_principal, name), lambda rows: find_principal(rows, name))


def asked_for(
    transaction: Transaction, action: Action, beneficiary: str
) -> tuple[StoredRequest, ...]:
    """The requests for one action of one principal, the oldest first."""
    key = requests_for, action, beneficiary
    return transaction.recall(key, lambda rows: requests_for(rows, action, beneficiary))


def policies_now(
    transaction: Transaction, held: Policies | None, *, parted: bool = False
) -> Policies:
    """The policies that hold: ``held`` where they are still the same; solo before the first.

    ``parted``: duties were parted here once, so that no policies at all are policies lost.

    Raises:
        IntegrityError: ``policy_changed``: the stored text is not of its digest; ``policy_lost``.
    """
    digest = transaction.recall(active_digest, active_digest)
    if digest is None and parted:
        raise policy_lost()
    if held is not None and digest in {None, held.digest}:
        return held
    stored = active_policies(transaction.connection)
    if stored is None:
        _check_never_activated(transaction)
        return builtin.load(BuiltIn.SOLO)
    policies = Policies.from_source(stored.text)
    if policies.digest != stored.digest:
        raise IntegrityError(
            "the policies in the ledger are not those that were activated",
            code="policy_changed",
            hint="restore the ledger from a backup, or activate a set again with the version of "
            "cipherset that activated it",
        )
    return policies


def _check_never_activated(transaction: Transaction) -> None:
    """Policies that were taken away must not leave one person with everything."""
    done = events_of(transaction.connection, Action.POLICY_ACTIVATE, Outcome.DONE)
    if next(done, None) is not None:
        raise policy_lost()


def policy_lost() -> IntegrityError:
    """The refusal of a ledger without the policies that there were."""
    return IntegrityError(
        "policies were activated in this workspace, and are not in its ledger any more",
        code="policy_lost",
        hint="restore the ledger from a backup; without one make another workspace: cipherset init",
    )


def principal_of(name: str, stored: StoredPrincipal | None, policies: Policies) -> Principal:
    """The principal as policies see it.

    Without a role where nobody added them, or where they left; where one person does everything,
    with each.
    """
    if stored is None and policies.limits.grants.self_approval:
        return Principal(name, frozenset(Role))
    if stored is None or stored.status != ACTIVE:
        return Principal(name)
    return Principal(name, frozenset(map(Role, stored.roles)), stored.attributes)


def today(policies: Policies, gate: "Gate", assets: Mapping[str, str]) -> dict[str, str]:
    """The digest of everything that a grant binds: the assets, the policies and our code."""
    code = gate.environment.package or UNKNOWN
    return {**assets, POLICY: policies.digest, CODE: code}


def standing_of(
    transaction: Transaction, gate: "Gate", request: GrantRequest, digests: Mapping[str, str]
) -> Status:
    """Where a request stands now, if its names have these digests."""
    votes = votes_on(transaction.connection, request.id)
    acts = acts_on(transaction.connection, request.id)
    if not _against(acts) <= {(vote.kind, vote.principal) for vote in votes}:
        return Status(State.VOID, "a vote against it was taken away")
    approved = [vote.principal for vote in votes if vote.kind == VoteKind.APPROVE]
    if not {(Action.GRANT_APPROVE, name, Outcome.INTENDED) for name in approved} <= acts:
        return Status(State.VOID, "an approval was put in past the gate")
    ballots, voters = ballots_of(transaction, gate, votes)
    return status(request, ballots, Facts(transaction.now, voters, digests))


def ballots_of(
    transaction: Transaction, gate: "Gate", votes: Iterable[StoredVote]
) -> tuple[tuple[Ballot, ...], dict[str, Voter]]:
    """Votes as they were signed, and the roles and keys of those who gave them."""
    ballots = tuple(
        Ballot(vote.principal, VoteKind(vote.kind), vote.envelope.encode()) for vote in votes
    )
    return ballots, {each.principal: _voter(transaction, gate, each.principal) for each in ballots}


def _against(acts: frozenset[tuple[str, str, str]]) -> set[tuple[str, str]]:
    """The denials and revocations that the chain of events knows, whatever became of the votes."""
    return {
        (_AGAINST[action], actor)
        for action, actor, outcome in acts
        if action in _AGAINST and outcome == Outcome.DONE
    }


def _voter(transaction: Transaction, gate: "Gate", name: str) -> Voter:
    """The roles of a voter and the keys that sign for them: their own, or the workspace's."""
    stored = principal_now(transaction, name)
    key = None if stored is None else stored.public_key
    roles = principal_of(name, stored, gate.policies(transaction)).roles
    past = {
        each.public_key or gate.signer_key: datetime.fromisoformat(each.until)
        for each in (() if stored is None else stored.past_keys)
        if not each.is_compromised
    }
    return Voter(roles, frozenset({key or gate.signer_key}), past)


def grants_of(
    transaction: Transaction,
    gate: "Gate",
    action: Action,
    beneficiary: str,
    assets: Mapping[str, str],
) -> list[tuple[GrantRequest, Status]]:
    """What somebody was ever to be granted for an act on these assets, the oldest first.

    Where each stands now that the assets have these digests.
    """
    stored = asked_for(transaction, action, beneficiary)
    if not stored:
        return []
    digests = today(gate.policies(transaction), gate, assets)
    asked = [decode_request(each.request.encode()) for each in stored]
    return [
        (one, standing_of(transaction, gate, one, {**one.bound, **digests}))
        for one in asked
        if assets.keys() <= one.bound.keys()
    ]


def _live(
    grants: list[tuple[GrantRequest, Status]],
    gate: "Gate",
    action: Action,
    about: About,
    moment: Moment,
) -> GrantRequest | None:
    """The live grant that covers this very act, if there is one."""
    names = frozenset(about.bound())
    for one, found in grants:
        use = Use(gate.who.name, action, names, moment.purpose or one.purpose)
        if covers(found, one, use):
            return one
    return None


def resource_of(transaction: Transaction, about: About, moment: Moment = NOTHING) -> Resource:
    """The asset as policies see it."""
    if about.kind is Kind.WORKSPACE:
        return Resource(about.kind, about.id, about.name, label=Level.INTERNAL)
    found = described(transaction, about)
    return replace(found, purpose=None, tenant=None, region=None) if moment.takes_out else found


def _context(
    transaction: Transaction,
    gate: "Gate",
    action: Action,
    moment: Moment,
    grant: GrantRequest | None,
) -> Context:
    now = transaction.now
    return Context(
        hour_utc=now.hour,
        weekday=now.weekday(),
        purpose=_purpose(moment, grant),
        environment=gate.environment.host,
        network=gate.who.network,
        code=gate.environment.package,
        granted=grant is not None,
        grant_id=None if grant is None else grant.id,
        break_glass=gate.who.emergency is not None,
        reid=moment.reid,
        verdict=moment.verdict,
        measured=moment.is_fresh,
        exposure_left=moment.exposure_left,
        rows=moment.rows,
        accepted_risk=moment.accepted_risk and (grant is None or grant.accepts_risk),
        authenticated=gate.who.authenticated,
        asked=moment.asked,
        requester=moment.requester,
        beneficiary=moment.beneficiary,
        region=gate.environment.region,
        under_key=moment.key is not None,
        key_region=None if moment.key is None else moment.key.region,
        key_tenant=None if moment.key is None else moment.key.tenant,
        founding=action is Action.PRINCIPAL_ADD and not has_votes(transaction.connection),
    )


def _purpose(moment: Moment, grant: GrantRequest | None) -> str | None:
    """What was said to be wanted, or else what the grant is for, or else what the key is for."""
    granted = None if grant is None else grant.purpose
    return moment.purpose or granted or (None if moment.key is None else moment.key.purpose)
