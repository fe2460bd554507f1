"""The team's policies: what each role may do, and that nobody holds all the pieces."""

from itertools import combinations

import cedarpy
import pytest
from policy_facts import ask

from cipherset.custody.policy import (
    APPLIES_TO,
    UNBOUNDED,
    Action,
    Authenticated,
    BuiltIn,
    Kind,
    Level,
    Policies,
    Role,
    Standing,
    Verdict,
    Way,
    builtin,
    conflicts,
    schema,
)

TEAM = builtin.load(BuiltIn.TEAM)
EVERYTHING = {
    "measured": True,
    "reid": 0.0,
    "verdict": Verdict.WITHIN_LIMIT,
    "exposure_left": UNBOUNDED,
    "authenticated": Authenticated.CERTIFICATE,
    "label": Level.PUBLIC,
    "status": Standing.APPROVED,
}
# What each role may do at best without a grant, and what with one besides.
FREE = {
    Role.DATA_OWNER: "scan sanitize calibrate forget export.remove breach suspend key.use search "
    "grant.request grant.approve grant.deny grant.revoke",
    Role.KEY_CUSTODIAN: "key.create key.bind key.rotate key.retire key.use grant.request "
    "grant.revoke grant.approve grant.deny suspend",
    Role.INGESTER: "scan sanitize calibrate protect export index search key.use grant.request",
    Role.SCIENTIST: "evaluate predict key.use grant.request",
    Role.PROMPT_ADMINISTRATOR: "query redteam key.use grant.request",
    Role.DEPLOYER: "service.add service.remove key.use grant.request",
    Role.REVIEWER: "assess redteam breach suspend review key.use grant.request "
    "grant.approve grant.deny grant.revoke",
    Role.AUDITOR: "audit discover breach key.use",
    Role.SERVICE: "query predict encrypt search discover key.use grant.request",
    Role.ADMINISTRATOR: "grant.request grant.revoke principal.revoke audit.accept backup",
}
# Whoever has a role may see how things stand.
FREE = {role: f"view {words}" for role, words in FREE.items()}
GRANTED = {
    Role.DATA_OWNER: "relabel erase detokenize approve",
    Role.KEY_CUSTODIAN: "key.destroy",
    Role.INGESTER: "",
    Role.SCIENTIST: "train.at-gate train.together predict.scores",
    Role.PROMPT_ADMINISTRATOR: "",
    Role.DEPLOYER: "deploy",
    Role.REVIEWER: "approve",
    Role.AUDITOR: "",
    Role.SERVICE: "predict.scores",
    Role.ADMINISTRATOR: "principal.add principal.change principal.token policy.activate",
}
# Where a kind matters beyond what an action applies to at all.
ONLY = {
    (Role.KEY_CUSTODIAN, Action.GRANT_APPROVE): {Kind.KEY},
    (Role.KEY_CUSTODIAN, Action.GRANT_DENY): {Kind.KEY},
    (Role.KEY_CUSTODIAN, Action.SUSPEND): {Kind.KEY},
}


def expected(role, action, kind, *, granted):
    words = FREE[role].split() + (GRANTED[role].split() if granted else [])
    kinds = ONLY.get((role, action), APPLIES_TO[action])
    return action in words and kind in kinds


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("granted", [False, True])
def test_each_role_may_do_what_the_table_says_and_nothing_else(role, granted):
    wrong = [
        (action, kind)
        for action in Action
        for kind in Kind
        if TEAM.judge(ask([role], action, kind, granted=granted, **EVERYTHING)).is_allowed
        != expected(role, action, kind, granted=granted)
    ]
    assert wrong == []


@pytest.mark.parametrize("action", Action)
def test_who_has_no_role_or_no_name_may_do_nothing(action):
    for kind in Kind:
        facts = EVERYTHING | {"granted": True, "accepted_risk": True, "break_glass": True}
        assert not TEAM.judge(ask([], action, kind, **facts)).is_allowed
        assert not TEAM.judge(ask(list(Role), action, kind, name="", **facts)).is_allowed


def test_everything_can_be_done_by_someone():
    may = {word for table in (FREE, GRANTED) for words in table.values() for word in words.split()}
    assert set(Action) - may == set()


def test_auditors_ask_for_the_review_of_what_they_find_and_for_nothing_else():
    may = [
        asked
        for asked in Action
        if TEAM.judge(
            ask([Role.AUDITOR], Action.GRANT_REQUEST, Kind.SERVICE, asked=asked, **EVERYTHING)
        ).is_allowed
    ]
    assert may == [Action.APPROVE]


def together(roles):
    return {word for role in roles for word in f"{FREE[role]} {GRANTED[role]}".split()}


PIECES = {"key.create", "protect", "train.at-gate", "deploy", "grant.approve"}


def test_roles_that_one_person_may_hold_never_hold_all_pieces():
    sets = [set(each) for size in range(1, 11) for each in combinations(Role, size)]
    allowed = [each for each in sets if not conflicts(each, TEAM.limits)]
    assert {Role.DATA_OWNER, Role.INGESTER} in allowed
    assert [each for each in allowed if len(together(each) & PIECES) > 2] == []
    plain_and_cipher = [each for each in allowed if {"scan", "train.at-gate"} <= together(each)]
    assert plain_and_cipher == []
    maker_and_judge = [each for each in allowed if {"protect", "assess"} <= together(each)]
    assert maker_and_judge == []


DEPLOY = {
    "label": Level.INTERNAL,
    "status": Standing.APPROVED,
    "granted": True,
    "measured": True,
    "reid": 0.05,
}


@pytest.mark.parametrize(
    ("change", "by"),
    [
        ({}, ("deploy",)),
        ({"granted": False}, None),
        ({"measured": False}, None),
        ({"reid": None}, None),
        ({"status": Standing.PROPOSED}, None),
        ({"status": Standing.SUSPENDED}, ("suspended",)),
        ({"reid": 0.0500001}, ("too-exposed",)),
        ({"verdict": Verdict.NOT_PROTECTIVE}, ("not-protective",)),
        ({"verdict": Verdict.NOT_PROTECTIVE, "accepted_risk": True}, ("deploy", "deploy-at-risk")),
        ({"reid": 0.4, "accepted_risk": True}, ("deploy-at-risk",)),
        ({"reid": 0.4, "accepted_risk": True, "granted": False}, ("too-exposed",)),
    ],
)
def test_a_deploy_takes_a_grant_an_approval_and_a_measurement(change, by):
    decision = TEAM.decide(ask(["deployer"], "deploy", "model", **DEPLOY | change))
    allowing = by is not None and by[0].startswith("deploy")
    assert decision.is_allowed == allowing
    assert decision.policies == (by or ())


EXPORT = {
    "label": Level.INTERNAL,
    "measured": True,
    "reid": 0.03,
    "exposure_left": 100,
    "rows": 100,
}


@pytest.mark.parametrize(
    ("change", "is_allowed", "ways"),
    [
        ({}, True, ()),
        ({"exposure_left": 99}, False, (Way.EXPOSURE,)),
        ({"exposure_left": None}, False, (Way.EXPOSURE,)),
        ({"reid": None, "measured": False}, False, (Way.LESS_RISK, Way.ACCEPTED_RISK)),
        ({"reid": 0.2}, False, (Way.LESS_RISK, Way.ACCEPTED_RISK)),
        ({"label": Level.CONFIDENTIAL}, False, (Way.GRANT,)),
        ({"label": Level.CONFIDENTIAL, "granted": True}, True, ()),
        (
            {"label": Level.RESTRICTED, "reid": 0.2},
            False,
            (Way.GRANT_AND_LESS_RISK, Way.ACCEPTED_RISK),
        ),
    ],
)
def test_what_leaves_is_measured_within_the_limit_and_the_exposure(change, is_allowed, ways):
    decision = TEAM.decide(ask(["ingester"], "export", "dataset", **EXPORT | change))
    assert (decision.is_allowed, decision.missing.ways) == (is_allowed, ways)


@pytest.mark.parametrize("who", ["requester", "beneficiary"])
def test_nobody_approves_what_is_for_themselves(who):
    facts = {who: "ann", "asked": Action.TRAIN_AT_GATE}
    own = TEAM.decide(ask(["reviewer"], "grant.approve", "dataset", **facts))
    assert (own.is_allowed, own.policies) == (False, ("own-request",))
    assert TEAM.decide(
        ask(["reviewer"], "grant.approve", "dataset", name="bob", **facts)
    ).is_allowed


@pytest.mark.parametrize("asked", [Action.DEPLOY, Action.EXPORT, Action.APPROVE])
def test_who_made_it_does_not_approve_that_it_goes_out(asked):
    facts = {"asked": asked, "made_by": frozenset({"ann"})}
    own = TEAM.decide(ask(["data-owner"], "grant.approve", "dataset", **facts))
    assert (own.is_allowed, own.policies) == (False, ("own-work",))
    other = ask(["data-owner"], "grant.approve", "dataset", name="bob", **facts)
    assert TEAM.decide(other).is_allowed


def test_who_made_it_does_not_declare_it_approved():
    facts = {"made_by": frozenset({"ann"}), "granted": True}
    assert TEAM.decide(ask(["reviewer"], "approve", "model", **facts)).policies == ("own-approval",)


def test_who_votes_for_what_is_not_protective_must_be_asked_to_accept_it():
    facts = {"asked": Action.DEPLOY, "verdict": Verdict.NOT_PROTECTIVE}
    assert TEAM.decide(ask(["reviewer"], "grant.approve", "model", **facts)).policies == (
        "vote-with-open-eyes",
    )
    facts["accepted_risk"] = True
    assert TEAM.decide(ask(["reviewer"], "grant.approve", "model", **facts)).is_allowed


@pytest.mark.parametrize("policies", [TEAM, builtin.load(BuiltIn.SOLO)], ids=["team", "solo"])
@pytest.mark.parametrize("action", ["evaluate", "predict", "deploy"])
def test_what_holds_forgotten_rows_is_used_under_a_grant_alone(policies, action):
    facts = EVERYTHING | {"stale": True}
    roles = ["deployer" if action == "deploy" else "scientist"]
    refused = policies.decide(ask(roles, action, "model", **facts))
    assert (refused.is_allowed, refused.policies) == (False, ("stale",))
    assert policies.decide(ask(roles, action, "model", granted=True, **facts)).is_allowed


@pytest.mark.parametrize("policies", [TEAM, builtin.load(BuiltIn.SOLO)], ids=["team", "solo"])
@pytest.mark.parametrize("action", ["evaluate", "predict", "deploy"])
def test_what_is_suspended_is_not_used(policies, action):
    roles = ["deployer" if action == "deploy" else "scientist"]
    facts = EVERYTHING | {"status": Standing.SUSPENDED}
    refused = policies.decide(ask(roles, action, "model", granted=True, **facts))
    assert (refused.is_allowed, refused.policies) == (False, ("suspended",))


@pytest.mark.parametrize("purpose", [None, "advertising"])
def test_rows_serve_no_other_purpose(purpose):
    request = ask(["ingester"], "protect", "dataset", label=Level.PUBLIC, c_purpose=purpose)
    object.__setattr__(request.resource, "purpose", "routing")
    assert TEAM.decide(request).policies == ("other-purpose",)
    object.__setattr__(request.context, "purpose", "routing")
    assert TEAM.decide(request).is_allowed


def homed(tenant=None, region=None, action="protect", **told):
    """A request to protect rows that belong to somebody, or somewhere."""
    request = ask(["ingester"], action, "dataset", label=Level.PUBLIC)
    object.__setattr__(request.resource, "tenant", tenant)
    object.__setattr__(request.resource, "region", region)
    for name, value in told.items():
        object.__setattr__(request.context, name.removeprefix("c_"), value)
    return request


@pytest.mark.parametrize("key", [None, "beta", "acme, beta"])
def test_rows_of_a_tenant_go_under_its_key_or_by_a_grant(key):
    assert TEAM.decide(homed("acme", c_key_tenant="acme")).is_allowed
    other = TEAM.decide(homed("acme", c_key_tenant=key))
    assert (other.policies, other.missing.ways) == (("other-tenant",), (Way.GRANT,))
    assert TEAM.decide(homed("acme", c_key_tenant=key, c_granted=True)).is_allowed
    assert TEAM.decide(homed(c_key_tenant=key)).is_allowed


@pytest.mark.parametrize("key", [None, "beta"])
def test_what_is_cleaned_under_a_key_goes_under_its_tenants_too(key):
    clean = {"tenant": "acme", "action": "sanitize"}
    assert TEAM.decide(homed(**clean)).is_allowed
    assert TEAM.decide(homed(**clean, c_under_key=True, c_key_tenant="acme")).is_allowed
    other = TEAM.decide(homed(**clean, c_under_key=True, c_key_tenant=key))
    assert (other.policies, other.missing.ways) == (("other-tenant",), (Way.GRANT,))
    stays = {"region": "eu", "c_region": "eu", "action": "sanitize"}
    assert TEAM.decide(homed(**stays)).is_allowed
    assert TEAM.decide(homed(**stays, c_under_key=True, c_key_region="eu")).is_allowed
    assert TEAM.decide(homed(**stays, c_under_key=True, c_key_region=key)).policies == (
        "key-of-other-region",
    )


@pytest.mark.parametrize("other", [None, "us"])
def test_no_grant_crosses_a_region(other):
    here = {"c_region": "eu", "c_key_region": "eu"}
    assert TEAM.decide(homed(region="eu", **here)).is_allowed
    for place, rule in (("c_region", "other-region"), ("c_key_region", "key-of-other-region")):
        for granted in (False, True):
            found = TEAM.decide(homed(region="eu", **{**here, place: other, "c_granted": granted}))
            assert found.policies == (rule,)
            assert not found.missing.ways


USES = (
    "ingester sanitize dataset",
    "ingester calibrate dataset",
    "reviewer assess dataset",
    "reviewer assess model",
    "reviewer redteam model",
    "scientist evaluate model",
    "deployer deploy model",
)


@pytest.mark.parametrize("use", USES)
def test_rows_and_models_of_a_region_are_used_where_the_machine_stands_in_it(use):
    role, action, kind = use.split()
    facts = EVERYTHING | {"granted": True, "region": "eu"}

    def decided(here):
        return TEAM.decide(ask([role], action, kind, c_region=here, **facts))

    assert decided("eu").is_allowed
    for here in ("us", None):
        assert decided(here).policies == ("other-region",)


def test_what_looks_for_or_takes_away_rows_of_a_region_does_so_anywhere():
    for action in ("scan", "forget", "erase", "export.remove"):
        role = "ingester" if action == "scan" else "data-owner"
        facts = EVERYTHING | {"granted": True, "region": "eu"}
        assert TEAM.decide(ask([role], action, "dataset", c_region="us", **facts)).is_allowed


def test_a_service_must_have_been_verified():
    facts = {"status": Standing.APPROVED, "exposure_left": 5, "rows": 5}
    claimed = ask(["service"], "query", "model", **facts)
    assert not TEAM.decide(claimed).is_allowed
    for how in (Authenticated.CERTIFICATE, Authenticated.TOKEN):
        assert TEAM.decide(
            ask(["service"], "query", "model", authenticated=how, **facts)
        ).is_allowed


def test_a_service_that_was_verified_reports_its_host_and_does_not_audit():
    claimed = ask(["service"], "discover", "workspace")
    assert not TEAM.decide(claimed).is_allowed
    for how in (Authenticated.CERTIFICATE, Authenticated.TOKEN):
        assert TEAM.decide(ask(["service"], "discover", "workspace", authenticated=how)).is_allowed
        assert not TEAM.decide(ask(["service"], "audit", "workspace", authenticated=how)).is_allowed


def test_the_administrator_adds_persons_until_there_are_enough():
    assert TEAM.decide(
        ask(["administrator"], "principal.add", "workspace", founding=True)
    ).is_allowed
    later = TEAM.decide(ask(["administrator"], "principal.add", "workspace"))
    assert (later.is_allowed, later.missing.ways) == (False, (Way.GRANT,))
    change = ask(["administrator"], "principal.change", "workspace", founding=True)
    assert not TEAM.decide(change).is_allowed


def test_who_asked_may_give_the_grant_back():
    for who in ("requester", "beneficiary"):
        assert TEAM.decide(ask(["scientist"], "grant.revoke", "dataset", **{who: "ann"})).is_allowed
    other = ask(["scientist"], "grant.revoke", "dataset", requester="bob")
    assert not TEAM.decide(other).is_allowed


def test_break_glass_is_for_the_acts_and_roles_of_the_limits_and_no_forbid_yields():
    loud = TEAM.decide(ask(["data-owner"], "detokenize", "dataset", break_glass=True))
    assert (loud.is_allowed, loud.is_break_glass, loud.policies) == (True, True, ("break-glass",))
    assert not TEAM.decide(ask(["scientist"], "detokenize", "dataset", break_glass=True)).is_allowed
    assert not TEAM.decide(ask(["data-owner"], "deploy", "model", break_glass=True)).is_allowed
    request = ask(["data-owner"], "detokenize", "dataset", break_glass=True)
    object.__setattr__(request.resource, "purpose", "routing")
    assert TEAM.decide(request).policies == ("other-purpose",)


def test_a_policy_that_only_forbids_less_can_be_seen_to_matter():
    """Each forbid of the set turns some decision: none is dead."""
    texts, limits = builtin.texts(BuiltIn.TEAM), builtin.limits(BuiltIn.TEAM)
    forbids = [rule.id for rule in TEAM.rules if rule.effect == "forbid"]
    seen = {
        "own-request": ask(["reviewer"], "grant.approve", "model", requester="ann"),
        "own-work": ask(
            ["reviewer"], "grant.approve", "model", asked=Action.DEPLOY, made_by=frozenset({"ann"})
        ),
        "own-approval": ask(
            ["reviewer"], "approve", "model", granted=True, made_by=frozenset({"ann"})
        ),
        "not-protective": ask(
            ["deployer"], "deploy", "model", **DEPLOY | {"verdict": Verdict.NOT_PROTECTIVE}
        ),
        "too-exposed": ask(["ingester"], "protect", "dataset", label=Level.PUBLIC, reid=0.9),
        "vote-with-open-eyes": ask(
            ["reviewer"],
            "grant.approve",
            "model",
            asked=Action.DEPLOY,
            verdict=Verdict.NOT_PROTECTIVE,
        ),
        "own-emergency": ask(["reviewer"], "review", "workspace", requester="ann"),
        "stale": ask(["scientist"], "predict", "model", label=Level.PUBLIC, stale=True),
        "suspended": ask(["scientist"], "key.use", "key", status=Standing.SUSPENDED),
        "retired": ask(
            ["scientist"], "predict", "model", label=Level.PUBLIC, status=Standing.RETIRED
        ),
    }
    other = ask(["ingester"], "protect", "dataset", label=Level.PUBLIC)
    object.__setattr__(other.resource, "purpose", "routing")
    seen["other-purpose"] = other
    seen |= {"other-tenant": homed(tenant="acme")}
    seen |= {"key-of-other-region": homed(region="eu", c_region="eu")}
    seen |= {"other-region": homed(region="eu", c_key_region="eu")}
    assert set(seen) == set(forbids)
    (text,) = texts.values()
    for name, request in seen.items():
        start = text.index(f'@id("{name}")')
        without = text[:start] + text[text.index(";", text.index("forbid", start)) + 1 :]
        assert not TEAM.judge(request).is_allowed, name
        assert Policies.load({"team.cedar": without}, limits).judge(request).is_allowed, name


@pytest.mark.parametrize("action", Action)
def test_looking_at_the_policies_of_an_action_alone_decides_as_all_of_them(action):
    """The slow way: no policy is left out."""
    whole = builtin.load(BuiltIn.TEAM)
    every = cedarpy.PolicySet.from_str("\n".join(rule.text for rule in whole.rules))
    whole._slices = {(act, schema.entity_type(kind)): every for act in Action for kind in Kind}
    facts = [
        EVERYTHING,
        EVERYTHING | {"status": Standing.SUSPENDED},
        {"reid": 0.9},
        {"granted": True},
    ]
    for kind in APPLIES_TO[action]:
        for role in Role:
            for each in facts:
                request = ask([role], action, kind, requester="ann", **each)
                assert TEAM.judge(request) == whole.judge(request)
