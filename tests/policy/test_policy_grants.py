"""Nothing is live but what enough of the right persons signed, to the byte and to the hour."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.signer import CryptoSigner

from cipherset.core import canonical
from cipherset.core.envelope import public_key_of, sign
from cipherset.core.errors import IntegrityError
from cipherset.custody.policy import (
    Action,
    Ballot,
    Difference,
    Facts,
    GrantRequest,
    Level,
    Requirement,
    Role,
    State,
    Use,
    Vote,
    VoteKind,
    Voter,
    check_request,
    covers,
    decode_request,
    encode_request,
    read_vote,
    requirement,
    reusable,
    review_due,
    sign_vote,
    status,
)
from cipherset.custody.policy.ballots import VOTE_TYPE
from cipherset.custody.policy.limits import read_limits

T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MODEL, DATA = "sha256:" + "a" * 64, "sha256:" + "b" * 64
BOUND = {"router": MODEL, "tickets": DATA, "policy": "sha256:" + "c" * 64}
SIGNERS = {
    name: CryptoSigner.generate_ed25519() for name in ("ann", "bob", "cyd", "dan", "eve", "fay")
}
HELD = {
    "ann": {Role.SCIENTIST},
    "bob": {Role.REVIEWER},
    "cyd": {Role.DATA_OWNER},
    "dan": {Role.DATA_OWNER, Role.REVIEWER},
    "eve": {Role.DEPLOYER},
    "fay": {Role.AUDITOR},
}
VOTERS = {
    name: Voter(frozenset(HELD[name]), frozenset({public_key_of(signer)}))
    for name, signer in SIGNERS.items()
}
REQUEST = GrantRequest(
    id="7",
    action=Action.DEPLOY,
    purpose="routing",
    requester="ann",
    beneficiary="eve",
    bound=BOUND,
    created=T0,
    starts=None,
    duration_s=7200,
    need=Requirement({Role.DATA_OWNER: 1, Role.REVIEWER: 1}),
    note="the new router",
)
LIMITS = read_limits("[approvals.default.public]\nreviewer = 1\n[grants]\nlongest_s = 7200\n")


def vote(who, kind=VoteKind.APPROVE, *, after=HOUR, request=REQUEST, roles=None, signer=None):
    held = roles if roles is not None else HELD[who]
    made = Vote(who, kind, tuple(sorted(held)), request.created + after)
    return sign_vote(request, made, SIGNERS[signer or who])


def at(now, *, today=BOUND, voters=VOTERS):
    return Facts(now, voters, today)


def stands(*ballots, now=T0 + 2 * HOUR, request=REQUEST, today=BOUND, voters=VOTERS):
    return status(request, ballots, at(now, today=today, voters=voters))


def test_it_waits_for_those_who_are_needed():
    found = stands()
    assert found.state is State.PENDING
    assert found.because == "waiting for 1 data-owner, 1 reviewer"
    found = stands(vote("bob"))
    assert found.state is State.PENDING
    assert found.lacking == {Role.DATA_OWNER: 1}
    assert found.approved_by == ("bob",)


def test_the_clock_starts_with_the_approval_that_completes_it():
    found = stands(vote("bob"), vote("cyd", after=1.5 * HOUR))
    assert found.state is State.LIVE
    assert found.since == T0 + 1.5 * HOUR
    assert found.until == T0 + 3.5 * HOUR
    assert found.approved_by == ("bob", "cyd")
    assert not found.is_self_approved


def test_a_further_approval_does_not_move_the_clock():
    both = vote("bob"), vote("cyd", after=1.5 * HOUR)
    assert stands(*both, vote("dan", after=1.9 * HOUR)).until == stands(*both).until


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (T0 + HOUR, State.PENDING),
        (T0 + 1.5 * HOUR, State.LIVE),
        (T0 + 3.5 * HOUR - timedelta(microseconds=1), State.LIVE),
        (T0 + 3.5 * HOUR, State.EXPIRED),
        (T0 + 1000 * HOUR, State.EXPIRED),
        (T0 - HOUR, State.PENDING),
    ],
)
def test_it_ends_by_the_clock_that_is_looked_at(now, state):
    assert stands(vote("bob"), vote("cyd", after=1.5 * HOUR), now=now).state is state


def test_it_can_start_later():
    later = replace(REQUEST, starts=T0 + 10 * HOUR)
    ballots = vote("bob", request=later), vote("cyd", request=later)
    assert stands(*ballots, request=later).state is State.SCHEDULED
    assert stands(*ballots, request=later, now=T0 + 10 * HOUR).state is State.LIVE
    assert stands(*ballots, request=later, now=T0 + 12 * HOUR).state is State.EXPIRED
    late = vote("bob", request=later), vote("cyd", request=later, after=11 * HOUR)
    assert stands(*late, request=later, now=T0 + 12 * HOUR).since == T0 + 11 * HOUR


def test_one_person_with_both_roles_counts_once():
    assert stands(vote("dan")).state is State.PENDING
    assert stands(vote("dan"), vote("bob")).state is State.LIVE
    assert stands(vote("dan"), vote("cyd")).state is State.LIVE
    assert stands(vote("cyd"), vote("cyd", after=1.2 * HOUR)).state is State.PENDING


@pytest.mark.parametrize("who", ["requester", "beneficiary"])
def test_who_asks_or_gains_does_not_count(who):
    own = replace(REQUEST, **{who: "bob"})
    ballots = vote("bob", request=own), vote("cyd", request=own)
    assert stands(*ballots, request=own).state is State.PENDING
    alone = replace(own, self_approval=True)
    ballots = vote("bob", request=alone), vote("cyd", request=alone)
    found = stands(*ballots, request=alone)
    assert (found.state, found.is_self_approved) == (State.LIVE, True)


def test_a_role_that_is_not_needed_does_not_count():
    assert stands(vote("bob"), vote("fay")).approved_by == ("bob",)


def test_a_role_must_be_held_today_and_have_been_voted_in():
    ballots = vote("bob"), vote("cyd")
    assert stands(*ballots).state is State.LIVE
    left = VOTERS | {"cyd": Voter(frozenset(), VOTERS["cyd"].public_keys)}
    assert stands(*ballots, voters=left).state is State.PENDING
    claimed = vote("fay", roles={Role.DATA_OWNER})
    assert stands(vote("bob"), claimed).state is State.PENDING
    other = vote("dan", roles={Role.REVIEWER})
    assert stands(vote("bob"), other).state is State.PENDING


def test_a_vote_of_tomorrow_or_of_before_does_not_count_yet():
    assert stands(vote("bob"), vote("cyd", after=9 * HOUR)).state is State.PENDING
    assert stands(vote("bob"), vote("cyd", after=-HOUR)).state is State.PENDING


def test_enough_denials_end_it_at_any_time():
    deny = vote("dan", VoteKind.DENY)
    found = stands(vote("bob"), vote("cyd"), deny)
    assert (found.state, found.because) == (State.DENIED, "denied by dan")
    assert stands(deny).state is State.DENIED
    assert stands(vote("bob"), vote("cyd"), vote("eve", VoteKind.DENY)).state is State.LIVE
    two = replace(REQUEST, need=Requirement(REQUEST.need.roles, deny=2))
    ballots = [vote(who, request=two) for who in ("bob", "cyd")]
    ballots.append(vote("dan", VoteKind.DENY, request=two))
    assert stands(*ballots, request=two).state is State.LIVE
    ballots.append(vote("bob", VoteKind.DENY, request=two))
    assert stands(*ballots, request=two).state is State.DENIED


def test_who_denied_does_not_approve_as_well():
    two = replace(REQUEST, need=Requirement(REQUEST.need.roles, deny=2))
    ballots = [vote(who, request=two) for who in ("bob", "cyd")]
    ballots.append(vote("bob", VoteKind.DENY, request=two))
    assert stands(*ballots, request=two).state is State.PENDING


def test_one_revocation_ends_it_at_once():
    ballots = vote("bob"), vote("cyd"), vote("ann", VoteKind.REVOKE)
    found = stands(*ballots)
    assert (found.state, found.because) == (State.REVOKED, "revoked by ann")


@pytest.mark.parametrize("name", BOUND)
def test_a_changed_digest_voids_it_and_says_which(name):
    new = "sha256:" + "d" * 64
    found = stands(vote("bob"), vote("cyd"), today=BOUND | {name: new})
    assert found.state is State.VOID
    assert found.diff == (Difference(name, BOUND[name], new),)
    gone = {key: value for key, value in BOUND.items() if key != name}
    found = stands(vote("bob"), vote("cyd"), today=gone)
    assert (found.state, found.diff) == (State.VOID, (Difference(name, BOUND[name], None),))


@given(st.sampled_from(sorted(BOUND)), st.data())
def test_any_flipped_digit_of_a_bound_digest_voids_it(name, data):
    old = BOUND[name]
    place = data.draw(st.integers(0, len(old) - 1))
    new = data.draw(st.characters(codec="ascii").filter(lambda each: each != old[place]))
    flipped = old[:place] + new + old[place + 1 :]
    assert stands(*COMPLETE, today=BOUND | {name: flipped}).state is State.VOID
    request = replace(REQUEST, bound=BOUND | {name: flipped})
    assert stands(*COMPLETE, request=request, today=request.bound).state is State.VOID


COMPLETE = vote("bob"), vote("cyd")


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 1), st.data())
def test_any_flipped_bit_of_an_envelope_voids_it(which, data):
    raw = COMPLETE[which].envelope
    place = data.draw(st.integers(0, len(raw) - 1))
    changed = bytearray(raw)
    changed[place] ^= 1 << data.draw(st.integers(0, 7))
    ballots = list(COMPLETE)
    ballots[which] = replace(ballots[which], envelope=bytes(changed))
    found = stands(*ballots)
    assert found.state is State.VOID
    assert found.because.startswith("a vote does not verify")


CHANGES = [
    {"id": "8"},
    {"action": Action.ERASE},
    {"purpose": "advertising"},
    {"requester": "mallory"},
    {"beneficiary": "mallory"},
    {"bound": BOUND | {"more": DATA}},
    {"created": T0 - HOUR},
    {"starts": T0 + HOUR},
    {"duration_s": 7201},
    {"need": Requirement({Role.REVIEWER: 1})},
    {"need": Requirement(REQUEST.need.roles, deny=9)},
    {"note": "something else"},
    {"accepts_risk": True},
    {"self_approval": True},
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_vote_is_for_every_field_of_the_request(change):
    request = replace(REQUEST, **change)
    found = stands(*COMPLETE, request=request, today=request.bound)
    assert found.state is State.VOID
    assert "another request" in found.because


def test_every_field_of_a_request_is_tried():
    tried = {name for change in CHANGES for name in change}
    assert tried == set(GrantRequest.__slots__)


BALLOTS = [
    *(vote(who, after=minutes * HOUR / 60) for who in ("bob", "cyd", "dan") for minutes in (5, 50)),
    vote("eve"),
    vote("dan", VoteKind.DENY),
    vote("ann", VoteKind.REVOKE),
]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(BALLOTS), max_size=6), st.integers(0, 300), st.integers(0, 300))
def test_time_only_ends_what_is_live(ballots, first, second):
    early, late = sorted((first, second))
    before, after = (stands(*ballots, now=T0 + m * HOUR / 60).state for m in (early, late))
    if before in {State.EXPIRED, State.REVOKED, State.DENIED}:
        assert after is before
    if before is State.LIVE:
        assert after in {State.LIVE, State.EXPIRED}


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(BALLOTS), max_size=6), st.permutations(BALLOTS[-2:]))
def test_a_denial_or_a_revocation_never_makes_it_live(ballots, against):
    if stands(*ballots).state is not State.LIVE:
        assert stands(*ballots, against[0]).state is not State.LIVE
    assert stands(*ballots, *against).state in {State.REVOKED, State.DENIED}


@settings(deadline=None, max_examples=50)
@given(st.permutations(BALLOTS[:6]))
def test_the_order_in_which_votes_are_kept_does_not_matter(ballots):
    assert stands(*ballots) == stands(*BALLOTS[:6])


@pytest.mark.parametrize(
    ("ballot", "code"),
    [
        (vote("bob", signer="eve"), "vote_signer"),
        (replace(vote("bob"), principal="cyd"), "vote_signer"),
        (replace(vote("bob"), principal="mallory"), "vote_signer"),
        (replace(vote("bob"), kind=VoteKind.REVOKE), "vote_ballot"),
        (vote("bob", request=replace(REQUEST, id="8")), "vote_request"),
        (Ballot("bob", VoteKind.APPROVE, b"{}"), "envelope_form"),
    ],
)
def test_a_vote_that_is_not_what_it_says_is_refused(refused, ballot, code):
    refused(code, lambda: read_vote(REQUEST, ballot, VOTERS.get(ballot.principal)))
    assert stands(*COMPLETE, ballot).state is State.VOID


def test_somebody_with_two_names_cannot_keep_a_vote_under_the_other(refused):
    shared = VOTERS | {"cyd": Voter(HELD["cyd"], VOTERS["bob"].public_keys)}
    ballot = replace(vote("bob"), principal="cyd")
    refused("vote_ballot", lambda: read_vote(REQUEST, ballot, shared["cyd"]))


def forged(payload):
    """What a principal with a key, and a program other than ours, could sign."""
    payload["signer"] = {"public_key": public_key_of(SIGNERS["bob"])}
    envelope = sign(canonical.encode(payload), VOTE_TYPE, SIGNERS["bob"])
    return Ballot("bob", VoteKind.APPROVE, envelope)


GOOD = {
    "principal": "bob",
    "kind": "approve",
    "roles": ["reviewer"],
    "time": "2026-03-02T10:00:00Z",
    "comment": "",
}


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "cipherset/vote/2"},
        {"more": 1},
        {"vote": GOOD | {"roles": ["king"]}},
        {"vote": GOOD | {"time": "2026-03-02T10:00:00"}},
        {"vote": GOOD | {"kind": "maybe"}},
        {"vote": GOOD | {"weight": 2}},
        {"vote": {"principal": "bob"}},
    ],
)
def test_a_signed_vote_of_another_form_is_refused(refused, change):
    payload = {"schema": "cipherset/vote/1", "request": REQUEST.digest, "vote": GOOD}
    assert read_vote(REQUEST, forged(dict(payload)), VOTERS["bob"]).roles == (Role.REVIEWER,)
    refused("grant_form", lambda: read_vote(REQUEST, forged(payload | change), VOTERS["bob"]))


def test_a_key_that_was_replaced_still_verifies_its_votes():
    renewed = Voter(VOTERS["bob"].roles, VOTERS["bob"].public_keys | {"ab" * 32})
    assert stands(*COMPLETE, voters=VOTERS | {"bob": renewed}).state is State.LIVE


def test_a_request_is_read_as_it_was_written():
    later = replace(REQUEST, starts=T0 + HOUR, accepts_risk=True)
    for request in (REQUEST, later):
        assert decode_request(encode_request(request)) == request
        assert decode_request(encode_request(request)).digest == request.digest


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"action": "take.over"},
        {"created": "now"},
        {"created": "2026-03-02T09:00:00.0Z"},
        {"need": {"roles": {"reviewer": 1}, "deny": 1, "extra": 1}},
        {"duration_s": "7200"},
    ],
)
def test_a_request_of_another_form_is_refused(refused, change):
    raw = json.dumps(
        json.loads(encode_request(REQUEST)) | change, sort_keys=True, separators=(",", ":")
    ).encode()
    refused("grant_form", lambda: decode_request(raw))


def test_a_request_that_is_no_json_is_refused():
    with pytest.raises(IntegrityError):
        decode_request(b"{")


USE = Use("eve", Action.DEPLOY, frozenset({"router"}), "routing")


@pytest.mark.parametrize(
    ("change", "is_covered"),
    [
        ({}, True),
        ({"assets": frozenset({"router", "tickets"})}, True),
        ({"principal": "ann"}, False),
        ({"action": Action.PREDICT}, False),
        ({"assets": frozenset({"router", "other"})}, False),
        ({"assets": frozenset()}, False),
        ({"purpose": "advertising"}, False),
    ],
)
def test_a_grant_covers_exactly_what_was_asked_for(change, is_covered):
    use = replace(USE, **change)
    assert covers(stands(*COMPLETE), REQUEST, use) == is_covered


@pytest.mark.parametrize("state", [each for each in State if each is not State.LIVE])
def test_only_a_live_grant_covers_anything(state):
    assert not covers(replace(stands(*COMPLETE), state=state), REQUEST, USE)


def test_a_live_grant_is_offered_instead_of_a_second():
    longer = replace(REQUEST, id="8", duration_s=72_000)
    second = stands(vote("bob", request=longer), vote("cyd", request=longer), request=longer)
    first = stands(*COMPLETE)
    assert reusable([(REQUEST, first), (longer, second)], USE) == (longer, second)
    assert reusable([(REQUEST, stands())], USE) is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"duration_s": 0}, "grant_duration"),
        ({"duration_s": 7201}, "grant_duration"),
        ({"bound": {}}, "grant_bound"),
        ({"bound": {"policy": DATA, "finding:3": DATA}}, "grant_bound"),
        ({"need": Requirement({})}, "grant_need"),
        ({"need": Requirement({Role.REVIEWER: 0})}, "grant_need"),
        ({"need": Requirement({Role.REVIEWER: 1}, deny=0)}, "grant_need"),
    ],
)
def test_a_request_that_could_never_be_granted_is_refused(refused, change, code):
    check_request(REQUEST, LIMITS)
    refused(code, lambda: check_request(replace(REQUEST, **change), LIMITS))


def test_what_a_grant_takes_stands_in_the_limits():
    assert requirement(LIMITS, Action.DEPLOY, Level.RESTRICTED) == Requirement({Role.REVIEWER: 1})


def test_what_is_no_envelope_at_all_voids_it():
    assert stands(*COMPLETE, Ballot("bob", VoteKind.APPROVE, b"")).state is State.VOID


def test_what_binds_nothing_or_asks_nobody_is_not_live():
    for change in ({"bound": {}}, {"need": Requirement({})}):
        request = replace(REQUEST, **change)
        ballots = vote("bob", request=request), vote("cyd", request=request)
        assert stands(*ballots, request=request).state is not State.LIVE


def test_an_emergency_is_reviewed_in_time():
    assert review_due(T0, LIMITS) == T0 + 24 * HOUR


def test_what_people_write_is_not_in_a_repr():
    assert "the new router" not in repr(REQUEST)
    assert "kestrel" not in repr(replace(Vote("a", VoteKind.DENY, (), T0), comment="kestrel"))
    assert "payload" not in repr(COMPLETE[0])
